"""The result of a measurement on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, TextIO

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from sicjax._foreign import printable
from sicjax.measure import Record, Row, rows_of

# Headings, and how a row fills them: what the ratios are, what they are made of, and whether the layers fit each other.
_PAIR: list[tuple[str, Callable[[Row], str]]] = [
    ("pair", lambda row: row.name),
]
_RATIOS: list[tuple[str, Callable[[Row], str]]] = [
    ("direction", lambda row: row.direction),
    ("stride", lambda row: "x".join(map(str, row.stride[:1] if len(set(row.stride)) == 1 else row.stride))),
    ("pathways", lambda row: f"{row.pathways:,}"),
    ("undefined", lambda row: f"{row.undefined:,}"),
    ("mean", lambda row: f"{row.mean:.4f}"),
    ("std", lambda row: f"{row.std:.4f}"),
    ("5 %", lambda row: f"{row.quantiles['0.05']:.3f}"),
    ("median", lambda row: f"{row.quantiles['0.5']:.3f}"),
    ("95 %", lambda row: f"{row.quantiles['0.95']:.3f}"),
    ("0.9-1.1", lambda row: f"{100 * row.near_one:.1f} %"),
]
_PARTS: list[tuple[str, Callable[[Row], str]]] = [
    ("marginal", lambda row: f"{row.marginal:+.4f}"),
    ("adaptation", lambda row: f"{row.adaptation:+.4f}"),
    ("z", lambda row: f"{row.z:.2f}"),
    ("shuffled taps", lambda row: f"{row.null_mean:.3f} ± {row.null_std:.3f}"),
]
_TOGETHER: list[tuple[str, Callable[[Row], str]]] = [
    ("coupling", lambda row: f"{row.coupling:+.3f}"),
    ("p", lambda row: "<1e-9" if row.coupling_p < 1e-9 else f"{row.coupling_p:.2g}"),
    ("energy", lambda row: f"{row.energy:+.2f}"),
    ("reading", lambda row: row.reading),
]

_GROUPS = (_RATIOS, _PARTS, _TOGETHER)
_ALL = [*_PAIR, *_RATIOS, *_PARTS, *_TOGETHER]
# The columns that are called otherwise in JSON.
HEADINGS = {
    "pair": "name",
    "5 %": "quantiles",
    "median": "quantiles",
    "95 %": "quantiles",
    "0.9-1.1": "near_one",
    "shuffled taps": "null_mean",
    "p": "coupling_p",
}


def tables(records: Sequence[Record], file: TextIO) -> None:
    """Prints a table of every pair in every file, then what was skipped, or could not be measured, and why."""
    measured = [_Shown(name, rows_of(record), record) for name, record in zip(_names(records), records, strict=True)]
    console = Console(file=file, highlight=False)
    if not console.is_terminal:
        console = Console(file=file, highlight=False, width=_needed(measured))
    together = console.width >= _needed(measured)
    for columns in [_ALL] if together else [_PAIR + part for part in _GROUPS]:
        console.print(_table(measured, columns))
    if any(row.structural for shown in measured for row in shown.rows):
        console.print("structural: the kernels share no lag, so every ratio is 1 whatever the weights", style="dim")
    for name, _, record in measured:
        for note in record.get("notes", ()):
            console.print(Text(printable(f"{name}: {note}")), style="dim", soft_wrap=True)
        for skipped in record.get("skipped", ()):
            line = printable(f"{name}: skipped {skipped['layer']}: {skipped['reason']}")
            console.print(Text(line), style="yellow", soft_wrap=True)
        if "error" in record:
            console.print(Text(printable(f"{name}: {record['error']}")), style="red", soft_wrap=True)


class _Shown(NamedTuple):
    name: str
    rows: list[Row]
    record: Record


def _table(measured: Sequence[_Shown], columns) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for heading, _ in columns:
        text = heading in ("pair", "direction", "reading")
        table.add_column(heading, justify="left" if text else "right", no_wrap=heading != "pair", overflow="fold")
    for name, rows, record in measured:
        if len(measured) > 1:
            table.add_row(Text(name, style="bold"))
        for row in rows:
            table.add_row(*(escape(fill(row)) for _, fill in columns), style="dim" if row.structural else None)
        if not rows:
            table.add_row("not measured" if "error" in record else "no pair")
    return table


def _names(records: Sequence[Record]) -> list[str]:
    """File names without their folders, where they differ, and the steps of runs of which there are several."""
    files = [printable(record["file"]) for record in records]
    short = {file: Path(file).name for file in files}
    files = [short[file] for file in files] if len(set(short.values())) == len(short) else files
    steps = [record["settings"]["step"] for record in records]
    return [f"{file} {step}" if files.count(file) > 1 else file for file, step in zip(files, steps, strict=True)]


def _needed(measured: Sequence[_Shown]) -> int:
    """Width of everything side by side."""
    rows = [row for shown in measured for row in shown.rows]
    widths = [max([len(heading), *(len(fill(row)) for row in rows)]) for heading, fill in _ALL]
    widths[0] = max([widths[0], *(len(shown.name) for shown in measured)])
    return sum(widths) + 2 * len(widths)
