"""The one exception for what a user can mend: a file, an argument, a missing package."""


class InputError(ValueError):
    """One line that says what was given, what was expected and what to do. The command line prints it and exits 1."""


def missing_package(package: str, extra: str, purpose: str) -> InputError:
    """The error for an optional package that is not there."""
    return InputError(f"{purpose} needs {package}: pip install 'sicjax[{extra}]'")
