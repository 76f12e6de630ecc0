"""A path to the reader of its format, told by the file's content rather than its name."""

from __future__ import annotations

import zipfile
from pathlib import Path

from sicjax._errors import InputError
from sicjax.weights._npz import read_npz
from sicjax.weights._pytorch import LEGACY_START, read_legacy, read_zip
from sicjax.weights._safetensors import read_safetensors
from sicjax.weights._tensors import Tensors


def read(path: str | Path) -> Tensors:
    """Every array of a weights file by name, in the file's order, without running any code in it.

    Reads safetensors, NumPy `.npz` and PyTorch files (`torch.save`, zip and legacy format) without PyTorch.
    Arrays are mapped from the file where the format allows.

    Raises:
        InputError: no such file, another format, a damaged file, or a pickle that asks for code.
    """
    path = Path(path)
    if path.is_dir():
        raise InputError(f"{path} is a folder, expected a weights file")
    try:
        with path.open("rb") as file:
            start = file.read(64)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    if not start:
        raise InputError(f"{path} is empty")
    if path.suffix == ".safetensors":
        return read_safetensors(path)
    if start.startswith(b"PK"):
        return _read_archive(path)
    if LEGACY_START in start:
        return read_legacy(path)
    raise InputError(f"{path} is not a weights file that can be read: expected .safetensors, .npz or a PyTorch file")


def _read_archive(path: Path) -> Tensors:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            if any(name.endswith("/constants.pkl") or "/code/" in name for name in names):
                raise InputError(
                    f"{path} is a TorchScript program: save its weights with torch.save(m.state_dict(), ...)"
                )
            if any(name.endswith("data.pkl") for name in names):
                return read_zip(path, archive)
        if all(name.endswith(".npy") for name in names):
            return read_npz(path)
    except zipfile.BadZipFile as error:
        raise InputError(f"{path} is damaged or not complete: {error}") from error
    raise InputError(f"{path} is a zip archive, but neither a PyTorch file nor a NumPy .npz")
