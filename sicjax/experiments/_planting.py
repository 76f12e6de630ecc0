"""Layers of networks with a fault planted in one at a time: which layers, and what each fault does to a kernel."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from jaxtyping import Float

from sicjax import networks, sdr
from sicjax.experiments._public import described

# What each fault is called, in the order of the table.
FAULTS = ("permuted", "transplanted", "redrawn", "transposed", "flipped", "int8", "int4")
SAMPLED = 6

Kernel: TypeAlias = Float[np.ndarray, "*k m o"]


class Planted(NamedTuple):
    """A pair of a network, and its second layer's kernel as it is, `healthy`, and with every fault that it can have."""

    file: str
    name: str
    pair: sdr.Cascade
    versions: dict[str, Kernel]


def planted(weights: Path, say: Callable[[str], Any]) -> Iterator[Planted]:
    """Every layer that faults are planted in; the same draws each time."""
    found = {file.stem: pairs_of(file) for file, _ in described(weights)}
    for file, pairs in found.items():
        say(f"planting faults in {file}")
        for name in spread(list(pairs)):
            kernel = np.asarray(pairs[name].second)
            rng = np.random.default_rng(list(f"{file} {name}".encode()))
            versions = {"healthy": kernel, **faulty(kernel, rng, sister(found, file, name))}
            yield Planted(file, name, pairs[name], versions)


def where(each: Planted) -> dict[str, Any]:
    """Where a layer is from."""
    return {"family": family(each.file), "file": each.file, "pair": each.name, "shape": each.pair.shape}


def pairs_of(file: Path) -> dict[str, sdr.Cascade]:
    """The pairs of a file in which something can be seen, one for each second layer, without groups."""
    found, seen = {}, set()
    for pair in networks.from_file(file).pairs:
        cascade, layer = pair.cascade, (pair.network, pair.second.path)
        if not cascade.structural and cascade.shape[1] > 2 and layer not in seen:
            seen.add(layer)
            found[pair.name] = ungrouped(cascade)
    return found


def ungrouped(pair: sdr.Cascade) -> sdr.Cascade:
    """The pair with its groups written out, as layers without any."""
    return sdr.Cascade(*pair.aligned(), pair.down, pair.up, pair.first_dilation, pair.second_dilation)


def spread(names: list[str]) -> list[str]:
    """So many of the names, from the first to the last at even distances."""
    if not names:
        return []
    return [names[k] for k in np.unique(np.linspace(0, len(names) - 1, SAMPLED).round().astype(int))]


def family(file: str) -> str:
    return file.partition("_")[0]


def sister(found: Mapping[str, Mapping[str, sdr.Cascade]], file: str, name: str) -> Kernel | None:
    """The layer of this name and shape in the next other network of the family, in a circle; None if there is none."""
    files = [other for other in found if family(other) == family(file)]
    here = files.index(file)
    own = np.asarray(found[file][name].second)
    for other in files[here + 1 :] + files[:here]:
        if name in found[other]:
            kernel = np.asarray(found[other][name].second)
            if kernel.shape == own.shape and not np.array_equal(kernel, own):
                return kernel
    return None


def faulty(kernel: Kernel, rng: np.random.Generator, sister: Kernel | None) -> dict[str, Kernel]:
    """The kernel with every fault that it can have."""
    found = {"permuted": rng.permutation(kernel, axis=-2), "redrawn": rng.normal(0, kernel.std(), kernel.shape)}
    if sister is not None:
        found["transplanted"] = sister
    if kernel.ndim > 3:
        found["flipped"] = np.flip(kernel, 0)
        if kernel.shape[0] == kernel.shape[1]:
            found["transposed"] = kernel.swapaxes(0, 1)
    found |= {"int8": quantised(kernel, 8), "int4": quantised(kernel, 4)}
    return {fault: found[fault] for fault in FAULTS if fault in found}


def quantised(kernel: Kernel, bits: int) -> Kernel:
    """Rounded to whole multiples of one step, the largest weight being the largest multiple."""
    step = np.abs(kernel).max() / (2 ** (bits - 1) - 1)
    return np.rint(kernel / step) * step if step > 0 else kernel
