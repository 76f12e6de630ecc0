"""The workers of a Dask cluster, as an executor."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator
from concurrent.futures import CancelledError, Executor
from contextlib import contextmanager
from typing import NamedTuple

from sicjax import __version__
from sicjax._errors import InputError, missing_package

# Seconds in which a scheduler has to answer.
PATIENCE = 10


class Cluster(NamedTuple):
    """An executor whose work a cluster does, and how many workers that has by now."""

    executor: Executor
    workers: int


@contextmanager
def cluster(address: str) -> Iterator[Cluster]:
    """Connects to a cluster for as long as it is needed; what it then still works on is cancelled.

    Its workers need this version of the package, and see the files under the same absolute paths. Workers may come
    and go: what one takes with it when it dies is done by another.

    Arguments:
        address: of the scheduler, such as `tcp://127.0.0.1:8786`.

    Raises:
        InputError: distributed is not installed, nobody answers, workers have not this version of the package, or the
            scheduler is lost on the way.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise missing_package("distributed", "cluster", "a Dask cluster") from error
    client, failed = None, None
    try:
        client = Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        failed = OSError(str(error))  # its own, and what it came from, hold the client that failed
    if client is None:
        # Left to itself it is closed at any time, also in the middle of starting another, and both wait for ever.
        gc.collect()
        raise InputError(f"no Dask scheduler answers at {address}, expected one such as tcp://HOST:8786") from failed
    with _without_logs(), client:
        workers = _of_this_version(client, address)
        executor = client.get_executor(pure=False)
        try:
            yield Cluster(executor, workers)
        except CancelledError as error:
            raise InputError(
                f"the scheduler at {address} was lost; what was measured with --out is kept, start the same again"
            ) from error
        finally:
            executor.shutdown(wait=False)


@contextmanager
def _without_logs() -> Iterator[None]:
    """What goes wrong is an error here, and need not be tracebacks besides."""
    logs = [logging.getLogger(name) for name in ("distributed.client", "tornado.application")]
    levels = [log.level for log in logs]
    for log in logs:
        log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for log, level in zip(logs, levels, strict=True):
            log.setLevel(level)


def _of_this_version(client, address: str) -> int:
    """How many workers there are, of which none would measure something else."""
    try:
        versions = client.run(_version)
    except (ImportError, AttributeError) as error:
        raise InputError(f"workers of {address} cannot import sicjax: install sicjax {__version__} there") from error
    others = sorted({version for version in versions.values() if version != __version__})
    if others:
        raise InputError(f"workers of {address} have sicjax {', '.join(others)}: install sicjax {__version__} there")
    return len(versions)


def _version() -> str:
    return __version__
