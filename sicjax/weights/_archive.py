"""Zip archives, whose entries are unpacked within the limits of their file."""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sicjax._errors import InputError
from sicjax._limits import OF_TEXT, make


@contextmanager
def opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """An archive to read.

    Raises:
        InputError: two entries of one name, of which readers take one or the other.
    """
    with zipfile.ZipFile(path) as archive:
        ((name, count),) = Counter(archive.namelist()).most_common(1) or [("", 0)]
        if count > 1:
            raise InputError(f"{path} is damaged: it has {count} entries named {name!r:.100}")
        yield archive


def entry(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """The content of an entry.

    Raises:
        OverLimit: it unpacks to far more than it takes in the file.
    """
    make(info.file_size, info.filename)
    return archive.read(info)


def text(archive: zipfile.ZipFile, name: str, grows: int = OF_TEXT) -> bytes:
    """The content of an entry that is parsed, and grows so much by it."""
    info = archive.getinfo(name)
    make(grows * info.file_size, name)
    return archive.read(info)
