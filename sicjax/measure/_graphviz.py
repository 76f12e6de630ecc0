"""Layers and pairs as a graph, drawn by Graphviz or told as a tree."""

from __future__ import annotations

import shutil
import subprocess
import warnings
from collections.abc import Sequence
from pathlib import Path

from sicjax import figures
from sicjax._errors import InputError
from sicjax._foreign import printable
from sicjax.measure._rows import Measured

_DRAWN = ("svg", "png", "pdf")


def check_graph(file: Path) -> str:
    """The kind of picture that a name asks for.

    Raises:
        InputError: another ending than those that can be written.
    """
    kind = file.suffix.removeprefix(".").lower()
    if kind not in ("dot", "txt", *_DRAWN):
        raise InputError(f"--graph writes .svg, .png, .pdf, .dot or .txt, got {file}")
    return kind


def write_graph(measured: Sequence[Measured], file: Path) -> Path:
    """Draws the layers, with an arrow for each pair and its mean ratio on it.

    `.dot` and `.txt` are written as text; `.svg`, `.png` and `.pdf` need Graphviz, and without it become a `.txt` tree,
    with a warning.

    Returns:
        The file that was written.

    Raises:
        InputError: another ending, a file that cannot be written, or Graphviz failing.
    """
    kind = check_graph(file)
    named = len(measured) > 1
    layers, edges = [], []
    for result in measured:
        full = lambda layer, result=result: f"{printable(Path(result.file).stem)}: {layer}" if named else layer
        layers += [full(layer.path) for layer in result.network.layers]
        edges += [figures.Edge(full(row.first), full(row.second), row.mean, row.structural) for row in result.rows]
    dot = shutil.which("dot")
    try:
        if kind in _DRAWN and dot is not None:
            command = [dot, f"-T{kind}", "-o", str(file)]
            # In Graphviz's encoding, whatever that of the locale.
            graph = figures.network_dot(layers, edges).encode(errors="backslashreplace")
            subprocess.run(command, input=graph, check=True, capture_output=True)
            return file
        if kind in _DRAWN:
            what, file = file.name, file.with_suffix(".txt")
            warnings.warn(f"{what} needs Graphviz, which is not installed: {file} is a tree instead", stacklevel=2)
        draw = figures.network_dot if kind == "dot" else figures.network_tree
        file.write_text(draw(layers, edges), encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise InputError(f"cannot write {file}: {error.strerror or error}") from error
    except subprocess.CalledProcessError as error:
        raise InputError(
            f"Graphviz could not draw {file}: {error.stderr.decode(errors='replace').strip()[:200]}"
        ) from error
    return file
