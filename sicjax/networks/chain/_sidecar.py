"""Weights with a sidecar to a network."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sicjax._errors import InputError
from sicjax.networks.chain._chain import Chain, End, begins, link, one_for_each
from sicjax.networks.graph import Layer, Network, Skipped
from sicjax.weights import Sidecar, Tensors, is_convolution, is_kernel, layer_name, to_flax

# What may follow a layer and leave the pair as it is: elementwise, or a scale and shift of each channel.
_TRANSPARENT = re.compile(
    r"(batch|group|layer|instance)_?norm|dropout|(leaky_?|p)?relu\d?|elu|selu|gelu|silu|swish|mish|tanh|sigmoid|softplus"
    r"|identity|bias",
    re.IGNORECASE,
)


def from_sidecar(
    path: Path,
    tensors: Tensors,
    sidecar: Sidecar,
    *,
    stride: Sequence[int] | None,
    transposed: bool | None,
    transposed_in: Sequence[str] = (),
) -> Network:
    """The network that the sidecar states, filled with the file's kernels; a given stride or direction comes first."""
    convolutions = [layer for layers in sidecar.networks.values() for layer in layers if is_convolution(layer)]
    given = None if stride is None else iter(one_for_each(path, stride, len(convolutions)))
    notes = [f"layers as stated in {sidecar.path.name}"]
    notes += [f"stride {','.join(map(str, stride))} as given, not as stated there"] if stride else []
    notes += ["direction as given, not as stated there"] if transposed is not None or transposed_in else []
    named: set[str] = set()
    chains: dict[str, Chain] = {}
    for network, stated in sidecar.networks.items():
        entries = chains[network] = []
        for layer in stated:
            if not is_convolution(layer):
                entries.append(End(f"a {layer['type']} layer", layer_name(str(layer.get("weight", "")))))
                continue
            name = _find(path, tensors, sidecar, layer["weight"])
            named.add(name)
            if given is not None:
                layer = layer | {"stride": next(given)}
            way = True if begins(name, transposed_in) else transposed
            if way is not None:
                layer = layer | {"type": "conv_transpose" if way else "conv"}
            entries.append(_layer(sidecar, tensors.arrays[name], layer))
            entries += [
                End(f"{step}, which is not elementwise")
                for step in layer.get("post", ())
                if not _TRANSPARENT.match(str(step))
            ]
    others = [name for name, array in tensors.arrays.items() if is_kernel(name, array) and name not in named]
    skipped = [Skipped(layer_name(name), f"not named in the sidecar {sidecar.path.name}") for name in others]
    skipped += [Skipped(name, reason) for name, reason in tensors.unread.items()]
    return link(chains, skipped=skipped, notes=notes)


def _find(path: Path, tensors: Tensors, sidecar: Sidecar, name: str) -> str:
    matches = [name] if name in tensors.arrays else [n for n in tensors.arrays if n.endswith(f"/{name}")]
    if len(matches) != 1:
        what = "more than one array" if matches else "no array"
        raise InputError(f"{path} has {what} named {name}, which the sidecar {sidecar.path} asks for")
    return matches[0]


def _layer(sidecar: Sidecar, array: np.ndarray, stated: dict[str, Any]) -> Layer:
    name, layout, axes = stated["weight"], str(stated["layout"])[:4].upper(), array.ndim - 2
    if layout not in ("OIHW", "IOHW", "HWIO") or axes < 1:
        raise InputError(
            f"the sidecar {sidecar.path}: {name} is {array.shape} with layout {stated['layout']!r}; expected a kernel "
            "and a layout that starts with OIHW, IOHW or HWIO"
        )
    groups = stated.get("groups", 1)
    transposed = stated["type"] == "conv_transpose"
    kernel = to_flax(array, layout, groups)
    try:
        stride, dilation = _per_axis(stated["stride"], axes), _per_axis(stated.get("dilation", 1), axes)
    except (TypeError, ValueError) as error:
        raise InputError(f"the sidecar {sidecar.path}: {name}: stride or dilation {error}") from error
    return Layer(layer_name(name), kernel, stride, dilation, groups, transposed)


def _per_axis(value: Any, axes: int) -> tuple[int, ...]:
    values = (value,) * axes if isinstance(value, int) else tuple(value)
    if len(values) != axes or not all(isinstance(v, int) and v > 0 for v in values):
        raise ValueError(f"must be a positive integer, or one for each of {axes} axes, got {value!r}")
    return values
