"""Files, folders, patterns and runs to the single networks that are to be measured."""

from __future__ import annotations

import glob
import hashlib
import os
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from sicjax import networks, runs, weights
from sicjax._errors import InputError


class Source(NamedTuple):
    """A file, or the directory of a training run and which of its checkpoints; the latest where no step is given."""

    file: str
    step: int | None = None


def find(paths: Iterable[str | Path], *, all_steps: bool = False) -> list[Source]:
    """Everything that paths lead to, each once.

    Arguments:
        paths: files; folders, searched for files with an ending of `networks.FORMATS`, for runs and for Orbax
            checkpoints; directories of runs; patterns, in which `**` stands for any folders; names on the hub. A JSON
            file beside one of the same name is its sidecar; of weights in several files their index is found.
        all_steps: every checkpoint of a run, not the latest alone.

    Raises:
        InputError: a path or pattern that leads nowhere.
    """
    missing: list[str] = []
    empty: list[str] = []
    found: dict[str, None] = {}
    for path in map(str, paths):
        here = [path]
        if not (os.path.exists(path) or weights.on_hub(path)):
            here = sorted(glob.glob(path, recursive=True), key=by_number)
        if not here:
            missing.append(path)
        files = dict.fromkeys(file for one in here for file in _files(one))
        if here and not files:
            empty.append(path)
        found.update(files)
    if missing:
        raise InputError(f"no such file: {', '.join(missing)}")
    if not found:
        for path in filter(networks.is_saved_model, paths):
            raise InputError(f"{path} {networks.SAVED_MODEL}")
        raise InputError(f"no file of a known format in {', '.join(map(str, paths))}: {' '.join(sorted(_endings()))}")
    if empty:
        warnings.warn(f"no file of a known format in {', '.join(empty)}", stacklevel=2)
    named = {os.path.splitext(file)[0] for file in found if not file.endswith(".json")}
    return [
        source
        for file in found
        if not (file.endswith(".json") and os.path.splitext(file)[0] in named)
        for source in (_steps(file) if all_steps and _is_run(file) else [Source(file)])
    ]


def shard(sources: Sequence[Source], part: int, parts: int) -> list[Source]:
    """The `part`-th of `parts`, counted from 1: a network is in the same one whatever else there is.

    >>> everything = [Source(f"{k}.npz") for k in range(100)]
    >>> together = [source for part in (1, 2, 3) for source in shard(everything, part, 3)]
    >>> sorted(together) == sorted(everything)
    True
    """

    def number(source: Source) -> int:
        name = source.file if source.step is None else f"{source.file} {source.step}"
        return int.from_bytes(hashlib.sha256(os.fsencode(name)).digest()[:8])

    return [source for source in sources if number(source) % parts == part - 1]


def _files(path: str) -> Iterator[str]:
    if not os.path.isdir(path) or _is_whole(path):
        yield path
        return
    endings = _endings()
    for folder, inside, files in os.walk(path):
        whole = {name for name in inside if _is_whole(os.path.join(folder, name))}
        known = {name for name in files if os.path.splitext(name)[1].lower() in endings}
        indices = {name for name in files if name.endswith(weights.INDEX)}
        known = indices | {name for name in known if not _is_part(name, indices)}
        yield from (
            os.path.join(folder, name) for name in sorted(whole | known, key=by_number) if not name.startswith(".")
        )
        inside[:] = sorted(name for name in inside if name not in whole and not name.startswith("."))


def _is_part(name: str, indices: set[str]) -> bool:
    """Whether a file has a part of the arrays of an index."""
    whole = re.sub(r"-\d{5}-of-\d{5}(?=\.\w+$)", "", name)
    return whole != name and whole + weights.INDEX in indices


def _endings() -> set[str]:
    return {ending for format in networks.FORMATS for ending in format.endings}


def by_number(name: str) -> list[tuple[int, str]]:
    """Checkpoints are named by their steps.

    >>> sorted(["epoch10.pth", "epoch9.pth", "best.pth"], key=by_number)
    ['best.pth', 'epoch9.pth', 'epoch10.pth']
    """
    return [(int(part) if part.isdecimal() else -1, part) for part in re.split(r"(\d+)", name)]


def _is_whole(folder: str) -> bool:
    """Whether what is in a folder is one network, or a run's."""
    return _is_run(folder) or networks.is_orbax(folder)


def _is_run(folder: str) -> bool:
    """Whether a folder is a run's: others too have a `config.json`."""
    if not os.path.isdir(folder) or not runs.is_run(folder):
        return False
    try:
        return bool(runs.describe(folder).models)
    except InputError:
        return False


def _steps(run: str) -> list[Source]:
    # Of a run without a checkpoint the one source says so when it is measured.
    return [Source(run, step) for step in runs.checkpoints(run)] or [Source(run)]
