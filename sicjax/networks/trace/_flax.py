"""Flax modules, NNX and Linen, to networks, through their trace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sicjax import sdr
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
        return _from_linen(module, example_inputs, variables, call)
    if not isinstance(module, nnx.Module):
        origins = {kind.__module__.partition(".")[0] for kind in type(module).__mro__}
        theirs = "torch" in origins or isinstance(module, Mapping)
        other = "from_torch takes PyTorch's modules and state dicts" if theirs else "see from_function"
        raise InputError(f"expected a Flax NNX or Linen module, got {type(module).__name__}: {other}")
    graphdef, state = nnx.split(module)
    net = from_function(lambda state, *x: nnx.merge(graphdef, state)(*x, **call), state, *example_inputs)
    return net._replace(rebuild=lambda other: net.bind(nnx.state(other)), name=type(module).__name__)


_EVALUATION = "call it as in evaluation, from_module(..., train=False), or whatever its __call__ has for that"


def _from_linen(module: Any, inputs: Sequence[Any], variables: Any, call: Mapping[str, Any]) -> Network:
    from flax import errors

    held = dict(variables) if isinstance(variables, Mapping) else {}
    every = f"{{{', '.join(f'{name!r}: ...' for name in held)}}}"
    try:
        net = from_function(lambda v, *x: module.apply(v, *x, **call), variables, *inputs)
    except errors.ModifyScopeVariableError as error:
        raise InputError(f"the module changes its variables, as batch norms in training do: {_EVALUATION}") from error
    except errors.InvalidRngError as error:
        raise InputError(f"the module draws random numbers, as dropout in training does: {_EVALUATION}") from error
    except errors.ScopeCollectionNotFound as error:
        there = "pass all that module.init returned, such as {'params': ..., 'batch_stats': ...}"
        raise InputError(f"variables={every} are not all that the module has: {there}") from error

    def bind(other: Any) -> dict[str, sdr.Cascade]:
        lacks = [name for name in held if not (isinstance(other, Mapping) and name in other)]
        if lacks:
            raise InputError(
                f"bind takes all variables that the network was traced with, {every}; no {', '.join(lacks)}"
            )
        return net.bind(other)

    return net._replace(rebuild=bind, name=type(module).__name__)
