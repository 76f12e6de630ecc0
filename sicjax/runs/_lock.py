"""A directory is one run's at a time."""

from __future__ import annotations

import warnings
from types import ModuleType
from typing import IO

from sicjax._errors import InputError
from sicjax.runs._places import Places

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # Windows, where nothing guards a directory against a second run
    fcntl = None


def lock(places: Places) -> IO | None:
    """Holds the directory, made if it is not there, until what this returns is closed or the process ends.

    Raises:
        InputError: another process holds it, or it cannot be written.
    """
    try:
        places.folder.mkdir(parents=True, exist_ok=True)
        if fcntl is None:
            return None
        held = places.lock.open("ab")
    except OSError as error:
        raise InputError(f"cannot write into {places.folder}: {error.strerror or error}") from error
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        held.close()
        raise InputError(f"another process trains in {places.folder}: wait or take another --workdir") from error
    except OSError as error:  # a file system without locks
        reason = error.strerror or error
        warnings.warn(
            f"{places.folder} cannot be locked ({reason}): see that no other process trains there", stacklevel=3
        )
    return held
