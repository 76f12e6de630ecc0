"""Files that are there whole or not at all, whoever is killed while writing them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Seconds after which what a killed process left half written is nobody's any more.
ABANDONED = 86_400


@contextmanager
def whole(*files: Path) -> Iterator[list[Path]]:
    """Files to write instead of these, whose place they take at the end; other processes may write the same.

    Arguments:
        files: in folders that are made if they are not there.

    Raises:
        OSError: they cannot be written.
    """
    partial = [file.with_name(f"{file.name}.{os.getpid()}.partial") for file in files]
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        for left in file.parent.glob(f"{file.name}.*.partial"):
            if time.time() - left.stat().st_mtime > ABANDONED:
                left.unlink(missing_ok=True)
    try:
        yield partial
        for new, file in zip(partial, files, strict=True):
            os.replace(new, file)
    finally:
        for new in partial:
            new.unlink(missing_ok=True)
