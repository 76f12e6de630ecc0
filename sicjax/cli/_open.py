"""`sicjax open`: the page of a result, in a browser."""

from __future__ import annotations

import argparse
import webbrowser
from pathlib import Path

from sicjax._errors import InputError


def add_to(commands: argparse._SubParsersAction) -> None:
    """Declares the command and its flags."""
    parser = commands.add_parser(
        "open",
        help="open the report of a result in a browser",
        description="Opens report.html, which measure --out, compare --out, demo and reproduce write.",
    )
    parser.add_argument("folder", metavar="DIR", type=Path, nargs="?", default=Path("."), help="default: this folder")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Opens the page, and says where it is.

    Raises:
        InputError: there is none.
    """
    from sicjax.report import NAME

    file = args.folder / NAME if args.folder.is_dir() else args.folder
    if not file.is_file() or file.suffix != ".html":
        raise InputError(
            f"there is no {NAME} in {args.folder}: sicjax measure and compare with --out DIR write one, and demo and "
            "reproduce do"
        )
    print(file.resolve())
    try:
        opened = webbrowser.open(file.resolve().as_uri())
    except (webbrowser.Error, OSError):
        opened = False
    if not opened:
        print("no browser was found here: open the file in any")
