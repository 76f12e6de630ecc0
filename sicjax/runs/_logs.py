"""Logs: a JSON object a line, each with its step; a line counts when its end is written."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sicjax._errors import InputError
from sicjax.runs._places import Places
from sicjax.runs._whole import write_whole


def log(folder: str | Path, name: str) -> list[dict[str, Any]]:
    """The lines of a log, in the order of the steps.

    Arguments:
        folder: the run's directory.
        name: "metrics", of the training; "scores", of the checkpoints; "sdr", of the pairs of layers, see `measures`;
            or another that a training of one's own wrote.

    Raises:
        InputError: no such log, or not one of JSON objects.
    """
    places = Places(folder)
    file = places.log(name)
    if not file.exists():
        there = ", ".join(other.stem for other in places.logs()) or "none"
        raise InputError(f"{places.folder} has no log {name}; there are {there}")
    return [values for _, values in _lines(file)]


def append(places: Places, name: str, step: int, values: Mapping[str, Any]) -> None:
    """Adds a line to a log, made if it is not there."""
    with places.log(name).open("a") as file:
        file.write(json.dumps({"step": step, **values}) + "\n")


def trim(places: Places, step: int) -> None:
    """Takes out of every log what came after a step, and lines that a crash cut off."""
    for file in places.logs():
        kept = "".join(line for line, values in _lines(file) if values.get("step", step) <= step)
        if kept != file.read_text():
            write_whole(file, lambda stream, kept=kept: stream.write(kept.encode()))


def _lines(file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for line in file.read_text().splitlines(keepends=True):
        if not line.endswith("\n"):
            continue
        try:
            values = json.loads(line)
        except ValueError:
            values = None
        if not isinstance(values, dict):
            raise InputError(f"{file} has a line that is no JSON object: {line[:80].rstrip()!r}")
        yield line, values
