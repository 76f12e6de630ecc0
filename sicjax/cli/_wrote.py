"""What is said of the files that a command wrote."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable
from pathlib import Path

from sicjax._foreign import printable
from sicjax.cli._fit import console_for, say
from sicjax.report import NAME


def wrote(files: Iterable[Path]) -> None:
    """Names the files folder by folder on stderr and, where there is a page among them, how to see it."""
    folders: dict[Path, list[str]] = {}
    for file in files:
        folders.setdefault(file.parent, []).append(file.name)
    console = console_for(sys.stderr)
    for folder, names in folders.items():
        say(console, printable(f"wrote {', '.join(names)} into {folder}"))
        if NAME in names:
            say(console, printable(f"to see it: sicjax open {shlex.quote(str(folder))}"))
