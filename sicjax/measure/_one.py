"""One file to its record, whatever is wrong with it: what a worker does."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple

from sicjax._errors import InputError, bug, show_traceback
from sicjax._limits import OutOfTime, within
from sicjax.measure._identity import Identity, identify, settings_for
from sicjax.measure._paths import Source
from sicjax.measure._record import Record, as_json, failure
from sicjax.measure._rows import Measured, Read, measure_read, read
from sicjax.networks import Limit


class Task(NamedTuple):
    """A network to measure.

    Attributes:
        source: where it is.
        stride: see `networks.from_file`.
        transposed: see `networks.from_file`.
        module: see `networks.from_file`.
        only: see `networks.from_file`.
        transposed_in: see `networks.from_file`.
        permutations: see `measure`.
        known: keys under which there is a record of it already.
        limit: see `networks.from_file`; a file over it is a failure.
    """

    source: Source
    stride: int | Sequence[int] | None
    transposed: bool | None
    module: str | None = None
    only: str | Sequence[str] | None = None
    transposed_in: str | Sequence[str] | None = None
    permutations: int | None = None
    known: Collection[str] = ()
    limit: Limit | None = None


class Outcome(NamedTuple):
    """The key of what a task was of, and its record; None where that is known already."""

    key: str
    record: Record | None


def carry_out(
    task: Task,
    *,
    keep: Callable[[Measured], Any] = lambda measured: None,
    progress: Callable[[str, int, int], Any] = lambda name, done, total: None,
) -> Outcome:
    """Reads and measures a network, unless its record is known.

    Arguments:
        task: which.
        keep: gets the result with its arrays, which are let go otherwise.
        progress: see `measure`.
    """
    with within(task.limit):
        opened = _opened(task)
        if isinstance(opened, Outcome):
            return opened
        return _measured(task, opened, keep, progress)


def carry_out_together(
    tasks: Sequence[Task], *, keep: Callable[[Measured], Any], progress: Callable[[str, int, int], Any]
) -> list[Outcome]:
    """The same of a few networks, all in memory, whose pairs share compiled programs."""
    opened = [_opened(task) for task in tasks]
    try:
        measured = measure_read([one for one in opened if isinstance(one, Read)], progress)
    except Exception:  # which of them it was is seen one by one
        return [
            one if isinstance(one, Outcome) else _measured(task, one, keep, progress)
            for task, one in zip(tasks, opened, strict=True)
        ]
    for result in measured:
        keep(result)
    records = iter(map(as_json, measured))
    return [one if isinstance(one, Outcome) else Outcome(one.identity.key, next(records)) for one in opened]


def lost(task: Task) -> Outcome:
    """Of a network whose measuring ended the process."""
    identity = _identity(task)
    reason = f"{task.source.file} ended the process that measured it: too large?"
    return Outcome(identity.key, failure(identity, reason))


def _measured(task: Task, opened: Read, keep, progress) -> Outcome:
    identity = opened.identity
    try:
        (measured,) = measure_read([opened], progress)
    except OutOfTime as error:
        show_traceback(error)
        return Outcome(identity.key, failure(identity, str(error)))
    except Exception as error:  # one of thousands must not end the rest, and what it lacks is told
        return Outcome(identity.key, failure(identity, _unexpected(task, error)))
    keep(measured)
    return Outcome(identity.key, as_json(measured))


def _opened(task: Task) -> Read | Outcome:
    """What is to be measured, or else the outcome."""
    identity = _identity(task)
    if identity.key in task.known:
        return Outcome(identity.key, None)
    try:
        return read(identity)
    except InputError as error:
        show_traceback(error)
        return Outcome(identity.key, failure(identity, str(error)))
    except Exception as error:  # as above
        return Outcome(identity.key, failure(identity, _unexpected(task, error)))


def _identity(task: Task) -> Identity:
    file, step = task.source
    fields = ("stride", "transposed", "module", "only", "transposed_in", "permutations")
    return identify(file, settings_for(file, step=step, **{field: getattr(task, field) for field in fields}))


def _unexpected(task: Task, error: Exception) -> str:
    show_traceback(error)
    if isinstance(error, (MemoryError, OSError)):
        return f"{task.source.file} could not be measured: {type(error).__name__} {str(error)[:300]!r}"
    return f"{task.source.file}: {bug(error)}"
