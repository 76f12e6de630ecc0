"""Imports point down the floors of the house, in no circle, and nothing heavy is imported before it is used."""

import ast
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import sicjax

FLOOR = {
    "_errors": 0, "_extras": 0, "_foreign": 0, "_html": 0, "_limits": 0, "_progress": 0,
    "sdr": 1, "weights": 1, "data": 1, "quality": 1, "sic": 1,
    "runs": 2, "figures": 2,
    "models": 3,
    "networks": 4, "interventions": 4,
    "measure": 5, "train": 5, "trained": 4,
    "experiments": 6, "report": 6,
    "cli": 7,
    "__main__": 8,
}  # fmt: skip
OPTIONAL = {
    "torch",
    "onnx",
    "matplotlib",
    "flax",
    "optax",
    "orbax",
    "grain",
    "tensorflow_datasets",
    "h5py",
    "huggingface_hub",
    "tyro",
    "pandas",
    "distributed",
    "duckdb",
    "PIL",
}
# What the rooms that stand on an optional package as a whole may import at their top.
FOUNDATIONS = {"data": {"PIL"}, "models": {"flax"}, "train": {"flax", "optax"}}
ROOT = Path(sicjax.__file__).parent
FILES = {
    ".".join(("sicjax", *file.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__"): file
    for file in ROOT.rglob("*.py")
}


def room(module):
    """The package, or the module beside the packages, that a module is in."""
    return module.split(".")[1]


def imports(file: Path):
    """Modules a file imports, and whether at its top."""
    tree = ast.parse(file.read_text())
    top = set(map(id, tree.body))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, id(node) in top) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield full if full in FILES else node.module, id(node) in top


def inner(file: Path):
    """Modules of sicjax that a file imports anywhere, but for the package itself, which has its version."""
    return {module for module, _ in imports(file) if module in FILES} - {"sicjax"}


def test_imports_point_down():
    assert len(FILES) > 20
    for module, file in FILES.items():
        if module == "sicjax":
            continue
        own = room(module)
        for other, at_top in imports(file):
            if other.startswith("sicjax.") and room(other) != own and FLOOR[own] > 0:
                assert FLOOR[room(other)] < FLOOR[own], f"{file} imports {other}"
            if other.startswith("sicjax.") and FLOOR[own] == 0:
                assert FLOOR[room(other)] == 0, f"{file} imports {other}"
            late = OPTIONAL - FOUNDATIONS.get(own, set())
            assert not (at_top and other.split(".")[0] in late), f"{file} imports {other} before it is used"
        if own == "sdr":
            used = {other.split(".")[0] for other, _ in imports(file)}
            assert used <= {"jax", "numpy", "jaxtyping", "sicjax", "__future__", *sys.stdlib_module_names}


def test_no_import_goes_in_a_circle():
    """Not even one inside a function, or between the files of a room."""
    order = list(TopologicalSorter({module: inner(file) for module, file in FILES.items()}).static_order())
    assert set(order) >= set(FILES)


def test_nobody_enters_another_room_but_by_its_door():
    """What starts with `_` is for the package it is in, and for those inside that."""
    for module, file in FILES.items():
        for other in inner(file):
            parts = other.split(".")
            private = next((k for k, part in enumerate(parts) if part.startswith("_") and k > 1), len(parts))
            package = ".".join(parts[:private])
            assert private == len(parts) or f"{module}.".startswith(f"{package}."), f"{file} imports {other}"
