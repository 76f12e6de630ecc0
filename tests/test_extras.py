"""Optional packages: one list, which `pyproject.toml` and every message agree with."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import sicjax
from sicjax import _extras
from sicjax._errors import InputError, MissingPackage
from sicjax._extras import EXTRAS, REQUIRED

PACKAGE = Path(sicjax.__file__).parent
PROJECT = PACKAGE.parent / "pyproject.toml"


def names(requirements):
    return [re.split(r"[\[<>=!~; ]", requirement)[0] for requirement in requirements]


def plain(name):
    """A package's name as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def test_pyproject_has_the_same_packages():
    project = tomllib.loads(PROJECT.read_text())["project"]
    assert names(project["dependencies"]) == list(REQUIRED)
    optional = project["optional-dependencies"]
    assert {extra: tuple(names(optional[extra])) for extra in optional if extra not in ("all", "dev", "docs")} == EXTRAS
    assert optional["all"] == [f"sicjax[{','.join(EXTRAS)}]"]


def test_every_message_names_a_package_of_its_extra():
    """Calls of `missing_package(package, extra, ...)` and `require(extra, purpose, *packages)` in the whole package."""
    calls = [
        (node.func.id if isinstance(node.func, ast.Name) else node.func.attr, node.args, file)
        for file in PACKAGE.rglob("*.py") if file.name != "_extras.py"
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute)
    ]  # fmt: skip
    checked = 0
    for name, arguments, file in calls:
        if name == "missing_package":
            package, extra = (ast.literal_eval(argument) for argument in arguments[:2])
            packages = [package]
        elif name == "require":
            extra = ast.literal_eval(arguments[0])
            packages = [ast.literal_eval(argument) for argument in arguments[2:]]
        else:
            continue
        checked += 1
        assert {plain(package) for package in packages} <= {plain(package) for package in EXTRAS[extra]}, file
    assert checked > 10


def test_what_is_missing_is_said_in_one_line(monkeypatch):
    for module in ("flax", "tyro"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingPackage, match=r"^training needs flax, tyro: pip install 'sicjax\[train\]'$") as raised:
        _extras.require("train", "training")
    assert isinstance(raised.value, InputError) and isinstance(raised.value, ImportError)
    _extras.require("train", "a picture", "pillow")


def test_a_module_in_a_package_that_is_not_there_is_missing(monkeypatch):
    monkeypatch.setitem(_extras._MODULES, "tyro", "nowhere.at_all")
    assert _extras.missing("train") == ["tyro"]


@pytest.mark.parametrize("room", ["models", "train"])
def test_a_room_that_cannot_be_entered_says_what_to_install(room):
    code = f"import sys; sys.modules['flax'] = None; import sicjax.{room}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr.strip().endswith(f"sicjax.{room} needs flax: pip install 'sicjax[train]'")
