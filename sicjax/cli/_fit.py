"""Tables that fit a terminal: no column is left out and no number is cut; elsewhere every row is one whole line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from textwrap import wrap
from typing import NamedTuple, TextIO

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from sicjax.cli._names import MARK, SHORTEST, shortened

GAP = 2
# Of a column of words, which may go on in the next line, and of names, which may be shortened.
WORDS, NAMES = 17, 20
# Names of so many letters tell layers apart: more only where words need no second line.
ENOUGH = 44


class Column(NamedTuple):
    """A heading and what stands below it, one cell a line of the table.

    Attributes:
        heading: above it.
        cells: one for each line.
        words: whether it has words, from the left, which may go on in the next line, and no numbers.
    """

    heading: str
    cells: Sequence[str]
    words: bool = False

    @property
    def wide(self) -> int:
        """Of its widest cell."""
        return max(map(cell_len, [self.heading, *self.cells]))

    @property
    def narrow(self) -> int:
        """As narrow as it can be."""
        return min(self.wide, max(WORDS, cell_len(self.heading))) if self.words else self.wide


def console_for(file: TextIO) -> Console:
    """A console as wide as its terminal; what is no terminal has no width."""
    console = Console(file=file, highlight=False)
    return console if console.is_terminal else Console(file=file, highlight=False, width=2**20)


def say(console: Console, line: str, style: str = "") -> None:
    """Prints a line, on a terminal with its breaks between words."""
    console.print(Text(line, style), soft_wrap=not console.is_terminal)


def print_table(
    console: Console,
    names: Column,
    groups: Sequence[Sequence[Column]],
    *,
    styles: Sequence[str | None],
) -> bool:
    """Prints columns side by side or, where they are too wide, in parts below each other, each with the names.

    Arguments:
        console: where.
        names: the first column, whose cells are shortened where there is not enough room.
        groups: columns that belong together; a part begins at a group where that is enough.
        styles: of each line.

    Returns:
        Whether a name was shortened.
    """
    given = set(names.cells)
    mark = MARK if _has(console, MARK) else "~"
    parts = list(_parts(groups, console.width - min(names.wide, NAMES) - GAP))
    width = min(_room(part, names, console.width) for part in parts)
    names = Column(names.heading, [shortened(name, width, mark) for name in names.cells], True)
    for part in parts:
        left = console.width - width - sum(GAP + column.narrow for column in part)
        widths = [width]
        for column in part:
            widths.append(column.narrow + min(max(left, 0), column.wide - column.narrow))
            left -= widths[-1] - column.narrow
        columns = [names, *part]
        heading = Text(_line([column.heading for column in columns], columns, widths), "bold")
        console.print(heading, soft_wrap=True)
        for k, style in enumerate(styles):
            wrapped = [wrap(column.cells[k], w) or [""] for column, w in zip(columns, widths, strict=True)]
            for cells in zip_longest(*wrapped, fillvalue=""):
                console.print(Text(_line(cells, columns, widths), style or ""), soft_wrap=True)
        if console.is_terminal and len(styles) >= console.height:  # what stood above is out of sight
            console.print(heading, soft_wrap=True)
    return any(cell_len(name) and name not in given for name in names.cells)


def _room(part: Sequence[Column], names: Column, width: int) -> int:
    """What a part leaves to the names: words go on in the next line before names become too short."""
    needed = min(names.wide, ENOUGH)
    left = [width - sum(GAP + column.wide for column in part), width - sum(GAP + column.narrow for column in part)]
    room = next((room for room in left if room >= needed), left[-1])
    return max(min(names.wide, room), min(names.wide, SHORTEST))


def _line(cells: Sequence[str], columns: Sequence[Column], widths: Sequence[int]) -> str:
    padded = []
    for cell, column, width in zip(cells, columns, widths, strict=True):
        space = " " * (width - cell_len(cell))
        padded.append(cell + space if column.words else space + cell)
    return (" " * GAP).join(padded).rstrip()


def _parts(groups: Sequence[Sequence[Column]], room: int) -> Iterator[list[Column]]:
    """All columns together where there is room, or else each group, in several parts where it needs them."""
    every = [column for group in groups for column in group]
    if sum(GAP + column.narrow for column in every) - GAP <= room:
        yield every
        return
    for group in groups:
        part: list[Column] = []
        for column in group:
            if part and sum(GAP + column.narrow for column in [*part, column]) - GAP > room:
                yield part
                part = []
            part.append(column)
        yield part


def _has(console: Console, letter: str) -> bool:
    try:
        letter.encode(console.encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
