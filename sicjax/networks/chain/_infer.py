"""What a file without a graph leaves open of its kernels, direction and groups, from the channel counts around them."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from sicjax._errors import InputError
from sicjax.weights import is_flax, layer_name, sidecar_path

# The name of what is no file.
IN_MEMORY = Path("the state dict")

# Worse than any number of channel counts that match.
_IMPOSSIBLE = -(10**9)


class Kernel(NamedTuple):
    """A kernel in the order of its file.

    Attributes:
        name: of the array.
        array: as it is stored.
        stride: of its layer.
        bias: the size of its layer's bias, None if there is none.
        norm: the size of the normalisation between it and the next kernel, None if there is none.
    """

    name: str
    array: np.ndarray
    stride: int
    bias: int | None = None
    norm: int | None = None


class Reading(NamedTuple):
    """One way to take a kernel, and the channels that it then takes and gives; `sure` if no branch fits as well."""

    transposed: bool
    groups: int
    inputs: int
    outputs: int
    sure: bool = True


def readings(path: Path, kernels: Sequence[Kernel], transposed: Sequence[bool | None]) -> list[Reading]:
    """For each kernel the reading under which the most channel counts match, of the direction that is given for it.

    Raises:
        InputError: a kernel whose reading the file does not tell.
    """
    found, untold = likely(kernels, transposed)
    for k in untold:
        raise InputError(
            f"{path} does not say whether {layer_name(kernels[k].name)} {kernels[k].array.shape} is a convolution "
            f"or a transposed one, and the channel counts fit both: {_telling(path)}"
        )
    return found


def _telling(path: Path) -> str:
    if path == IN_MEMORY:
        return "pass transposed=True or False, or in its place the module with an example input, which tells it"
    sidecar = f"a sidecar {sidecar_path(path).name} (sicjax sidecar writes a draft)"
    return f"give --transposed, --no-transposed or --transposed-in PREFIX, or {sidecar}"


def likely(kernels: Sequence[Kernel], transposed: Sequence[bool | None]) -> tuple[list[Reading], list[int]]:
    """For each kernel the reading under which the most channel counts match, and which of them others fit as well.

    Every way to read all of them gets a score: channel counts that match between neighbours, then normalisations that
    match, minus changes of direction among linked layers. The best score through each reading of each layer comes from
    one pass forward and one back; where several readings of a layer that is linked do equally well, the file does not
    tell. A layer that is depthwise if it is linked, but may as well start a branch, is taken as one without groups.
    """
    if not kernels:
        return [], []
    given, ways = {_counts(kernels[0])[0]}, []
    for k, kernel in enumerate(kernels):
        ways.append(_ways(kernel, _groups(kernel, kernels[k - 1], given) if k else {}, transposed[k]))
        given.add(_counts(kernel)[1])
    last = len(kernels) - 1

    def gain(k: int, before: Reading, after: Reading) -> tuple[int, int, int]:
        """Of what kernel `k + 1` is after kernel `k`."""
        linked = before.outputs == after.inputs
        if after.groups > 1 and not linked:
            return _IMPOSSIBLE, 0, 0
        norm = after.outputs == kernels[k + 1].norm
        return int(linked), int(norm), -int(linked and before.transposed != after.transposed)

    plus = lambda x, y: tuple(map(operator.add, x, y))
    forward = [[(0, int(way.outputs == kernels[0].norm), 0) for way in ways[0]]]
    back = [[(0, 0, 0) for _ in ways[last]]]
    for k in range(last):
        forward.append(
            [max(plus(f, gain(k, a, b)) for f, a in zip(forward[-1], ways[k], strict=True)) for b in ways[k + 1]]
        )
        k = last - 1 - k
        back.append([max(plus(f, gain(k, a, b)) for f, b in zip(back[-1], ways[k + 1], strict=True)) for a in ways[k]])
    back.reverse()
    through = [[plus(f, b) for f, b in zip(fs, bs, strict=True)] for fs, bs in zip(forward, back, strict=True)]
    chosen = [way[max(range(len(way)), key=score.__getitem__)] for way, score in zip(ways, through, strict=True)]
    untold = []
    for k, (way, score) in enumerate(zip(ways, through, strict=True)):
        best = [w for w, s in zip(way, score, strict=True) if s == max(score)]
        before = k > 0 and any(chosen[k - 1].outputs == w.inputs for w in best)
        after = k < last and any(w.outputs == chosen[k + 1].inputs for w in best)
        alone = is_flax(kernels[k].name) and all(near.stride == 1 for near in kernels[max(k - 1, 0) : k + 2])
        if len({w.transposed for w in best}) > 1 and (before or after) and not alone:
            untold.append(k)
    return [w if w.sure else w._replace(groups=1, inputs=w.inputs // w.groups) for w in chosen], untold


def _counts(kernel: Kernel) -> tuple[int, int]:
    """The channels that a kernel takes and gives, if it is a plain convolution."""
    few, many = kernel.array.shape[-2:] if is_flax(kernel.name) else kernel.array.shape[1::-1]
    return few, many


def _ways(kernel: Kernel, grouped: Mapping[int, bool], transposed: bool | None) -> list[Reading]:
    few, many = _counts(kernel)
    ways = []
    for groups, sure in {1: True, **grouped}.items():
        ways.append(Reading(False, groups, few * groups, many, sure))
        if is_flax(kernel.name):
            ways.append(Reading(True, groups, few * groups, many, sure))
        elif groups == 1 or (sure and groups == many):
            ways.append(Reading(True, groups, many, few * groups))
    ways = [way for way in ways if transposed in (None, way.transposed)]
    return [way for way in ways if way.outputs == kernel.bias] or ways


def _groups(kernel: Kernel, before: Kernel, given: set[int]) -> dict[int, bool]:
    """The number of groups above 1 that the kernel can have, if there is one, and whether that is sure.

    One for each channel if it is depthwise; else what the normalisation before it says of the channels that it takes.
    It is not sure if something before gives as few channels as it takes without groups, which a branch may bring.
    """
    few, many = _counts(kernel)
    if few == 1:
        return {many: few not in given} if many > 1 else {}
    groups, rest = divmod(before.norm or 0, few)
    return {groups: True} if few not in given and groups > 1 and not rest and many % groups == 0 else {}
