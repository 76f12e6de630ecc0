"""The sums of a checkpoint's files, as `sha256sum -c` reads them: the store does not see every bit that flips."""

from __future__ import annotations

import hashlib
from pathlib import Path

from sicjax.runs._whole import write_whole

NAME = "SHA256SUMS"


def write_sums(folder: Path) -> None:
    """Writes the sums of all files in a folder.

    Raises:
        InputError: they cannot be written.
    """
    lines = [f"{_sum(path)}  {name}\n" for name, path in _files(folder).items()]
    write_whole(folder / NAME, lambda stream: stream.write("".join(lines).encode()))


def broken(folder: Path) -> str | None:
    """What is wrong with the first file that is not as its sum says; empty if all are, None where there are no sums."""
    try:
        lines = (folder / NAME).read_bytes().decode(errors="replace").splitlines()
    except FileNotFoundError:
        return None
    except OSError as error:
        return f"{NAME}: {error.strerror or error}"
    files = _files(folder)
    for line in lines:
        stated, _, name = line.partition("  ")
        if name not in files:
            return f"{name!r:.100} is not there"
        try:
            if _sum(files[name]) != stated:
                return f"{name} is not as it was written"
        except OSError as error:
            return f"{name}: {error.strerror or error}"
    return "" if lines else None


def _files(folder: Path) -> dict[str, Path]:
    found = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != NAME)
    return {path.relative_to(folder).as_posix(): path for path in found}


def _sum(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
