"""Planted faults in our own runs: is a layer from another checkpoint of the same run found?

These rules were fixed before the first run.

* Runs: for every seed of the preset one VAE on the largest of its amounts of images, and one GAN, as in `_looks.py` and
  so shared with `along.py`. They are looked at after their last step; of a GAN the weights as trained.
* A layer is the second of a pair, as in `faults.py`, of either network of a run; all pairs of a run count.
* Faults, one layer at a time: `half`, `eighth` and `first`, its kernel of the same run after half and an eighth of the
  steps, and before the first. Beside them for comparison, drawn as in `faults.py`: `permuted`; `transplanted`, the
  kernel of the same layer at the last step of the run of the next seed, in a circle; `redrawn`.
* Detectors, their directions, AUROC and intervals as in `faults.py`, but the run is the unit in place of the family,
  VAEs and GANs together. So an interval is about other seeds of these two recipes, and says nothing of other networks.
* Secondary: the same for healthy and faulty layers of one run.
* A detector tells a fault if its whole interval is above 0.5. There are 48 such intervals (42 without alpha).
* Expected: weights grow along training, so `norm` falls where the kernel is an earlier one, and its AUROC is below 0.5
  there. Half of the steps will not be told by anything: layers that have learnt together are still near each other.
  What `first` shows must be near `redrawn`, as training begins with random weights.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from sicjax import runs
from sicjax.experiments import _aurocs as aurocs
from sicjax.experiments._detectors import DETECTORS, detect, weightwatcher
from sicjax.experiments._experiment import Drawing, Experiment
from sicjax.experiments._lab import Lab, config_of
from sicjax.experiments._looks import gan, looks, pairs_at, vae
from sicjax.experiments._planting import Kernel, Planted, faulty, ungrouped
from sicjax.experiments.faults import alpha

# How often the steps are halved for a kernel of that checkpoint.
EARLIER = {"half": 1, "eighth": 3, "first": math.inf}
FAULTS = (*EARLIER, "permuted", "transplanted", "redrawn")


def run(lab: Lab):
    preset, layers, configs = lab.preset, [], {}
    folders = {
        "VAE": [vae(lab, max(preset.amounts), seed) for seed in preset.seeds],
        "GAN": [gan(lab, seed) for seed in preset.seeds],
    }
    for kind, of_kind in folders.items():
        configs[kind] = [config_of(folder) for folder in of_kind]
        courses = [
            {step: pairs_at(folder, step) for step in wanted(runs.checkpoints(folder)[-1])} for folder in of_kind
        ]
        last = [course[max(course)] for course in courses]
        for k, course in enumerate(courses):
            lab.say(f"planting faults in the {kind} of seed {preset.seeds[k]}")
            sisters = last[(k + 1) % len(last)] if len(last) > 1 else {}
            for each in planted(f"{kind} {preset.seeds[k]}", course, sisters):
                layers.append(
                    {"family": each.file, "pair": each.name, "shape": each.pair.shape, "values": detect(each)}
                )
    return {
        "scores": aurocs.scores(layers, FAULTS, DETECTORS),
        "detectors": list(DETECTORS),
        "weightwatcher": weightwatcher(),
        "configs": configs,
        "layers": layers,
    }, {}


def wanted(steps: int) -> dict[int, str]:
    """The steps whose weights are wanted, and what a kernel of them is called: of the last, healthy.

    >>> wanted(4096)
    {4096: 'healthy', 2048: 'half', 512: 'eighth', 0: 'first'}
    """
    at = {0 if math.isinf(halved) else steps >> int(halved): fault for fault, halved in EARLIER.items()}
    return {steps: "healthy"} | {step: fault for step, fault in at.items() if step in looks(steps)}


def planted(run: str, course: Mapping[int, Mapping[str, Any]], sisters: Mapping[str, Any]) -> Iterator[Planted]:
    """Every layer of a run's last step, with its kernels of the other steps and every other fault."""
    names = wanted(max(course))
    for name, cascade in course[max(course)].items():
        if cascade.structural or cascade.shape[1] <= 2:
            continue
        kernels: dict[str, Kernel] = {
            fault: np.asarray(ungrouped(course[step][name]).second) for step, fault in names.items()
        }
        rng = np.random.default_rng(list(f"{run} {name}".encode()))
        sister = np.asarray(ungrouped(sisters[name]).second) if name in sisters else None
        others = faulty(kernels["healthy"], rng, sister)
        yield Planted(
            run, name, ungrouped(cascade), kernels | {fault: others[fault] for fault in FAULTS if fault in others}
        )


def drawing(result, images):
    return aurocs.picture(result["scores"])


def page(result) -> list[str]:
    return [_READ, alpha(result["weightwatcher"]), *aurocs.told_by(result["scores"], "run", "runs")]


_READ = (
    "One layer at a time is replaced by itself from an earlier checkpoint of its run, or has another fault. AUROC of "
    "every number, faulty against healthy layers of all runs, with the 95 % interval over runs; below 0.5 the "
    "direction was wrong. Bold: the whole interval above 0.50.\n"
)


EXPERIMENT = Experiment(
    "checkpoints",
    "planted faults: a layer of another checkpoint of the same run",
    run,
    drawings=(
        Drawing(
            "checkpoints",
            "How well each number tells a layer of another checkpoint: AUROC with the 95 % interval over runs.",
            drawing,
        ),
    ),
    page=page,
    own=True,
)
