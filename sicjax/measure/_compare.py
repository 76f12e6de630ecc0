"""What changed between two versions of a network: its layers, and its pairs of layers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from sicjax import sdr
from sicjax._errors import InputError
from sicjax.measure._match import match
from sicjax.measure._rows import Measured, Row
from sicjax.networks import Layer

# The numbers of a row that are set side by side, each as `NAME_before` and `NAME_after`.
COMPARED = ("mean", "marginal", "adaptation", "z", "coupling", "energy")


class LayerChange(NamedTuple):
    """A layer before and after; shapes are `(*k, in / groups, out)`.

    Attributes:
        name: before, or of a layer that was added, after.
        renamed: what it is called after, where that is something else.
        status: "kept", "reordered" (at another place), "altered" (another stride, dilation, groups or direction),
            "replaced" (another shape), "added" or "removed".
        shape_before: of the kernel; None of a layer that was added.
        shape_after: of the kernel; None of a layer that was removed.
        displacement: norm (Frobenius) of the difference of the kernels over that of the kernel before; NaN where there
            is no difference to take or that is 0.
        cosine: of the angle between the kernels; NaN where there is none.
    """

    name: str
    renamed: str | None
    status: str
    shape_before: tuple[int, ...] | None
    shape_after: tuple[int, ...] | None
    displacement: float
    cosine: float


class PairChange(NamedTuple):
    """A pair of layers before and after; NaN where it is not there. For the numbers see `Row`.

    Attributes:
        name: before, or of a pair that was added, after.
        renamed: what it is called after, where that is something else.
        status: "kept", "added" or "removed".
        distance: Wasserstein-1 between the two distributions of ratios, see `sdr.Histogram.distance`.
    """

    name: str
    renamed: str | None
    status: str
    mean_before: float
    mean_after: float
    marginal_before: float
    marginal_after: float
    adaptation_before: float
    adaptation_after: float
    z_before: float
    z_after: float
    coupling_before: float
    coupling_after: float
    energy_before: float
    energy_after: float
    distance: float


class Comparison(NamedTuple):
    """Two versions of a network, by their names, and what changed between them.

    Attributes:
        before: name of the version.
        after: name of the version.
        layers: in the order before, then those that were added.
        pairs: in the order before, then those that were added.
        notes: how layers were matched whose names differ.
    """

    before: str
    after: str
    layers: tuple[LayerChange, ...]
    pairs: tuple[PairChange, ...]
    notes: tuple[str, ...]


def compare(before: Measured, after: Measured, *, names: tuple[str, str] | None = None) -> Comparison:
    """What changed from one version of a network to another.

    Layers are matched by name, also where one network's names have a prefix; where names differ but all shapes and
    their order agree, by order. Pairs are matched by their layers.

    Arguments:
        before: a version.
        after: another.
        names: of the two; their files unless told.

    Raises:
        InputError: no layer of the one is in the other.
    """
    called = names or (before.file, after.file)
    old, new = ({layer.path: layer for layer in version.network.layers} for version in (before, after))
    matching = match(before.network.layers, after.network.layers)
    if not matching.names:
        raise InputError(
            f"{called[0]} and {called[1]} are no versions of one network: "
            "no name of a layer is in both, and their shapes differ"
        )
    layers = [_layer(old[path], new.get(matching.names.get(path, "")), path in matching.moved) for path in old]
    added = new.keys() - matching.names.values()
    layers += [_layer(None, layer) for path, layer in new.items() if path in added]
    return Comparison(*called, tuple(layers), tuple(_pairs(before, after, matching.names)), matching.notes)


def _layer(before: Layer | None, after: Layer | None, moved: bool = False) -> LayerChange:
    there = [layer for layer in (before, after) if layer is not None]
    name, last = there[0].path, there[-1].path
    shapes = [None if layer is None else tuple(layer.kernel.shape) for layer in (before, after)]
    if before is None or after is None:
        status = "added" if before is None else "removed"
    elif shapes[0] != shapes[1]:
        status = "replaced"
    elif _settings(before) != _settings(after):
        status = "altered"
    else:
        status = "reordered" if moved else "kept"
    displacement = cosine = math.nan
    if before is not None and after is not None and shapes[0] == shapes[1]:
        displacement, cosine = _moved(before.kernel, after.kernel)
    return LayerChange(
        name=name,
        renamed=last if last != name else None,
        status=status,
        shape_before=shapes[0],
        shape_after=shapes[1],
        displacement=displacement,
        cosine=cosine,
    )


def _settings(layer: Layer) -> tuple:
    return layer.stride, layer.dilation, layer.groups, layer.transposed


def _moved(before: Float[np.ndarray, "*k i o"], after: Float[np.ndarray, "*k i o"]) -> tuple[float, float]:
    """Displacement and cosine."""
    a, b = (np.asarray(kernel, np.float64).ravel() for kernel in (before, after))
    norms = np.linalg.norm(a), np.linalg.norm(b)
    displacement = np.linalg.norm(b - a) / norms[0] if norms[0] else math.nan
    cosine = np.clip((a / norms[0]) @ (b / norms[1]), -1, 1) if min(norms) else math.nan
    return float(displacement), float(cosine)


def _pairs(before: Measured, after: Measured, names: dict[str, str]) -> Iterator[PairChange]:
    """The pairs before with those of the same layers after, several of the same in their order; then the others."""
    left: dict[tuple[str, str], list[tuple[Row, sdr.Histogram]]] = {}
    for row, histogram in zip(after.rows, after.histograms, strict=True):
        left.setdefault((row.first, row.second), []).append((row, histogram))
    for row, histogram in zip(before.rows, before.histograms, strict=True):
        same = left.get((names.get(row.first, ""), names.get(row.second, "")))
        if same:
            now, histogram_now = same.pop(0)
            yield _pair(row, now, histogram.distance(histogram_now))
        else:
            yield _pair(row, None, math.nan)
    for row in after.rows:
        if any(row is other for other, _ in left[row.first, row.second]):
            yield _pair(None, row, math.nan)


def _pair(before: Row | None, after: Row | None, distance: float) -> PairChange:
    there = [row for row in (before, after) if row is not None]
    name, last = there[0].name, there[-1].name
    numbers = {
        f"{field}_{when}": math.nan if row is None else getattr(row, field)
        for field in COMPARED
        for when, row in (("before", before), ("after", after))
    }
    return PairChange(
        name=name,
        renamed=last if last != name else None,
        status="added" if before is None else "removed" if after is None else "kept",
        distance=distance,
        **numbers,
    )
