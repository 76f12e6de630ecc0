"""What is said of the files that a command wrote."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from sicjax._foreign import printable
from sicjax.cli._fit import console_for, say
from sicjax.report import NAME


def wrote(files: Sequence[Path], folder: Path | None) -> None:
    """Names files on stderr, those of a folder by their names there, and how to see its page if that is among them."""
    console = console_for(sys.stderr)
    inside = [file for file in files if folder is not None and file.is_relative_to(folder)]
    others = [file for file in files if file not in inside]
    if others:
        say(console, printable(f"wrote {', '.join(map(str, others))}"))
    if folder is not None and inside:
        names = (file.relative_to(folder).as_posix() for file in inside)
        say(console, printable(f"wrote {', '.join(names)} into {folder}"))
        if folder / NAME in inside:
            say(console, printable(f"to see it: sicjax open {shlex.quote(str(folder))}"))
