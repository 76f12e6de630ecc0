"""The columns of the table: their headings, how a row fills them, and by what rows are sorted."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from sicjax._errors import InputError
from sicjax.cli._fit import closest
from sicjax.measure import COLUMNS, Row


class Heading(NamedTuple):
    """A column.

    Attributes:
        title: above it.
        fill: what a row has in it.
        field: the field of a row that it shows, and that its rows are sorted by.
        words: whether it has words and no numbers.
    """

    title: str
    fill: Callable[[Row], str]
    field: str
    words: bool = False


def _number(value: float, form: str) -> str:
    """A number as a cell; a dash where there is none."""
    return "-" if math.isnan(value) else format(value, form)


PAIR = Heading("pair", lambda row: row.name, "name", True)
_MEAN = Heading("mean", lambda row: _number(row.mean, ".4f"), "mean")
_STD = Heading("std", lambda row: _number(row.std, ".4f"), "std")
_ADAPTATION = Heading("adaptation", lambda row: _number(row.adaptation, "+.4f"), "adaptation")
_COUPLING = Heading("coupling", lambda row: _number(row.coupling, "+.3f"), "coupling")
_READING = Heading("reading", lambda row: row.reading, "reading", True)

# What is shown unless all of it is asked for.
SHORT = (_MEAN, _STD, _ADAPTATION, _COUPLING, _READING)
# All of it: what the ratios are, what they are made of, and whether the layers fit each other.
WIDE = (
    (
        Heading("direction", lambda row: row.direction, "direction", True),
        Heading("stride", lambda row: _of_axes(row.stride), "stride"),
        Heading("pathways", lambda row: f"{row.pathways:,}", "pathways"),
        Heading("undefined", lambda row: f"{row.undefined:,}", "undefined"),
        _MEAN,
        _STD,
        Heading("5 %", lambda row: _number(row.quantiles["0.05"], ".3f"), "quantiles"),
        Heading("median", lambda row: _number(row.quantiles["0.5"], ".3f"), "quantiles"),
        Heading("95 %", lambda row: _number(row.quantiles["0.95"], ".3f"), "quantiles"),
        Heading("0.9-1.1", lambda row: f"{_number(100 * row.near_one, '.1f')} %", "near_one"),
    ),
    (
        Heading("marginal", lambda row: _number(row.marginal, "+.4f"), "marginal"),
        _ADAPTATION,
        Heading("z", lambda row: _number(row.z, ".2f"), "z"),
        Heading(
            "shuffled taps",
            lambda row: f"{_number(row.null_mean, '.3f')} ± {_number(row.null_std, '.3f')}",
            "null_mean",
        ),
    ),
    (
        _COUPLING,
        Heading("p", lambda row: "<1e-9" if row.coupling_p < 1e-9 else _number(row.coupling_p, ".2g"), "coupling_p"),
        Heading("energy", lambda row: _number(row.energy, "+.2f"), "energy"),
        _READING,
    ),
)
ALL = (PAIR, *(heading for group in WIDE for heading in group))
# The columns that are called otherwise in JSON.
HEADINGS = {heading.title: heading.field for heading in ALL if heading.title != heading.field}
# What rows are sorted by that is no column: how far the mean is from 1, either way.
DEPARTURE = "departure"
# The fields that say nothing where the ratios are 1 whatever the weights.
_OF_RATIOS = {"mean", "std", "quantiles", "near_one", "marginal", "adaptation", "z", "null_mean", "null_std"}
# The quantile that a heading shows.
_QUANTILES = {"5 %": "0.05", "median": "0.5", "95 %": "0.95"}


def short(sort: str | None) -> tuple[Heading, ...]:
    """The columns that say most, and the one that rows are sorted by."""
    if sort in (None, DEPARTURE) or any(sort in (each.title, each.field) for each in (PAIR, *SHORT)):
        return SHORT
    by = [each for each in ALL if sort in (each.title, each.field)]
    field = str(sort)
    other = Heading(field, lambda row: _cell(getattr(row, field)), field)
    return (*SHORT[:-1], *(by[:1] or [other]), SHORT[-1])


def _cell(value: Any) -> str:
    """What has no column of its own."""
    if isinstance(value, float):
        return _number(value, ".3g")
    return value if isinstance(value, str) else _of_axes(value) if isinstance(value, Sequence) else str(value)


def order(column: str, rows: Iterable[Row] = ()) -> Callable[[Row], Any]:
    """By what rows are sorted for a column, called as in the table or in JSON: what is largest or, of names, first in
    the alphabet comes first; of p what is smallest, and of readings what the fewest of `rows` have. `departure` is how
    far the mean is from 1. Last comes what is no number, and of ratios what is 1 by structure.

    Raises:
        InputError: a column that there is not.
    """
    if column == DEPARTURE:
        return lambda row: (row.structural or math.isnan(row.mean), -abs(row.mean - 1))
    if column == "reading":
        common = Counter(row.reading for row in rows)
        return lambda row: (False, common[row.reading], row.reading)
    field = HEADINGS.get(column, column)
    if field not in COLUMNS or (field == "quantiles" and column not in _QUANTILES):
        named = (name for name in COLUMNS if name != "quantiles")
        there = dict.fromkeys([*(heading.title for heading in ALL), *named, DEPARTURE])
        near = closest(column, there)
        raise InputError(f"--sort {column}: there is no such column{near or ';'} there are {', '.join(there)}")
    sign = 1 if field in ("coupling_p", "energy_p") else -1

    def key(row: Row) -> Any:
        value = row.quantiles[_QUANTILES[column]] if column in _QUANTILES else getattr(row, field)
        if isinstance(value, str):
            return (False, value)
        value = math.prod(value) if isinstance(value, Sequence) else float(value)
        return (math.isnan(value) or (row.structural and field in _OF_RATIOS), sign * value)

    return key


def _of_axes(values: Sequence[int]) -> str:
    return "x".join(map(str, values[:1] if len(set(values)) == 1 else values))
