"""Figures as a page shows them, and the files it links to."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from sicjax.experiments._experiment import Drawing, Experiment


def embedded(folder: Path, experiment: Experiment, file: Path) -> list[str]:
    """An experiment's figures in Markdown; copied beside the page unless they lie below its folder."""
    drawn = [png for png in sorted(folder.glob("*.png")) if _drawing(experiment, png)]
    return [
        _figure(drawing, png, file)
        for drawing in experiment.drawings
        for png in drawn
        if _drawing(experiment, png) is drawing
    ]


def _drawing(experiment: Experiment, png: Path) -> Drawing | None:
    """What drew a file: that of its name, or of the beginning of it before the name of what it shows."""
    named = [drawing for drawing in experiment.drawings if f"{png.stem}-".startswith(f"{drawing.name}-")]
    return max(named, key=lambda drawing: len(drawing.name), default=None)


def linked(source: Path, file: Path, copy: str) -> str:
    """A link from a page to a file; unless that lies below the page's folder, to a copy in the folder of its name."""
    place = source
    if not source.resolve().is_relative_to(file.parent.resolve()):
        place = file.with_suffix("") / copy
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, place)
    return Path(os.path.relpath(place, file.parent)).as_posix()


def _figure(drawing: Drawing, png: Path, file: Path) -> str:
    shown = png.stem.removeprefix(drawing.name).removeprefix("-")
    caption = drawing.caption + (f" ({shown})" if shown else "")
    return f"![{caption}]({linked(png, file, f'{png.parent.parent.name}/{png.name}')})\n\n*{caption}*\n"
