"""The one progress bar: on a terminal what is done, how much of it, and how long still; elsewhere nothing, or lines."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from rich.progress import Progress

# A terminal has room for one display: a bar inside another is a further line of it.
_display: Progress | None = None


@runtime_checkable
class Report(Protocol):
    """Told how many of how many are done, and a word about it, which stands until there is another."""

    def __call__(self, done: int, total: int, note: str = "", /) -> object: ...


@contextmanager
def bar(
    title: str,
    *,
    note: str = "",
    patience: float = 0.0,
    stays: bool = False,
    lines: bool = False,
    every: float = 0.0,
) -> Iterator[Report]:
    """A bar on stderr while its block runs.

    Arguments:
        title: what is done.
        note: stands beside the bar until the first report has another.
        patience: seconds before it appears: what is done sooner needs none.
        stays: leave it on the terminal at the end.
        lines: where stderr is no terminal, print a line for each note.
        every: seconds between these lines at least; with it they say how long it still takes.
    """
    global _display
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield _in_lines(title, every) if lines else lambda done, total, note="": None
        return
    outer = _display
    display = _new(console, transient=not stays) if outer is None else outer
    task = display.add_task(title, total=None, visible=not patience, note=note)
    begun = time.monotonic()

    def report(done: int, total: int, note: str = "") -> None:
        if time.monotonic() - begun >= patience:
            display.update(task, visible=True)
            display.start()
        display.update(task, completed=done, total=total)
        if note:
            display.update(task, note=note)

    if not patience:
        display.start()
    _display = display
    try:
        yield report
    finally:
        _display = outer
        if outer is None:
            display.stop()
        else:
            outer.remove_task(task)


def _new(console, *, transient: bool) -> Progress:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeRemainingColumn(compact=True),
        TextColumn("{task.fields[note]}", markup=False),
        console=console,
        transient=transient,
    )


def _in_lines(title: str, every: float) -> Report:
    begun = told = time.monotonic()

    def report(done: int, total: int, note: str = "", /) -> None:
        nonlocal told
        now = time.monotonic()
        if not note or now - told < every:
            return
        told = now
        left = f", {(now - begun) / done * (total - done):,.0f} s left" if every and done else ""
        print(f"{title} {done} of {total}: {note}{left}", file=sys.stderr, flush=True)

    return report
