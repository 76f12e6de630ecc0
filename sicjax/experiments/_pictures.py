"""Figures as a page shows them, in the order of the paper, and the files it links to."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

CAPTIONS = {
    "fig3a": "Fig. 3a: a pathway between the first two layers, with a ratio as in the paper's example.",
    "fig3b": "Fig. 3b: ratios of random inputs through random filters, from cause to effect and back.",
    "fig4": "Fig. 4: the GAN.",
    "fig5": "Fig. 5: the VAE.",
    "fig6": "Fig. 6: filters of the last layer but one removed. Under each column what is left of the colour variance, "
    "and the distance to the unedited images in units of that of two random ones.",
    "fig6-numbers": "What Fig. 6 and 10 show, in numbers, by how many filters are removed.",
    "fig7": "Fig. 7: samples of the VAEs.",
    "fig8": "Fig. 8: their encoders.",
    "fig9": "Fig. 9: decoders of the worst and best by the paper's account.",
    "fig10": "Fig. 10: more of Fig. 6.",
    "fig11": "Fig. 11: samples of the plain VAE.",
    "fig12": "Fig. 12: the GAN along training, with dropout and without.",
    "fig13": "Fig. 13: its samples from the same latent variables along training.",
    "penalty": "GANs with a penalty on dependence, weight by weight, after as many steps.",
    "public": "Every pair of layers of the public networks; level 1 is the finest.",
}


def embedded(folder: Path, file: Path) -> list[str]:
    """An experiment's figures in Markdown; copied beside the page unless they lie below its folder."""
    order = list(CAPTIONS)
    known = [png for png in sorted(folder.glob("*.png")) if _stem(png) in order]
    return [_figure(png, file) for png in sorted(known, key=lambda png: order.index(_stem(png)))]


def _stem(png: Path) -> str:
    return png.stem if png.stem in CAPTIONS else png.stem.split("-")[0]


def linked(source: Path, file: Path, copy: str) -> str:
    """A link from a page to a file; unless that lies below the page's folder, to a copy in the folder of its name."""
    place = source
    if not source.resolve().is_relative_to(file.parent.resolve()):
        place = file.with_suffix("") / copy
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, place)
    return Path(os.path.relpath(place, file.parent)).as_posix()


def _figure(png: Path, file: Path) -> str:
    network = png.stem.removeprefix(_stem(png)).removeprefix("-")
    caption = CAPTIONS[_stem(png)] + (f" ({network})" if network else "")
    return f"![{caption}]({linked(png, file, f'{png.parent.parent.name}/{png.name}')})\n\n*{caption}*\n"
