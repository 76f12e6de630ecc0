"""Tables for notebooks."""

from __future__ import annotations

import html
from collections.abc import Sequence

# Rows that are shown of a long table.
MOST = 30


def table(title: str, headings: Sequence[str], rows: Sequence[Sequence[str]], notes: Sequence[str] = ()) -> str:
    """HTML of a table with its title above and notes below; of many rows and notes the first."""
    line = lambda cells, kind: "<tr>" + "".join(f"<{kind}>{html.escape(cell)}</{kind}>" for cell in cells) + "</tr>"
    body = "".join(line(row, "td") for row in rows[:MOST])
    below = [*notes[:MOST], *(f"and {len(many) - MOST:,} more" for many in (rows, notes) if len(many) > MOST)]
    text = "".join(f"<div>{html.escape(note)}</div>" for note in below)
    return f"<table><caption>{html.escape(title)}</caption>{line(headings, 'th')}{body}</table>{text}"
