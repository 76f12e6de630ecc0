"""The notebooks, and the pages that have their programs, run from the first cell to the last, as small as can be.

They take minutes, so they run where that is asked for: `pytest -m slow`, in a job of the workflow.
What they call is looked up in every run of the tests.
"""

import ast
import dataclasses
import importlib
import io
import json
import re
import sys
import types
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

import sicjax
from sicjax import train

ROOT = Path(sicjax.__file__).parents[1]
FOLDER = ROOT / "notebooks"
if not FOLDER.exists():
    pytest.skip(f"the notebooks are not here: {FOLDER}", allow_module_level=True)
# paper.ipynb has its test where its experiments are: experiments/test_reproduce.py.
NOTEBOOKS = ["measure", "penalty", "train", "edit", "checkpoints"]
# As small as the runs of train/test_train.py, whose programs are then compiled already.
SMALL = train.VaeConfig(
    images=40, size=8, latent=4, kernel=3, encoder=(4, 8), decoder=(8, 4, 4), steps=6, batch=8,
    log_every=2, sample_every=3, measure_every=3, save_every=2,
)  # fmt: skip


def cells(name: str) -> list[dict]:
    return json.loads((FOLDER / f"{name}.ipynb").read_text())["cells"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """One for all: a run that one notebook has trained is there for the next."""
    return tmp_path_factory.mktemp("notebooks")


@pytest.fixture
def small(folder, monkeypatch, without_type_checks):
    """The settings that make a notebook small, and what IPython shows into nothing."""
    monkeypatch.chdir(folder)
    display, shell = types.ModuleType("IPython.display"), types.ModuleType("IPython")
    display.__dict__.update(Image=str, display=lambda given: None)
    shell.__dict__.update(version_info=(9, 0), get_ipython=lambda: None)  # matplotlib asks
    monkeypatch.setitem(sys.modules, "IPython", shell)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    monkeypatch.setitem(train.PRESETS["vae"], "tiny", SMALL)
    hub = folder / "hub"
    hub.mkdir(exist_ok=True)
    kernels = {f"conv{k}.weight": np.random.default_rng(k).normal(size=(8, 8, 4, 4)).astype(np.float32) for k in (1, 2)}
    layers = [{"type": "conv", "weight": name, "layout": "OIHW", "stride": 2} for name in kernels]
    save_file(kernels, hub / "model.safetensors")
    (hub / "model.json").write_text(json.dumps({"networks": {"": layers}}))
    for name, value in (("SICJAX_PRESET", "tiny"), ("SICJAX_HUB", str(hub)), ("SICJAX_STEPS", "2")):
        monkeypatch.setenv(name, value)


def run(program: str, variables: dict, name: str) -> object:
    """Runs a cell; shows the value of its last line as a notebook would, and gives it."""
    *before, last = ast.parse(program).body
    shown = last.value if isinstance(last, ast.Expr) else None
    exec(compile(ast.Module(before if shown else [*before, last], []), name, "exec"), variables)
    value = eval(compile(ast.Expression(shown), name, "eval"), variables) if shown else None
    if hasattr(value, "savefig"):
        value.savefig(io.BytesIO())
    elif hasattr(value, "_repr_html_"):
        assert value._repr_html_()
    return value


@pytest.mark.slow
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_runs_from_its_first_cell_to_its_last(name, small, capsys):
    if name == "checkpoints":
        pytest.importorskip("duckdb")
    variables: dict = {}
    for number, cell in enumerate(cells(name)):
        if cell["cell_type"] == "code":
            for needed in cell["metadata"].get("tags", []):
                try:
                    __import__(needed)
                except ImportError:
                    break
            else:
                run("".join(cell["source"]), variables, f"{name}.ipynb cell {number}")


@pytest.mark.slow
def test_the_programs_of_the_page_on_training_run(small, capsys):
    (program,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "training.md").read_text(), re.DOTALL)
    changed = program.replace("train.VaeConfig(beta=0.1)", "SMALL")
    assert changed != program
    run(changed, {"SMALL": dataclasses.replace(SMALL, save_at=(0, 2))}, "training.md")
    assert len(capsys.readouterr().out.splitlines()) > 5


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.ipynb")), ids=lambda file: file.stem)
def test_what_a_notebook_calls_is_there(file):
    """Every `room.name` of the package in a cell, without running it."""
    programs = [ast.parse("".join(cell["source"])) for cell in cells(file.stem) if cell["cell_type"] == "code"]
    nodes = [node for program in programs for node in ast.walk(program)]
    imports = [node for node in nodes if isinstance(node, ast.ImportFrom) and node.module == "sicjax"]
    rooms = {name.name for node in imports for name in node.names}
    called = {
        (node.value.id, node.attr)
        for node in nodes
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in rooms
    }
    assert len(called) > 2
    for room, name in called:
        assert hasattr(importlib.import_module(f"sicjax.{room}"), name), f"{file.name} calls {room}.{name}"


def test_the_programs_of_the_page_on_flax_are_those_of_its_notebook():
    programs = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "flax.md").read_text(), re.DOTALL)
    there = ["".join(cell["source"]) for cell in cells("penalty") if cell["cell_type"] == "code"]
    assert len(programs) == 3 and all(program.strip() in there for program in programs)


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.ipynb")), ids=lambda file: file.stem)
def test_a_notebook_is_kept_without_what_it_showed(file):
    assert file.stem in (*NOTEBOOKS, "paper")
    for cell in json.loads(file.read_text())["cells"]:
        assert cell["cell_type"] == "markdown" or (cell["outputs"] == [] and cell["execution_count"] is None)
