"""Names of a run's files are written in `sicjax.runs` alone."""

import ast
from pathlib import Path

import sicjax

ROOT = Path(sicjax.__file__).parent
OWN = {"checkpoints", "skipped.tsv", "samples", "reconstructions"}
# The first keeps lines of its own; the others have an experiment that is called so.
OTHERS = {ROOT / file for file in ("measure/_archive.py", "experiments/_registry.py", "experiments/checkpoints.py")}


def strings(file):
    """The strings of a file that are not its documentation."""
    tree = ast.parse(file.read_text())
    documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            yield node.value


def test_nobody_else_writes_them():
    found = {
        file.relative_to(ROOT).parts[0]
        for file in set(ROOT.rglob("*.py")) - OTHERS
        if any(text in OWN or text.endswith(".jsonl") for text in strings(file))
    }
    assert found == {"runs"}
