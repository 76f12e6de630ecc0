"""The documentation: every public name has a page, its programs and commands run, what it links to is there."""

import importlib
import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

import sicjax
from sicjax.cli._main import parser

ROOT = Path(sicjax.__file__).parents[1]
PAGES = ROOT / "docs"
if not PAGES.exists():
    pytest.skip(f"the documentation is not here: {PAGES}", allow_module_level=True)

ROOMS = (
    "data experiments figures interventions measure models networks quality report runs sdr sic train trained weights"
).split()
PROGRAM = re.compile(r"```python\n(.*?)```", re.DOTALL)
# Pages whose programs have tests of their own, some in notebooks; and files.md: a part of a module, one that downloads.
ELSEWHERE = {"archive.md", "many_files.md", "monitoring.md", "flax.md", "training.md", "files.md"}
# What a page's programs need that is not always there.
NEEDS = {"pytorch.md": "torch"}


def programs(page: Path) -> list[str]:
    return PROGRAM.findall(page.read_text())


WITH_PROGRAMS = [page.name for page in sorted(PAGES.glob("*.md")) if programs(page) and page.name not in ELSEWHERE]


def public(room: str) -> set[str]:
    """What a package says is in it; of a module, what it defines."""
    module = importlib.import_module(f"sicjax.{room}")
    defined = [name for name, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__]
    return {name for name in getattr(module, "__all__", defined) if not name.startswith("_")}


def text(name: str) -> str:
    return (PAGES / name).read_text()


@pytest.mark.parametrize("room", ROOMS)
def test_every_public_name_has_a_place_on_its_page(room):
    page = text(f"api/{room}.md")
    told = re.findall(r"^\.\. (?:autofunction|autoclass|py:data):: (\w+)$", page, re.MULTILINE)
    modules = re.findall(rf"^\.\. automodule:: sicjax\.{room}\.(\w+)$", page, re.MULTILINE)
    assert sorted(told + modules) == sorted(public(room))


def test_every_room_has_a_page_and_every_page_a_place():
    rooms = {path.name.removesuffix(".py") for path in (ROOT / "sicjax").iterdir() if not path.name.startswith("_")}
    assert rooms - {"cli", "py.typed"} == set(ROOMS)
    listed = re.findall(
        r"^([\w/]+)$", "\n".join(re.findall(r"```{toctree}(.*?)```", text("index.md"), re.DOTALL)), re.M
    )
    pages = {str(page.relative_to(PAGES).with_suffix("")) for page in PAGES.rglob("*.md")}
    assert sorted(listed) == sorted(pages - {"index"})


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """A folder with a small generator named as that of PyTorch's tutorial, and another version of it."""
    monkeypatch.chdir(tmp_path)
    channels = (8, 8, 8, 8, 8, 8)
    names = [f"main.{3 * k}.weight" for k in range(5)]
    layers = [{"type": "conv_transpose", "weight": name, "layout": "IOHW", "stride": 2} for name in names]
    for seed, file in enumerate(("generator", "finetuned")):
        rng = np.random.default_rng(seed)
        shapes = zip(names, channels, channels[1:], strict=False)
        save_file({n: rng.normal(size=(a, b, 4, 4)).astype(np.float32) for n, a, b in shapes}, f"{file}.safetensors")
        Path(f"{file}.json").write_text(json.dumps({"networks": {"generator": layers}}))


@pytest.mark.parametrize("name", WITH_PROGRAMS)
def test_the_programs_of_a_page_run_one_after_the_other(name, workplace, without_type_checks, capsys):
    if name in NEEDS:
        pytest.importorskip(NEEDS[name])
    variables: dict = {"__name__": "__main__"}
    for number, program in enumerate(programs(PAGES / name)):
        exec(compile(program, f"{name} {number}", "exec"), variables)


def commands():
    """Every command of the documentation, as a page and the words after `sicjax`."""
    for page in [ROOT / "README.md", *sorted(PAGES.glob("*.md"))]:
        for block in re.findall(r"```\n(.*?)```", page.read_text(), re.DOTALL):
            for line in block.replace("\\\n", " ").splitlines():
                for part in line.split(" && "):
                    if part.startswith(("sicjax ", ".venv/bin/sicjax ")):
                        yield page.name, shlex.split(re.split("  #| > ", part)[0])[1:]


def test_every_command_is_one_that_the_program_understands(capsys):
    found = list(commands())
    assert len({page for page, _ in found}) > 5
    for page, words in found:
        try:
            parser().parse_args(words)
        except SystemExit:
            pytest.fail(f"{page}: sicjax {shlex.join(words)}: {capsys.readouterr().err}")


def test_every_link_between_files_leads_to_one():
    files = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "benchmarks" / "README.md", *PAGES.rglob("*.md")]
    for file in files:
        without_code = re.sub(r"```.*?```|`[^`\n]*`", "", file.read_text(), flags=re.DOTALL)
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)\s]+)\)", without_code):
            assert (file.parent / target.partition("#")[0]).exists(), f"{file.name} links to {target}"


def test_the_address_of_the_repository_is_one(tmp_path, monkeypatch):
    """What names another repository of the same name, and whether the program for it changes all there is."""
    scripts = {"__name__": "set_address", "__file__": str(PAGES / "set_address.py")}
    exec((PAGES / "set_address.py").read_text(), scripts)
    url = scripts["address"]()
    owner = url.split("/", 3)[3]
    for file in scripts["files"]():
        written = file.read_text()
        for found in re.findall(r"https://[\w./-]*github[\w./-]*/sicjax(?![\w-])", written):
            assert found in (url, f"https://colab.research.google.com/github/{owner}"), f"{file.name}: {found}"
    for file in (ROOT / "notebooks").glob("*.ipynb"):
        first, install, *_ = ("".join(cell["source"]) for cell in json.loads(file.read_text())["cells"])
        assert f"https://colab.research.google.com/github/{owner}/blob/main/notebooks/{file.name}" in first
        assert f"@ git+{url}" in install
        copy = tmp_path / file.name
        copy.write_text(file.read_text())
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    monkeypatch.setitem(scripts, "ROOT", tmp_path)
    monkeypatch.setitem(scripts, "PLACES", ("*",))
    scripts["set_address"]("https://example.org/other/tools")
    for file in tmp_path.iterdir():
        assert owner not in file.read_text() and "other/tools" in file.read_text()


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 120
