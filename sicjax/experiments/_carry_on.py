"""The runs of the plan, one after the other: what has a record is done, what was stopped goes on."""

from __future__ import annotations

import contextlib
import dataclasses
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from sicjax._errors import InputError
from sicjax.experiments import _records as records
from sicjax.experiments._lab import Lab, Stopped
from sicjax.experiments._planned import Run, planned
from sicjax.experiments._preset import Preset

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # Windows, where two processes must not share a plan
    fcntl = None


def missing(preset: Preset, folder: Path) -> list[Run]:
    """The runs of the plan without a record, in their order."""
    found = records.read(folder)
    return [run for run in planned(preset) if run.seed not in found.get(run.name, {})]


def carry_on(lab: Lab, folder: Path, seconds: float = float("inf")) -> Iterator[Path]:
    """Trains the missing runs, each to its end, and gives its record; several processes share them.

    A run that cannot be trained is said and left out.

    Arguments:
        lab: where runs and their checkpoints lie; those of an earlier machine are not needed.
        folder: of the records.
        seconds: after which the run in training is saved and ends; what is left goes on the next time.

    Raises:
        Stopped: the time is over, or a signal came.
    """
    deadline, reference = time.monotonic() + seconds, None
    lab = dataclasses.replace(lab, progress=_until(deadline, lab))
    for run in missing(lab.preset, folder):
        with _held(lab, run) as ours:
            # Another process may have finished it since the list was made.
            if not ours or run.seed in records.read(folder).get(run.name, {}):
                continue
            if time.monotonic() >= deadline:
                raise Stopped("the time is over")
            try:
                trained = run.train(lab, run.seed)
            except InputError as error:
                # Such as a loss that is no number any more: the others can still be done.
                lab.say(f"{run.label} is left out: {error}")
                continue
            reference = records.reference(lab) if reference is None else reference
            content, pictures = records.record(lab, run, trained, reference)
            yield records.write(folder, run, content, pictures)


def _until(deadline: float, lab: Lab):
    """Progress that ends the training after a time, as a signal would: saved, to go on another time."""

    def progress(step: int, steps: int, metrics: dict[str, float]) -> None:
        lab.progress(step, steps, metrics)
        if time.monotonic() >= deadline:
            signal.raise_signal(signal.SIGTERM)

    return progress


@contextlib.contextmanager
def _held(lab: Lab, run: Run) -> Iterator[bool]:
    """Whether no other process has the run; until the end of the block none can take it."""
    file = lab.out / "runs" / run.name / f"seed{run.seed}.lock"
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("ab") as held:
        try:
            if fcntl is not None:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
