"""`sicjax sidecar`: a draft of the JSON file that states what a weights file does not."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from sicjax._errors import InputError
from sicjax.cli._reading import add_directions


def add_to(commands: argparse._SubParsersAction) -> None:
    """Declares the command and its flags."""
    parser = commands.add_parser(
        "sidecar",
        help="write a draft of the JSON file that states a weights file's layers",
        description="Writes a draft of the JSON sidecar beside a weights file, FILE with the ending .json: its layers "
        "in the order of the file, each with type, layout and stride, null where the file does not tell. Edit it, then "
        "measure the file.",
    )
    parser.add_argument("file", metavar="FILE", type=Path, help="a weights file")
    add_directions(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Writes the draft and says what is left to fill in.

    Raises:
        InputError: a file that cannot be read or needs no sidecar, a sidecar that is there already.
    """
    if not args.file.exists():
        raise InputError(f"no such file: {args.file}")
    if args.file.is_dir():
        raise InputError(f"{args.file} is a folder, expected a weights file")
    from sicjax import networks, weights

    beside = weights.sidecar_path(args.file)
    if beside.exists():
        raise InputError(f"{beside} is there already: move it away, or edit it")
    how = {"stride": args.stride, "transposed": args.transposed, "transposed_in": args.transposed_in}
    text = networks.sidecar_draft(args.file, **how)
    try:
        beside.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot write {beside}: {error.strerror or error}") from error
    print(beside)
    left = text.count(": null")
    what = f"fill in what is null ({left} places), then" if left else "look whether it is right, then"
    print(f"{what}: sicjax measure {args.file}", file=sys.stderr)
