"""Puts another address of the repository everywhere: python docs/set_address.py https://github.com/OWNER/REPOSITORY

The one place of the address is `Source` in pyproject.toml. Badges, install cells, links and messages repeat it, and a
test fails where one differs.
"""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
# Files of the repository that may have it; those of programs as text, notebooks as JSON.
PLACES = ("*.md", "*.toml", "*.cff", "docs/*.md", "docs/*.py", "notebooks/*.ipynb", "sicjax/**/*.py", "benchmarks/*.md")


def address() -> str:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["urls"]["Source"]


def files() -> list[Path]:
    return sorted({file for place in PLACES for file in ROOT.glob(place)})


def set_address(new: str) -> list[Path]:
    """Writes the new address in place of the old one; the files that had it."""
    if not re.fullmatch(r"https://[\w.-]+/[\w.-]+/[\w.-]+", new) or new.endswith(".git"):
        sys.exit(f"expected https://HOST/OWNER/REPOSITORY, got {new}")
    old, changed = address(), []
    # Colab has the owner and the name after its own address.
    colab = "colab.research.google.com/github/"
    short = {old: new, colab + _path(old): colab + _path(new)}
    for file in files():
        text = before = file.read_text()
        for one, other in short.items():
            text = re.sub(rf"{re.escape(one)}(?![\w-])", other, text)
        if text != before:
            file.write_text(text)
            changed.append(file)
    return changed


def _path(url: str) -> str:
    return url.split("/", 3)[3]


if __name__ == "__main__":
    for file in set_address(sys.argv[1]):
        print(file.relative_to(ROOT))
