"""An experiment's folder: `result.json` with every number, images beside it, and figures drawn from both."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np

from sicjax import __version__
from sicjax._errors import InputError
from sicjax.experiments._statistics import as_json


def versions() -> dict[str, str]:
    """What the numbers were computed with."""
    device = jax.devices()[0]
    return {
        "sicjax": __version__,
        "jax": jax.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "device": f"{len(jax.devices())} x {device.device_kind}",
    }


def write_json(file: Path, content: Any) -> None:
    """Writes plain values whole or not at all; lists of numbers stay on one line."""
    partial = file.with_name(file.name + ".partial")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(_lines(as_json(content)) + "\n")
        os.replace(partial, file)
    except OSError as error:
        raise InputError(f"cannot write {file}: {error.strerror or error}") from error


def _lines(value: Any, indent: int = 0) -> str:
    """JSON with a line for every key, and one for a list that holds no dict."""
    inner = " " * (indent + 1)
    if isinstance(value, dict) and value:
        items = [f"{inner}{json.dumps(key)}: {_lines(item, indent + 1)}" for key, item in value.items()]
        return "{\n" + ",\n".join(items) + "\n" + " " * indent + "}"
    if isinstance(value, list) and "{" in json.dumps(value):
        items = [inner + _lines(item, indent + 1) for item in value]
        return "[\n" + ",\n".join(items) + "\n" + " " * indent + "]"
    return json.dumps(value, allow_nan=False)


def write_images(file: Path, images: Mapping[str, np.ndarray]) -> None:
    """Writes sets of images in [-1, 1], or arrays of other ranges as they are, by name."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as stream:
        np.savez_compressed(stream, **dict[str, Any](images))


def read(folder: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]] | None:
    """The result and images in an experiment's folder, or None."""
    file = folder / "result.json"
    if not file.exists():
        return None
    try:
        found = json.loads(file.read_text())
        beside = folder / "images.npz"
        images = {}
        if beside.exists():
            with np.load(beside, allow_pickle=False) as arrays:
                images = {name: arrays[name] for name in arrays.files}
        return found, images
    except (OSError, ValueError) as error:
        raise InputError(f"{file} cannot be read: {error}; remove it to compute it again") from error


def to_uint8(images: np.ndarray) -> np.ndarray:
    """Images in [-1, 1] as bytes."""
    return np.clip(np.rint((np.asarray(images) + 1) * 127.5), 0, 255).astype(np.uint8)
