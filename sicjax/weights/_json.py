"""JSON files beside weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sicjax._limits import OF_TEXT, make


def read_json(path: Path) -> Any:
    """What a file states.

    Raises:
        OverLimit: more than goes with the file that is read.
        OSError, ValueError, RecursionError: one that cannot be read.
    """
    make(OF_TEXT * path.stat().st_size, path.name)
    return json.loads(path.read_text(encoding="utf-8"))
