"""Edited weights back to a file that their own framework loads."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import jax
import numpy as np

from sicjax import weights
from sicjax._errors import InputError


def save(arrays: Mapping[str, np.ndarray], path: str | Path, *, source: str | Path | None = None) -> Path:
    """Writes edited weights as `.safetensors`, names and layouts as they were read.

    In PyTorch: `model.load_state_dict(safetensors.torch.load_file(path))`. Where the source kept all arrays in one
    named container (`netG_state_dict/main.0.weight`), its name is left out, as such a state dict needs.

    Arguments:
        arrays: by name, as `remove_filters` returns them for a file.
        path: to write, ending in `.safetensors`; never the source itself.
        source: the file they come from; the sidecar beside it is copied beside the new file, so that
            `networks.from_file` reads that one too.

    Returns:
        The path written.

    Raises:
        InputError: not arrays by name, another ending, the source's own path, or a folder that cannot be written.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = save({"net/conv.weight": np.ones((2, 3, 4, 4))}, f"{folder}/edited.safetensors")
    ...     list(weights.read(path).arrays)
    ['conv.weight']
    """
    from safetensors.numpy import save_file

    path = Path(path)
    if path.suffix != ".safetensors":
        raise InputError(f"edited weights are written as .safetensors, got {path}")
    if source is not None and path.exists() and os.path.samefile(path, source):
        raise InputError(f"{path} is the source itself: give another name, the original is kept")
    if not all(isinstance(array, np.ndarray | jax.Array) for array in arrays.values()):
        raise InputError("only arrays by name can be written, as remove_filters returns them for a weights file")
    containers = {name.rpartition("/")[0] if "." in name.rpartition("/")[2] else "" for name in arrays}
    inside = f"{containers.pop()}/" if len(containers) == 1 else ""
    # safetensors writes the memory as it lies, and PyTorch would refuse or misread another order.
    plain = {name.removeprefix(inside): np.array(array, order="C") for name, array in arrays.items()}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(plain, path, metadata={"format": "pt"})
        sidecar = None if source is None else weights.find_sidecar(Path(source))
        if sidecar is not None:
            shutil.copyfile(sidecar.path, path.with_suffix(".json"))
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from error
    return path
