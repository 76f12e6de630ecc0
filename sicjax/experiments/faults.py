"""Planted faults: given one network, is this layer as trained? What each number says, on public networks.

These rules were fixed before the first run.

* A layer is the second of a pair of successive convolutions with a shared lag and more than two channels between them;
  of a file up to six, spread evenly over its pairs. Every number is of that pair, or of the layer's kernel alone, as it
  stands in the pair.
* Faults, one layer at a time, one draw each, where the layer allows it: `permuted`, its input channels in random order;
  `transplanted`, the kernel of the same name and shape from the next other network of the family; `redrawn`, Gaussian
  with the standard deviation of its weights; `transposed`, the first two axes of taps exchanged where they are equally
  long; `flipped` along the first of several axes (along all of them no autocorrelation changes, so no ratio and no
  coupling, and in one dimension neither); `int8`, `int4`, rounded to so many bits with one symmetric scale.
* Detectors, and where a fault should move them: the mean ratio, adaptation's z, coupling, its z, and the absolute
  correlation of log energies fall; the spectral entropy of the layer's kernels (of the power of each, its taps padded
  to twice their number; their mean) rises, because noise is white; the standard deviation of its weights rises, because
  rounding adds.
* AUROC: how often a faulty layer is on that side of a healthy one, ties half; below 0.5 the direction was wrong. The
  family (the file's name up to its first underscore) is the unit: the mean over the layers of two families, then over
  all pairs of families, with the 95 % percentile interval of 2,000 resamples of the families. Healthy layers are those
  that have the fault too; one for which a detector gives no number, healthy or faulty, is left out of it and counted.
* Beside it, secondary: the same for healthy and faulty layers of one family, which is easier.
* A detector tells a fault if its whole interval is above 0.5. There are 49 such intervals (56 with alpha), and of those
  that have nothing to tell about one in forty is above 0.5 by chance.
* Weights of another checkpoint of the same run are a fault of its own, in networks that we train (`checkpoints.py`):
  public networks come without.

WeightWatcher's alpha came later. Fixed before the run with it, after a trial on the five layers of one file, one of
them redrawn, that it runs at all: WeightWatcher with its defaults on the weights of each version of a layer by
themselves, as a state dict has them; a layer counts where it gives an exponent, healthy and faulty, so convolutions in
two dimensions. Expected to rise under a fault: random matrices have no heavy tail, which is a large alpha. No order of
channels or taps changes eigenvalues, so it must be blind to `permuted`, `transposed` and `flipped`. It is in none of
the tests between detectors. No other number changes by it.

Between detectors, decided after the first run and before any of these tests: for the four faults that some number of a
pair tells, every two of mean ratio, adaptation's z, coupling's z and |energy|, 24 differences of AUROCs over the layers
for which both give a number; 10,000 resamples of the families, the same for both; p is twice the smaller share of the
resamples on either side of 0 (the real families counted among them), Holm over the 24. With six families, as of
transplants, a bootstrap is rough.

Decided after the first run: table and figure judge intervals at two digits, because the last digit of a number that a
fault cannot change may break a tie; and numbers of the layer alone are computed in float64, for the same reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from sicjax.experiments import _aurocs as aurocs
from sicjax.experiments import _tables as tables
from sicjax.experiments._detectors import DETECTORS, detect, weightwatcher
from sicjax.experiments._experiment import Chapter, Drawing, Experiment, Results
from sicjax.experiments._lab import Lab
from sicjax.experiments._planting import FAULTS, planted, where

# Faults and detectors that are held against each other.
TOLD = ("permuted", "transplanted", "redrawn", "transposed")
RIVALS = ("ratio", "adaptation z", "coupling z", "|energy|")


def run(lab: Lab):
    assert lab.weights is not None
    layers = [{**where(each), "values": detect(each)} for each in planted(lab.weights, lab.say)]
    return {
        "scores": aurocs.scores(layers, FAULTS, DETECTORS),
        "comparisons": comparisons(layers),
        "detectors": list(DETECTORS),
        "weightwatcher": weightwatcher(),
        "layers": layers,
    }, {}


def comparisons(layers: aurocs.Layers) -> dict[str, list[aurocs.Apart]]:
    """For every fault that is told by some number of a pair, which tells it better."""
    of_faults = {fault: [layer for layer in layers if fault in layer["values"]] for fault in TOLD}
    asked = [(having, fault, *two) for fault, having in of_faults.items() if having for two in combinations(RIVALS, 2)]
    found: dict[str, list[aurocs.Apart]] = {}
    for (_, fault, *_), each in zip(asked, aurocs.compared(asked, DETECTORS), strict=True):
        found.setdefault(fault, []).append(each)
    return found


def drawing(result, images):
    return aurocs.picture(result["scores"])


def chapter(results: Results) -> list[str]:
    result = results["faults"]
    return [
        RULES,
        alpha(result["weightwatcher"]),
        *aurocs.told_by(result["scores"], "family", "families"),
        BETTER,
        *_better(result["comparisons"]),
    ]


RULES = (
    "Is this layer as trained? Each fault in one layer at a time; AUROC of every number that one could look at, faulty "
    "against healthy layers of all families of networks, with the 95 % interval over families. The direction was fixed "
    "before the run: ratio, adaptation's z, coupling and |energy| fall under a fault, entropy, norm and alpha rise; "
    "below 0.5 the direction was wrong. Bold: the whole interval above 0.50. Entropy, norm and alpha are of the layer "
    "alone.\n"
)


def alpha(version: str | None) -> str:
    """Whose alpha it is, or why there is none."""
    if version is None:
        return (
            "Alpha is left out: WeightWatcher or PyTorch was not installed (`pip install 'sicjax[peers]'`, and the "
            "same command into a new folder).\n"
        )
    return f"Alpha is WeightWatcher {version}'s, with its defaults, where it gives one.\n"


BETTER = (
    "Between detectors: difference of the AUROCs of the first and the second, with the 95 % interval over families. "
    "Bold: p below 0.05 by Holm's method over all of them.\n"
)


def _better(found: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[str]:
    header = [f"{each['one']} - {each['other']}" for each in next(iter(found.values()))]
    rows = [[fault, *map(aurocs.told, of_fault)] for fault, of_fault in found.items()]
    yield tables.table(["fault", *header], rows)


EXPERIMENT = Experiment(
    "faults",
    "planted faults: is this layer as trained?",
    run,
    drawings=(
        Drawing(
            "faults",
            "How well each number tells a planted fault: AUROC with the 95 % interval over families of networks.",
            drawing,
        ),
    ),
    page=Chapter("Planted faults", chapter),
    weights="needed",
    own=True,
)
