"""The commands, and how each ends."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from sicjax import __version__
from sicjax._errors import InputError
from sicjax.cli import _compare, _demo, _doctor, _explain, _measure, _reproduce, _train

COMMANDS = (_measure, _compare, _demo, _train, _reproduce, _explain, _doctor)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; returns what it does, or 0, or 1 for a problem with the input, said in one line on stderr."""
    args = _parser().parse_args(arguments)
    try:
        return args.run(args) or 0
    except InputError as error:
        print(f"sicjax: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("sicjax: stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sicjax", description="Looking inside deep generative models by their weights."
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add_to(commands)
    return parser
