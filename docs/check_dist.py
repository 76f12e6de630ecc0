"""Checks what a release uploads: python docs/check_dist.py dist

Installs the wheel, then the sdist, each into an environment of its own, and measures a network there from a folder that
has nothing of the checkout. Also that the sdist holds the tests, the documentation and the notebooks.
"""

import json
import subprocess
import sys
import tarfile
import tempfile
import venv
from pathlib import Path

WRITES = """
import numpy as np
rng = np.random.default_rng(0)
np.savez("net.npz", **{f"conv{k}": rng.normal(size=(4, 4, 8, 8)).astype(np.float32) for k in range(3)})
"""
LAYERS = [{"type": "conv", "weight": f"conv{k}", "layout": "HWIO", "stride": 2} for k in range(3)]
IN_SDIST = ("README.md", "LICENSE", "CHANGELOG.md", "tests/conftest.py", "docs/index.md", "notebooks/paper.ipynb")


def check(package: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        venv.create(f"{folder}/venv", with_pip=True)
        run = lambda *command: subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout
        python, program = f"{folder}/venv/bin/python", f"{folder}/venv/bin/sicjax"
        run(python, "-m", "pip", "install", "-q", str(package.absolute()))
        run(python, "-c", WRITES)
        Path(folder, "net.json").write_text(json.dumps({"networks": {"net": LAYERS}}))
        (found,) = json.loads(run(program, "measure", "net.npz", "--json"))
        assert [row["name"] for row in found["cascades"]] == ["conv0 to conv1", "conv1 to conv2"], found
        assert all(0.5 < row["mean"] < 1.5 for row in found["cascades"]), found
        assert "numpy" in run(program, "doctor")
        version = run(program, "--version").strip()
        assert version == run(python, "-c", "import sicjax; print(sicjax.__version__)").strip()
        assert f"-{version}" in package.name, f"{package.name} has version {version}"
        run(python, "-c", "from sicjax import measure; assert measure.schema()['oneOf']")
    print(f"{package.name}: installed, measured a network")


def main(folder: Path) -> None:
    (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    missing = [name for name in IN_SDIST if name not in names]
    assert not missing, f"{sdist.name} lacks {', '.join(missing)}"
    for package in (wheel, sdist):
        check(package)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
