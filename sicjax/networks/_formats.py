"""The formats of networks' files: one row a format, which the files door, the help, `sicjax doctor` and tests read."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from sicjax import weights
from sicjax._errors import InputError
from sicjax.networks._only import check, left_out, part_of
from sicjax.networks._orbax import files_of_orbax, from_orbax, is_orbax
from sicjax.networks._saved import files_of_run, from_run
from sicjax.networks.chain import begins, from_names, from_sidecar
from sicjax.networks.graph import Network
from sicjax.networks.keras import from_keras
from sicjax.networks.known import from_known
from sicjax.networks.onnx import from_onnx
from sicjax.networks.torch import from_exported, from_script


class Format(NamedTuple):
    """A format of files that hold networks.

    Attributes:
        name: as people call it.
        endings: of its files' names, usually; none where it is a folder.
        about: the rest of a sentence on it.
        read: a path to its network; of a format without a graph also `stride`, `transposed`, `transposed_in` and
            `only`.
        recognises: whether a file is of this format; None where the bytes do not tell and an ending must.
        extra: what has to be installed to read it, by the name in `pip install 'sicjax[extra]'`.
        graph: whether it states the order, strides and directions of its layers.
        module: whether it is read with the Flax module that it was saved from.
        files: a path to every file that says what its network is; None where it is that one alone.
    """

    name: str
    endings: tuple[str, ...]
    about: str
    read: Callable[..., Network]
    recognises: Callable[[weights.Content], bool] | None = None
    extra: str | None = None
    graph: bool = True
    module: bool = False
    files: Callable[..., Sequence[Path]] | None = None


def format_of(content: weights.Content) -> Format:
    """The format of a file: the first that its content tells, or else what its name says.

    Raises:
        InputError: a file of another format.
    """
    for format in FORMATS:
        if format.recognises is not None and format.recognises(content):
            return format
    # Damaged, or its bytes do not tell. Two formats share `.pt`, of which weights, the later one, are the likelier.
    for format in reversed(FORMATS):
        if content.path.suffix.lower() in format.endings:
            return format
    if content.archive and content.entries is not None:
        raise InputError(f"{content.path} is a zip archive of something else: unpack it first")
    if content.path.suffix.lower() in _ELSEWHERE:
        raise InputError(f"{content.path} cannot be read: {_ELSEWHERE[content.path.suffix.lower()]}")
    known = ", ".join(" ".join((format.name, *format.endings)) for format in FORMATS)
    raise InputError(f"{content.path} is damaged, or of no format that is read: {known}")


def _is_keras(content: weights.Content) -> bool:
    entries = content.entries or ()
    return content.start.startswith(b"\x89HDF\r\n\x1a\n") or {"config.json", "model.weights.h5"} <= set(entries)


def _is_orbax(content: weights.Content) -> bool:
    return content.folder and is_orbax(content.path)


def _is_program(kind: str, content: weights.Content) -> bool:
    return content.entries is not None and weights.program_in(content.entries) == kind


def _from_weights(
    path: Path,
    *,
    stride: Sequence[int] | None,
    transposed: bool | None,
    transposed_in: Sequence[str] = (),
    only: Sequence[str] = (),
) -> Network:
    tensors = weights.read(path)
    kernels = [name for name, array in tensors.arrays.items() if weights.is_kernel(name, array)]
    check(path, kernels, transposed_in, "--transposed-in")
    how: dict[str, Any] = {"stride": stride, "transposed": transposed, "transposed_in": transposed_in}
    sidecar = weights.find_sidecar(path)
    if sidecar is not None:
        return part_of(path, from_sidecar(path, tensors, sidecar, **how), only)
    known = from_known(tensors, weights.config_of(path))
    if known is not None and stride is transposed is None and not transposed_in:
        return part_of(path, known, only)
    if only:
        # Before anything is inferred: strides are then given for these alone, and no other layer stands between.
        check(path, kernels, only, "--only")
        tensors = tensors._replace(arrays={n: array for n, array in tensors.arrays.items() if begins(n, only)})
    net = from_names(path, tensors, **how)
    left = [left_out(only, sum(not begins(name, only) for name in kernels))] if only else []
    better = "its names are of a known architecture: without --stride its own strides and branches are followed"
    return net._replace(notes=(*net.notes, *left, *([] if known is None else [better])))


def _with_sidecar(path: Path) -> list[Path]:
    sidecar = weights.find_sidecar(path)
    shards = [path.with_name(shard) for shard in weights.shards_of(path)] if path.name.endswith(weights.INDEX) else []
    stated = [] if sidecar is None else [sidecar.path]
    config = path.with_name("config.json")
    return [path, *shards, *stated, *([config] if os.path.isfile(config) else [])]


# Endings of files that hold networks otherwise, and the way from each to one that is read.
_TENSORFLOW = "save the model in TensorFlow as model.keras, or turn it into ONNX by tf2onnx"
SAVED_MODEL = f"is a SavedModel of TensorFlow, a program: {_TENSORFLOW}"
_ELSEWHERE = {
    ".npy": "one array says nothing of the layers: save all kernels in an .npz, or see sicjax.sdr.generative",
    ".msgpack": "it has the parameters of a Flax model and not the model: load it there, then networks.from_module",
    ".pb": _TENSORFLOW,
    ".index": _TENSORFLOW,
    ".meta": _TENSORFLOW,
    ".tflite": _TENSORFLOW,
    ".gguf": "GGUF files hold language models without convolutions",
}
_SAFELY = "read without PyTorch"
FORMATS = (
    Format(
        "ONNX",
        (".onnx",),
        "its weights may lie in files beside it",
        from_onnx,
        extra="onnx",
        files=weights.files_of_onnx,
    ),
    Format("TorchScript", (".pt", ".pth"), _SAFELY, from_script, partial(_is_program, "script")),
    Format("torch.export", (".pt2",), _SAFELY, from_exported, partial(_is_program, "export")),
    Format(
        "Keras", (".keras", ".h5", ".hdf5"), "a whole model, read without TensorFlow", from_keras, _is_keras, "keras"
    ),
    Format(
        "Orbax checkpoint",
        (),
        "a folder of a Flax model, with its module",
        from_orbax,
        _is_orbax,
        "train",
        module=True,
        files=files_of_orbax,
    ),
    Format(
        "training run",
        (),
        "a directory of sicjax train",
        from_run,
        lambda content: content.folder and not _is_orbax(content),
        "train",
        files=files_of_run,
    ),
    *(
        Format(row.name, row.endings, row.about, _from_weights, row.recognises, graph=False, files=_with_sidecar)
        for row in weights.FORMATS
    ),
)
