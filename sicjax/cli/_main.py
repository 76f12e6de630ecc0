"""The commands, and how each ends."""

from __future__ import annotations

import argparse
import io
import os
import shutil
import sys
import textwrap
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from sicjax import __version__
from sicjax._errors import DEBUG, InputError, bug, set_debug, show_traceback
from sicjax._foreign import printable
from sicjax.cli import _compare, _completion, _demo, _doctor, _explain, _measure, _open, _reproduce, _sidecar, _train
from sicjax.cli._fit import closest

COMMANDS = (_measure, _compare, _sidecar, _demo, _train, _reproduce, _open, _explain, _doctor, _completion)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; returns what it does, or 0, or 1 for what went wrong, said in one line on stderr."""
    _open_what_is_closed()
    given = list(sys.argv[1:] if arguments is None else arguments)
    if DEBUG in given:
        set_debug()
    given = [argument for argument in given if argument != DEBUG]
    if given[:1] == ["help"]:
        given = [*given[1:2], "--help"]
    whole = parser()
    if not given:
        whole.print_help()
        return 0
    known = [command.__name__.rpartition("._")[2] for command in COMMANDS]
    if not given[0].startswith("-") and given[0] not in known and (near := closest(given[0], known)):
        whole.error(f"there is no command {given[0]}{near}")
    args = whole.parse_args(given)
    args.given, args.whole = given, whole
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal may not have every character
            stream.reconfigure(errors="backslashreplace")
    try:
        with _warnings_in_a_line():
            code = args.run(args) or 0
            sys.stdout.flush()
            return code
    except InputError as error:
        return _failed(error, str(error))
    except KeyboardInterrupt:
        print("sicjax: stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:
        _close_output()
        return 0
    except OSError as error:
        if error.filename is None:
            _close_output()
        what = "cannot write the output" if error.filename is None else os.fsdecode(error.filename)
        return _failed(error, f"{what}: {error.strerror or error}")
    except MemoryError as error:
        return _failed(error, f"there is not enough memory: {error}")
    except Exception as error:
        return _failed(error, bug(error))


def _failed(error: Exception, said: str) -> int:
    show_traceback(error)
    _complain(said)
    return 1


def _complain(said: str) -> None:
    """A line on stderr; on a terminal it goes on in the next between words."""
    line = f"sicjax: {printable(said)}"
    if sys.stderr.isatty():
        width = shutil.get_terminal_size().columns
        line = textwrap.fill(line, width, break_long_words=False, break_on_hyphens=False)
    print(line, file=sys.stderr)


def _open_what_is_closed() -> None:
    """A process that was started without stdout or stderr has None there; nobody reads what it says."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))


def _close_output() -> None:
    """Nobody takes what is still to be written, and Python would try again at its end."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def _warnings_in_a_line() -> Iterator[None]:
    """What the package warns of is said as errors are, without a place in its code."""
    before = warnings.showwarning

    def show(message, category, filename, lineno, file=None, line=None):
        if category is UserWarning:
            _complain(str(message))
        else:
            before(message, category, filename, lineno, file, line)

    warnings.showwarning = show
    try:
        yield
    finally:
        warnings.showwarning = before


def parser() -> argparse.ArgumentParser:
    """All commands and their flags."""
    parser = argparse.ArgumentParser(
        prog="sicjax",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Looking inside deep generative models by their weights.",
        epilog="""a first look:
  sicjax demo --quick                       networks that come with it, at once
  sicjax measure generator.pth --stride 2   yours
  sicjax explain coupling                   what a column of the table means

help on a command: sicjax COMMAND --help""",
    )
    parser.add_argument("--version", action="version", version=__version__)
    parser.add_argument(DEBUG, action="store_true", help="of any command: show where in the code an error is from")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", title="commands")
    for command in COMMANDS:
        command.add_to(commands)
    return parser
