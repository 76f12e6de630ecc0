"""A path to its network."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from sicjax import runs, weights
from sicjax._errors import InputError, MissingPackage
from sicjax._foreign import printable
from sicjax._limits import Limit, reading, within
from sicjax.networks._formats import Format, format_of
from sicjax.networks._only import part_of, prefixes
from sicjax.networks._where import located
from sicjax.networks.chain import strides_given
from sicjax.networks.graph import Network, Skipped

# What is said of a file can quote what stands in it.
LONGEST = 400

T = TypeVar("T")


def from_file(
    path: str | Path,
    *,
    stride: int | Sequence[int] | None = None,
    transposed: bool | None = None,
    step: int | None = None,
    module: str | Callable[[], Any] | None = None,
    limit: Limit | None = None,
    only: str | Sequence[str] | None = None,
    transposed_in: str | Sequence[str] | None = None,
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
        module: of an Orbax checkpoint of another's Flax model: a function, or its name `package.module:function`,
            that takes nothing and returns the module, NNX or Linen, and example inputs as a tuple; a dictionary after
            these has keywords of the call.
        limit: what the file may take, in seconds and in bytes made of it, in place of what goes with its size.
        only: what the names of layers begin with, or several such; the others are left out, as if the file did not
            have them.
        transposed_in: what the names of layers that are transposed begin with, or several such, in a file that does
            not state it; `transposed` is then of the others.

    Raises:
        InputError: a file that cannot be read or is over the limit, names that no layer begins with, a stride,
            direction or module that is needed and not given, or given and not needed, a step of what is no run, weights
            that are not finite.
    """
    if not isinstance(path, (str, os.PathLike)):
        doors = (
            "from_torch takes modules and state dicts of PyTorch, from_module Flax modules, from_function JAX functions"
        )
        raise InputError(f"expected a path, got {type(path).__name__}: {doors}")
    name = str(path) if weights.on_hub(path) else os.path.basename(os.path.abspath(path))
    with within(limit), located(path) as path:
        content = weights.look(path)
        format = format_of(content)
        kept, turned = prefixes(only, "only"), prefixes(transposed_in, "transposed_in")
        how: dict[str, Any] = {"stride": strides_given(stride), "transposed": transposed, "transposed_in": turned}
        given = stride is not None or transposed is not None or bool(turned)
        if format.graph and given and (not content.folder or format.module or runs.is_run(path)):
            raise InputError(f"{path} states its strides and directions itself: leave out stride and transposed")
        if module is not None and not format.module:
            raise InputError(f"{path} is no Orbax checkpoint: leave out the module")
        how = {} if format.graph else {**how, "only": kept}
        read = partial(
            format.read, path, **how, **({"module": module} if format.module else {}), **_of_step(content, step)
        )
        network = _guarded(content, format, read)
        if not network.layers and not network.skipped:
            raise InputError(f"{path} has no convolution")
        network = part_of(path, network, kept) if format.graph else network
        return _printable(network._replace(name=name))


def takes_stride(path: str | Path) -> bool:
    """Whether strides and direction may be given for a path, because its format does not state them.

    Raises:
        InputError: a file that is not there or of no format that is read.
    """
    with located(path) as path:
        return not format_of(weights.look(path)).graph


def takes_module(path: str | Path) -> bool:
    """Whether a path is read with the Flax module that it was saved from.

    Raises:
        InputError: a file that is not there or of no format that is read.
    """
    with located(path) as path:
        return format_of(weights.look(path)).module


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
    if not content.folder or format_of(content).module:
        raise InputError(f"{content.path} is no training run: it has no step {step}")
    return {"step": step}


def _printable(network: Network) -> Network:
    """With names that do to a terminal what names should."""
    named = lambda layer: layer._replace(path=printable(layer.path))
    return network._replace(
        layers=tuple(map(named, network.layers)),
        pairs=tuple(
            pair._replace(
                name=printable(pair.name),
                first=named(pair.first),
                second=named(pair.second),
                network=printable(pair.network),
            )
            for pair in network.pairs
        ),
        skipped=tuple(Skipped(*map(printable, skipped)) for skipped in network.skipped),
        notes=tuple(map(printable, network.notes)),
        name=printable(network.name),
    )


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
        said, longest = str(error), LONGEST + 2 * len(str(path))
        said = said if len(said) < longest else f"{said[:longest]}..."
        raise InputError(printable(said if str(path) in said else f"{path}: {said}")) from error
    except Exception as error:
        if isinstance(error, OSError) and error.strerror:
            raise InputError(f"cannot read {path}: {error.strerror}") from error
        detail = f"{type(error).__name__} {str(error)!r:.100}"
        raise InputError(f"{path} is damaged, or not as {name} has it: save or download it again: {detail}") from error
