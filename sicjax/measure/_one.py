"""One file to its record, whatever is wrong with it: what a worker does."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple

from sicjax._errors import InputError
from sicjax.measure._identity import identify, settings_for
from sicjax.measure._paths import Source
from sicjax.measure._record import Record, as_json, failure
from sicjax.measure._rows import Measured, measure_read, read


class Task(NamedTuple):
    """A network to measure.

    Attributes:
        source: where it is.
        stride: see `networks.from_file`.
        transposed: see `networks.from_file`.
        known: keys under which there is a record of it already.
    """

    source: Source
    stride: int | Sequence[int] | None
    transposed: bool | None
    known: Collection[str] = ()


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
    """Reads and measures a file, unless its record is known.

    Arguments:
        task: which.
        keep: gets the result with its arrays, which are let go otherwise.
        progress: see `measure`.
    """
    source = task.source
    settings = settings_for(source.file, stride=task.stride, transposed=task.transposed, step=source.step)
    identity = identify(source.file, settings)
    if identity.key in task.known:
        return Outcome(identity.key, None)
    try:
        (measured,) = measure_read([read(identity)], progress)
    except InputError as error:
        return Outcome(identity.key, failure(identity, str(error)))
    except Exception as error:  # one file of thousands must not end the rest, and what it lacks is told
        reason = f"{source.file} could not be measured: {type(error).__name__} {str(error)[:300]!r}"
        return Outcome(identity.key, failure(identity, reason))
    keep(measured)
    return Outcome(identity.key, as_json(measured))


def lost(task: Task) -> Outcome:
    """Of a file whose measuring ended the process."""
    source = task.source
    settings = settings_for(source.file, stride=task.stride, transposed=task.transposed, step=source.step)
    identity = identify(source.file, settings)
    return Outcome(identity.key, failure(identity, f"{source.file} ended the process that measured it: too large?"))
