"""`sicjax train`: flags from the config's fields, a bar, and where everything went."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jax
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from sicjax import runs, train
from sicjax._errors import InputError


def main(kind: str, arguments: Sequence[str]) -> None:
    """Trains as the flags say; returns when all steps are done, or a signal stopped the run.

    Raises:
        InputError: values that do not fit, images that cannot be read, a directory with another run.
        KeyboardInterrupt: a signal stopped the run; a checkpoint is written.
    """
    import tyro

    where = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    where.add_argument("--workdir", type=Path, help=f"the run's directory (default: runs/{kind})")
    where.add_argument("--preset", choices=tuple(train.PRESETS[kind]), default="cpu", help="values of the other flags")
    where.add_argument("--coordinator", metavar="HOST:PORT", help="of a run of several processes: the first one's")
    where.add_argument("--processes", type=int, help="how many there are")
    where.add_argument("--process", type=int, help="which one this is, from 0")
    given, rest = where.parse_known_args(arguments)
    if "-h" in rest or "--help" in rest:
        print(where.format_help().partition("options:")[2])
    preset = train.PRESETS[kind][given.preset]
    config = tyro.cli(type(preset), default=preset, args=rest, prog=f"sicjax train {kind}")
    if given.coordinator or given.processes:
        jax.distributed.initialize(given.coordinator, given.processes, given.process)
    start = {"gan": train.gan, "vae": train.vae}[kind]
    with progress(sys.stderr if jax.process_index() == 0 else None) as step:
        result = start(config, given.workdir or Path("runs") / kind, progress=step)
    if jax.process_index() == 0:
        print(f"{result.folder}: {runs.CONTENTS}", file=sys.stderr)
        print(f"measure it: sicjax measure {result.folder}", file=sys.stderr)
    if not result.finished:
        raise InputError(
            f"stopped at step {result.step} of {config.steps} and saved: the same command goes on from there"
        )


@contextmanager
def progress(file: Any) -> Iterator[Callable[[int, int, dict[str, float]], Any]]:
    """A bar on a terminal, a line at every log elsewhere; yields what a run reports to."""
    console = Console(file=file, quiet=file is None)
    metrics = TextColumn("{task.fields[metrics]}")
    columns = (BarColumn(bar_width=24), MofNCompleteColumn(), TimeRemainingColumn(compact=True), metrics)
    with Progress(*columns, console=console, disable=not console.is_terminal, expand=False) as bar:
        task = bar.add_task("", total=None, metrics="compiling")

        def report(step: int, steps: int, metrics: dict[str, float]) -> None:
            if metrics:
                bar.update(task, metrics=in_words(metrics))
                if not console.is_terminal:
                    console.print(f"step {step} of {steps}: {in_words(metrics)}", soft_wrap=True)
            bar.update(task, completed=step, total=steps)

        yield report


def in_words(metrics: dict[str, float]) -> str:
    """Metrics on one line, short."""
    numbers = dict(metrics)
    rate = numbers.pop("images_per_second", None)
    short = lambda name: name.replace("discriminator", "D").replace("generator", "G").replace("_", " ")
    parts = [f"{short(name)} {value:.3g}" for name, value in numbers.items()]
    return ", ".join(parts + ([f"{rate:.0f} images/s"] if rate else []))
