"""Networks of any kind as named arrays, and back with some of them replaced."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from sicjax import weights
from sicjax._errors import InputError

_KERNEL = re.compile(r"[./](kernel|weight|w)$")
_NORMALISED = re.compile(r"[./](weight_v|weight_g|weight_orig|parametrizations[./]weight[./]original[01]?)$")


class Arrays(NamedTuple):
    """The arrays of a network.

    Attributes:
        named: by name, `.` or `/` between the levels.
        rebuild: from arrays that replace some of them to a new network; the old one is left as it is.
    """

    named: dict[str, Any]
    rebuild: Callable[[dict[str, Any]], Any]


def open_network(network: Any) -> Arrays:
    """The arrays of a weights file, of a Flax NNX module, of a dict by name, or of any pytree.

    Raises:
        InputError: a file that cannot be read, or not in full.
    """
    if isinstance(network, (str, Path)):
        tensors = weights.read(network)
        if tensors.unread:
            name, reason = next(iter(tensors.unread.items()))
            raise InputError(f"{network} cannot be read in full, so no whole copy can be made: {name}: {reason}")
        return _of_dict(tensors.arrays)
    if isinstance(network, Mapping) and all(isinstance(value, (np.ndarray, jax.Array)) for value in network.values()):
        return _of_dict(network)
    module = _nnx_module(network)
    return _of_pytree(network) if module is None else module


def find_kernel(arrays: Arrays, layer: str) -> str:
    """The name of a layer's kernel.

    Raises:
        InputError: no such layer, more than one, or a kernel that is kept normalised.
    """
    wanted = layer.replace("/", ".")
    kernels = [name for name, array in arrays.named.items() if np.ndim(array) >= 3]
    matches = [name for name in kernels if wanted in _names(name)]
    matches = matches or [name for name in kernels if any(other.endswith(f".{wanted}") for other in _names(name))]
    if len(matches) == 1:
        return matches[0]
    normalised = [name for name in kernels if _NORMALISED.sub("", name).replace("/", ".") == wanted]
    if normalised:
        raise InputError(
            f"{layer} is kept as {normalised[0]}: without some filters its normalisation would rescale the others; "
            "save the network with the normalisation removed"
        )
    if matches:
        raise InputError(f"{layer} may be {' or '.join(matches)}: give the whole name")
    known = ", ".join(_KERNEL.sub("", name) for name in kernels)
    raise InputError(f"there is no layer {layer} with a kernel; there are: {known or 'none'}")


def _names(name: str) -> tuple[str, str]:
    """What an array may be called: by its own name or its layer's."""
    name = name.replace("/", ".")
    return name, _KERNEL.sub("", name)


def _of_dict(named: Mapping[str, Any]) -> Arrays:
    return Arrays(dict(named), lambda changed: {**named, **changed})


def _of_pytree(tree: Any) -> Arrays:
    with_paths, structure = jax.tree_util.tree_flatten_with_path(tree)
    names = [_path(path) for path, _ in with_paths]
    leaves = [leaf for _, leaf in with_paths]

    def rebuild(changed: dict[str, Any]) -> Any:
        new = [changed.get(name, leaf) for name, leaf in zip(names, leaves, strict=True)]
        return jax.tree.unflatten(structure, new)

    return Arrays(dict(zip(names, leaves, strict=True)), rebuild)


def _nnx_module(network: Any) -> Arrays | None:
    try:
        from flax import nnx
    except ImportError:
        return None
    if not isinstance(network, nnx.Module):
        return None
    graph, state = nnx.split(network)
    arrays = _of_pytree(state)
    return arrays._replace(rebuild=lambda changed: nnx.merge(graph, arrays.rebuild(changed)))


def _path(keys: Sequence[Any]) -> str:
    names = [str(getattr(key, "key", getattr(key, "idx", getattr(key, "name", key)))) for key in keys]
    # An NNX variable keeps its array one level below its own name.
    while len(names) > 1 and names[-1] in ("value", "raw_value"):
        names.pop()
    return ".".join(names)
