"""Public weights files with their JSON sidecars: which networks are in them, and which of them can draw images."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sicjax import models, weights
from sicjax._errors import InputError

ENDINGS = (".safetensors", ".npz", ".pt", ".pth")


def described(folder: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Every weights file in a folder that has a sidecar, and what the sidecar says.

    Raises:
        InputError: no such folder, or none in it.
    """
    if not folder.is_dir():
        raise InputError(f"--weights {folder} is not a folder")
    found = [file for file in sorted(folder.iterdir()) if file.suffix in ENDINGS and file.with_suffix(".json").exists()]
    if not found:
        raise InputError(f"--weights {folder} has no weights file with a JSON sidecar")
    for file in found:
        try:
            yield file, json.loads(file.with_suffix(".json").read_text())
        except ValueError as error:
            raise InputError(f"{file.with_suffix('.json')} cannot be read: {error}") from error


def generators(folder: Path) -> Iterator[Path]:
    """Files of generators of the paper's architecture, which can draw images."""
    for file, about in described(folder):
        layers = about.get("networks", {}).get("generator")
        if layers and not any("linear" in str(layer.get("type", "")) for layer in layers) and len(layers) > 2:
            try:
                load(file)
            except ValueError:
                continue
            yield file


def load(file: Path):
    """A public generator as a Flax module."""
    return models.load_generator(weights.read(file).arrays)
