"""What a result is of: the bytes of its files, the settings they were read with, and who read them."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sicjax import __version__, networks, runs
from sicjax._errors import InputError
from sicjax._foreign import irregular

# Of the fields of `measure --json`, described in schema.json: raised when one changes its meaning, comes or goes.
SCHEMA = 5


class Settings(NamedTuple):
    """What a file was read and measured with; None where nothing was given. See `networks.from_file`, and `measure`.

    Attributes:
        stride: of every convolution, or one for each.
        transposed: whether the convolutions are transposed.
        step: which checkpoint of a training run; None of other files.
        module: the name of the function that returns the module of an Orbax checkpoint.
        only: what the names of the layers that are measured begin with.
        transposed_in: what the names of those that are transposed begin with.
        permutations: random pairings that the p-value of coupling is from.
    """

    stride: tuple[int, ...] | None = None
    transposed: bool | None = None
    step: int | None = None
    module: str | None = None
    only: tuple[str, ...] | None = None
    transposed_in: tuple[str, ...] | None = None
    permutations: int | None = None

    @property
    def reading(self) -> dict[str, Any]:
        """The arguments of `networks.from_file` among them."""
        return {name: value for name, value in self._asdict().items() if name != "permutations"}


class Identity(NamedTuple):
    """A file and what was to be done with it.

    Attributes:
        file: its path, or its name on the hub, as it was given.
        settings: that it is read with.
        sha256: of the file, or of all files of a run's checkpoint; None where it cannot be read.
        key: the same wherever the same would come out: of the file and those that belong to it, the settings, the
            schema and the version.
    """

    file: str
    settings: Settings
    sha256: str | None
    key: str


def settings_for(
    file: str | Path,
    *,
    stride: int | Sequence[int] | None = None,
    transposed: bool | None = None,
    step: int | None = None,
    module: str | None = None,
    only: str | Sequence[str] | None = None,
    transposed_in: str | Sequence[str] | None = None,
    permutations: int | None = None,
) -> Settings:
    """The settings of a file; of a run that has not been told a step, the latest that is whole."""
    strides = (stride,) if isinstance(stride, int) else None if stride is None else tuple(stride)
    if step is None and runs.is_run(file):
        step, damaged = runs.latest(file)
        step = max(damaged, default=None) if step is None else step
    several = lambda names: (names,) if isinstance(names, str) else tuple(names or ()) or None
    return Settings(strides, transposed, step, module, several(only), several(transposed_in), permutations)


def identify(file: str | Path, settings: Settings) -> Identity:
    """Reads every byte that a result depends on."""
    path = Path(file)
    try:
        parts = networks.files_of(path, step=settings.step)
    except InputError:
        parts = [path]  # what is wrong with it is said by who reads it
    # Of a run, its folder: the others lie in different places, and on the hub under the name of a commit.
    start = path if settings.step is not None or not parts else parts[0]
    try:
        digests = {os.path.relpath(part, start): _digest(part) for part in parts}
    except OSError:
        digests = {}
    own = digests.get(".") or (_together(digests) if digests else None)
    key = _together({**digests, "": json.dumps([*settings, SCHEMA, __version__])})
    return Identity(str(file), settings, own, key)


def _digest(file: Path) -> str:
    if irregular(file):
        raise OSError(f"{file} is no regular file")
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _together(digests: dict[str, str]) -> str:
    return hashlib.sha256(json.dumps(sorted(digests.items())).encode()).hexdigest()
