"""Along training: when does each number appear, level by level, and does it follow displacement?

These rules were fixed before the first run.

* Runs: five VAEs on the largest of the preset's amounts of images and three GANs, as in `_looks.py`, looked at before
  the first step and at nine steps that double up to the last; every pair of layers of both networks of each.
* Numbers: `marginal`, `adaptation`, `coupling`, `energy` of each pair. Displacement: `|W - W0| / |W0|` of each layer;
  that of a pair is the mean of its two layers'.
* Untrained: 1,000 pairs of Gaussian kernels of the same shapes, which is how these networks begin. A number is outside
  if it is below 0.5 % or above 99.5 % of theirs. It has appeared at the first look from which on it is outside, on the
  same side, at every look to the last. Of an untrained pair one number in a hundred has appeared at the last look. A
  level is said to show a number if it has appeared in more than half of the runs; when is the median over the runs, a
  run in which it has not counting as later than all.
* Following displacement: Spearman's correlation, over the looks after the first, of the number's distance from the
  untrained mean with the pair's displacement, as the mean over the runs. It describes and is not tested: looks of one
  run are not independent, and nearly all that grows along a training follows displacement. Whether a number says more
  is asked where displacement and something else come apart: see `overfitting.py`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from sicjax import figures
from sicjax.experiments import _tables as tables
from sicjax.experiments._experiment import Drawing, Experiment
from sicjax.experiments._lab import Lab, config_of
from sicjax.experiments._looks import NUMBERS, Course, course, gan, looks, moved, pairs_at, panels, untrained, vae
from sicjax.experiments._ranks import spearman

OUTSIDE = 0.005
GANS = 3
KINDS = {"vae": "VAE", "gan": "GAN"}


class Chance(NamedTuple):
    """A number of untrained pairs.

    Attributes:
        mean: of all.
        low: below it are 0.5 % of them.
        high: above it are as many.
    """

    mean: float
    low: float
    high: float


class Rise(NamedTuple):
    """How a number of a pair came about, over runs.

    Attributes:
        last: at the last look, the mean.
        appeared: in how many runs.
        runs: of how many.
        step: from which step on, the median; None where it has not in most runs.
        follows: Spearman's correlation of its distance from the untrained with displacement over the looks, the mean.
    """

    last: float
    appeared: int
    runs: int
    step: float | None
    follows: float


def run(lab: Lab):
    preset, found = lab.preset, {}
    folders = {
        "vae": [vae(lab, max(preset.amounts), seed) for seed in preset.seeds],
        "gan": [gan(lab, seed) for seed in preset.seeds[:GANS]],
    }
    for kind, config in (("vae", preset.vae), ("gan", preset.gan)):
        courses = [course(lab, folder) for folder in folders[kind]]
        lab.say(f"numbers of {preset.untrained:,} untrained pairs like those of the {KINDS[kind]}")
        first = pairs_at(folders[kind][0], 0)
        chances = {pair: chance(untrained(cascade, preset.untrained)) for pair, cascade in first.items()}
        found[kind] = {
            "steps": looks(config.steps),
            "configs": [config_of(folder) for folder in folders[kind]],
            "channels": {pair: cascade.shape for pair, cascade in first.items()},
            "untrained": chances,
            "levels": levels(courses, chances, looks(config.steps)),
            "runs": courses,
        }
    return found, {}


def chance(drawn: Mapping[str, Sequence[float]]) -> dict[str, Chance]:
    """Where the numbers of untrained pairs lie."""
    ends = (OUTSIDE, 1 - OUTSIDE)
    return {name: Chance(float(np.mean(of)), *map(float, np.quantile(of, ends))) for name, of in drawn.items()}


def levels(
    courses: Sequence[Course], chances: Mapping[str, Mapping[str, Chance]], steps: Sequence[int]
) -> dict[str, dict[str, Rise]]:
    """For every pair and number when it appeared, and whether it follows displacement."""
    return {
        pair: {number: _level([each[pair] for each in courses], number, of[number], steps) for number in NUMBERS}
        for pair, of in chances.items()
    }


def _level(runs: Sequence[Mapping[str, Sequence[float]]], number: str, of: Chance, steps: Sequence[int]) -> Rise:
    since = [appeared(run[number], of, steps) for run in runs]
    distance = [np.abs(np.subtract(run[number], of.mean)) for run in runs]
    follows = [spearman(values[1:].tolist(), moved(run)[1:]) for values, run in zip(distance, runs, strict=True)]
    median = float(np.median(since))
    return Rise(
        last=float(np.mean([run[number][-1] for run in runs])),
        appeared=sum(map(math.isfinite, since)),
        runs=len(runs),
        step=median if math.isfinite(median) else None,
        follows=float(np.mean(follows)),
    )


def appeared(values: Sequence[float], of: Chance, steps: Sequence[int]) -> float:
    """The step from which on a number is outside what is untrained, always on one side; infinite if it is not.

    >>> appeared([0.0, 2.0, 0.5, 2.0, 3.0], Chance(0.0, -1.0, 1.0), [0, 1, 2, 4, 8])
    4
    """
    sides = [1 if value > of.high else -1 if value < of.low else 0 for value in values]
    since = math.inf
    for step, side in zip(reversed(steps), reversed(sides), strict=True):
        if side == 0 or side != sides[-1]:
            break
        since = step
    return since


def drawing(result, images):
    return {
        kind: figures.lines(
            panels({"": result[kind]["runs"]}, result[kind]["steps"]),
            label="training step",
            bands={
                number: {
                    pair.replace(".", "\n", 1): (of[number]["low"], of[number]["high"])
                    for pair, of in result[kind]["untrained"].items()
                }
                for number in NUMBERS
            },
            doubling=True,
        )
        for kind in KINDS
    }


def page(result) -> list[str]:
    return [_READ, *_tables(result)]


_READ = (
    "The number at the last step (mean over runs); from which step on, and in how many runs, it is outside what 99 % "
    "of untrained pairs show; and how closely its distance from theirs follows displacement over the looks "
    "(Spearman's correlation). Displacement: `|W - W0| / |W0|`, mean of both layers, at the last step.\n"
)


def _tables(result: Mapping[str, Any]) -> Iterator[str]:
    rows = []
    for kind, name in KINDS.items():
        of = result[kind]
        for pair, found in of["levels"].items():
            far = float(np.mean([moved(run[pair])[-1] for run in of["runs"]]))
            shape = " - ".join(map(str, of["channels"][pair]))
            rows.append([f"{name} {pair}", shape, tables.number(far, 2), *(_cell(found[key]) for key in NUMBERS)])
    yield tables.table(["pair", "channels", "displacement", *NUMBERS], rows)


def _cell(of: Mapping[str, Any]) -> str:
    when = "never" if of["step"] is None else f"from {of['step']:g}"
    return f"{of['last']:+.3f}, {when} ({of['appeared']}/{of['runs']}), {tables.number(of['follows'], 2)}"


EXPERIMENT = Experiment(
    "along",
    "when each number appears along training, and whether it follows displacement",
    run,
    drawings=(
        Drawing(
            "along",
            "Each number of each pair along training, a line for each run; shaded: 99 % of untrained pairs.",
            drawing,
        ),
    ),
    page=page,
    own=True,
)
