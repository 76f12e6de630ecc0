"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from sicjax._errors import InputError


def write_whole(file: Path, write: Callable[[IO[bytes]], Any]) -> None:
    """Lets `write` fill a file beside, which then takes the file's place.

    Raises:
        InputError: a file that cannot be written.
    """
    partial = file.with_name(file.name + ".partial")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            with partial.open("wb") as stream:
                write(stream)
            os.replace(partial, file)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise InputError(f"cannot write {file}: {error.strerror or error}") from error
