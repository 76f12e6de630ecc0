"""A page in one file: everything inlined, nothing fetched, and of what others named nothing runs."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from sicjax._errors import InputError
from sicjax._foreign import printable
from sicjax.measure import whole

NAME = "report.html"
# Bytes that a page may have, whatever it is of.
LARGEST = 3_000_000
# Letters of a name that are shown; others are in result.json.
LETTERS = 120


def write_page(folder: Path, content: Callable[[float], dict[str, Any]], template: str) -> Path:
    """Writes `report.html` into a folder, made if it is not there.

    Arguments:
        folder: where to.
        content: what the template shows, at a part of its usual size: 1, or less where that was too large.
        template: its name.

    Raises:
        InputError: the folder cannot be written.
    """
    for halvings in range(12):
        page = render(template, content(0.5**halvings)).encode("utf-8", errors="backslashreplace")
        if len(page) <= LARGEST:
            break
    file = folder / NAME
    try:
        with whole(file) as (new,):
            new.write_bytes(page)
    except OSError as error:
        raise InputError(f"cannot write into {folder}: {error.strerror or error}") from error
    return file


def render(template: str, content: dict[str, Any]) -> str:
    """The page as text."""
    scripts = [_asset("uplot.min.js"), _asset("page.js")]
    styles = [_asset("uplot.min.css"), _asset("style.css")]
    allowed = {"script-src": scripts, "style-src": styles}
    policy = ["default-src 'none'", "img-src data:", "base-uri 'none'", "form-action 'none'"]
    policy += [" ".join([what, *(f"'sha256-{_digest(text)}'" for text in texts)]) for what, texts in allowed.items()]
    # Into a script or style of the page goes only what is a file of this package.
    inline = {"scripts": list(map(Markup, scripts)), "styles": list(map(Markup, styles))}
    return _environment().get_template(template).render(**inline, policy="; ".join(policy), **content)


def short(name: str, letters: int = LETTERS) -> str:
    """A name as it is shown: without what is not seen, and of a long one both ends.

    >>> short("a" * 9, 5)
    'aa…aa'
    """
    if len(name) > 4 * letters:  # before anything else is done with it
        name = f"{name[: 2 * letters]}…{name[-2 * letters :]}"
    name = printable(name)
    if len(name) <= letters:
        return name
    return f"{name[: letters // 2]}…{name[len(name) - (letters - 1) // 2 :]}"


@cache
def _environment() -> Environment:
    found = Environment(
        loader=PackageLoader("sicjax.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters["short"] = short
    return found


@cache
def _asset(name: str) -> str:
    return resources.files("sicjax.report").joinpath("templates", name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
