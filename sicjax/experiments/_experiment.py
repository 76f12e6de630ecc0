"""What an experiment is, and how its folder is filled."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from sicjax import figures
from sicjax.experiments import _result
from sicjax.experiments._lab import Lab, source_name

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Numbers = dict[str, Any]
Images = dict[str, np.ndarray]


class Experiment(NamedTuple):
    """An experiment of the paper.

    Attributes:
        name: of its folder.
        figures: of the paper that it draws.
        title: what it shows, in a line.
        run: trains or loads what it needs; gives numbers, as plain values, and arrays to draw by name.
        draw: figures by file name, from a result and its arrays alone.
        weights: whether it makes use of public weights, or needs them.
    """

    name: str
    figures: tuple[str, ...]
    title: str
    run: Callable[[Lab], tuple[Numbers, Images]]
    draw: Callable[[Mapping[str, Any], Mapping[str, np.ndarray]], dict[str, Figure]]
    weights: Literal["unused", "used", "needed"] = "unused"


def carry_out(lab: Lab, experiment: Experiment) -> list[Path]:
    """Fills the experiment's folder; what is there already from the same preset and version is only drawn again.

    Returns:
        The files of its figures.
    """
    folder = lab.out / experiment.name
    found = _result.read(folder)
    stamp = _stamp(lab, experiment)
    if found is None or any(found[0].get(key) != value for key, value in stamp.items()):
        lab.say(f"{experiment.name}: {experiment.title}")
        begun = time.monotonic()
        numbers, images = experiment.run(lab)
        if images:
            _result.write_images(folder / "images.npz", images)
        result = {
            "experiment": experiment.name,
            "title": experiment.title,
            **stamp,
            "versions": _result.versions(),
            "seconds": round(time.monotonic() - begun, 1),
            **numbers,
        }
        _result.write_json(folder / "result.json", result)
        found = _result.read(folder)
        assert found is not None
    return draw(folder, experiment, *found)


def draw(folder: Path, experiment: Experiment, result: Mapping[str, Any], images: Mapping[str, np.ndarray]):
    """Draws an experiment's figures into its folder."""
    drawn = experiment.draw(result, images)
    return [file for name, figure in drawn.items() for file in figures.save(figure, folder / name)]


def _stamp(lab: Lab, experiment: Experiment) -> dict[str, Any]:
    """What a result must have in common with a lab to be its own."""
    preset = lab.preset
    public = [] if lab.weights is None or experiment.weights == "unused" else sorted(lab.weights.glob("*.json"))
    sizes = {"gan_steps": preset.gan.steps, "vae_steps": preset.vae.steps, "size": preset.gan.size}
    stamp = {
        "preset": preset.name,
        "data": source_name(preset.gan.data),
        "seeds": list(preset.seeds),
        **sizes,
        "weights": [path.stem for path in public],
    }
    return json.loads(json.dumps(stamp))
