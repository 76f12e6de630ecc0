"""Numbers of a pair as steps of one scale of colours, symmetric around what independence gives."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from sicjax.measure import Row

# Steps on either side of the middle.
SIDE = 5


class Scale(NamedTuple):
    """A number that pairs are coloured by.

    Attributes:
        key: a letter that begins the classes of its steps.
        field: of a row.
        heading: as in the table.
        centre: its value where two layers have nothing to do with each other.
        low: at which the colour is as strong as it gets.
        high: the same on the other side.
    """

    key: str
    field: str
    heading: str
    centre: float
    low: float
    high: float

    def step(self, row: Row) -> str:
        """The class of a pair's colour: `SIDE` is the middle one; `x` where there is no number."""
        value = getattr(row, self.field)
        if row.structural or not math.isfinite(value):
            return f"{self.key}x"
        part = (value - self.centre) / (self.high - self.centre)
        return f"{self.key}{SIDE + max(-SIDE, min(SIDE, round(SIDE * part)))}"


NUMBERS = (
    ("m", "mean", "mean ratio", 1.0),
    ("g", "marginal", "marginal", 0.0),
    ("a", "adaptation", "adaptation", 0.0),
    ("z", "z", "z of adaptation", 0.0),
    ("c", "coupling", "coupling", 0.0),
    ("e", "energy", "energy", 0.0),
)


def scales(rows: Sequence[Row]) -> list[Scale]:
    """A scale for each number that reaches what nineteen of twenty pairs have."""
    found = []
    for key, field, heading, centre in NUMBERS:
        away = sorted(
            abs(getattr(row, field) - centre)
            for row in rows
            if not row.structural and math.isfinite(getattr(row, field))
        )
        reach = _round_up(away[int(0.95 * (len(away) - 1))]) if away else 1.0
        found.append(Scale(key, field, heading, centre, centre - reach, centre + reach))
    return found


def _round_up(value: float) -> float:
    """The next of 1, 2 and 5 times a power of ten.

    >>> _round_up(0.13), _round_up(2.0), _round_up(0.0)
    (0.2, 2.0, 1.0)
    """
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(round(power * step, 12) for step in (1, 2, 5, 10) if power * step >= value * (1 - 1e-9))
