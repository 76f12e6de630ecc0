"""`sicjax demo`: a VAE trained on drawn faces and measured, in a few minutes on a laptop, or what came trained."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path
from typing import Any

from sicjax import _extras
from sicjax._errors import InputError
from sicjax.cli._cache import keep_compiled_programs

# Fields of `train.VaeConfig`.
CONFIG: dict[str, Any] = {
    "images": 10_000,
    "size": 32,
    "latent": 32,
    "encoder": (16, 32, 64, 128),
    "decoder": (64, 64, 32, 16),
    "beta": 0.1,
    "steps": 1_200,
    "batch": 32,
    "log_every": 20,
    "sample_every": 400,
    "measure_every": 400,
    "save_every": 400,
}


def add_to(commands: argparse._SubParsersAction) -> None:
    """Declares the command and its flags."""
    parser = commands.add_parser(
        "demo",
        help="measure a small trained network at once (--quick), or train one first",
        description="Trains a small VAE on faces that it draws itself, in a few minutes, and measures it; with --quick "
        "measures small networks that came with the package instead.",
    )
    parser.add_argument("--quick", action="store_true", help="do not train: measure the networks that came with it")
    parser.add_argument(
        "--out", metavar="DIR", type=Path, default=Path("demo"), help="where everything goes (default: demo)"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Trains (or goes on), unless it is to be quick, prints the table, and writes it and a page into a folder.

    Raises:
        InputError: a folder that cannot be written or holds something else; or a signal stopped the training.
    """
    if args.quick:
        return quick(args)
    _extras.require("train", "training")
    _extras.require("plot", "sicjax demo")
    keep_compiled_programs()
    from sicjax import report, runs, train
    from sicjax.cli._table import tables
    from sicjax.cli._wrote import wrote
    from sicjax.measure import as_json, measure, write

    config, folder = train.VaeConfig(**CONFIG), args.out
    say = lambda line: print(line, file=sys.stderr)
    say(f"training a small VAE on {config.images:,} drawn faces, {config.steps:,} steps:")
    with train.shown() as progress:
        result = train.vae(config, folder / "run", progress=progress)
    if not result.finished:
        raise InputError(f"stopped at step {result.step} of {config.steps}, saved: the same command goes on from there")
    measured = measure([result.folder])
    tables([as_json(result) for result in measured], sys.stdout)
    files = write(measured, folder)
    for name in (runs.SAMPLES, runs.RECONSTRUCTIONS):
        *_, latest = runs.picture_files(result.folder, name).values()
        files.append(Path(shutil.copy(latest, folder / f"{name}.png")))
    # The last two are the pictures.
    captions = "Faces that it makes of random numbers", "Faces, and how it repeats them"
    pictures: dict[str, Path] = dict(zip(captions, files[-2:], strict=True))
    files.insert(0, report.write(measured, folder, origin=report.about(args.given), pictures=pictures))
    wrote(files, folder)
    say(f"the run, with its metrics and the measure along the training: {result.folder}")


def quick(args: argparse.Namespace) -> None:
    """The table, report, histograms and samples of the networks that came with the package.

    Raises:
        InputError: a folder that cannot be written, matplotlib is not installed.
    """
    _extras.require("plot", "sicjax demo")
    keep_compiled_programs()
    from sicjax import report, trained
    from sicjax._progress import bar
    from sicjax.cli._table import tables
    from sicjax.cli._wrote import wrote
    from sicjax.measure import as_json, measure, write

    say = lambda line: print(line, file=sys.stderr)
    say(f"small networks that came with the package, trained on drawn faces: {', '.join(trained.FILES)}")
    with bar("measuring", note="reading") as pairs:
        measured = measure(list(trained.FILES.values()), progress=lambda name, done, total: pairs(done, total, name))
    tables([as_json(result) for result in measured], sys.stdout)
    folder = args.out
    files, captions = write(measured, folder), {}
    for name, pictures in trained.PICTURES.items():
        copied = [Path(shutil.copy(picture, folder / picture.name)) for picture in pictures]
        captions |= {f"{name.upper()}: {picture.stem.removeprefix(f'{name}-')}": picture for picture in copied}
        files += copied
    files.insert(0, report.write(measured, folder, origin=report.about(args.given), pictures=captions))
    wrote(files, folder)
    say("what a column means: sicjax explain; your own network: sicjax measure FILE; to train one: sicjax demo")
