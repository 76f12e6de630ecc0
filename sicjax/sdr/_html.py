"""A few facts as a small table, for notebooks."""

from __future__ import annotations

import html
from collections.abc import Mapping


def facts(title: str, stated: Mapping[str, str]) -> str:
    """HTML of a title and below it a line for each fact."""
    lines = "".join(
        f"<tr><th style='text-align:left'>{html.escape(name)}</th><td>{html.escape(text)}</td></tr>"
        for name, text in stated.items()
    )
    return f"<table><caption>{html.escape(title)}</caption>{lines}</table>"
