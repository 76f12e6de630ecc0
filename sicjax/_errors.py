"""What is said of what a user can mend: a file, an argument, a missing package."""

from importlib.util import find_spec


class InputError(ValueError):
    """One line that says what was given, what was expected and what to do. The command line prints it and exits 1."""


def missing_package(package: str, extra: str, purpose: str) -> InputError:
    """The error for an optional package that is not there."""
    return InputError(f"{purpose} needs {package}: pip install 'sicjax[{extra}]'")


def require(packages: tuple[str, ...], extra: str, purpose: str) -> None:
    """Raises an ImportError that says what to install where one of these packages is not there."""
    missing = [package for package in packages if find_spec(package) is None]
    if missing:
        raise ImportError(f"{purpose} needs {', '.join(missing)}: pip install 'sicjax[{extra}]'")
