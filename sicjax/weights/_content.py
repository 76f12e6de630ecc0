"""What tells the format of a file: its content, rather than its name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from sicjax._errors import InputError
from sicjax._foreign import irregular
from sicjax.weights._archive import opened

# How a file starts that was not fetched.
_LFS = b"version https://git-lfs"
_PAGES = (b"<!doctype html", b"<html")
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")


class Content(NamedTuple):
    """What is seen of a file without reading it.

    Attributes:
        path: where it is.
        folder: whether it is a folder; then nothing else is said.
        start: its first 64 bytes.
        size: in bytes.
        entries: what it holds, where it is a zip archive; None where it is none, or damaged.
    """

    path: Path
    folder: bool = False
    start: bytes = b""
    size: int = 0
    entries: tuple[str, ...] | None = None

    @property
    def archive(self) -> bool:
        """Whether it starts as a zip archive does, also where that is damaged."""
        return self.start.startswith(_ZIP)


def look(path: str | Path) -> Content:
    """What tells a file's format.

    Raises:
        InputError: a file that is not there, cannot be opened, has no content or two entries of one name.
    """
    path = Path(path)
    try:
        kind = irregular(path)
        if kind == "a folder":
            return Content(path, folder=True)
        if kind:
            raise InputError(f"{path} is {kind}, expected a file: copy what it gives into one")
        with path.open("rb") as file:
            start = file.read(64)
        size = path.stat().st_size
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    if not start:
        raise InputError(f"{path} is empty: save or download it again")
    if start.startswith(_LFS):
        raise InputError(f"{path} is a pointer of Git LFS, not the file: get it with git lfs pull")
    if start.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_PAGES):
        raise InputError(f"{path} is a web page, not the file: download it again, from its direct address")
    return Content(path, False, start, size, _entries(path) if start.startswith(_ZIP) else None)


def program_in(entries: Sequence[str]) -> str | None:
    """`script` or `export` for the entries of a program that PyTorch saved, None for those of anything else."""
    if any(name.rpartition("/")[2] == "constants.pkl" or name.split("/")[1:2] == ["code"] for name in entries):
        return "script"
    exported = any(name.endswith("models/model.json") for name in entries)
    return "export" if exported or "serialized_exported_program.json" in entries else None


def _entries(path: Path) -> tuple[str, ...] | None:
    try:
        with opened(path) as archive:
            return tuple(archive.namelist())
    except InputError:
        raise
    except Exception:  # what a damaged or hostile file can raise has no end; who reads it says that it is damaged
        return None
