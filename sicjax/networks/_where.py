"""What a user names, to the file that is read: a name on the hub to its cache, a folder to the network in it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from sicjax import runs, weights
from sicjax._errors import InputError, MissingPackage
from sicjax.networks._formats import FORMATS, SAVED_MODEL

# The files that libraries of Hugging Face write for one network, in the order in which those look for them.
_STEMS = (("model", ".safetensors"), ("diffusion_pytorch_model", ".safetensors"))
_STEMS += (("pytorch_model", ".bin"), ("diffusion_pytorch_model", ".bin"))
_USUAL = [f"{stem}{ending}{index}" for stem, ending in _STEMS for index in ("", weights.INDEX)]
_SHARD = re.compile(r"-\d{5}-of-\d{5}\.\w+$")


@contextmanager
def located(given: str | Path) -> Iterator[Path]:
    """The file that is meant; errors name what was given, not where the cache of the hub has it.

    Arguments:
        given: a file, the directory of a training run, a folder in which one network is, or a name on the hub.

    Raises:
        InputError: what cannot be fetched, a folder with several networks.
    """
    if not weights.on_hub(given):
        path = Path(given)
        # A name that is too long to be one is refused when it is opened.
        files = [] if not os.path.isdir(path) or _is_run(path) else _files(path)
        if not files and is_saved_model(path):
            raise InputError(f"{path} {SAVED_MODEL}")
        yield path / chosen(files, str(path)) if files else path
        return
    path = weights.fetch(str(given), chosen)
    try:
        yield path
    except MissingPackage:
        raise
    except InputError as error:
        raise InputError(str(error).replace(str(path), str(given))) from error


def chosen(files: Sequence[str], name: str) -> str:
    """The file that holds the network of a folder: the one that Hugging Face's libraries load, or else the only one.

    Arguments:
        files: in the folder, and in those inside it with their folders.
        name: of the folder.

    Raises:
        InputError: none or several, with what is there.
    """
    here = [file for file in files if "/" not in file and _is_network(file)]
    for usual in _USUAL:
        if usual in here:
            return usual
    if len(here) == 1:
        return here[0]
    inside = sorted({str(PurePosixPath(file).parent) for file in files if "/" in file and _is_network(file)})
    options = here or inside
    if not options:
        raise InputError(f"{name} has no file of a known format: {', '.join(sorted(files)[:8]) or 'it is empty'}")
    shown = ", ".join(sorted(options)[:12]) + (f" and {len(options) - 12} more" if len(options) > 12 else "")
    raise InputError(f"{name} has several networks: name one of {shown}")


def is_saved_model(folder: str | Path) -> bool:
    """Whether a folder is a SavedModel of TensorFlow, which is not read: see `SAVED_MODEL`."""
    return os.path.isfile(os.path.join(folder, "saved_model.pb"))


def _is_network(file: str) -> bool:
    known = any(file.lower().endswith(ending) for format in FORMATS for ending in format.endings)
    return file.endswith(weights.INDEX) or (known and not _SHARD.search(file))


def _files(folder: Path) -> list[str]:
    """Files of a folder and of those right inside it, as of a pipeline of diffusers."""
    there = [file for pattern in ("*", "*/*") for file in folder.glob(pattern) if file.is_file()]
    return [file.relative_to(folder).as_posix() for file in there if _is_network(file.name)]


def _is_run(folder: Path) -> bool:
    """Whether a folder is a run's: others too have a `config.json`."""
    try:
        return bool(runs.describe(folder).models)
    except InputError:
        return False
