"""A bar on the terminal while many images are read."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

# Seconds before a bar appears: what is done sooner needs none.
PATIENCE = 1.0


@contextlib.contextmanager
def shown(progress: bool | Callable[[int, int], object], title: str) -> Iterator[Callable[[int, int], object]]:
    """What to call with how many of how many are done: `progress` itself, a bar, or nothing."""
    if callable(progress):
        yield progress
        return
    if not progress or not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task(title)
    begun = time.monotonic()

    def report(done, total):
        bar.update(task, completed=done, total=total)
        if time.monotonic() - begun > PATIENCE:
            bar.start()

    try:
        yield report
    finally:
        bar.stop()
