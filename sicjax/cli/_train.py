"""`sicjax train`: flags from the config's fields, a bar, and where everything went."""

from __future__ import annotations

import argparse
import shutil
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from sicjax import _extras
from sicjax._errors import InputError
from sicjax.cli._cache import keep_compiled_programs


def add_to(commands: argparse._SubParsersAction) -> None:
    """Declares the command; its flags depend on what is trained."""
    parser = commands.add_parser(
        "train",
        help="train the paper's GAN or VAE",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage="sicjax train gan|vae [--workdir DIR] [--preset tiny|cpu|paper] [--any-flag VALUE]",
        description="Trains the paper's DCGAN or VAE, and measures it on the way. Stopped and started again it goes on "
        "where it\nstopped. The flags, in groups, with the presets' values: sicjax train gan --help, sicjax train vae "
        "--help.",
        epilog="""examples:
  sicjax train vae                              on drawn faces, sized for two cores
  sicjax train gan --preset tiny                a few seconds, to see that everything runs
  sicjax train vae --beta 0.1 --steps 2000 --workdir runs/beta
  sicjax train gan --preset paper --data-dir ~/img_align_celeba.zip""",
    )
    parser.add_argument("kind", nargs="?", choices=("gan", "vae"), help="what is trained")
    parser.add_argument("rest", nargs=argparse.REMAINDER, metavar="flags", help=argparse.SUPPRESS)
    parser.set_defaults(run=run, help=parser.print_help)


def run(args: argparse.Namespace) -> None:
    """Trains as the flags say, or prints them; returns when all steps are done, or a signal stopped the run.

    Raises:
        InputError: values that do not fit, images that cannot be read, a directory with another run; a signal stopped
            the run, and a checkpoint is written.
    """
    if args.kind is None:
        args.help(sys.stderr)
        sys.exit(2)
    _extras.require("train", "training")
    keep_compiled_programs()
    import jax
    import tyro

    from sicjax import runs, train

    kind, presets = args.kind, train.PRESETS[args.kind]
    where = _flags(kind, tuple(presets))
    given, rest = where.parse_known_args(args.rest)
    if "-h" in rest or "--help" in rest:
        from sicjax.cli._train_help import train_help

        print(f"usage: sicjax train {kind} [--workdir DIR] [--preset NAME] [--any-flag VALUE]\n")
        print(where.format_help().partition("\n\n")[2].rstrip())
        print(train_help(kind, min(shutil.get_terminal_size().columns, 120)))
        sys.exit(0)
    preset = presets[given.preset]
    config = tyro.cli(type(preset), default=preset, args=rest, prog=f"sicjax train {kind}")
    if given.coordinator or given.processes:
        _meet(given)
    speaks = jax.process_index() == 0
    start: Any = {"gan": train.gan, "vae": train.vae}[kind]
    with train.shown() if speaks else nullcontext(lambda step, steps, metrics: None) as progress:
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
