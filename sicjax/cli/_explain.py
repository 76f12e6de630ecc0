"""`sicjax explain`: what a column says, and what it does not."""

from __future__ import annotations

import argparse
import shutil
import textwrap
from collections.abc import Collection

from sicjax._errors import InputError
from sicjax.cli._fit import closest


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

    said, whole = COLUMNS | WORDS, " ".join(args.columns).lower()
    # A heading may have blanks; a whole reading is words with commas between.
    given = [whole] if whole in HEADINGS or whole in said else [part.lower() for part in args.columns]
    asked = [part for each in given for part in ([each] if each in HEADINGS else each.split(", "))]
    found = {part: _meant(HEADINGS.get(part, part), said) for part in asked}
    shown: dict[str, list[str]] = {}
    for heading, name in HEADINGS.items():
        shown.setdefault(name, []).append(heading)
    names = [name for names in found.values() for name in names]
    width = min(shutil.get_terminal_size((100, 24)).columns, 100)
    for name in dict.fromkeys(names or ([] if asked else COLUMNS)):
        headings = [heading for heading in shown.get(name, ()) if heading != name]
        print(f"{name} ({', '.join(headings)} in the table)" if headings else name)
        print(textwrap.fill(said[name], width, initial_indent="  ", subsequent_indent="  "))
    unknown = [part + closest(part, [*said, *HEADINGS]) for part, names in found.items() if not names]
    if unknown:
        raise InputError(f"there is no column or word {'; '.join(unknown)} - all that there are: sicjax explain")


def _meant(name: str, said: Collection[str]) -> list[str]:
    """What there is of that name, or all of which it is a word, as `opposed` is of `energies opposed`."""
    return [name] if name in said else [other for other in said if name in other.split()]
