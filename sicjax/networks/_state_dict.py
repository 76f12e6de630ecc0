"""Named arrays without a graph to a network: order from the file, direction from the channel counts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sicjax._errors import InputError
from sicjax.networks._chain import Break, Chain, link
from sicjax.networks._names import is_dense, is_flax, is_kernel, layer_name, one_for_each, to_flax
from sicjax.networks._network import Layer, Network, Skipped
from sicjax.weights import Tensors

_OPTIMISER = re.compile(r"(^|[/._])(optim\w*|opt_state|exp_avg(_sq)?|momentum_buffer)([/._\d]|$)", re.IGNORECASE)


def from_names(
    path: Path,
    tensors: Tensors,
    *,
    stride: Sequence[int] | None,
    transposed: bool | None,
) -> Network:
    """The network of a file that names arrays and no more."""
    skipped = [Skipped(name, reason) for name, reason in tensors.unread.items()]
    skipped += [
        Skipped(name, "shaped like a kernel, but not named weight or kernel")
        for name, array in tensors.arrays.items()
        if array.ndim >= 3 and not is_kernel(name, array) and not _OPTIMISER.search(name)
    ]
    state = [name for name, array in tensors.arrays.items() if _OPTIMISER.search(name) and array.ndim >= 3]
    if state:
        skipped.append(Skipped(state[0], f"and {len(state) - 1} more: state of an optimiser"))
    kept = {name: array for name, array in tensors.arrays.items() if not _OPTIMISER.search(name)}
    kernels = [name for name, array in kept.items() if is_kernel(name, array)]
    if not kernels:
        raise InputError(f"{path} has no kernel of a convolution among its {len(tensors.arrays)} arrays")

    notes: list[str] = []
    strides = _strides(path, kernels, stride)
    groups: dict[str, list[str]] = {}
    for name in kept:
        groups.setdefault(_container(name), []).append(name)
    groups = {group: names for group, names in groups.items() if any(name in strides for name in names)}
    chains = []
    for group, names in groups.items():
        shown = {name: name if len(groups) > 1 else name.removeprefix(f"{group}/") for name in names}
        if not tensors.ordered:
            names = _ordered_by_numbers(path, names, [name for name in names if name in strides])
            notes.append("this format keeps no order of layers: the numbers in their names were used")
        found = [name for name in names if name in strides]
        directions = _directions(path, [(name, kept[name]) for name in found], strides, transposed)
        entries: list[Layer | Break] = []
        for name in names:
            if name in strides:
                entries.append(_layer(shown[name], kept[name], strides[name], directions[name]))
            elif is_dense(name, kept[name]):
                entries.append(Break(f"a dense layer ({layer_name(shown[name])})"))
        chains.append(Chain(group, entries))
    return link(chains, skipped=skipped, notes=notes)


def _strides(path: Path, kernels: list[str], stride: Sequence[int] | None) -> dict[str, int]:
    if stride is None:
        raise InputError(
            f"{path} does not say the strides of its {len(kernels)} convolutions: give --stride N (or N,N,... one for "
            f"each), or a sidecar {path.with_suffix('.json').name}"
        )
    return dict(zip(kernels, one_for_each(path, stride, len(kernels)), strict=True))


def _directions(
    path: Path, kernels: list[tuple[str, np.ndarray]], strides: dict[str, int], transposed: bool | None
) -> dict[str, bool]:
    """For each kernel whether it is transposed: what chains the most channels, with the fewest changes of direction.

    Every way to choose gets a score (channel counts that match between neighbours, minus changes among those). The best
    score through either choice at each layer comes from one pass forward and one back; where both choices of a layer
    that is linked do equally well, the file does not tell.
    """
    if transposed is not None:
        return {name: transposed for name, _ in kernels}
    channels = [[_channels(name, array, choice) for choice in (False, True)] for name, array in kernels]

    def gain(k: int, before: int, after: int) -> tuple[int, int]:
        linked = channels[k][before][1] == channels[k + 1][after][0]
        return (int(linked), -int(linked and before != after))

    def plus(x: tuple[int, int], y: tuple[int, int]) -> tuple[int, int]:
        return x[0] + y[0], x[1] + y[1]

    last = len(kernels) - 1
    forward, back = [[(0, 0)] * 2], [[(0, 0)] * 2]
    for k in range(last):
        forward.append([max(plus(forward[-1][a], gain(k, a, b)) for a in (0, 1)) for b in (0, 1)])
        back.append([max(plus(back[-1][b], gain(last - 1 - k, a, b)) for b in (0, 1)) for a in (0, 1)])
    back.reverse()
    through = [[plus(forward[k][c], back[k][c]) for c in (0, 1)] for k in range(last + 1)]
    chosen = {name: bool(score[1] > score[0]) for (name, _), score in zip(kernels, through, strict=True)}
    for k, (name, array) in enumerate(kernels):
        before = [gain(k - 1, chosen[kernels[k - 1][0]], c)[0] for c in (0, 1) if k > 0]
        after = [gain(k, c, chosen[kernels[k + 1][0]])[0] for c in (0, 1) if k < last]
        near = kernels[max(k - 1, 0) : k + 2]
        alone = is_flax(name) and all(strides[neighbour] == 1 for neighbour, _ in near)
        if through[k][0] == through[k][1] and any(before + after) and not alone:
            raise InputError(
                f"{path} does not say whether {layer_name(name)} {array.shape} is a convolution or a transposed one, "
                "and the channel counts fit both: give --transposed or --no-transposed, or a sidecar "
                f"{path.with_suffix('.json').name}"
            )
    return chosen


def _channels(name: str, array: np.ndarray, transposed: bool) -> tuple[int, int]:
    if is_flax(name):
        return array.shape[-2], array.shape[-1]
    return (array.shape[0], array.shape[1]) if transposed else (array.shape[1], array.shape[0])


def _layer(name: str, array: np.ndarray, stride: int, transposed: bool) -> Layer:
    layout = "HWIO" if is_flax(name) else "IOHW" if transposed else "OIHW"
    kernel = to_flax(array, layout)
    axes = array.ndim - 2
    return Layer(layer_name(name), kernel, (stride,) * axes, (1,) * axes, 1, transposed)


def _container(name: str) -> str:
    """The dict within a checkpoint that holds a state dict: what stands before the last `/`, if a name follows."""
    container, _, rest = name.rpartition("/")
    return container if "." in rest else ""


def _natural(name: str) -> list[tuple[int, int | str]]:
    return [(0, int(part)) if part.isdigit() else (1, part) for part in re.split(r"(\d+)", name)]


def _ordered_by_numbers(path: Path, names: list[str], kernels: list[str]) -> list[str]:
    words = {re.sub(r"\d+", "#", name): name for name in kernels}
    if len(words) > 1:
        one, other = list(words.values())[:2]
        raise InputError(
            f"{path} keeps no order of its layers, and the names {one} and {other} do not tell it: state the layers in "
            f"order in a sidecar {path.with_suffix('.json').name}"
        )
    return sorted(names, key=_natural)
