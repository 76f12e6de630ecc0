"""The bytes of a file.

A mapped file that is cut short ends the process that looks at what is no longer there (SIGBUS), and no line can be said
of it. What is read into memory is what it was.
"""

from __future__ import annotations

import mmap
import os
from pathlib import Path

import numpy as np

# Up to here a file is read: most generators and encoders, of which a dozen may be held at a time.
READ = 2**24


def whole(path: Path) -> bytes | mmap.mmap:
    """All of a file: read if it is small, mapped if it is large."""
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_size <= READ:
            return file.read()
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def part(path: Path, offset: int, length: int) -> np.ndarray:
    """Some bytes of a file: read if they are few, mapped if they are many."""
    if length <= READ:
        return np.fromfile(path, np.uint8, length, offset=offset)
    return np.memmap(path, np.uint8, "r", offset, (length,))
