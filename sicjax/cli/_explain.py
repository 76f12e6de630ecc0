"""`sicjax explain`: what a column says, and what it does not."""

from __future__ import annotations

import argparse
import re
import textwrap

from sicjax._errors import InputError


def add_to(commands: argparse._SubParsersAction) -> None:
    """Declares the command."""
    parser = commands.add_parser(
        "explain", help="what a column says, and what it does not", description="Says what columns say."
    )
    parser.add_argument(
        "columns",
        nargs="*",
        metavar="COLUMN",
        help="as in the table or in JSON, or a word of a reading; all of them unless told",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Prints a paragraph for each column.

    Raises:
        InputError: a column that there is not.
    """
    from sicjax.cli._columns import HEADINGS
    from sicjax.measure import COLUMNS

    columns: list[str] = args.columns
    said = COLUMNS["reading"].lower()
    words = lambda column: bool(re.search(rf"\b{re.escape(column.lower())}\b", said))
    names = [HEADINGS.get(column, column) for column in columns]
    names = ["reading" if name not in COLUMNS and words(name) else name for name in names]
    unknown = [column for column, name in zip(columns, names, strict=True) if name not in COLUMNS]
    if unknown:
        raise InputError(f"there is no column {', '.join(unknown)}; there are {', '.join(COLUMNS)}")
    shown = {name: heading for heading, name in HEADINGS.items()}
    for name in dict.fromkeys(names or COLUMNS):
        title = name if shown.get(name, name) == name else f"{name} ({shown[name]} in the table)"
        print(title)
        print(textwrap.fill(COLUMNS[name], 100, initial_indent="  ", subsequent_indent="  "))
