"""Many networks, one by one: what cannot be measured is told, what is known is not done again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import Any, NamedTuple

from sicjax.measure._archive import Archive
from sicjax.measure._one import Outcome, Task, carry_out, carry_out_together, lost
from sicjax.measure._paths import Source
from sicjax.measure._record import Record
from sicjax.measure._rows import Measured
from sicjax.measure._workers import over_executor, over_processes
from sicjax.networks import Limit


class Found(NamedTuple):
    """A network, the key of what was measured, and its record.

    Attributes:
        source: where it is.
        key: see `Identity`.
        record: its result or, with "error", what is wrong with it; see `schema`.
        new: whether it was measured now.
    """

    source: Source
    key: str
    record: Record
    new: bool


def measure_many(
    sources: Iterable[Source],
    *,
    stride: int | Sequence[int] | None = None,
    transposed: bool | None = None,
    module: str | None = None,
    limit: Limit | None = None,
    only: str | Sequence[str] | None = None,
    transposed_in: str | Sequence[str] | None = None,
    permutations: int | None = None,
    archive: Archive | None = None,
    jobs: int | None = None,
    executor: Executor | None = None,
    together: bool = False,
    keep: Callable[[Measured], Any] = lambda measured: None,
    progress: Callable[[str, int, int], Any] = lambda name, done, total: None,
) -> Iterator[Found]:
    """Measures networks one by one and lets each go; a file that is bad is a record with its reason, and no error.

    Arguments:
        sources: which; see `find` and `shard`.
        stride: see `networks.from_file`.
        transposed: see `networks.from_file`.
        module: see `networks.from_file`.
        limit: what each may take, see `networks.Limit`; one that takes more is a record with that reason. It is no
            part of the key: a result is the same whatever it was allowed.
        only: see `networks.from_file`.
        transposed_in: see `networks.from_file`.
        permutations: see `measure`.
        archive: where records are kept; what it has is not measured again, but for what failed.
        jobs: processes of this machine to share the work; without them and an executor it is done right here.
        executor: any of PEP 3148 to do the work instead, such as that of a `cluster`. Its workers need the package and
            see the files under the same paths; where they are processes, they must not be forks of one in which JAX
            runs. An error of its own is raised, also that it is broken; the archive then has what it did.
        together: without a limit hold all of them, and let them share compiled programs, which takes less time where
            they are few and differ; the last digits of a number may then depend on what else is measured.
        keep: gets each result with its arrays, where the work is done right here.
        progress: is told of each pair of layers, where the work is done right here; see `measure`.

    Returns:
        What was found, network by network; with `jobs` or an executor in any order.

    Raises:
        InputError: the archive cannot be read or written.
    """
    known = (lambda file: ()) if archive is None else archive.measured
    how = (stride, transposed, module, only, transposed_in, permutations)
    tasks = (Task(source, *how, known(source.file), limit) for source in sources)
    if executor is not None:
        done = over_executor(executor, carry_out, tasks, lost=lost)
    elif jobs is not None:
        done = over_processes(carry_out, tasks, jobs, lost=lost)
    elif together and limit is None:
        tasks = list(tasks)
        done = zip(tasks, carry_out_together(tasks, keep=keep, progress=progress), strict=True)
    else:
        here = partial(carry_out, keep=keep, progress=progress)
        done = ((task, here(task)) for task in tasks)
    for task, outcome in done:
        yield _found(task.source, outcome, archive)


def _found(source: Source, outcome: Outcome, archive: Archive | None) -> Found:
    key, record = outcome
    if record is not None:
        if archive is not None:
            archive.add(key, record)
        return Found(source, key, record, True)
    there = None if archive is None else archive.get(source.file, key)
    assert there is not None, "a task knows only the keys of the archive"
    return Found(source, key, there, False)
