"""Programs that PyTorch saves, TorchScript (`torch.jit.save`) and `torch.export`; neither needs PyTorch to be read."""

from __future__ import annotations

from pathlib import Path

from sicjax._errors import InputError
from sicjax.networks._aten import Aten
from sicjax.networks._aten_ops import RULES
from sicjax.networks._aten_parameters import ON_PARAMETERS
from sicjax.networks._network import Network
from sicjax.networks._torch_export import follow
from sicjax.networks._torchscript import Interpreter
from sicjax.weights import Script, program_kind, read_exported, read_script


def is_torch_program(path: Path) -> bool:
    """Whether a file is a program that PyTorch saved, rather than weights alone."""
    return program_kind(path) is not None


def from_torch(path: Path) -> Network:
    """The network of a TorchScript or `torch.export` program. Nothing in the file is run.

    Raises:
        InputError: no such file, another format, a damaged file.
    """
    try:
        kind = program_kind(path)
        if kind is None:
            with path.open("rb"):
                pass
            raise InputError(f"{path} is not a program saved with torch.jit.save or torch.export.save")
        if kind == "script":
            aten = _scripted(read_script(path))
        else:
            aten = Aten(RULES, ON_PARAMETERS)
            follow(aten, read_exported(path))
        found = aten.graph.network()
    except InputError as error:
        raise error if str(path) in str(error) else InputError(f"{path}: {error}") from error
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    except Exception as error:  # what a damaged or hostile file can raise has no end
        detail = f"{type(error).__name__} {str(error)!r:.100}"
        raise InputError(f"{path} is damaged, or not as PyTorch has it: save or download it again: {detail}") from error
    if not aten.graph.layers and not found.skipped:
        raise InputError(f"{path} has no convolution")
    return found


def _scripted(script: Script) -> Aten:
    """A TorchScript program, which does not state the shapes of its inputs.

    It is followed without them, then again with those that its convolutions tell. A program that checks its inputs can
    stop at such a guess, so the one that gets further counts.
    """
    first = _followed(script, {})
    if not first.learned:
        return first
    try:
        second = _followed(script, first.learned)
    except (InputError, ArithmeticError, LookupError, TypeError, ValueError):
        return first
    return max((second, first), key=lambda aten: (len(aten.graph.layers), len(aten.graph.network().pairs)))


def _followed(script: Script, shapes: dict[str, tuple[int, ...]]) -> Aten:
    aten = Aten(RULES, ON_PARAMETERS)
    interpreter = Interpreter(script, aten, shapes)
    interpreter.run()
    aten.never_met(interpreter.program.all_parameters())
    return aten
