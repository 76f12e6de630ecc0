"""Logs: a JSON object a line, each with its step; a line counts when its end is written."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from sicjax._errors import InputError
from sicjax.runs._places import Places
from sicjax.runs._whole import write_whole


def log(folder: str | Path, name: str) -> list[dict[str, Any]]:
    """The lines of a log, in the order of the steps; those that are damaged are left out, with a warning.

    Arguments:
        folder: the run's directory.
        name: "metrics", of the training; "scores", of the checkpoints; "sdr", of the pairs of layers, see `measures`;
            or another that a training of one's own wrote.

    Raises:
        InputError: no such log, or one that cannot be read.
    """
    places = Places(folder)
    file = places.log(name)
    if not file.is_file():
        there = ", ".join(other.stem for other in places.logs()) or "none"
        raise InputError(f"{places.folder} has no log {name}; there are {there}")
    found = _read(file)
    if found.bad:
        warnings.warn(_said(file, found), stacklevel=2)
    return [values for _, values in found.lines]


def append(places: Places, name: str, step: int, values: Mapping[str, Any]) -> None:
    """Adds a line to a log, made if it is not there."""
    file = places.log(name)
    try:
        with file.open("a") as stream:
            stream.write(json.dumps({"step": step, **values}) + "\n")
    except OSError as error:
        raise InputError(f"cannot write {file}: {error.strerror or error}") from error


def trim(places: Places, step: int) -> list[str]:
    """Takes out of every log what came after a step, and a line that a crash cut off.

    Returns:
        What was said of damaged lines, which are moved into a log of their own.
    """
    said = []
    for file in places.logs():
        found = _read(file)
        kept = b"".join(line for line, values in found.lines if values["step"] <= step)
        if found.bad:
            said.append(_said(file, found))
            aside = places.damaged / file.name
            held = [aside.read_bytes()] if aside.exists() else []
            write_whole(aside, lambda stream, lines=(*held, *found.bad): stream.writelines(lines))
        if kept != found.content:
            write_whole(file, lambda stream, kept=kept: stream.write(kept))
    return said


class _Found(NamedTuple):
    """A log: its content, its lines and what they say, and those that say nothing."""

    content: bytes
    lines: list[tuple[bytes, dict[str, Any]]]
    bad: list[bytes]


def _read(file: Path) -> _Found:
    try:
        found = _Found(file.read_bytes(), [], [])
    except OSError as error:
        raise InputError(f"cannot read {file}: {error.strerror or error}") from error
    for line in found.content.split(b"\n")[:-1]:
        try:
            values = json.loads(line)
        except (ValueError, RecursionError):
            values = None
        if isinstance(values, dict) and type(values.get("step")) is int:
            found.lines.append((line + b"\n", values))
        else:
            found.bad.append(line + b"\n")
    return found


def _said(file: Path, found: _Found) -> str:
    more = f" and {len(found.bad) - 1} more" if len(found.bad) > 1 else ""
    return f"{file} has a line that is no JSON object with a step, left out: {found.bad[0].strip()[:80]!r}{more}"
