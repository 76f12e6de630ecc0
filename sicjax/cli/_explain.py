"""`sicjax explain`: what a column says, and what it does not."""

from __future__ import annotations

import argparse
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
    """Prints a paragraph for each column or word.

    Raises:
        InputError: a column that there is not.
    """
    from sicjax.cli._columns import HEADINGS
    from sicjax.measure import COLUMNS, WORDS

    # A whole reading is words with commas between.
    asked = [part for given in args.columns for part in ([given] if given in HEADINGS else given.split(", "))]
    names = [HEADINGS.get(part, part) for part in asked]
    said = COLUMNS | WORDS
    unknown = [part for part, name in zip(asked, names, strict=True) if name not in said]
    if unknown:
        there = f"columns {', '.join(COLUMNS)}; words {', '.join(WORDS)}"
        raise InputError(f"there is no column {', '.join(unknown)}; there are {there}")
    shown = {name: heading for heading, name in HEADINGS.items()}
    for name in dict.fromkeys(names or COLUMNS):
        title = name if shown.get(name, name) == name else f"{name} ({shown[name]} in the table)"
        print(title)
        print(textwrap.fill(said[name], 100, initial_indent="  ", subsequent_indent="  "))
