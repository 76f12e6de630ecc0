"""Named arrays without a graph to a network: order from the file, direction and groups from the channel counts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from sicjax._errors import InputError
from sicjax.networks.chain._chain import Chain, End, begins, link, one_for_each
from sicjax.networks.chain._infer import Kernel, Reading, readings
from sicjax.networks.graph import Layer, Network, Skipped
from sicjax.weights import Tensors, is_dense, is_flax, is_kernel, is_low_rank, layer_name, sidecar_path, to_flax

_OPTIMISER = re.compile(r"(^|[/._])(optim\w*|opt_state|exp_avg(_sq)?|momentum_buffer)([/._\d]|$)", re.IGNORECASE)
_LOW_RANK = "a low-rank change of another network's weights"
# What travels in files beside a network's arrays.
_OTHERS = {
    "state of an optimiser": _OPTIMISER.search,
    "settings of a Lightning checkpoint": re.compile(r"^hyper_parameters/").search,
    _LOW_RANK: is_low_rank,
}
# The two networks of a GAN, of which none continues the other.
_GAN = re.compile(r"(?:^|[./_])(?:net_?)?(?:(g|gen|generator)|(d|dis|disc|discriminator|critic))[._]", re.IGNORECASE)
# What a kernel beside others, and not after them, is called.
_BRANCH = re.compile(
    r"down_?sampl|short_?cut|skip|branch|resid|identity|(?:^|[._])(?:layer|block|stage)s?[._]?\d", re.I
)
_PLAIN = (
    "read as a plain chain: branches and pooling are not in the file; for the exact graph give the network itself, as "
    "ONNX, of torch.export, or in memory to networks.from_torch"
)
_UNNAMED = "shaped like a kernel, but not named weight or kernel"
_NAMES = "call kernels conv1.weight (out, in, taps), say, or conv1.kernel (taps, in, out)"
# Of a batch normalisation.
_NORM = re.compile(r"(^|[/._])(running|moving)_mean$")


def from_names(
    path: Path,
    tensors: Tensors,
    *,
    stride: Sequence[int] | None,
    transposed: bool | None,
    transposed_in: Sequence[str] = (),
) -> Network:
    """The network of a file that names arrays and no more; what begins with `transposed_in` is transposed."""
    skipped = [Skipped(name, reason) for name, reason in tensors.unread.items()]
    kept = tensors.arrays
    for what, belongs in _OTHERS.items():
        others = [name for name, array in kept.items() if belongs(name) and array.ndim >= 3]
        if others:
            skipped.append(Skipped(others[0], f"and {len(others) - 1} more: {what}"))
        kept = {name: array for name, array in kept.items() if not belongs(name)}
    unnamed = [name for name, array in kept.items() if array.ndim >= 3 and not is_kernel(name, array)]
    skipped += [Skipped(name, _UNNAMED) for name in unnamed]
    kernels = [name for name, array in kept.items() if is_kernel(name, array)]
    if not kernels and any(map(is_low_rank, tensors.arrays)):
        raise InputError(f"{path} is a LoRA file, {_LOW_RANK}: merge it into that network, and measure what comes out")
    if not kernels:
        unread = "".join(f"; {name} and more were not read: {why}" for name, why in list(tensors.unread.items())[:1])
        held = f"no kernel of a convolution among its {len(tensors.arrays)} arrays"
        why = f"{unnamed[0]} is {_UNNAMED}: {_NAMES}" if unnamed else "dense layers are not measured"
        because = f" ({why})" if tensors.arrays else ""
        raise InputError(f"{path} has {held}{because}{unread}")

    if stride is None:
        raise InputError(
            f"{path} does not say the strides of its {len(kernels)} convolutions: give --stride N (or N,N,... one for "
            f"each; in Python stride=N), or a sidecar {sidecar_path(path).name} (sicjax sidecar writes a draft)"
        )
    containers = containers_of(path, list(kept), kernels, tensors.ordered)
    is_one = set(kernels)
    kernels = [name for names in containers.values() for name in names if name in is_one]
    strides = dict(zip(kernels, one_for_each(path, stride, len(kernels)), strict=True))
    notes = [] if tensors.ordered else ["this format keeps no order of layers: the numbers in their names were used"]
    chains: dict[str, Chain] = {}
    for container, names in containers.items():
        shown = {name: name if len(containers) > 1 else name.removeprefix(f"{container}/") for name in names}
        found = kernels_in(names, kept, strides)
        directions = [True if begins(k.name, transposed_in) else transposed for k in found]
        chosen = {k.name: way for k, way in zip(found, readings(path, found, directions), strict=True)}
        grouped = [f"{layer_name(shown[name])} {way.groups}" for name, way in chosen.items() if way.groups > 1]
        if grouped:
            more = f" and {len(grouped) - 3} more" if len(grouped) > 3 else ""
            notes.append(f"groups inferred from the channel counts: {', '.join(grouped[:3])}{more}")
        entries = chains[container] = []
        sides = [side_of(name) for name in names]
        if not {"generator", "discriminator"} <= set(sides):
            sides = [""] * len(sides)
        for name, side, before in zip(names, sides, [*sides[:1], *sides], strict=False):
            if side != before:
                entries.append(End("another network begins", layer_name(shown[name])))
            if name in strides:
                entries.append(_layer(shown[name], kept[name], strides[name], chosen[name]))
            elif is_dense(name, kept[name]):
                entries.append(End("a dense layer", layer_name(shown[name])))
    net = link(chains, skipped=skipped, notes=[*notes, *_uneven(chains)])
    misfit = any(" channels, " in reason for _, reason in net.skipped)
    plain = (_PLAIN,) if misfit or any(_BRANCH.search(layer.path) for layer in net.layers) else ()
    return net._replace(notes=(*net.notes, *plain))


def _uneven(chains: Mapping[str, Chain]) -> list[str]:
    """Notes on strides that leave some places out, or reach some more often: hardly what a network is trained with."""
    layers = [layer for entries in chains.values() for layer in entries if isinstance(layer, Layer)]
    odd = []
    for layer in layers:
        sides = list(zip(layer.kernel.shape, layer.stride, strict=False))
        beyond = any(s > k > 1 for k, s in sides)
        if beyond or (layer.transposed and any(s > 2 and k % s for k, s in sides)):
            odd.append(f"{layer.path} {layer.stride[0]} of {'x'.join(str(k) for k, _ in sides)} taps")
    more = f" and {len(odd) - 3} more" if len(odd) > 3 else ""
    return [f"a stride that does not go with the kernel: {', '.join(odd[:3])}{more}"] if odd else []


def containers_of(path: Path, names: list[str], kernels: list[str], ordered: bool) -> dict[str, list[str]]:
    """The names in each state dict of a file that has a kernel, in order."""
    held: dict[str, list[str]] = {_container(name): [] for name in kernels}
    for name in names:
        if (container := _container(name)) in held:
            held[container].append(name)
    if ordered:
        return held
    inside: dict[str, list[str]] = {container: [] for container in held}
    for name in kernels:
        inside[_container(name)].append(name)
    return {container: _ordered_by_numbers(path, held[container], inside[container]) for container in held}


def kernels_in(names: list[str], arrays: dict[str, np.ndarray], strides: dict[str, int]) -> list[Kernel]:
    """The kernels, with what the bias and the normalisation after each say of its channels."""
    found: list[Kernel] = []
    for name in names:
        if name in strides:
            biases = [arrays[bias] for sign in "./" if (bias := f"{layer_name(name)}{sign}bias") in arrays]
            found.append(Kernel(name, arrays[name], strides[name], biases[0].size if biases else None))
        elif found and found[-1].norm is None and _NORM.search(name) and arrays[name].ndim == 1:
            found[-1] = found[-1]._replace(norm=arrays[name].size)
    return found


def _layer(name: str, array: np.ndarray, stride: int, reading: Reading) -> Layer:
    layout = "HWIO" if is_flax(name) else "IOHW" if reading.transposed else "OIHW"
    kernel = to_flax(array, layout, reading.groups)
    axes = array.ndim - 2
    return Layer(layer_name(name), kernel, (stride,) * axes, (1,) * axes, reading.groups, reading.transposed)


def _container(name: str) -> str:
    """The dict within a checkpoint that holds a state dict: what stands before the last `/`, if a name follows."""
    container, _, rest = name.rpartition("/")
    return container if "." in rest else ""


def side_of(name: str) -> str:
    """Which network of a GAN an array is of; empty for none."""
    match = _GAN.search(name)
    return "" if match is None else "generator" if match[1] else "discriminator"


def _ordered_by_numbers(path: Path, names: list[str], kernels: list[str]) -> list[str]:
    """Names in the order of the numbers in them, where these alone tell kernels apart, within each module."""
    parts: dict[str, dict[str, str]] = {}
    for name in kernels:
        inside = ""
        for part in re.split(r"[./]", layer_name(name)):
            parts.setdefault(inside, {}).setdefault(re.sub(r"\d+", "#", part), name)
            inside += f"{part}."
    for words in parts.values():
        if len(words) > 1:
            one, other = list(words.values())[:2]
            raise InputError(
                f"{path} keeps no order of its layers, and the names {one} and {other} do not tell it: state the "
                f"layers in order in a sidecar {sidecar_path(path).name} (sicjax sidecar writes a draft)"
            )
    # By length rather than as numbers, of which Python reads no more than 4,300 digits.
    number = lambda digits: (0, len(digits.lstrip("0")), digits.lstrip("0"))
    natural = lambda name: [number(part) if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", name)]
    return sorted(names, key=natural)
