"""`sicjax completion`: a script that lets a shell complete commands, flags and files."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from sicjax import _extras

SHELLS = ("bash", "zsh", "fish")


def add_to(commands: argparse._SubParsersAction) -> None:
    """Declares the command."""
    parser = commands.add_parser(
        "completion",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        help="a script for completion in bash, zsh or fish",
        description="Prints a script that lets a shell complete commands, flags and files.",
        epilog="""in bash, for this shell, or with the line in ~/.bashrc:
  eval "$(sicjax completion bash)"
in zsh, with a folder of $fpath:
  sicjax completion zsh > ~/.zfunc/_sicjax
in fish:
  sicjax completion fish > ~/.config/fish/completions/sicjax.fish""",
    )
    parser.add_argument("shell", choices=SHELLS, help="whose script")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Prints the script."""
    import shtab

    print(shtab.complete(_completed(args.whole), args.shell))


def _completed(whole: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """All commands, those of training with the fields of their configs."""
    commands = next(action for action in whole._actions if isinstance(action, argparse._SubParsersAction))
    for command in commands.choices.values():
        _files(command)
    _columns(commands.choices)
    if _extras.missing("train"):
        return whole
    from sicjax.cli._train_help import declare

    training = argparse.ArgumentParser(prog="sicjax train")
    kinds = training.add_subparsers(metavar="KIND")
    for kind in ("gan", "vae"):
        declare(kinds.add_parser(kind, help=f"train the paper's {kind.upper()}"), kind)
        _files(kinds.choices[kind])
    commands.choices["train"] = training
    if not _extras.missing("plot"):
        from sicjax.experiments import EXPERIMENTS, FIGURES, PRESETS

        figures = [*FIGURES, *(e.name for e in EXPERIMENTS), "all", "plan", "verdicts"]
        known = {"figures": figures, "preset": list(PRESETS)}
        for action in commands.choices["reproduce"]._actions:
            action.choices = known.get(action.dest, action.choices)
    return whole


def _columns(commands: Mapping[str, argparse.ArgumentParser]) -> None:
    """What names a column is completed as one, by its name in JSON: those in the table may have blanks. So may words,
    of which the last is enough."""
    from sicjax.cli._columns import DEPARTURE
    from sicjax.measure import COLUMNS, WORDS

    for command, named in (("measure", "sort"), ("explain", "columns")):
        for action in commands[command]._actions:
            if action.dest == named:
                sorted_by = [*(column for column in COLUMNS if column != "quantiles"), DEPARTURE]
                explained = dict.fromkeys([*COLUMNS, *(word.rpartition(" ")[2] for word in WORDS)])
                action.choices = sorted_by if command == "measure" else list(explained)


def _files(parser: argparse.ArgumentParser) -> None:
    """What is a path is completed as one."""
    import shtab

    for action in parser._actions:
        if action.metavar in ("PATH", "FILE", "FILE.md"):
            setattr(action, "complete", shtab.FILE)  # noqa: B010  (shtab looks for it, argparse does not declare it)
        elif action.metavar == "DIR":
            setattr(action, "complete", shtab.DIRECTORY)  # noqa: B010
