"""The numbers of a level that verdicts are about: each less its null, or in units of the null's own spread."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Level = Mapping[str, Any]


def _less(key: str) -> Callable[[Level], float]:
    return lambda level: level[key] - level[f"null_{key}"]


NET: dict[str, Callable[[Level], float]] = {
    **{f"net {key}": _less(key) for key in ("std", "iqr", "below", "above", "mode", "mean")},
    "size of adaptation": lambda level: abs(level["adaptation"]),
    "adaptation": lambda level: level["adaptation"],
    "coupling": lambda level: level["coupling"],
}
SCALED: dict[str, Callable[[Level], float]] = {
    "median, off 1 in IQRs of the null": lambda level: (level["median"] - 1) / level["null_iqr"],
    "mode, off 1 in IQRs of the null": lambda level: (level["mode"] - 1) / level["null_iqr"],
    "IQR over that of the null": lambda level: level["iqr"] / level["null_iqr"],
    "z of adaptation": lambda level: level["z"],
    "z of coupling": lambda level: level["coupling_z"],
    "mode": lambda level: level["mode"],
}
NUMBERS = NET | SCALED


def level_names(count: int) -> list[str]:
    """Of levels from the images on.

    >>> level_names(3)
    ['finest', 'level 2', 'coarsest']
    """
    return ["finest" if k == 0 else "coarsest" if k == count - 1 else f"level {k + 1}" for k in range(count)]


def numbers(levels: Sequence[Level]) -> list[dict[str, float]]:
    """Those of every level whose ratios depend on weights."""
    return [{name: of(level) for name, of in NUMBERS.items()} for level in levels if not level["structural"]]
