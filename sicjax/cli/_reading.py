"""Flags of every command that reads networks: which, and how those are read that do not state it."""

from __future__ import annotations

import argparse


def add_reading(parser: argparse.ArgumentParser) -> None:
    """Declares the paths and how they are read."""
    parser.add_argument(
        "paths",
        metavar="PATH",
        nargs="+",
        help="a file, the directory of a run, a folder of them, a quoted pattern, or hf://org/repo[/file][@revision]",
    )
    parser.add_argument(
        "--stride",
        metavar="N[,N...]",
        type=_strides,
        help="stride of every convolution, or one for each in order, of files that do not state it; else from the JSON "
        "sidecar beside the file",
    )
    parser.add_argument(
        "--transposed",
        action=argparse.BooleanOptionalAction,
        help="whether the convolutions are transposed, where the channel counts do not tell",
    )
    parser.add_argument(
        "--module",
        metavar="PACKAGE.MODULE:FUNCTION",
        help="of Orbax checkpoints of a Flax model: a function that returns its module and example inputs",
    )
    parser.add_argument("--all-steps", action="store_true", help="of runs every checkpoint, not the latest alone")


def _strides(text: str) -> tuple[int, ...]:
    try:
        found = tuple(int(part) for part in text.split(","))
    except ValueError:
        found = ()
    if not found or min(found) < 1:
        raise argparse.ArgumentTypeError(f"expected a positive integer, or several with commas between, got {text!r}")
    return found
