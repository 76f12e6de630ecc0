"""Flags of every command that reads networks: which, and how those are read that do not state it."""

from __future__ import annotations

import argparse
import re

from sicjax._limits import Limit

# What an amount of --limit is in: seconds, or bytes.
_SECONDS = {"s": 1, "min": 60, "h": 3600}
_BYTES = {"MB": 10**6, "GB": 10**9, "MiB": 2**20, "GiB": 2**30}


def add_reading(parser: argparse.ArgumentParser) -> None:
    """Declares the paths and how they are read."""
    parser.add_argument(
        "paths",
        metavar="PATH",
        nargs="+",
        help="a file, the directory of a run, a folder of them, a quoted pattern, or hf://org/repo[/file][@revision]",
    )
    reading = add_directions(parser)
    reading.add_argument(
        "--only",
        metavar="PREFIX[,...]",
        type=_prefixes,
        help="only layers whose names begin with PREFIX, such as 'generator.' in a file that holds a discriminator too",
    )
    reading.add_argument(
        "--module",
        metavar="PACKAGE.MODULE:FUNCTION",
        help="for Orbax checkpoints of a Flax model: a function that returns its module and example inputs",
    )
    reading.add_argument(
        "--limit",
        metavar="TIME[,MEMORY]",
        type=_limit,
        help="time and memory that each file may take, such as 30s, 4GB or 10min,4GB, instead of a limit by its size; "
        "a file that takes more is refused",
    )
    reading.add_argument("--all-steps", action="store_true", help="every checkpoint of a run, not the latest alone")


def add_directions(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """Declares what a file without a graph may have to be told; returns the group of flags."""
    reading = parser.add_argument_group("how files are read")
    reading.add_argument(
        "--stride",
        metavar="N[,N...]",
        type=_strides,
        help="stride of every convolution, or one for each in order, of files that do not state it; else from the JSON "
        "sidecar beside the file (see sicjax sidecar)",
    )
    reading.add_argument(
        "--transposed",
        action=argparse.BooleanOptionalAction,
        help="whether the convolutions are transposed, where the channel counts do not tell",
    )
    reading.add_argument(
        "--transposed-in",
        metavar="PREFIX[,...]",
        type=_prefixes,
        help="layers whose names begin with PREFIX are transposed, such as 'decoder.' in a file that holds an encoder "
        "too; this says nothing of the others",
    )
    return reading


def _strides(text: str) -> tuple[int, ...]:
    """Strides with commas between them."""
    try:
        found = tuple(int(part) for part in text.split(","))
    except ValueError:
        found = ()
    if not found or min(found) < 1:
        raise argparse.ArgumentTypeError(f"expected a positive integer, or several with commas between, got {text!r}")
    return found


def _limit(text: str) -> Limit:
    given: dict[str, float] = {}
    for part in text.split(","):
        found = re.fullmatch(r"(\d+(?:\.\d+)?) ?([a-zA-Z]+)", part.strip(), re.ASCII)
        unit = found[2] if found else ""
        kind = "seconds" if unit in _SECONDS else "memory"
        amount = float(found[1]) * (_SECONDS | _BYTES).get(unit, 0) if found else 0
        if not amount or kind in given:
            units = f"{', '.join(_SECONDS)} for time, {', '.join(_BYTES)} for memory"
            raise argparse.ArgumentTypeError(f"expected such as 30s or 10min,4GB ({units}), got {text!r}")
        given[kind] = amount
    return Limit(given.get("seconds"), int(given["memory"]) if "memory" in given else None)


def _prefixes(text: str) -> tuple[str, ...]:
    found = tuple(text.split(","))
    if not all(found):
        raise argparse.ArgumentTypeError(
            f"expected what names begin with, or several with commas between, got {text!r}"
        )
    return found
