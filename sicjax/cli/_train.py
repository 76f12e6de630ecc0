"""`sicjax train`: flags from the config's fields, a bar, and where everything went."""

from __future__ import annotations

import argparse
import sys
from contextlib import nullcontext
from pathlib import Path

from sicjax import _extras
from sicjax._errors import InputError
from sicjax.cli._cache import keep_compiled_programs
from sicjax.cli._steps import steps_shown


def add_to(commands: argparse._SubParsersAction) -> None:
    """Declares the command; its flags depend on what is trained."""
    parser = commands.add_parser(
        "train",
        help="train the paper's GAN or VAE",
        usage="sicjax train gan|vae [--workdir DIR] [--preset tiny|cpu|paper] [--any-config-field VALUE]",
        epilog="All flags: sicjax train gan --help, sicjax train vae --help.",
    )
    parser.add_argument("kind", choices=("gan", "vae"), help="what is trained")
    parser.add_argument("rest", nargs=argparse.REMAINDER, metavar="flags", help=argparse.SUPPRESS)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Trains as the flags say; returns when all steps are done, or a signal stopped the run.

    Raises:
        InputError: values that do not fit, images that cannot be read, a directory with another run; a signal stopped
            the run, and a checkpoint is written.
    """
    _extras.require("train", "training")
    keep_compiled_programs()
    import jax
    import tyro

    from sicjax import runs, train

    kind, presets = args.kind, train.PRESETS[args.kind]
    where = _flags(kind, tuple(presets))
    given, rest = where.parse_known_args(args.rest)
    if "-h" in rest or "--help" in rest:
        print(where.format_help().partition("options:")[2])
    preset = presets[given.preset]
    config = tyro.cli(type(preset), default=preset, args=rest, prog=f"sicjax train {kind}")
    if given.coordinator or given.processes:
        _meet(given)
    speaks = jax.process_index() == 0
    start = {"gan": train.gan, "vae": train.vae}[kind]
    with steps_shown() if speaks else nullcontext(lambda step, steps, metrics: None) as progress:
        result = start(config, given.workdir or Path("runs") / kind, progress=progress)
    if speaks:
        print(f"{result.folder}: {runs.CONTENTS}", file=sys.stderr)
        print(f"measure it: sicjax measure {result.folder}", file=sys.stderr)
    if not result.finished:
        raise InputError(
            f"stopped at step {result.step} of {config.steps} and saved: the same command goes on from there"
        )


def _meet(given: argparse.Namespace) -> None:
    """Joins the other processes of a run.

    Raises:
        InputError: settings that do not fit together, or nobody there.
    """
    import jax

    try:
        jax.distributed.initialize(given.coordinator, given.processes, given.process)
    except (ValueError, RuntimeError) as error:
        flags = "--coordinator HOST:PORT of the first, --processes N and --process K from 0 to N - 1"
        raise InputError(f"cannot meet the run's other processes, expected {flags}: {str(error)[:300]}") from error


def _flags(kind: str, presets: tuple[str, ...]) -> argparse.ArgumentParser:
    """The flags that are no fields of the config."""
    parser = argparse.ArgumentParser(prog=f"sicjax train {kind}", add_help=False, allow_abbrev=False)
    parser.add_argument("--workdir", type=Path, help=f"the run's directory (default: runs/{kind})")
    parser.add_argument("--preset", choices=presets, default="cpu", help="values of the other flags")
    parser.add_argument("--coordinator", metavar="HOST:PORT", help="of a run of several processes: the first one's")
    parser.add_argument("--processes", type=int, help="how many there are")
    parser.add_argument("--process", type=int, help="which one this is, from 0")
    return parser
