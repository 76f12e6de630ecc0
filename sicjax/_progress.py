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
# Seconds after which a line without a note says that it goes on.
SILENT = 60.0


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
    """A bar on stderr while its block runs. Fewer done than before begin it anew.

    Arguments:
        title: what is done.
        note: stands beside the bar until something is done, or there is another.
        patience: seconds before it appears: what is done sooner needs none.
        stays: leave it on the terminal at the end.
        lines: where stderr is no terminal, print a line for each note, and one where there is none for long.
        every: seconds between these lines at least.
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
    begun, before = time.monotonic(), 0

    def report(done: int, total: int, said: str = "", /) -> None:
        nonlocal note, before
        if time.monotonic() - begun >= patience:
            display.update(task, visible=True)
            display.start()
        if done < before:
            display.reset(task, total=total)
        if done > 0 and not said and note:  # what stood there while nothing was done
            display.update(task, note="")
        before, note = done, "" if done > 0 or said else note
        display.update(task, completed=done, total=total)
        if said:
            display.update(task, note=said)

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
    from rich.table import Column
    from rich.text import Text

    class Counted(MofNCompleteColumn):
        """How many of how many, and nothing while that is not known."""

        def render(self, task):
            return Text("") if task.total is None else super().render(task)

    class Left(TimeRemainingColumn):
        """How long still, and nothing while that is not known."""

        def render(self, task):
            return Text("") if task.total is None or task.time_remaining is None else super().render(task)

    whole = lambda: Column(no_wrap=True)
    return Progress(
        TextColumn("{task.description}", markup=False, table_column=whole()),
        BarColumn(bar_width=24 if console.width >= 100 else 10, table_column=whole()),
        Counted(table_column=whole()),
        Left(compact=True, table_column=whole()),
        # What there is no room for is cut with a mark.
        TextColumn(
            "{task.fields[note]}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1)
        ),
        console=console,
        transient=transient,
        expand=True,
        # What goes into a file or a pipe meanwhile must not be shown here instead.
        redirect_stdout=sys.stdout.isatty(),
    )


def _in_lines(title: str, every: float) -> Report:
    begun = told = time.monotonic()
    before, start = 0, None

    def report(done: int, total: int, note: str = "", /) -> None:
        nonlocal begun, told, before, start
        now = time.monotonic()
        if done < before:  # begun anew
            begun, start = now, None
        if start is None and done:
            start = done - 1
        before = done
        if now - told < (every if note else SILENT):
            return
        told = now
        rest = 0.0 if start is None else (now - begun) / (done - start) * (total - done)
        left = f"{rest:,.0f} s left" if done and (every or not note) else ""
        print(f"{title} {done} of {total}: {', '.join(filter(None, (note, left)))}", file=sys.stderr, flush=True)

    return report
