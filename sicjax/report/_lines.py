"""Pairs in a table, with their ratios on one axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from sicjax.measure import Row
from sicjax.report._columns import Cell

# Where the axis ends at the latest: ratios are counted up to here.
WIDEST = 4.0


class Interval(NamedTuple):
    """From 0 to 100: 5 %, median and 95 % of the ratios, and the null's mean -+ two standard deviations."""

    low: float
    middle: float
    high: float
    null_low: float
    null_high: float


class Line(NamedTuple):
    """A pair: its number on the page, its name and file, its cells, and its ratios, if it has any."""

    pair: int
    name: str
    file: str
    cells: list[Cell]
    interval: Interval | None


def ends_of(rows: Sequence[Row]) -> tuple[float, float]:
    """The axis of the intervals: what most of them need."""
    alive = [row for row in rows if not row.structural and math.isfinite(row.mean)]
    if not alive:
        return 0.0, 2.0
    low = min(min(row.quantiles["0.05"], row.null_mean - 2 * row.null_std) for row in alive)
    # A quantile beyond the measured histogram is infinite.
    highs = sorted(min(WIDEST, max(row.quantiles["0.95"], row.null_mean + 2 * row.null_std)) for row in alive)
    high = highs[int(0.98 * (len(highs) - 1))]
    return math.floor(10 * max(0.0, low)) / 10, math.ceil(10 * max(1.0, high) + 0.1) / 10


def interval(row: Row, low: float, high: float) -> Interval | None:
    """A pair's ratios on the axis from `low` to `high`."""
    if row.structural or not math.isfinite(row.mean):
        return None
    at = lambda value: round(100 * min(1.0, max(0.0, (value - low) / (high - low))), 1)
    return Interval(
        low=at(row.quantiles["0.05"]),
        middle=at(row.quantiles["0.5"]),
        high=at(row.quantiles["0.95"]),
        null_low=at(row.null_mean - 2 * row.null_std),
        null_high=at(row.null_mean + 2 * row.null_std),
    )
