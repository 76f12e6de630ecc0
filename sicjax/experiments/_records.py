"""What stays of a finished run: every number that a verdict or a figure needs, in a small file of its own.

A record is complete without the run's checkpoints. What has one is never trained again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from sicjax import models, networks, runs
from sicjax._errors import InputError
from sicjax.experiments._images import draw, look, real
from sicjax.experiments._lab import Lab, config_of
from sicjax.experiments._looks import displacement
from sicjax.experiments._measured import measured_file
from sicjax.experiments._net import numbers
from sicjax.experiments._planned import Run
from sicjax.experiments._readings import read as readings
from sicjax.experiments._result import to_uint8, versions, write_json
from sicjax.experiments._scores import Looked, looked, scores
from sicjax.experiments._settling import LAST, moved, stds_of
from sicjax.experiments._taken_out import PAGES, taken_out
from sicjax.experiments.illustration import example

Record = Mapping[str, Any]
DIGITS = 6
LOOKED_AT = ("mean", "std", "marginal", "adaptation", "z", "coupling", "coupling_z", "energy")
QUANTILES = {"low": 0.05, "quarter": 0.25, "median": 0.5, "three_quarters": 0.75, "high": 0.95}
# What is known from the names and places of a level's pair already.
_LEFT_OUT = ("first", "second", "direction", "stride", "reading", "coupling_p")
SHOWN = (3, 6)
ALONG = (5, 6)
REMOVED = 6


def record(lab: Lab, run: Run, folder: Path, reference: Looked) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The record of a finished run and its pictures by name, `(rows, columns, h, w, 3)` bytes.

    Arguments:
        lab: it was trained in.
        run: which it is.
        folder: its directory.
        reference: real images.
    """
    config = getattr(lab.preset, run.kind)
    saved = runs.checkpoints(folder)
    last = saved[-1]
    before = max(step for step in saved if step <= (1 - LAST) * last)
    stds = stds_of(folder)
    at_end = moved(stds)
    drawn = {"gan": "average", "vae": "decoder"}[run.kind]
    found: dict[str, Any] = {
        "record": 1,
        "name": run.name,
        "seed": run.seed,
        "kind": run.kind,
        "config": config_of(folder),
        "versions": versions(),
        "last": last,
        "before": before,
        "cap": config.steps,
        "settled": at_end.by <= lab.preset.settling,
        "moved": at_end,
        "looks": _looks(folder),
        "levels": {
            str(step): {
                name: [_kept(level, step != before) for level in levels]
                for name, levels in measured_file(folder, step=step).items()
                if name != "average"
            }
            for step in (0, before, last)
        },
        "displacement": {str(step): displaced(folder, step) for step in saved if step},
        "images": {},
        "scores": runs.log(folder, runs.SCORES),
    }
    for step in (step for step in saved if step and (run.kind == "gan" or step in (before, last))):
        lab.say(f"images of {run.label} at step {step:,}")
        images = draw(models.load(folder, step=step)[drawn], len(reference.images))
        found["images"][str(step)] = {**scores(looked(images), reference), **look(images)}
    if run.kind == "vae":
        found["kl"] = runs.log(folder, runs.METRICS)[-1]["kl"]
        found["readings"] = readings(folder)
    rows, columns = SHOWN
    shown = to_uint8(draw(models.load(folder)[drawn], rows * columns))
    pictures = {runs.SAMPLES: shown.reshape(rows, columns, *shown.shape[1:])}
    if run.kind == "gan":
        steps, pages = runs.pictures(folder, runs.SAMPLES, size=config.size)
        chosen = np.unique(np.linspace(0, len(steps) - 1, ALONG[1]).round().astype(int))
        found["along"] = [steps[k] for k in chosen]
        pictures["along"] = pages[chosen][:, : ALONG[0]]
        found["example"], found["example_kernels"] = example(folder)
        lab.say(f"filters of {run.label} taken out")
        found["removal"], edited = taken_out(models.load(folder)["average"], lab.preset.edited, run.seed)
        pictures["removal"] = to_uint8(np.stack([edited[name][:REMOVED] for name in PAGES], axis=1))
    return _short(found), pictures


def displaced(folder: Path, step: int) -> dict[str, float]:
    """`|W - W0| / |W0|` of every convolution that is in a pair, by network and layer."""
    start, now = (
        {
            f"{pair.network}.{layer.path}".strip("."): kernel
            for pair in networks.from_file(folder, step=at).pairs
            if pair.network != "average"
            for layer, kernel in ((pair.first, pair.cascade.first), (pair.second, pair.cascade.second))
        }
        for at in (0, step)
    )
    return {name: displacement(start[name], kernel) for name, kernel in now.items()}


def _looks(folder: Path) -> dict[str, Any]:
    """What was measured of every pair along the run."""
    found = runs.measures(folder)
    pairs: dict[str, dict[str, list[float | None]]] = {}
    for name in found[0].pairs:
        pairs[name] = {key: [each.pairs[name][key] for each in found] for key in LOOKED_AT}
        for key, q in QUANTILES.items():
            pairs[name][key] = [each.histograms[name].quantile(q) for each in found]
    return {"steps": [each.step for each in found], "pairs": pairs}


def _kept(level: Mapping[str, Any], histograms: bool) -> dict[str, Any]:
    return {
        key: value
        for key, value in level.items()
        if key not in _LEFT_OUT and (histograms or not key.endswith("histogram"))
    }


def _short(value: Any) -> Any:
    """Numbers to six digits: half the size, and far below what any verdict turns on."""
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return _short(value._asdict())
    if isinstance(value, Mapping):
        return {str(key): _short(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [_short(item) for item in value]
    if isinstance(value, (float, np.floating)):
        return float(f"{float(value):.{DIGITS}g}")
    return value


def numbers_at_end(content: Record, network: str) -> list[dict[str, float]]:
    """What verdicts are about, level by level, at a run's last step."""
    return numbers(content["levels"][str(content["last"])][network])


def reference(lab: Lab) -> Looked:
    """Held-out images, as many as are judged of each network: the first of those of the ladder."""
    return looked(real(lab.preset.gan, 10**9 if lab.preset.gan.data != "faces" else 1_000)[: lab.preset.judged])


def write(folder: Path, run: Run, content: Record, pictures: Mapping[str, np.ndarray]) -> Path:
    """The record last, since with it the run counts as done."""
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True)
    for name, grid in pictures.items():
        rows, columns, height, width, channels = grid.shape
        page = np.swapaxes(grid, 1, 2).reshape(rows * height, columns * width, channels)
        Image.fromarray(page).save(folder / f"{run.label}-{name}.png", optimize=True)
    file = folder / f"{run.label}.json"
    write_json(file, content)
    return file


def read(folder: Path) -> dict[str, dict[int, Record]]:
    """The records in a folder: of every name, by seed.

    Raises:
        InputError: one that cannot be read.
    """
    found: dict[str, dict[int, Record]] = {}
    for file in sorted(folder.glob("*-seed*.json")):
        try:
            content = json.loads(file.read_text())
            found.setdefault(content["name"], {})[content["seed"]] = content
        except (OSError, ValueError, KeyError) as error:
            raise InputError(f"{file} is no record of a run: {error}") from error
    return found
