"""The pairs that are looked at closely: single pathways in kernels and spectra, and the spectra that meet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from sicjax import figures
from sicjax.measure import Closer, Measured, Place, Row, closer
from sicjax.networks import Pair
from sicjax.report._columns import Cell, cells
from sicjax.report._page import short
from sicjax.report._pictures import picture

# Pairs that are looked at: all of so few, or else of the strongest coupling and of the weakest.
ALL, STRONGEST, WEAKEST = 5, 3, 2
# Frequencies on an axis, channels that are dots, and the size of a drawn line.
POINTS, DOTS, HIGH, WIDE = 32, 128, 60, 90


class Picture(NamedTuple):
    """A picture: an address or, of one axis, the points of a line; what it shows, and what a caption says."""

    address: str
    line: str
    shows: str
    caption: str


class Path(NamedTuple):
    """A pathway: which, where, its ratio, and its pictures."""

    which: str
    place: str
    ratio: float
    pictures: list[Picture]


class Meeting(NamedTuple):
    """A pair of spectra that meet, with a dot for each channel."""

    share: float
    pictures: list[Picture]
    dots: list[tuple[float, float]]


class Card(NamedTuple):
    """A pair of layers.

    Attributes:
        pair: its number on the page.
        name: of the pair.
        file: it is of.
        cells: as in the table.
        paths: three pathways.
        meetings: leading pairs of spectra.
        missing: why there are no pictures, or nothing.
    """

    pair: int
    name: str
    file: str
    cells: list[Cell]
    paths: list[Path]
    meetings: list[Meeting]
    missing: str


def chosen(rows: Sequence[Row]) -> list[int]:
    """The places of the pairs to look at: the most dependent first."""
    places = [k for k, row in enumerate(rows) if not row.structural and math.isfinite(row.mean)]
    by = lambda k: -math.inf if math.isnan(rows[k].coupling) else rows[k].coupling
    ordered = sorted(places, key=by, reverse=True)
    return ordered if len(ordered) <= ALL else [*ordered[:STRONGEST], *ordered[-WEAKEST:]]


def cards(measured: Measured, places: Sequence[int], start: int) -> list[Card]:
    """Looks closely at some pairs of a network, whose first has the number `start` on the page."""
    found = closer(measured, places)
    return [_card(measured, start, place, near) for place, near in zip(places, found, strict=True)]


def _card(measured: Measured, start: int, place: int, near: Closer) -> Card:
    pair, row = measured.network.pairs[place], measured.rows[place]
    drawable = pair.cascade.first.ndim - 2 <= 2
    paths, meetings = [], []
    if drawable:
        which = {"Highest ratio": near.highest, "Nearest to 1": near.nearest, "Lowest ratio": near.lowest}
        paths = [_path(pair, name, at) for name, at in which.items() if at is not None]
        meetings = _meetings(pair, near)
    missing = "" if drawable else "Kernels of three axes are not drawn."
    return Card(start + place, pair.name, measured.file, cells(row), paths, meetings, missing)


def _path(pair: Pair, which: str, place: Place) -> Path:
    i, m, o = place
    parts = figures.pathway_parts(pair.cascade, i, m, o, points=POINTS)
    names, ends = _names(pair), (f"input {i} to channel {m}", f"channel {m} to output {o}")
    pictures = [
        _picture(kernel, "signed", f"Kernel of {name}, {end}", "first kernel" if k == 0 else "second kernel")
        for k, (kernel, name, end) in enumerate(zip(parts.kernels, names, ends, strict=True))
    ]
    pictures += [
        _picture(power, "power", f"Spectrum of that kernel of {name}: {_where(power)}", "its spectrum")
        for power, name in zip(parts.spectra, names, strict=True)
    ]
    pictures = [pictures[0], pictures[2], pictures[1], pictures[3]]
    said = f"Product of the two spectra, whose mean is the ratio {parts.ratio:.3f}"
    pictures.append(_picture(parts.product, "power", said, "product"))
    return Path(which, f"input {i}, channel {m}, output {o}", parts.ratio, pictures)


def _meetings(pair: Pair, near: Closer) -> list[Meeting]:
    found = near.coinertia
    shares = [float(share) for share in np.asarray(found.share)]
    spectra = figures.coupled_spectra(pair.cascade, found, points=POINTS + 1)
    meetings = []
    for n, (share, sides) in enumerate(zip(shares, spectra, strict=True)):
        if not share > 0:
            continue
        pictures = [
            _picture(side, "signed", f"What such channels of {name} pass more and less of", caption)
            for side, name, caption in zip(sides, _names(pair), ("first kernels", "meet second kernels"), strict=True)
        ]
        scores = [np.asarray(side)[: pair.cascade.shape[1], n] for side in (found.first_scores, found.second_scores)]
        meetings.append(Meeting(share, pictures, _dots(*scores)))
    return meetings


def _names(pair: Pair) -> tuple[str, str]:
    return short(pair.first.path, 60), short(pair.second.path, 60)


def _dots(first: Float[np.ndarray, " m"], second: Float[np.ndarray, " m"]) -> list[tuple[float, float]]:
    """Channels in a square of 100, the strongest where there are many."""
    x, y = (50 + 46 * side / (np.abs(side).max() or 1) for side in (first, second))
    strongest = np.argsort(-np.abs(first * second))[:DOTS]
    return [(round(float(x[k]), 1), round(float(100 - y[k]), 1)) for k in strongest]


def _picture(values: Float[np.ndarray, "..."], kind, shows: str, caption: str) -> Picture:
    if values.ndim == 2:
        return Picture(picture(values, kind), "", shows, caption)
    top = np.abs(values).max() or 1
    base, reach = (HIGH / 2, HIGH / 2 - 3) if kind == "signed" else (HIGH - 3, HIGH - 6)
    xs = np.linspace(2, WIDE - 2, len(values)) if len(values) > 1 else [WIDE / 2]
    line = " ".join(f"{x:.1f},{base - reach * value / top:.1f}" for x, value in zip(xs, values, strict=True))
    return Picture("", line, shows, caption)


def _where(power: Float[np.ndarray, "..."]) -> str:
    """The frequencies that a spectrum has, for those who do not see it."""
    axes = [np.abs((np.arange(n) - n // 2) / n) for n in power.shape]
    radius = np.sqrt(sum(axis**2 for axis in np.meshgrid(*axes, indexing="ij")))
    total = power.sum()
    mean = float((radius * power).sum() / total) if total > 0 else math.nan
    return f"on average {mean:.2f} cycles per {'pixel' if power.ndim == 2 else 'sample'}"
