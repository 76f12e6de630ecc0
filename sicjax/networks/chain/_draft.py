"""A sidecar to be edited: what a file without a graph tells of its layers, and what it leaves open as null."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sicjax._errors import InputError
from sicjax.networks.chain._chain import begins, one_for_each
from sicjax.networks.chain._infer import likely
from sicjax.networks.chain._state_dict import containers_of, kernels_in, side_of
from sicjax.weights import Tensors, is_dense, is_flax, is_kernel


def draft(
    path: Path,
    tensors: Tensors,
    *,
    stride: Sequence[int] | None,
    transposed: bool | None,
    transposed_in: Sequence[str] = (),
) -> dict[str, list[dict[str, Any]]]:
    """The layers of each network as a sidecar states them, in the order of the file; None for what it does not tell.

    Raises:
        InputError: a file without convolutions, or another number of strides than it has.
    """
    kernels = [name for name, array in tensors.arrays.items() if is_kernel(name, array)]
    if not kernels:
        raise InputError(f"{path} has no kernel of a convolution among its {len(tensors.arrays)} arrays")
    containers = containers_of(path, list(tensors.arrays), kernels, True)
    ordered = [name for names in containers.values() for name in names if name in set(kernels)]
    given = None if stride is None else one_for_each(path, stride, len(ordered))
    strides = dict(zip(ordered, given or [1] * len(ordered), strict=True))
    networks: dict[str, list[dict[str, Any]]] = {}
    for container, names in containers.items():
        found = kernels_in(names, tensors.arrays, strides)
        directions = [True if begins(kernel.name, transposed_in) else transposed for kernel in found]
        ways, untold = likely(found, directions)
        told = {kernel.name: (k not in untold, way) for k, (kernel, way) in enumerate(zip(found, ways, strict=True))}
        split = {"generator", "discriminator"} <= set(map(side_of, names))
        for name in names:
            layers = networks.setdefault((side_of(name) if split else container) or "network", [])
            if name in told:
                sure, way = told[name]
                kind = ("conv_transpose" if way.transposed else "conv") if sure else None
                layout = "HWIO" if is_flax(name) else {"conv": "OIHW", "conv_transpose": "IOHW", None: None}[kind]
                layer = {"type": kind, "weight": name, "layout": layout, "stride": strides[name] if given else None}
                layers.append(layer | ({"groups": way.groups} if way.groups > 1 else {}))
            elif is_dense(name, tensors.arrays[name]):
                layers.append({"type": "linear", "weight": name})
    return networks
