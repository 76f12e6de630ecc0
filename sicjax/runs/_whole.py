"""Files that are written whole or not at all."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from sicjax._errors import InputError


def write_whole(file: Path, write: Callable[[IO[bytes]], Any]) -> None:
    """Lets `write` fill a stream in memory; a file beside takes it, and then the file's place.

    `write` meets no full disk: the zip that NumPy 2.0 leaves open there prints a traceback when it is forgotten.

    Raises:
        InputError: a file that cannot be written.
    """
    partial = file.with_name(file.name + ".partial")
    try:
        write(content := io.BytesIO())
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            partial.write_bytes(content.getvalue())
            os.replace(partial, file)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise InputError(f"cannot write {file}: {error.strerror or error}") from error
