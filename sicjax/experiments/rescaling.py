"""Planted faults in networks written down otherwise: what a rescaling that changes no function does to the energies.

These rules were fixed before the first run.

In `faults.py` the correlation of energies told permuted channels and foreign layers best. Ratios, adaptation and
coupling do not depend on the scale of a kernel; energies do, and the scale of a channel is in part a choice of how a
network is written down.

* Layers, and the faults `permuted` and `transplanted`, as there, with the same draws. The network is written down in
  another way first, then the fault happens to it; a transplanted kernel is of a sister written down in this way too,
  by factors of its own.
* Ways, with factors `exp(N(0, s^2))` of each channel, `s` 0.5 and 1 (energies go with their squares):
  `inverse`, the first kernel times the factor and the second over it, which changes no function where a ReLU without a
  norm lies between; `one side`, the first kernel alone, which changes none where a batch norm follows it; `two sides`,
  the second kernel by a factor of its own too, which changes none where that batch norm has a scale of its own; and
  `normalised`, every channel's energy made 1 on either side, which anyone can do to any network.
* Detectors: |energy| as in `faults.py`, and the absolute rank correlation (Spearman's) of the same log energies. Where
  they are undefined, as normalised ones are, they tell nothing, which is an AUROC of 0.50. Beside them, from the
  networks as they are, mean ratio, adaptation's z, coupling and its z: no factor changes them.
* AUROC and intervals as in `faults.py`. Tests: adaptation's z and coupling's z against |energy|, for each way and
  fault, paired, Holm over all of them; as there.
* Expected: `inverse` makes energies opposed in healthy networks, so |energy| may tell *more*; the other ways wash it
  out, the larger `s` the more.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from sicjax import figures
from sicjax.experiments import _aurocs as aurocs
from sicjax.experiments import _tables as tables
from sicjax.experiments import faults
from sicjax.experiments._detectors import DETECTORS
from sicjax.experiments._experiment import Chapter, Drawing, Experiment, Results, carry_out
from sicjax.experiments._lab import Lab
from sicjax.experiments._planting import planted, where
from sicjax.experiments._ranks import spearman

FAULTS = ("permuted", "transplanted")
VERSIONS = ("healthy", *FAULTS)
# Of the log of each factor its standard deviation, and how it comes back on the second side: over it, not, or anew.
WAYS = {
    "as it is": (0.0, "not"),
    "inverse, 0.5": (0.5, "over"),
    "inverse, 1": (1.0, "over"),
    "one side, 0.5": (0.5, "not"),
    "one side, 1": (1.0, "not"),
    "two sides, 0.5": (0.5, "anew"),
    "two sides, 1": (1.0, "anew"),
    "normalised": (0.0, "normalised"),
}
SCALELESS = ("ratio", "adaptation z", "coupling", "coupling z")
PLACES = [list(DETECTORS).index(name) for name in SCALELESS]
ENERGIES = ("|energy|", "|rank of energy|")
# Logs of energies that differ by this little are of weights that were normalised and rounded to float32.
ALIKE = 4e-6
SIGNS: dict[str, int] = dict.fromkeys((*SCALELESS, *ENERGIES), -1)
RIVALS = ("adaptation z", "coupling z")

Logs = Float[np.ndarray, " m"]


def run(lab: Lab):
    assert lab.weights is not None
    carry_out(lab, faults.EXPERIMENT)
    kept = json.loads((lab.out / faults.EXPERIMENT.name / "result.json").read_text())["layers"]
    as_they_are = {(layer["file"], layer["pair"]): layer["values"] for layer in kept}
    layers = []
    for each in planted(lab.weights, lab.say):
        kernels = {version: each.versions[version] for version in VERSIONS if version in each.versions}
        first = log_energies(np.asarray(each.pair.first), -1)
        second = {version: log_energies(kernel, -2) for version, kernel in kernels.items()}
        rng = np.random.default_rng(list(f"{each.file} {each.name} rescaled".encode()))
        values = as_they_are[each.file, each.name]
        layers.append(
            {
                **where(each),
                "scaleless": {version: [values[version][k] for k in PLACES] for version in kernels},
                "ways": {way: correlations(first, second, *how, rng) for way, how in WAYS.items()},
            }
        )
    return {"scores": scores(layers), "comparisons": comparisons(layers), "layers": layers}, {}


def log_energies(kernel: Float[np.ndarray, "*k x y"], channels: int) -> Logs:
    """Log of the energy of each channel's kernels together; -inf without any."""
    others = tuple(axis for axis in range(kernel.ndim) if axis != kernel.ndim + channels)
    with np.errstate(divide="ignore"):
        return np.log(np.square(kernel.astype(np.float64)).sum(others))


def correlations(
    first: Logs, second: Mapping[str, Logs], s: float, back: str, rng: np.random.Generator
) -> dict[str, list[float | None]]:
    """Both correlations in a network written down in a way, for every version of the second layer."""
    u, v, of_sister = 2 * s * rng.standard_normal((3, len(first)))
    on_second = {"over": -u, "not": np.zeros_like(u), "anew": v, "normalised": np.zeros_like(u)}[back]
    # A sister has factors of its own.
    on_sister = on_second if back in ("not", "normalised") else of_sister
    found = {}
    for version, energies in second.items():
        if version == "permuted":
            healthy = second["healthy"]
            order = np.argsort(healthy, kind="stable")[np.argsort(np.argsort(energies, kind="stable"), kind="stable")]
            there = energies + on_second[order]
        else:
            there = energies + (on_sister if version == "transplanted" else on_second)
        here = first + u
        if back == "normalised":
            here, there = np.zeros_like(here), np.zeros_like(there)
        found[version] = _both(here, there)
    return found


def _both(x: Logs, y: Logs) -> list[float | None]:
    """Absolute correlation, and that of the ranks, over the channels with energy on either side."""
    known = np.isfinite(x) & np.isfinite(y)
    x, y = x[known], y[known]
    if len(x) < 3 or min(x.std(), y.std()) <= ALIKE:
        return [None, None]
    return [
        float(f"{abs(value):.6g}")
        for value in (np.corrcoef(x, y)[0, 1], spearman(list(map(float, x)), list(map(float, y))))
    ]


def written(layers: Sequence[Mapping[str, Any]], fault: str, way: str) -> list[dict[str, Any]]:
    """The layers that have the fault with all their values, in networks written down in a way."""
    return [
        {
            "family": layer["family"],
            "values": {
                version: [*layer["scaleless"][version], *layer["ways"][way][version]] for version in ("healthy", fault)
            },
        }
        for layer in layers
        if fault in layer["scaleless"]
    ]


def scores(layers: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, dict[str, Any]]]:
    """AUROCs by fault, by what is looked at and, of energies, by the way: with intervals over families."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for fault in FAULTS:
        for detector in SIGNS:
            ways = WAYS if detector in ENERGIES else ["as it is"]
            found.setdefault(fault, {})[detector] = {
                way: _score(written(layers, fault, way), fault, detector) for way in ways
            }
    return found


def _score(layers: Sequence[Mapping[str, Any]], fault: str, detector: str) -> dict[str, Any]:
    found = aurocs.score(layers, fault, detector, SIGNS)
    if not found.layers:
        return {"auroc": 0.5, "low": None, "high": None, "layers": 0}
    return {key: getattr(found, key) for key in ("auroc", "low", "high", "layers")}


def comparisons(layers: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, list[aurocs.Apart]]]:
    """Adaptation's and coupling's z against |energy|, by fault and way; where energies are undefined there is none."""
    ways = {(fault, way): written(layers, fault, way) for fault in FAULTS for way in WAYS if way != "normalised"}
    asked = [(of_way, *names, rival) for names, of_way in ways.items() for rival in RIVALS if of_way]
    tests = aurocs.compared([(of_way, fault, rival, "|energy|") for of_way, fault, _, rival in asked], SIGNS)
    found: dict[str, dict[str, list[aurocs.Apart]]] = {}
    for (_, fault, way, _), each in zip(asked, tests, strict=True):
        found.setdefault(fault, {}).setdefault(way, []).append(each)
    return found


def drawing(result, images):
    return figures.intervals(
        {fault: _rows(of_fault) for fault, of_fault in result["scores"].items()}, label="AUROC", reference=0.5
    )


def _rows(of_fault: Mapping[str, Any]) -> dict[str, tuple[float | None, float | None, float | None]]:
    found = {}
    for detector, of_ways in of_fault.items():
        for way, score in of_ways.items():
            name = detector if detector in SCALELESS else f"{detector}, {way}"
            found[name] = aurocs.drawn(score)
    return found


def chapter(results: Results) -> list[str]:
    return [ABOUT, *_tables(results["rescaling"])]


ABOUT = (
    "The same faults in networks written down otherwise, by factors of each channel that a ReLU or a batch norm takes "
    "out again. AUROC with the 95 % interval over families.\n"
)


def _tables(result: Mapping[str, Any]) -> Iterator[str]:
    found = result["scores"]
    rows = [[detector, *(aurocs.cell(found[fault][detector]["as it is"]) for fault in found)] for detector in SCALELESS]
    for detector in ENERGIES:
        rows += [[f"{detector}, {way}", *(aurocs.cell(found[fault][detector][way]) for fault in found)] for way in WAYS]
    yield tables.table(["", *found], rows)
    yield (
        "Difference of the AUROCs to that of |energy|, with the interval; bold: p below 0.05 by Holm's method over all "
        "of them.\n"
    )
    found = result["comparisons"]
    header = [f"{fault}: {rival} - energy" for fault in found for rival in RIVALS]
    rows = [
        [way, *(aurocs.told(each) for of_fault in found.values() for each in of_fault[way])]
        for way in next(iter(found.values()))
    ]
    yield tables.table(["energies", *header], rows)


EXPERIMENT = Experiment(
    "rescaling",
    "planted faults in networks written down otherwise: what is left of the energies",
    run,
    drawings=(
        Drawing(
            "rescaling",
            "How well each number tells a fault in networks written down otherwise: AUROC with the 95 % interval.",
            drawing,
        ),
    ),
    page=Chapter("Planted faults, written down otherwise", chapter),
    weights="needed",
    own=True,
)
