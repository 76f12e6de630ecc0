"""Imports point down the floors of the house, and nothing heavy is imported before it is used."""

import ast
from pathlib import Path

import sicjax

FLOOR = {
    "_errors": 0,
    "sdr": 1, "weights": 1, "data": 1, "quality": 1, "sic": 1,
    "runs": 2, "figures": 2,
    "models": 3,
    "networks": 4, "interventions": 4,
    "measure": 5, "train": 5,
    "experiments": 6, "_table": 6, "_doctor": 6, "_train_cli": 6, "_demo": 7, "_reproduce_cli": 7,
    "cli": 8,
}  # fmt: skip
OPTIONAL = {"torch", "onnx", "matplotlib", "flax", "optax", "orbax", "grain", "tensorflow_datasets", "h5py"}
# What the rooms that stand on an optional package as a whole may import at their top.
FOUNDATIONS = {"models": {"flax"}, "train": {"flax", "optax"}}
ROOT = Path(sicjax.__file__).parent


def imports(file: Path):
    """Modules a file imports, and whether at its top."""
    tree = ast.parse(file.read_text())
    top = set(map(id, tree.body))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, id(node) in top) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            full = [f"{node.module}.{alias.name}" for alias in node.names] if node.module == "sicjax" else [node.module]
            yield from ((name, id(node) in top) for name in full)


def test_imports_point_down():
    files = [file for file in ROOT.rglob("*.py") if file != ROOT / "__init__.py"]
    assert len(files) > 20
    for file in files:
        room = file.relative_to(ROOT).parts[0].removesuffix(".py")
        for module, at_top in imports(file):
            if module.startswith("sicjax."):
                other = module.split(".")[1]
                if other != "__version__" and other != room:
                    assert FLOOR[other] < FLOOR[room], f"{file} imports {module}"
            late = OPTIONAL - FOUNDATIONS.get(room, set())
            assert not (at_top and module.split(".")[0] in late), f"{file} imports {module} before it is used"
        if room == "sdr":
            allowed = {"jax", "numpy", "jaxtyping", "sicjax"}
            used = {module.split(".")[0] for module, _ in imports(file)}
            assert used - allowed <= {"__future__", *__import__("sys").stdlib_module_names}
