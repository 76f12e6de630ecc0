"""What is said of what a user can mend: a file, an argument, a missing package."""

import os
import sys
import traceback
from itertools import takewhile

# Where a bug is reported, and what shows where it is; the flag sets the variable, for the processes that it starts.
REPORT = "https://github.com/sicjax/sicjax/issues"
DEBUG = "--debug"
_VARIABLE = "SICJAX_DEBUG"
_HERE = os.path.join(os.path.dirname(__file__), "")


class InputError(ValueError):
    """One line that says what was given, what was expected and what to do. The command line prints it and exits 1."""

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows: the line of the user's own that led here, not the way from it through this package."""
        frames = traceback.extract_tb(self.__traceback__)
        own = list(takewhile(lambda frame: not frame.filename.startswith(_HERE), frames))
        shown = frames if os.environ.get(_VARIABLE) else own[-1:]
        return [*(line.rstrip() for line in traceback.format_list(shown)), f"{type(self).__name__}: {self}"]


def set_debug() -> None:
    """From now on tracebacks are shown, also by processes that are started."""
    os.environ[_VARIABLE] = "1"


def show_traceback(error: BaseException) -> None:
    """Prints where an error is from, if that is asked for."""
    if os.environ.get(_VARIABLE):
        traceback.print_exception(error, file=sys.stderr)


def bug(error: BaseException) -> str:
    """What is said of an error that nobody expected."""
    detail = f"{type(error).__name__} {str(error)[:300]!r}"
    return f"a bug of sicjax: {detail}; please report it at {REPORT}, with what {DEBUG} shows"


class MissingPackage(InputError, ImportError):
    """An optional package that is not installed, and the command that installs it."""


def missing_package(package: str, extra: str, purpose: str) -> MissingPackage:
    """The error for an optional package that is not there; `sicjax._extras` lists what each extra brings."""
    return MissingPackage(f"{purpose} needs {package}: pip install 'sicjax[{extra}]'")
