"""Processes that measure, each on one core."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from functools import partial
from itertools import islice
from queue import SimpleQueue
from typing import TypeVar

import jax

# Items that an executor whose workers nobody can count has at hand.
AHEAD = 1024
# Items go to a process of this machine as many at a time as take so long, but not more than these.
SECONDS, MOST = 0.1, 32

T = TypeVar("T")
R = TypeVar("R")


def workers(jobs: int) -> ProcessPoolExecutor:
    """Processes on this machine that share the caller's cache of compiled programs, each with one thread of XLA.

    Arguments:
        jobs: how many.
    """
    return ProcessPoolExecutor(
        jobs,
        # A fork of a process in which JAX has started threads can stop for ever.
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_start,
        initargs=(jax.config.jax_compilation_cache_dir,),  # pyrefly: ignore[missing-attribute]
    )


def spread(
    executor: Executor, task: Callable[[T], R], items: Iterator[T], *, ahead: int
) -> Iterator[tuple[T, Future[R]]]:
    """Each item with its future, in the order in which they finish.

    Arguments:
        executor: any of PEP 3148. When it breaks no more items are taken, and those at hand come with its error.
        task: a function that its workers can import.
        items: taken one by one as there is room.
        ahead: how many are at hand at most.
    """
    finished: SimpleQueue[Future[R]] = SimpleQueue()
    at_hand: dict[Future[R], T] = {}
    broken = False
    while True:
        for item in items if not broken else ():
            try:
                future = executor.submit(task, item)
            except BrokenExecutor as error:
                future, broken = Future(), True
                future.set_exception(error)
            at_hand[future] = item
            future.add_done_callback(finished.put)
            if broken or len(at_hand) == ahead:
                break
        if not at_hand:
            return
        future = finished.get()
        yield at_hand.pop(future), future


def over_executor(
    executor: Executor, task: Callable[[T], R], items: Iterable[T], *, lost: Callable[[T], R]
) -> Iterator[tuple[T, R]]:
    """Each item with its result, by an executor of somebody's own, in the order in which they finish.

    Arguments:
        executor: any of PEP 3148; of one that breaks the error is raised after all that it had done.
        task: what is done, and lets no error out: one that comes is of the executor, and is raised.
        items: to what.
        lost: the result of an item that ends its worker, tried again after the others.
    """
    again: list[T] = []
    for item, future in spread(executor, task, iter(items), ahead=AHEAD):
        if _ended_its_workers(future):
            again.append(item)
        else:
            yield item, future.result()
    for item in again:
        future = executor.submit(task, item)
        yield item, lost(item) if _ended_its_workers(future) else future.result()


def over_processes(
    task: Callable[[T], R], items: Iterable[T], jobs: int, *, lost: Callable[[T], R]
) -> Iterator[tuple[T, R]]:
    """Each item with its result, by processes of this machine, in the order in which they finish.

    When one of them ends, most often because memory did, the items at hand are done again, each alone.

    Arguments:
        task: what is done.
        items: to what.
        jobs: how many processes.
        lost: the result of an item that ends its process also when it is alone.
    """
    items, size = iter(items), 1

    def batches() -> Iterator[list[T]]:
        while batch := list(islice(items, size)):
            yield batch

    while True:
        again: list[T] = []
        with workers(jobs) as pool:
            for batch, future in spread(pool, partial(_each, task), batches(), ahead=4 * jobs):
                if isinstance(future.exception(), BrokenExecutor):
                    again += batch
                    continue
                results, seconds = future.result()
                size = int(min(max(SECONDS * len(batch) / seconds, 1), MOST))
                yield from zip(batch, results, strict=True)
        if not again:
            return
        yield from _one_by_one(task, again, lost)


def _one_by_one(task: Callable[[T], R], items: list[T], lost: Callable[[T], R]) -> Iterator[tuple[T, R]]:
    """Each item with its result, by a process that has one at a time, and another after one that ends it."""
    left = iter(items)
    while True:
        with workers(1) as pool:
            for item in left:
                try:
                    yield item, pool.submit(task, item).result()
                except BrokenExecutor:
                    yield item, lost(item)
                    break
            else:
                return


def _each(task: Callable[[T], R], items: list[T]) -> tuple[list[R], float]:
    """In a worker: the results, and the seconds they took."""
    start = time.perf_counter()
    return [task(item) for item in items], time.perf_counter() - start


def _ended_its_workers(future: Future) -> bool:
    """Whether Dask gave an item up: its workers died, one after the other, maybe of what else they had at hand."""
    # By its name, because it is not installed where another executor works.
    return type(future.exception()).__name__ == "KilledWorker"


def _start(cache: str | None) -> None:
    """In a new worker, before JAX starts there."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends it
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_cpu_multi_thread_eigen=false"
    os.environ["NPROC"] = "1"
    jax.config.update("jax_compilation_cache_dir", cache)
    if cache is not None:
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)


def _end_with_parent() -> None:
    """A parent that was killed can tell nobody, and its workers would wait for it for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
