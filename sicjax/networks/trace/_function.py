"""Any JAX function to a network: its trace is followed from convolution to convolution, nothing is executed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from sicjax import sdr
from sicjax._errors import InputError
from sicjax.networks.graph import Graph, Network
from sicjax.networks.trace import _rearrange, _space  # noqa: F401  (their rules)
from sicjax.networks.trace._walk import Known, Walk, fixed


def from_function(apply: Callable, params: Any, *example_inputs: Any) -> Network:
    """The network of any JAX function, from a trace: the function is not executed and no activation is allocated.

    Arguments:
        apply: called as `apply(params, *example_inputs)`.
        params: any pytree with the kernels, as arrays.
        example_inputs: arrays, or `jax.ShapeDtypeStruct`s of their shapes.

    Returns:
        The network; its `bind` gives the pairs for other parameters, in a training step for example.

    Raises:
        InputError: no parameters, or weights that are not finite.

    >>> import jax.numpy as jnp
    >>> def apply(params, x):
    ...     for kernel in params:
    ...         x = jax.nn.relu(jax.lax.conv_general_dilated(x, kernel, (2, 2), "SAME"))
    ...     return x
    >>> params = [jnp.ones((8, 3, 4, 4)), jnp.ones((16, 8, 4, 4))]
    >>> list(from_function(apply, params, jnp.zeros((1, 3, 32, 32))).cascades)
    ['0 to 1']
    """
    with_paths, structure = jax.tree_util.tree_flatten_with_path(params)
    leaves = [leaf for _, leaf in with_paths]
    if not leaves:
        raise InputError("there are no parameters: pass the pytree that holds the kernels as the second argument")
    abstract = jax.tree.unflatten(structure, [jax.typeof(leaf) for leaf in leaves])
    abstract = jax.tree.map(lambda aval: jax.ShapeDtypeStruct(aval.shape, aval.dtype), abstract)
    closed = jax.make_jaxpr(apply)(abstract, *example_inputs)
    known = [
        Known(lambda given, k=k: given[k], _path(path), int(np.size(leaf))) for k, (path, leaf) in enumerate(with_paths)
    ]
    graph = Graph()
    walk = Walk(graph, leaves)
    inputs = [graph.input(v.aval.shape) for v in closed.jaxpr.invars[len(known) :]]
    walk.jaxpr(closed.jaxpr, [fixed(c) for c in closed.consts], [*known, *inputs])

    def bind(other: Any) -> dict[str, sdr.Cascade]:
        given, found = jax.tree.flatten(other)
        if found != structure:
            raise InputError("these parameters have another structure than those the network was traced with")
        return graph.cascades([walk.kernel(kernel, given) for kernel in walk.kernels])

    return graph.network()._replace(rebuild=bind)


def _path(keys: Sequence[Any]) -> str:
    names = [str(getattr(key, "key", getattr(key, "idx", getattr(key, "name", key)))) for key in keys]
    while len(names) > 1 and names[-1] in ("value", "kernel", "weight", "w", "raw_value"):
        names.pop()
    while len(names) > 1 and names[0] == "params":
        names.pop(0)
    return ".".join(names)
