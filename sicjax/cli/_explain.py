"""`sicjax explain`: what a column says, and what it does not."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Collection

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
    said = COLUMNS | WORDS
    found = {part: _meant(HEADINGS.get(part, part), said) for part in asked}
    unknown = [part for part, names in found.items() if not names]
    if unknown:
        there = f"columns {', '.join(COLUMNS)}; words {', '.join(WORDS)}"
        raise InputError(f"there is no column {', '.join(unknown)}; there are {there}")
    shown = {name: heading for heading, name in HEADINGS.items()}
    names = [name for names in found.values() for name in names]
    for name in dict.fromkeys(names or COLUMNS):
        title = name if shown.get(name, name) == name else f"{name} ({shown[name]} in the table)"
        print(title)
        print(textwrap.fill(said[name], 100, initial_indent="  ", subsequent_indent="  "))


def _meant(name: str, said: Collection[str]) -> list[str]:
    """What there is of that name, or all of which it is a word, as `opposed` is of `energies opposed`."""
    return [name] if name in said else [other for other in said if name in other.split()]
