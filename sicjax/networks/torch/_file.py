"""Programs that PyTorch saves, TorchScript (`torch.jit.save`) and `torch.export`; neither needs PyTorch to be read."""

from __future__ import annotations

from pathlib import Path

from sicjax._errors import InputError
from sicjax.networks.graph import Network
from sicjax.networks.torch.export import from_exported
from sicjax.networks.torch.script import from_script
from sicjax.weights import program_kind, read_exported, read_script


def from_program(path: Path) -> Network:
    """The network of a TorchScript or `torch.export` program. Nothing in the file is run.

    Raises:
        InputError: no such file, another format, a damaged file.
    """
    try:
        found = _followed(path)
    except InputError as error:
        raise error if str(path) in str(error) else InputError(f"{path}: {error}") from error
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    except Exception as error:  # what a damaged or hostile file can raise has no end
        detail = f"{type(error).__name__} {str(error)!r:.100}"
        raise InputError(f"{path} is damaged, or not as PyTorch has it: save or download it again: {detail}") from error
    if not found.layers and not found.skipped:
        raise InputError(f"{path} has no convolution")
    return found


def _followed(path: Path) -> Network:
    kind = program_kind(path)
    if kind == "script":
        return from_script(read_script(path))
    if kind == "export":
        return from_exported(read_exported(path))
    with path.open("rb"):
        raise InputError(f"{path} is not a program saved with torch.jit.save or torch.export.save")
