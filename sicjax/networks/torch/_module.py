"""Live PyTorch modules, through the program that `torch.export` makes of them, in memory."""

from __future__ import annotations

import io
import json
import sys
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from sicjax import sdr
from sicjax._errors import InputError, missing_package
from sicjax.networks.chain import IN_MEMORY, from_names, strides_given
from sicjax.networks.graph import Network
from sicjax.networks.known import from_known
from sicjax.networks.torch._export import of_exported
from sicjax.networks.torch.script import from_script
from sicjax.weights import Exported, Tensors

if TYPE_CHECKING:
    import torch

EAGER = "torch.export in its default mode failed, and this is the program of its strict mode: "


def from_torch(
    module: Any,
    *example_inputs: Any,
    stride: int | Sequence[int] | None = None,
    transposed: bool | None = None,
    **call: Any,
) -> Network:
    """The network of a PyTorch module, as it runs in evaluation; the module is given back as it was.

    Arguments:
        module: a `torch.nn.Module`; or a `torch.export.ExportedProgram`; or what `torch.jit.trace` or `script` makes;
            or a `state_dict`, which has no graph: it needs a stride, unless its architecture is known by its names.
        example_inputs: of a module, tensors as it takes them.
        stride: of a `state_dict` alone, see `from_file`.
        transposed: of a `state_dict` alone, see `from_file`.
        call: keywords of the module's call.

    Returns:
        The network; its `bind` takes the module, or a state dict, with other parameters, as in a training loop. Not of
        TorchScript.

    Raises:
        InputError: not one of these, no PyTorch, a module that cannot be exported, weights that are not finite.
    """
    try:
        import torch
        from torch.export import ExportedProgram
    except ImportError as error:
        raise missing_package("torch", "torch", "reading PyTorch modules") from error

    if isinstance(module, Mapping):
        held = {str(name): value for name, value in module.items() if isinstance(value, torch.Tensor)}
        tensors = Tensors({name: _array(name, tensor) for name, tensor in held.items()}, {}, True)
        known = from_known(tensors) if stride is transposed is None else None
        if known is not None:
            return known
        if stride is None:
            raise InputError("a state_dict does not say its strides: pass stride=N, or one for each convolution")
        return from_names(IN_MEMORY, tensors, stride=strides_given(stride), transposed=transposed)
    if stride is not None or transposed is not None:
        raise InputError("a module states its strides and directions itself: leave out stride and transposed")
    if isinstance(module, ExportedProgram):
        return _bindable(module, ())
    if isinstance(module, torch.jit.ScriptModule):
        with TemporaryDirectory() as folder:
            module.save(f"{folder}/module.pt")
            return from_script(Path(folder, "module.pt"))._replace(name=module.original_name)
    if not isinstance(module, torch.nn.Module):
        kind = f"{type(module).__module__}.{type(module).__qualname__}"
        raise InputError(f"expected a torch.nn.Module, an ExportedProgram or a state_dict, got {kind}")
    if not example_inputs and not call:
        raise InputError("a module is followed from its inputs: pass an example, from_torch(module, x)")
    for given in (*example_inputs, *call.values()):
        sizes = isinstance(given, (tuple, list)) and bool(given) and all(isinstance(size, int) for size in given)
        if sizes or isinstance(given, np.ndarray):
            raise InputError(
                f"an example input is a tensor, as the module takes it, not {type(given).__name__}: "
                "from_torch(module, torch.zeros(1, 3, 64, 64)), say"
            )
    return _bindable(*_exported(module, example_inputs, call))._replace(name=type(module).__name__)


def _exported(module: torch.nn.Module, inputs: tuple, call: dict[str, Any]) -> tuple[Any, tuple[str, ...]]:
    """The program in evaluation mode, and what there is to say of the way to it; each part is back in its mode then."""
    from torch.export import export

    modes, failed = {part: part.training for part in module.modules()}, []
    module.eval()
    try:
        for strict in (False, True):
            try:
                with redirect_stderr(io.StringIO()) as printed:  # the whole program, where it fails
                    program = export(module, inputs, call, strict=strict)
            except Exception as error:  # PyTorch raises what it likes
                failed.append(error)
            else:
                sys.stderr.write(printed.getvalue())
                return program, tuple(EAGER + _said(error) for error in failed)
    finally:
        for part, mode in modes.items():
            part.training = mode
    raise InputError(
        f"torch.export cannot make a program of {type(module).__qualname__}: see that it takes this input; where it "
        "branches on values, give from_torch torch.jit.trace(module, x), of the branch that x takes, or "
        f"torch.jit.script(module), of both. PyTorch says {_said(failed[0])}; in strict mode {_said(failed[1])}"
    ) from None  # PyTorch's own words go on for pages


def _said(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__} {lines[0] if lines else ''!r:.150}"


def _bindable(program: Any, notes: tuple[str, ...]) -> Network:
    import torch

    stream = io.BytesIO()
    torch.export.save(program, stream)
    with zipfile.ZipFile(stream) as archive:
        (model,) = (name for name in archive.namelist() if name.endswith("models/model.json"))
        described = json.loads(archive.read(model))
    stream.close()
    held = {**program.constants, **program.state_dict}
    arrays = {name: _array(name, tensor) for name, tensor in held.items() if isinstance(tensor, torch.Tensor)}
    found = of_exported(Exported(described, arrays))

    def bind(other: Any) -> dict[str, sdr.Cascade]:
        if not isinstance(other, (Mapping, torch.nn.Module)):
            raise InputError(f"expected the module or a state_dict, got {type(other).__qualname__}")
        state = other if isinstance(other, Mapping) else _inner(other).state_dict()
        missing = sorted(program.state_dict.keys() - state.keys())
        if missing:
            raise InputError(f"these parameters lack {', '.join(missing[:3])}, which the network was traced with")
        new = {name: _array(name, state[name]) for name in program.state_dict}
        wrong = [name for name, array in new.items() if array.shape != arrays[name].shape]
        if wrong:
            shapes = f"{new[wrong[0]].shape}, not {arrays[wrong[0]].shape}"
            raise InputError(f"{wrong[0]} has another shape than the network was traced with: {shapes}")
        return of_exported(Exported(described, arrays | new)).cascades

    return found._replace(notes=(*found.notes, *notes), rebuild=bind)


def _inner(module: Any) -> Any:
    """The module inside of what `torch.compile` and data parallelism wrap it in."""
    while type(module).__name__ in ("OptimizedModule", "DataParallel", "DistributedDataParallel"):
        module = module._orig_mod if hasattr(module, "_orig_mod") else module.module
    return module


def _array(name: str, tensor: torch.Tensor) -> np.ndarray:
    """A tensor in NumPy, from any device; types that NumPy does not have in float32."""
    import torch

    if tensor.is_meta or tensor.layout != torch.strided:
        raise InputError(f"{name} has no values that can be read ({tensor.device}, {tensor.layout}): load it first")
    tensor = tensor.detach().cpu()
    if tensor.dtype.is_floating_point and tensor.dtype not in (torch.float16, torch.float32, torch.float64):
        tensor = tensor.float()
    return tensor.numpy()
