"""A path to its network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sicjax import weights
from sicjax._errors import InputError
from sicjax.networks._saved import from_run
from sicjax.networks.chain import from_names, from_sidecar
from sicjax.networks.graph import Network


def _onnx(path: Path) -> Network:
    from sicjax.networks.onnx import from_onnx

    return from_onnx(path)


def _keras(path: Path) -> Network:
    from sicjax.networks.keras import from_keras

    return from_keras(path)


def _torch(path: Path) -> Network:
    from sicjax.networks.torch import from_program

    return from_program(path)


# Formats with a graph, which states everything, by how their names end.
_WITH_GRAPH = {".onnx": _onnx, ".h5": _keras, ".hdf5": _keras, ".keras": _keras, ".pt2": _torch}


def from_file(
    path: str | Path, *, stride: int | Sequence[int] | None = None, transposed: bool | None = None
) -> Network:
    """The network, or networks, of a file.

    ONNX, Keras and TorchScript files and those of `torch.export` have a graph, which states everything. A weights file
    has none. The order of the layers, their strides and directions come from a JSON sidecar beside it (`name.json`),
    or, where there is none, from the file's order, the channel counts and these arguments.

    Arguments:
        path: `.onnx`, `.keras`, `.h5` of a whole model, `.pt2`, `.safetensors`, `.npz`, or a PyTorch file, weights or
            TorchScript (`.pt .pth .tar .ckpt`); or the directory of a training run.
        stride: of every convolution, or one for each in order; comes before the sidecar's.
        transposed: whether the convolutions are transposed, needed only where the channel counts fit both ways;
            comes before the sidecar's.

    Raises:
        InputError: a file that cannot be read, a stride or direction that is needed and not given, or given and not
            needed, weights that are not finite.
    """
    path = Path(path)
    if path.is_dir():
        reader = from_run
    else:
        reader = _WITH_GRAPH.get(path.suffix.lower()) or (_torch if weights.program_kind(path) is not None else None)
    if reader is not None:
        if stride is not None or transposed is not None:
            raise InputError(f"{path} states its strides and directions itself: leave out stride and transposed")
        return reader(path)
    tensors = weights.read(path)
    sidecar = weights.find_sidecar(path)
    strides = (stride,) if isinstance(stride, int) else stride
    if sidecar is None:
        return from_names(path, tensors, stride=strides, transposed=transposed)
    return from_sidecar(path, tensors, sidecar, stride=strides, transposed=transposed)
