"""The result of a measurement on a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple, TextIO

import numpy as np
from rich.console import Console

from sicjax._foreign import printable
from sicjax.cli._columns import PAIR, WIDE, order, short
from sicjax.cli._fit import Column, console_for, print_table, say
from sicjax.measure import Record, Row, rows_of
from sicjax.networks import Skipped, skipped_lines

# From so many pairs on a line says what they are together.
MANY = 20
# What is told where the rows of a network do not fit the terminal.
FEWER = "fewer rows: --top 10 --sort coupling (or departure), or --match and a part of the names of some pairs"


class View(NamedTuple):
    """What of a result is shown.

    Attributes:
        wide: all columns, not the few that say most.
        sort: by which column the rows are sorted, the largest first; in the order of the network without it.
        reverse: the other way round.
        top: how many rows of each network; all of them without it.
        match: a part of the names or readings of pairs, whose rows alone are shown.
    """

    wide: bool = False
    sort: str | None = None
    reverse: bool = False
    top: int | None = None
    match: str = ""

    def of(self, rows: Sequence[Row]) -> list[Row]:
        """The rows that are shown, in their order; see `order` for errors."""
        rows = [row for row in rows if self.match in row.name or self.match in row.reading]
        if self.sort is not None:
            key = order(self.sort, rows)
            last = [row for row in rows if key(row)[0]]
            first = sorted((row for row in rows if not key(row)[0]), key=key, reverse=self.reverse)
            # The top of a column has none of those that have no number there.
            rows = first if first and self.top is not None else [*first, *last]
        return rows[: self.top]


def tables(records: Sequence[Record], file: TextIO, view: View = View()) -> None:  # noqa: B008
    """Prints a table of every pair in every file, then what was skipped, or could not be measured, and why."""
    measured = [_Shown(name, rows_of(record), record) for name, record in zip(_names(records), records, strict=True)]
    console = console_for(file)
    few = console.is_terminal and not (view.wide or view.match)
    listed = [each._replace(rows=_telling(each.rows, view.sort)) if few else each for each in measured]
    _pairs(console, listed, view)
    for (name, rows, _), (_, told, _) in zip(measured, listed, strict=True):
        shown = len(view.of(told))
        if len(rows) >= MANY or shown < len(told):
            said = _together(rows) + (f"; shown: {shown:,}{_chosen(view)}" if shown < len(told) else "")
            say(console, f"{name}: {said}" if len(measured) > 1 else said)
    if console.is_terminal and any(len(view.of(rows)) >= console.height for _, rows, _ in listed):
        say(console, FEWER, "dim")
    if any(row.structural for _, rows, _ in measured for row in rows):
        left = sum(len(each.rows) for each in measured) - sum(len(each.rows) for each in listed)
        more = " (not listed here: --wide lists all)" if left else ""
        say(console, f"no shared lag: the kernels share none, so every ratio is 1 whatever the weights{more}", "dim")
    beside = _beside(measured)
    if view.match:  # rows are looked for, and what is said of the whole network was said with all of them
        errors = {key: names for key, names in beside.items() if key[1] == "red"}
        if len(errors) < len(beside):
            say(console, "notes on layers that are in no pair: without --match", "dim")
        beside = errors
    for (said, style), names in beside.items():
        more = f" and {len(names) - 1:,} more" if len(names) > 1 else ""
        say(console, printable(f"{names[0]}{more}: {said}" if len(measured) > 1 else said), style)


def _beside(measured: Sequence[_Shown]) -> dict[tuple[str, str], list[str]]:
    """What is said beside the rows and how it looks, with the files that it is said of."""
    notes = [(name, note) for name, _, record in measured for note in record.get("notes", ())]
    skipped = [(name, Skipped(**layer)) for name, _, record in measured for layer in record.get("skipped", ())]
    errors = [(name, record["error"]) for name, _, record in measured if "error" in record]
    found = {(note, "dim"): names for note, names in _by(notes).items()}
    reasons = _by((name, layer.reason) for name, layer in skipped)
    for line, names in zip(skipped_lines(layer for _, layer in skipped), reasons.values(), strict=True):
        found[line, "yellow"] = names
    return found | {(error, "red"): names for error, names in _by(errors).items()}


def _by(said: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """What is said of files, with the files, each once."""
    found: dict[str, dict[str, None]] = {}
    for name, text in said:
        found.setdefault(text, {})[name] = None
    return {text: list(names) for text, names in found.items()}


class _Shown(NamedTuple):
    name: str
    rows: list[Row]
    record: Record


def _telling(rows: list[Row], sort: str | None) -> list[Row]:
    """Of many rows those that say something of the weights, in what they are sorted by too; all where none does."""
    nothing = order(sort) if sort is not None else lambda row: (row.structural,)
    telling = [row for row in rows if not (row.structural and "energies" not in row.reading and nothing(row)[0])]
    return telling if telling and len(rows) >= MANY else rows


def _pairs(console: Console, measured: Sequence[_Shown], view: View) -> None:
    lines: list[tuple[str, Row | None, str | None]] = []
    for name, rows, record in measured:
        if len(measured) > 1:
            lines.append((name, None, "bold"))
        lines += [(row.name, row, "dim" if row.structural else None) for row in view.of(rows)]
        if "error" in record or not view.of(rows):
            lines.append(
                ("not measured" if "error" in record else "no pair" + f" with {view.match!r}" * bool(rows), None, None)
            )
    names, rows, styles = zip(*lines, strict=True) if lines else ((), (), ())
    cells = lambda heading: ["" if row is None else heading.fill(row) for row in rows]
    groups = [
        [Column(heading.title, cells(heading), heading.words) for heading in group]
        for group in (WIDE if view.wide else [short(view.sort)])
    ]
    print_table(console, Column(PAIR.title, names, True), groups, styles=styles)


def _together(rows: Sequence[Row]) -> str:
    """Many pairs in a line."""
    means = np.array([row.mean for row in rows if not row.structural])
    said = [f"{len(rows):,} pairs, {sum(row.pathways for row in rows):,} pathways"]
    means = means[np.isfinite(means)]
    if means.size > 1:
        low, first, third, high = np.quantile(means, (0, 0.25, 0.75, 1))
        said.append(f"means {low:.3f} to {high:.3f}, half of them {first:.3f} to {third:.3f}")
    elif means.size:
        said.append(f"the one that depends on weights: mean {means[0]:.3f}")
    for part in (0, 2):  # of coupling, and of energies
        words = Counter(word for row in rows if (word := row.reading.partition(", ")[part]))
        said += [", ".join(f"{count:,} {word}" for word, count in words.most_common())] * bool(words)
    frames = Counter(row.reading.partition(", ")[0] for row in rows)
    wide = len(rows) - frames["too few channels"]
    coupled = f"{(wide - frames['no shared lag']) / 100:.2g}"
    return f"{'; '.join(said)}; by chance about {coupled} would be coupled, {wide / 100:.2g} matched or opposed"


def _chosen(view: View) -> str:
    """By what rows are the ones that are shown."""
    text = f", with {view.match!r} in name or reading" if view.match else ""
    if view.sort is not None:
        return f"{text}, by {view.sort}{', the other way round' * view.reverse}"
    return text + ", the first of the network" * (view.top is not None)


def _names(records: Sequence[Record]) -> list[str]:
    """File names without their folders, where they differ, and the steps of runs of which there are several."""
    files = [printable(record["file"]) for record in records]
    short = {file: Path(file).name for file in files}
    files = [short[file] for file in files] if len(set(short.values())) == len(short) else files
    steps = [record["settings"]["step"] for record in records]
    return [f"{file} {step}" if files.count(file) > 1 else file for file, step in zip(files, steps, strict=True)]
