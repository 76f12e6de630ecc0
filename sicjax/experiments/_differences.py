"""Numbers of trained networks, level by level and seed by seed, and their differences between networks.

Networks are lists over seeds of levels, the finest first, as the experiments keep them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

Level = Mapping[str, Any]
Seeds = Sequence[Sequence[Level]]

# How far from independence is still near it: the paper's own 0.9 is one end.
NEAR = 0.1


def each_level(*networks: Seeds) -> Iterator[tuple[str, list[list[Level]]]]:
    """For every level that all networks have and whose ratios depend on weights: its name, and it in every seed."""
    counts = {len(levels) for seeds in networks for levels in seeds}
    count = min(counts)
    for k in range(count):
        found = [[levels[k] for levels in seeds] for seeds in networks]
        if not any(level["structural"] for seeds in found for level in seeds):
            name = "finest" if k == 0 else "coarsest" if {k + 1} == counts else f"level {k + 1}"
            yield name, found


def values(levels: Sequence[Level], key: str | Callable[[Level], float]) -> list[float]:
    get = key if callable(key) else lambda level: level[key]
    return [get(level) for level in levels]


def difference(of: Sequence[Level], minus: Sequence[Level], key: str | Callable[[Level], float]) -> list[float]:
    """Seed by seed; as many as both have."""
    return [a - b for a, b in zip(values(of, key), values(minus, key), strict=False)]


def size(level: Level) -> float:
    return abs(level["adaptation"])
