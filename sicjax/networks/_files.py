"""A path to its network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from sicjax import weights
from sicjax._errors import InputError, MissingPackage
from sicjax._limits import reading
from sicjax.networks._formats import Format, format_of
from sicjax.networks._where import located
from sicjax.networks.chain import strides_given
from sicjax.networks.graph import Network

T = TypeVar("T")


def from_file(
    path: str | Path,
    *,
    stride: int | Sequence[int] | None = None,
    transposed: bool | None = None,
    step: int | None = None,
) -> Network:
    """The network, or networks, of a file.

    ONNX, Keras and TorchScript files and those of `torch.export` have a graph, which states everything. A weights file
    has none. The order of the layers, their strides and directions come from a JSON sidecar beside it (`name.json`),
    or, where there is none, from the file's order, the channel counts and these arguments.

    Arguments:
        path: a file in one of `networks.FORMATS`; the directory of a training run; a folder with one network, as
            Hugging Face's libraries write it; or a name on its hub, `hf://org/repo[/file][@revision]`.
        stride: of every convolution, or one for each in order; comes before the sidecar's.
        transposed: whether the convolutions are transposed, needed only where the channel counts fit both ways;
            comes before the sidecar's.
        step: which checkpoint of a training run; the latest unless told.

    Raises:
        InputError: a file that cannot be read, a stride or direction that is needed and not given, or given and not
            needed, a step of what is no run, weights that are not finite.
    """
    with located(path) as path:
        content = weights.look(path)
        format = format_of(content)
        how: dict[str, Any] = {"stride": strides_given(stride), "transposed": transposed}
        if format.graph and (stride is not None or transposed is not None):
            raise InputError(f"{path} states its strides and directions itself: leave out stride and transposed")
        read = partial(format.read, path, **({} if format.graph else how), **_of_step(content, step))
        network = _guarded(content, format, read)
        if not network.layers and not network.skipped:
            raise InputError(f"{path} has no convolution")
        return network


def takes_stride(path: str | Path) -> bool:
    """Whether strides and direction may be given for a path, because its format does not state them.

    Raises:
        InputError: a file that is not there or of no format that is read.
    """
    with located(path) as path:
        return not format_of(weights.look(path)).graph


def files_of(path: str | Path, *, step: int | None = None) -> list[Path]:
    """Every file that says what the network of a path is, the first the one it is in: of a run, those of a checkpoint.

    Sidecars, shards and weights beside a file are in it; of a name on the hub they are those in its cache.

    Arguments:
        path: see `from_file`.
        step: see `from_file`.

    Raises:
        InputError: a file that is not there, of no format that is read, or too damaged to tell.
    """
    with located(path) as path:
        content = weights.look(path)
        format = format_of(content)
        if format.files is None:
            return [path]
        return list(_guarded(content, format, partial(format.files, path, **_of_step(content, step))))


def _of_step(content: weights.Content, step: int | None) -> dict[str, int]:
    if step is None:
        return {}
    if not content.folder:
        raise InputError(f"{content.path} is no training run: it has no step {step}")
    return {"step": step}


def _guarded(content: weights.Content, format: Format, read: Callable[[], T]) -> T:
    """What a damaged or hostile file can raise has no end; what is said of it names the file."""
    path, name = content.path, f"a {format.name}" if content.folder else format.name
    try:
        # A training run is the user's own, and mostly made by this package.
        with nullcontext() if content.folder else reading(path, content.size):
            return read()
    except MissingPackage:
        raise
    except InputError as error:
        raise error if str(path) in str(error) else InputError(f"{path}: {error}") from error
    except Exception as error:
        if isinstance(error, OSError) and error.strerror:
            raise InputError(f"cannot read {path}: {error.strerror}") from error
        detail = f"{type(error).__name__} {str(error)!r:.100}"
        raise InputError(f"{path} is damaged, or not as {name} has it: save or download it again: {detail}") from error
