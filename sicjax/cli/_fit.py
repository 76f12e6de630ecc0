"""Tables that fit a terminal: no column is left out and no number is cut; elsewhere every row is one whole line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from itertools import zip_longest
from textwrap import wrap
from typing import NamedTuple, TextIO

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

GAP = 2
# As narrow as a column of words may be, which go on in the next line.
WORDS = 17


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


def closest(given: str, names: Iterable[str]) -> str:
    """What may have been meant, to be put behind what there is not.

    >>> closest("couplng", ["coupling", "energy"]), closest("x", ["coupling"])
    (', did you mean coupling?', '')
    """
    near = get_close_matches(given, dict.fromkeys(names), n=1)
    return f", did you mean {near[0]}?" if near else ""


def print_table(
    console: Console,
    names: Column,
    groups: Sequence[Sequence[Column]],
    *,
    styles: Sequence[str | None],
) -> None:
    """Prints columns side by side or, where they are too wide, in parts below each other, each with the names.

    Arguments:
        console: where.
        names: the first column; a name that is too long for it has a line of its own above the rest of its row.
        groups: columns that belong together; a part begins at a group where that is enough.
        styles: of each line.
    """
    for part in _parts(groups, console.width - cell_len(names.heading) - GAP):
        width = _room(part, names, console.width)
        left = console.width - width - sum(GAP + column.narrow for column in part)
        widths = [width]
        for column in part:
            widths.append(column.narrow + min(max(left, 0), column.wide - column.narrow))
            left -= widths[-1] - column.narrow
        columns = [names._replace(words=True), *part]
        heading = Text(_line([column.heading for column in columns], columns, widths), "bold")
        console.print(heading, soft_wrap=True)
        for k, style in enumerate(styles):
            name, *rest = (column.cells[k] for column in columns)
            if cell_len(name) > width:
                first, to, second = name.partition(" to ")
                for line in [name] if cell_len(name) <= console.width else [first + to, second]:
                    console.print(Text(line.rstrip(), style or ""), soft_wrap=True)
                name = ""
            wrapped = [wrap(cell, w) or [""] for cell, w in zip(rest, widths[1:], strict=True)]
            for cells in zip_longest([name], *wrapped, fillvalue=""):
                if any(cells):
                    console.print(Text(_line(cells, columns, widths), style or ""), soft_wrap=True)
        if console.is_terminal and len(styles) >= console.height:  # what stood above is out of sight
            console.print(heading, soft_wrap=True)


def _room(part: Sequence[Column], names: Column, width: int) -> int:
    """What a part leaves to the names: words go on in the next line where all names have room then."""
    whole = width - sum(GAP + column.wide for column in part)
    most = width - sum(GAP + column.narrow for column in part)
    return min(names.wide, max(most if whole < names.wide <= most else whole, cell_len(names.heading)))


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
