"""What is said of what a user can mend: a file, an argument, a missing package."""


class InputError(ValueError):
    """One line that says what was given, what was expected and what to do. The command line prints it and exits 1."""


class MissingPackage(InputError, ImportError):
    """An optional package that is not installed, and the command that installs it."""


def missing_package(package: str, extra: str, purpose: str) -> MissingPackage:
    """The error for an optional package that is not there; `sicjax._extras` lists what each extra brings."""
    return MissingPackage(f"{purpose} needs {package}: pip install 'sicjax[{extra}]'")
