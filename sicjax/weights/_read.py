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
    try:
        if path.is_dir():
            raise InputError(f"{path} is a folder, expected a weights file")
        with path.open("rb") as file:
            start = file.read(64)
        size = path.stat().st_size
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    if not start:
        raise InputError(f"{path} is empty: save or download it again")
    try:
        if start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
            return _read_archive(path)
        if LEGACY_START in start:
            return read_legacy(path)
        # A safetensors file starts with the length of its header, which is JSON.
        if path.suffix == ".safetensors" or (start[8:9] == b"{" and int.from_bytes(start[:8], "little") < size):
            return read_safetensors(path)
    except InputError:
        raise
    except Exception as error:  # what a damaged or hostile file can raise has no end
        detail = f"{type(error).__name__} {str(error)!r:.100}"
        raise InputError(f"{path} is damaged or not complete, save or download it again: {detail}") from error
    raise InputError(f"{path} is not a weights file that can be read: expected .safetensors, .npz or a PyTorch file")


def _read_archive(path: Path) -> Tensors:
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        last = {name.rpartition("/")[2]: name for name in names}
        if "constants.pkl" in last or any("/code/" in name for name in names):
            raise InputError(f"{path} is a TorchScript program: sicjax.networks.from_file reads it")
        if any(name.endswith("models/model.json") or name == "serialized_exported_program.json" for name in names):
            raise InputError(f"{path} is a program of torch.export: sicjax.networks.from_file reads it")
        if "data.pkl" in last:
            return read_zip(path, archive, last["data.pkl"])
    if all(name.endswith(".npy") for name in names):
        return read_npz(path)
    raise InputError(f"{path} is a zip archive, but neither a PyTorch file nor a NumPy .npz: unpack it first")
