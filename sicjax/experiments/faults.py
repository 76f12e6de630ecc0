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
* A detector tells a fault if its whole interval is above 0.5. There are 49 such intervals, and of those that have
  nothing to tell about one in forty is above 0.5 by chance.
* Left out: WeightWatcher's alpha (another package, none of the optional ones), and weights of another checkpoint, which
  public networks come without.

Between detectors, decided after the first run and before any of these tests: for the four faults that some number of a
pair tells, every two of mean ratio, adaptation's z, coupling's z and |energy|, 24 differences of AUROCs over the layers
for which both give a number; 10,000 resamples of the families, the same for both; p is twice the smaller share of the
resamples on either side of 0 (the real families counted among them), Holm over the 24. With six families, as of
transplants, a bootstrap is rough.

Decided after the first run: table and figure judge intervals at two digits, because the last digit of a number that a
fault cannot change may break a tie; and numbers of the layer alone are computed in float64, for the same reason.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import jax
import numpy as np
from jaxtyping import Float
from scipy.special import xlogy

from sicjax import figures, networks, sdr
from sicjax.experiments import _tables as tables
from sicjax.experiments._experiment import Chapter, Drawing, Experiment, Results
from sicjax.experiments._lab import Lab
from sicjax.experiments._public import described
from sicjax.experiments._ranks import holm

# What each fault is called, in the order of the table.
FAULTS = ("permuted", "transplanted", "redrawn", "transposed", "flipped", "int8", "int4")
# Every detector with the direction in which a fault should move it.
DETECTORS = {
    "ratio": -1,
    "adaptation z": -1,
    "coupling": -1,
    "coupling z": -1,
    "|energy|": -1,
    "entropy": 1,
    "norm": 1,
}
SAMPLED = 6
RESAMPLES = 2000
# Faults and detectors that are held against each other.
TOLD = ("permuted", "transplanted", "redrawn", "transposed")
RIVALS = ("ratio", "adaptation z", "coupling z", "|energy|")
COMPARING = 10_000

Kernel: TypeAlias = Float[np.ndarray, "*k m o"]


class Score(NamedTuple):
    """How well a detector tells a fault.

    Attributes:
        auroc: of all families together.
        low: lower end of its interval; None with fewer than two families.
        high: upper end.
        within: the same of layers of one family, mean over families.
        families: how many.
        layers: how many.
        undefined: layers left out because the detector gives no number.
    """

    auroc: float
    low: float | None
    high: float | None
    within: float
    families: int
    layers: int
    undefined: int


class Apart(NamedTuple):
    """How much better one detector tells a fault than another.

    Attributes:
        one: the first.
        other: the second.
        difference: of their AUROCs.
        low: lower end of its interval; None with fewer than two families.
        high: upper end.
        p: two-sided, by the bootstrap over families.
        corrected: by Holm's method.
    """

    one: str
    other: str
    difference: float
    low: float | None
    high: float | None
    p: float
    corrected: float


class Planted(NamedTuple):
    """A pair of a public network, and its second layer's kernel with every fault that it can have, and with none."""

    file: str
    name: str
    pair: sdr.Cascade
    versions: dict[str, Kernel]


def run(lab: Lab):
    assert lab.weights is not None
    layers = []
    for each in planted(lab.weights, lab.say):
        values = {version: detect(each.pair, changed) for version, changed in each.versions.items()}
        layers.append({**where(each), "values": values})
    return {
        "scores": scores(layers),
        "comparisons": comparisons(layers),
        "detectors": list(DETECTORS),
        "layers": layers,
    }, {}


def planted(weights: Path, say: Callable[[str], Any]) -> Iterator[Planted]:
    """Every layer that faults are planted in; the same draws each time."""
    found = {file.stem: pairs_of(file) for file, _ in described(weights)}
    for file, pairs in found.items():
        say(f"planting faults in {file}")
        for name in spread(list(pairs)):
            kernel = np.asarray(pairs[name].second)
            rng = np.random.default_rng(list(f"{file} {name}".encode()))
            versions = {"healthy": kernel, **faulty(kernel, rng, sister(found, file, name))}
            yield Planted(file, name, pairs[name], versions)


def where(each: Planted) -> dict[str, Any]:
    """Where a layer is from."""
    return {"family": family(each.file), "file": each.file, "pair": each.name, "shape": each.pair.shape}


def pairs_of(file: Path) -> dict[str, sdr.Cascade]:
    """The pairs of a file in which something can be seen, one for each second layer, without groups."""
    found, seen = {}, set()
    for pair in networks.from_file(file).pairs:
        cascade, layer = pair.cascade, (pair.network, pair.second.path)
        if not cascade.structural and cascade.shape[1] > 2 and layer not in seen:
            seen.add(layer)
            first, second = cascade.aligned()
            found[pair.name] = sdr.Cascade(
                first, second, cascade.down, cascade.up, cascade.first_dilation, cascade.second_dilation
            )
    return found


def spread(names: list[str]) -> list[str]:
    """So many of the names, from the first to the last at even distances."""
    if not names:
        return []
    return [names[k] for k in np.unique(np.linspace(0, len(names) - 1, SAMPLED).round().astype(int))]


def family(file: str) -> str:
    return file.partition("_")[0]


def sister(found: Mapping[str, Mapping[str, sdr.Cascade]], file: str, name: str) -> Kernel | None:
    """The layer of this name and shape in the next other network of the family, in a circle; None if there is none."""
    files = [other for other in found if family(other) == family(file)]
    here = files.index(file)
    own = np.asarray(found[file][name].second)
    for other in files[here + 1 :] + files[:here]:
        if name in found[other]:
            kernel = np.asarray(found[other][name].second)
            if kernel.shape == own.shape and not np.array_equal(kernel, own):
                return kernel
    return None


def faulty(kernel: Kernel, rng: np.random.Generator, sister: Kernel | None) -> dict[str, Kernel]:
    """The kernel with every fault that it can have."""
    found = {"permuted": rng.permutation(kernel, axis=-2), "redrawn": rng.normal(0, kernel.std(), kernel.shape)}
    if sister is not None:
        found["transplanted"] = sister
    if kernel.ndim > 3:
        found["flipped"] = np.flip(kernel, 0)
        if kernel.shape[0] == kernel.shape[1]:
            found["transposed"] = kernel.swapaxes(0, 1)
    found |= {"int8": quantised(kernel, 8), "int4": quantised(kernel, 4)}
    return {fault: found[fault] for fault in FAULTS if fault in found}


def quantised(kernel: Kernel, bits: int) -> Kernel:
    """Rounded to whole multiples of one step, the largest weight being the largest multiple."""
    step = np.abs(kernel).max() / (2 ** (bits - 1) - 1)
    return np.rint(kernel / step) * step if step > 0 else kernel


def detect(pair: sdr.Cascade, kernel: Kernel) -> list[float | None]:
    """The detectors, in their order, on a pair whose second layer has this kernel; None where one is undefined."""
    first, second = _filled(np.asarray(pair.first)), _filled(kernel)
    numbers = _of_pair(sdr.Cascade(first, second, pair.down, pair.up, pair.first_dilation, pair.second_dilation))
    values = {**numbers, "entropy": entropy(kernel), "norm": kernel.std(dtype=np.float64)}
    return [float(f"{values[name]:.6g}") if np.isfinite(values[name]) else None for name in DETECTORS]


def _filled(kernel: Kernel) -> Float[np.ndarray, "*k m2 o2"]:
    """With empty kernels, which count nowhere, up to a power of 4: compiling takes longer than computing."""
    fill = [(0, max(16, 4 ** math.ceil(math.log(n, 4))) - n) for n in kernel.shape[-2:]]
    return np.pad(kernel, [(0, 0)] * (kernel.ndim - 2) + fill)


@jax.jit
def _of_pair(pair: sdr.Cascade):
    parts, coupling = sdr.decompose(pair), sdr.coupling(pair)
    return {
        "ratio": 1 + parts.total,
        "adaptation z": parts.z,
        "coupling": coupling.coupling,
        "coupling z": coupling.z,
        "|energy|": abs(coupling.energy),
    }


def entropy(kernel: Kernel) -> float:
    """Entropy of a kernel's power over the frequencies, at most 1, as the mean over the kernels with any energy."""
    spatial = tuple(range(kernel.ndim - 2))
    points = [2 * size for size in kernel.shape[:-2]]
    power = np.abs(np.fft.fftn(kernel.astype(np.float64), points, axes=spatial)) ** 2
    total = power.sum(spatial)
    share = power / np.where(total > 0, total, 1)
    of_each = -xlogy(share, share).sum(spatial) / math.log(math.prod(points))
    return float(of_each[total > 0].mean()) if (total > 0).any() else math.nan


def scores(layers: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Score]]:
    """For every fault and detector how well the one is told by the other."""
    found = {}
    for fault in FAULTS:
        having = [layer for layer in layers if fault in layer["values"]]
        if having:
            found[fault] = {detector: _score(having, fault, detector) for detector in DETECTORS}
    return found


def _score(layers: Sequence[Mapping[str, Any]], fault: str, detector: str) -> Score:
    between, count = families(layers, fault, list(DETECTORS).index(detector), DETECTORS[detector])
    if not count:
        return Score(math.nan, None, None, math.nan, 0, 0, len(layers))
    low, high = interval(between) if len(between) > 1 else (None, None)
    return Score(
        auroc=float(between.mean()),
        low=low,
        high=high,
        within=float(between.diagonal().mean()),
        families=len(between),
        layers=count,
        undefined=len(layers) - count,
    )


def families(
    layers: Sequence[Mapping[str, Any]], fault: str, place: int, sign: int, known: Sequence[int] = ()
) -> tuple[Float[np.ndarray, "f f"], int]:
    """AUROC of a detector for healthy layers of one family against faulty ones of another, and how many layers count.

    Arguments:
        layers: with their values.
        fault: that they have.
        place: of the detector among the values.
        sign: of the direction in which the fault should move it.
        known: places of others that must have given a number too.
    """
    by_family: dict[str, list[tuple[float, float]]] = {}
    for layer in layers:
        values = [layer["values"][version] for version in ("healthy", fault)]
        if all(each[k] is not None for each in values for k in (place, *known)):
            by_family.setdefault(layer["family"], []).append((sign * values[0][place], sign * values[1][place]))
    pairs = [np.array(values) for values in by_family.values()]
    between = np.array([[auroc(one[:, 0], other[:, 1]) for other in pairs] for one in pairs])
    return between.reshape(len(pairs), len(pairs)), sum(map(len, pairs))


def comparisons(layers: Sequence[Mapping[str, Any]]) -> dict[str, list[Apart]]:
    """For every fault that is told by some number of a pair, which tells it better."""
    of_faults = {fault: [layer for layer in layers if fault in layer["values"]] for fault in TOLD}
    asked = [(having, fault, *two) for fault, having in of_faults.items() if having for two in combinations(RIVALS, 2)]
    found: dict[str, list[Apart]] = {}
    for (_, fault, *_), each in zip(asked, compared(asked, DETECTORS), strict=True):
        found.setdefault(fault, []).append(each)
    return found


def compared(
    asked: Sequence[tuple[Sequence[Mapping[str, Any]], str, str, str]], detectors: Mapping[str, int]
) -> list[Apart]:
    """The difference of two detectors' AUROCs for a fault of layers, for each of several; corrected all together."""
    places, found = list(detectors), []
    for layers, fault, *two in asked:
        at = [places.index(detector) for detector in two]
        one, other = (
            families(layers, fault, place, detectors[detector], at)[0] for place, detector in zip(at, two, strict=True)
        )
        found.append((*two, *_apart(one - other)))
    corrected = holm([p for *_, p in found])
    return [Apart._make((*each, p)) for each, p in zip(found, corrected, strict=True)]


def _apart(between: Float[np.ndarray, "f f"]) -> tuple[float, float | None, float | None, float]:
    """The mean of all entries, its interval and p, over resamples of the families."""
    if len(between) < 2:
        return float(between.mean()) if len(between) else math.nan, None, None, 1.0
    drawn = _resampled(between, COMPARING)
    low, high = np.quantile(drawn, [0.025, 0.975])
    # What differs by rounding alone is no difference.
    below, above = (1 + np.count_nonzero(side * drawn >= -1e-12) for side in (-1, 1))
    p = min(1.0, 2 * min(below, above) / (COMPARING + 1))
    return float(between.mean()), float(low), float(high), p


def auroc(healthy: Float[np.ndarray, " n"], faulty: Float[np.ndarray, " k"]) -> float:
    """How often a faulty value is above a healthy one, ties counting half.

    >>> auroc(np.array([1.0, 2.0]), np.array([2.0, 3.0]))
    0.875
    """
    above = faulty[None] > healthy[:, None]
    equal = faulty[None] == healthy[:, None]
    return float((above + 0.5 * equal).mean())


def interval(between: Float[np.ndarray, "f f"]) -> tuple[float, float]:
    """Where the mean of all entries lies in 95 % of the resamples of the families."""
    low, high = np.quantile(_resampled(between, RESAMPLES), [0.025, 0.975])
    return float(low), float(high)


def _resampled(between: Float[np.ndarray, "f f"], times: int) -> Float[np.ndarray, " times"]:
    """The mean of all entries in resamples of the families."""
    n = len(between)
    drawn = np.random.default_rng(0).multinomial(n, [1 / n] * n, times) / n
    return np.einsum("rf,fg,rg->r", drawn, between, drawn, optimize=True)


def drawing(result, images):
    return figures.intervals(
        {
            fault: {name: _two_digits(score) for name, score in of_fault.items()}
            for fault, of_fault in result["scores"].items()
        },
        label="AUROC",
        reference=0.5,
    )


def _two_digits(score: Mapping[str, Any]) -> tuple[float | None, float | None, float | None]:
    auroc, low, high = (None if score[key] is None else round(score[key], 2) for key in ("auroc", "low", "high"))
    return auroc, low, high


def chapter(results: Results) -> list[str]:
    result = results["faults"]
    return [RULES, *_tables(result["scores"]), BETTER, *_better(result["comparisons"])]


RULES = (
    "Is this layer as trained? Each fault in one layer at a time; AUROC of every number that one could look at, faulty "
    "against healthy layers of all families of networks, with the 95 % interval over families. The direction was fixed "
    "before the run: ratio, adaptation's z, coupling and |energy| fall under a fault, entropy and norm rise; below 0.5 "
    "the direction was wrong. Bold: the whole interval above 0.50. Entropy and norm are of the layer alone.\n"
)


def _tables(scores: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> Iterator[str]:
    sizes = lambda of_fault: [max(score[key] for score in of_fault.values()) for key in ("families", "layers")]
    rows = [
        [fault, "{} / {}".format(*sizes(of_fault)), *(_cell(score) for score in of_fault.values())]
        for fault, of_fault in scores.items()
    ]
    yield tables.table(["fault", "families / layers", *DETECTORS], rows)
    yield "Secondary: healthy and faulty layers of one family only.\n"
    rows = [[fault, *(f"{score['within']:.2f}" for score in each.values())] for fault, each in scores.items()]
    yield tables.table(["fault", *DETECTORS], rows)


BETTER = (
    "Between detectors: difference of the AUROCs of the first and the second, with the 95 % interval over families. "
    "Bold: p below 0.05 by Holm's method over all of them.\n"
)


def _better(found: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[str]:
    header = [f"{each['one']} - {each['other']}" for each in next(iter(found.values()))]
    rows = [[fault, *map(told, of_fault)] for fault, of_fault in found.items()]
    yield tables.table(["fault", *header], rows)


def told(apart: Mapping[str, Any]) -> str:
    """A difference of AUROCs, bold where it is none of chance."""
    if apart["low"] is None:
        return tables.number(apart["difference"], 2)
    words = f"{apart['difference']:+.2f} [{apart['low']:+.2f}, {apart['high']:+.2f}]"
    return f"**{words}**" if apart["corrected"] < 0.05 else words


def _cell(score: Mapping[str, Any]) -> str:
    if score["auroc"] is None or score["low"] is None:
        return tables.number(score["auroc"], 2)
    told = f"{score['auroc']:.2f} [{score['low']:.2f}, {score['high']:.2f}]"
    return f"**{told}**" if round(score["low"], 2) > 0.5 else told


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
