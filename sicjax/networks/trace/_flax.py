"""Flax modules, NNX and Linen, to networks, through their trace."""

from __future__ import annotations

from typing import Any

from sicjax._errors import InputError, missing_package
from sicjax.networks.graph import Network
from sicjax.networks.trace._function import from_function


def from_module(module: Any, *example_inputs: Any, variables: Any = None, **call: Any) -> Network:
    """The network of a Flax module, in the order of its calls; the module is not run.

    Arguments:
        module: a Flax NNX module, or a Linen module with its `variables`.
        example_inputs: arrays, or `jax.ShapeDtypeStruct`s of their shapes.
        variables: of a Linen module, what `module.init` returned.
        call: keywords of the call, such as `train=False`.

    Returns:
        The network; its `bind` takes the NNX module itself, or Linen variables, with other parameters.

    Raises:
        InputError: not a Flax module, a Linen module without variables, weights that are not finite.
    """
    try:
        from flax import linen, nnx
    except ImportError as error:
        raise missing_package("flax", "train", "reading Flax modules") from error

    if isinstance(module, linen.Module):
        if variables is None:
            raise InputError("a Linen module holds no parameters: pass variables=module.init(key, x)")
        return from_function(lambda v, *x: module.apply(v, *x, **call), variables, *example_inputs)
    if not isinstance(module, nnx.Module):
        raise InputError(f"expected a Flax NNX or Linen module, got {type(module).__name__}; see from_function")
    graphdef, state = nnx.split(module)
    net = from_function(lambda state, *x: nnx.merge(graphdef, state)(*x, **call), state, *example_inputs)
    return net._replace(rebuild=lambda other: net.bind(nnx.state(other)))
