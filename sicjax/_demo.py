"""`sicjax demo`: a VAE trained on drawn faces and measured, from nothing, in a few minutes on a laptop."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from sicjax import runs, train
from sicjax._errors import InputError
from sicjax._table import tables
from sicjax._train_cli import progress
from sicjax.measure import measure, write

CONFIG = train.VaeConfig(
    images=10_000,
    size=32,
    latent=32,
    encoder=(16, 32, 64, 128),
    decoder=(64, 64, 32, 16),
    beta=0.1,
    steps=1_200,
    log_every=20,
    sample_every=400,
    measure_every=400,
    save_every=400,
)


def main(folder: Path) -> None:
    """Trains (or goes on), prints the table, and writes it, its histograms and a grid of samples into a folder.

    Raises:
        InputError: a folder that cannot be written or holds something else; or a signal stopped the training.
    """
    say = lambda line: print(line, file=sys.stderr)
    say(f"training a small VAE on {CONFIG.images:,} drawn faces, {CONFIG.steps:,} steps:")
    with progress(sys.stderr) as step:
        result = train.vae(CONFIG, folder / "run", progress=step)
    if not result.finished:
        raise InputError(f"stopped at step {result.step} of {CONFIG.steps}, saved: the same command goes on from there")
    measured = measure([result.folder])
    tables(measured, sys.stdout)
    files = write(measured, folder)
    for name in (runs.SAMPLES, runs.RECONSTRUCTIONS):
        *_, latest = runs.picture_files(result.folder, name).values()
        files.append(Path(shutil.copy(latest, folder / f"{name}.png")))
    say(f"wrote {', '.join(map(str, files))}")
    say(f"the run, with its metrics and the measure along the training: {result.folder}")
