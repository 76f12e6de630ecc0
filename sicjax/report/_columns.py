"""The columns of the table of pairs: what stands in them, and by what they are sorted."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from sicjax.measure import COLUMNS, Row


class Column(NamedTuple):
    """A column.

    Attributes:
        field: of a row, which `COLUMNS` explains.
        heading: above it.
        show: a row's cell.
        always: whether a narrow screen shows it, too.
        text: whether it is sorted as text.
    """

    field: str
    heading: str
    show: Callable[[Row], str]
    always: bool = False
    text: bool = False


class Cell(NamedTuple):
    """What a cell shows, and the number that it is sorted by where what it shows does not begin with that."""

    shown: str
    value: str = ""


def number(value: float, form: str) -> str:
    """A number with a true minus, so that columns align; a dash where there is none.

    >>> number(-0.5, "+.2f"), number(math.nan, ".2f")
    ('−0.50', '–')
    """
    return format(value, form).replace("-", "−") if math.isfinite(value) else "–"


def by_axes(values: tuple[int, ...]) -> str:
    """One number an axis, or one for all.

    >>> by_axes((2, 2)), by_axes((1, 2))
    ('2', '1 x 2')
    """
    return " x ".join(map(str, values[:1] if len(set(values)) == 1 else values))


PAIRS = (
    Column("reading", "reading", lambda row: row.reading, always=True, text=True),
    Column("direction", "direction", lambda row: row.direction, text=True),
    Column("stride", "stride", lambda row: by_axes(row.stride)),
    Column("pathways", "pathways", lambda row: f"{row.pathways:,}"),
    Column("mean", "mean", lambda row: number(row.mean, ".4f"), always=True),
    Column("std", "std", lambda row: number(row.std, ".4f")),
    Column("null_mean", "shuffled taps", lambda row: f"{number(row.null_mean, '.3f')} ± {number(row.null_std, '.3f')}"),
    Column("near_one", "0.9 to 1.1", lambda row: f"{number(100 * row.near_one, '.1f')} %"),
    Column("marginal", "marginal", lambda row: number(row.marginal, "+.4f")),
    Column("adaptation", "adaptation", lambda row: number(row.adaptation, "+.4f"), always=True),
    Column("z", "z", lambda row: number(row.z, ".2f")),
    Column("coupling", "coupling", lambda row: number(row.coupling, "+.3f"), always=True),
    Column("coupling_p", "p", lambda row: "<1e−9" if row.coupling_p < 1e-9 else number(row.coupling_p, ".2g")),
    Column("energy", "energy", lambda row: number(row.energy, "+.2f")),
)


def cells(row: Row) -> list[Cell]:
    """A row's cells under `PAIRS`."""
    values = {"coupling_p": f"{row.coupling_p:.3g}"}
    return [Cell(column.show(row), values.get(column.field, "")) for column in PAIRS]


def explained() -> list[tuple[str, str]]:
    """Each number's name in the table, with the text of `sicjax explain`."""
    headings = {column.field: column.heading for column in PAIRS} | {"name": "pair"}
    return [
        (name if headings.get(name, name) == name else f"{headings[name]} ({name})", text)
        for name, text in COLUMNS.items()
    ]
