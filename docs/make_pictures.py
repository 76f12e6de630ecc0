"""Draws the pictures of gallery.md by its own code: python docs/make_pictures.py GENERATOR.safetensors

The file has a sidecar beside it that states its strides, and layers named as those of PyTorch's DCGAN tutorial.
"""

import re
import shutil
import sys
import tempfile
from contextlib import chdir
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from sicjax import figures

PAGE = Path(__file__).parent / "gallery.md"
# A block of code, and the picture below it where it draws one.
BLOCK = re.compile(r"```python\n(.*?)```\n(?:\n!\[[^]]*\]\((\S+)\))?", re.DOTALL)


def workplace(file: Path, folder: Path) -> None:
    """The files that the page's code reads: the generator, and a version of it with one layer replaced by noise."""
    kernels = load_file(file)
    sidecar = file.with_suffix(".json")
    noise = next(name for name in kernels if "main.6" in name and kernels[name].ndim == 4)
    random = np.random.default_rng(0).normal(0, kernels[noise].std(), kernels[noise].shape).astype(np.float32)
    for name, arrays in (("generator", kernels), ("finetuned", kernels | {noise: random})):
        save_file(arrays, folder / f"{name}.safetensors")
        shutil.copy(sidecar, folder / f"{name}.json")


def main(file: Path) -> None:
    variables: dict = {}
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        workplace(file.absolute() if file.is_absolute() else START / file, Path(folder))
        for code, picture in BLOCK.findall(PAGE.read_text()):
            exec(code, variables)
            if picture:
                path = PAGE.parent / picture
                path.parent.mkdir(exist_ok=True)
                figures.save(variables["figure"], path.with_suffix(""), [".png"])


START = Path.cwd()
if __name__ == "__main__":
    main(Path(sys.argv[1]))
