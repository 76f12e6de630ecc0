"""When a run may end: once the spread of its ratios has stopped moving, level by level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from sicjax import runs

# Looks in a run to its cap, checkpoints, and the first of these that may be the last.
LOOKS, SAVES, EARLIEST = 16, 8, 4
# The part of a run that has to be steady.
LAST = 0.25


class Moved(NamedTuple):
    """How far the standard deviation of a pair's ratios was from its last value, in a run's last quarter.

    Attributes:
        pair: the one that moved most.
        by: the largest distance, as a share of the last value.
        since: the first step looked at.
    """

    pair: str
    by: float
    since: int


def looks(steps: int) -> int:
    """Steps between looks."""
    return max(steps // LOOKS, 1)


def saves(steps: int) -> tuple[int, ...]:
    """Steps at which a run of at most so many keeps a checkpoint; 0 for the first weights.

    >>> saves(8000)
    (0, 1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000)
    """
    return tuple(sorted({steps * k // SAVES for k in range(SAVES + 1)}))


def moved(stds: Sequence[tuple[int, Mapping[str, float]]]) -> Moved:
    """Which pair moved most from the last look at or before three quarters of the steps on.

    >>> moved([(0, {"a": 1.0}), (6, {"a": 1.0, "b": 2.0}), (8, {"a": 1.1, "b": 2.0})]).pair
    'a'
    """
    last, now = stds[-1]
    since = max(step for step, _ in stds if step <= (1 - LAST) * last)
    by = {
        pair: max(abs(found[pair] / value - 1) for step, found in stds if step >= since) for pair, value in now.items()
    }
    most = max(by, key=lambda pair: by[pair])
    return Moved(most, by[most], since)


def stds_of(folder: Path, last: int | None = None) -> list[tuple[int, dict[str, float]]]:
    """The standard deviations that a run logged of every pair, up to a step."""
    lines = [line for line in runs.log(folder, runs.MEASURES) if last is None or line["step"] <= last]
    return [
        (line["step"], {pair: found["std"] for pair, found in line["pairs"].items() if found["std"]}) for line in lines
    ]


def settled(folder: Path, step: int, *, cap: int, tolerance: float) -> bool:
    """Whether a run may end at a step: one of those at which it is saved, from half of its cap on."""
    if step not in saves(cap) or step < cap * EARLIEST // SAVES:
        return False
    return moved(stds_of(folder, step)).by <= tolerance
