"""A path to its network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sicjax import weights
from sicjax._errors import InputError
from sicjax.networks._formats import format_of
from sicjax.networks.graph import Network


def from_file(
    path: str | Path, *, stride: int | Sequence[int] | None = None, transposed: bool | None = None
) -> Network:
    """The network, or networks, of a file.

    ONNX, Keras and TorchScript files and those of `torch.export` have a graph, which states everything. A weights file
    has none. The order of the layers, their strides and directions come from a JSON sidecar beside it (`name.json`),
    or, where there is none, from the file's order, the channel counts and these arguments.

    Arguments:
        path: a file in one of `networks.FORMATS`, or the directory of a training run.
        stride: of every convolution, or one for each in order; comes before the sidecar's.
        transposed: whether the convolutions are transposed, needed only where the channel counts fit both ways;
            comes before the sidecar's.

    Raises:
        InputError: a file that cannot be read, a stride or direction that is needed and not given, or given and not
            needed, weights that are not finite.
    """
    path = Path(path)
    format = format_of(weights.look(path))
    if not format.graph:
        return format.read(path, stride=(stride,) if isinstance(stride, int) else stride, transposed=transposed)
    if stride is not None or transposed is not None:
        raise InputError(f"{path} states its strides and directions itself: leave out stride and transposed")
    return format.read(path)
