"""The command line: one file a command; what they show is computed on the floors below."""

from sicjax.cli._main import main

__all__ = ["main"]
