"""How well detectors tell faults: AUROC between families of networks, with intervals and tests over the families.

A layer is a mapping with its `family`, the unit of everything here, and `values`: of each of its versions, `healthy` or
called like a fault, what every detector says, None where one says nothing. `detectors` names them in their order, each
with the direction, 1 or -1, in which a fault should move it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
from jaxtyping import Float

from sicjax import figures
from sicjax.experiments import _tables as tables
from sicjax.experiments._ranks import holm

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RESAMPLES = 2000
COMPARING = 10_000

Layers: TypeAlias = Sequence[Mapping[str, Any]]
# Of every fault and detector its score, as a result has it.
Found: TypeAlias = Mapping[str, Mapping[str, Mapping[str, Any]]]


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


def scores(layers: Layers, faults: Iterable[str], detectors: Mapping[str, int]) -> dict[str, dict[str, Score]]:
    """For every fault that some layer has, and every detector, how well the one is told by the other."""
    found = {}
    for fault in faults:
        having = [layer for layer in layers if fault in layer["values"]]
        if having:
            found[fault] = {detector: score(having, fault, detector, detectors) for detector in detectors}
    return found


def score(layers: Layers, fault: str, detector: str, detectors: Mapping[str, int]) -> Score:
    """How well a detector tells a fault, over the layers with both."""
    between, count = families(layers, fault, detector, detectors)
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
    layers: Layers, fault: str, detector: str, detectors: Mapping[str, int], known: Iterable[str] = ()
) -> tuple[Float[np.ndarray, "f f"], int]:
    """AUROC of a detector for healthy layers of one family against faulty ones of another, and how many layers count.

    Arguments:
        layers: that have the fault.
        fault: to be told.
        detector: that is looked at.
        detectors: all, with their directions.
        known: others that must have given a number too.
    """
    place, sign, needed = (order := list(detectors)).index(detector), detectors[detector], [detector, *known]
    by_family: dict[str, list[tuple[float, float]]] = {}
    for layer in layers:
        values = [layer["values"][version] for version in ("healthy", fault)]
        if all(each[order.index(name)] is not None for each in values for name in needed):
            by_family.setdefault(layer["family"], []).append((sign * values[0][place], sign * values[1][place]))
    pairs = [np.array(values) for values in by_family.values()]
    between = np.array([[auroc(one[:, 0], other[:, 1]) for other in pairs] for one in pairs])
    return between.reshape(len(pairs), len(pairs)), sum(map(len, pairs))


def compared(asked: Sequence[tuple[Layers, str, str, str]], detectors: Mapping[str, int]) -> list[Apart]:
    """The difference of two detectors' AUROCs for a fault of layers, for each of several; corrected all together."""
    found = []
    for layers, fault, *two in asked:
        one, other = (families(layers, fault, detector, detectors, two)[0] for detector in two)
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


def counted(found: Found) -> list[str]:
    """The detectors that give a number for some fault."""
    return [name for name in next(iter(found.values())) if any(of_fault[name]["layers"] for of_fault in found.values())]


def picture(found: Found) -> Figure:
    """A panel for every fault, in it every detector with its interval."""
    detectors = counted(found)
    return figures.intervals(
        {fault: {name: drawn(of_fault[name]) for name in detectors} for fault, of_fault in found.items()},
        label="AUROC",
        reference=0.5,
    )


def told_by(found: Found, unit: str, units: str) -> Iterator[str]:
    """Every fault and detector with its AUROC and interval, and with the AUROC of layers of one unit."""
    detectors = counted(found)
    sizes = lambda of_fault: [max(of_fault[name][key] for name in detectors) for key in ("families", "layers")]
    rows = [
        [fault, "{} / {}".format(*sizes(of_fault)), *(cell(of_fault[name]) for name in detectors)]
        for fault, of_fault in found.items()
    ]
    yield tables.table(["fault", f"{units} / layers", *detectors], rows)
    yield f"Secondary: healthy and faulty layers of one {unit} only.\n"
    rows = [
        [fault, *(tables.number(of_fault[name]["within"], 2) for name in detectors)]
        for fault, of_fault in found.items()
    ]
    yield tables.table(["fault", *detectors], rows)


def cell(score: Mapping[str, Any]) -> str:
    """An AUROC with its interval, bold where all of it is above 0.50."""
    if score["auroc"] is None or score["low"] is None:
        return tables.number(score["auroc"], 2)
    words = f"{score['auroc']:.2f} [{score['low']:.2f}, {score['high']:.2f}]"
    return f"**{words}**" if round(score["low"], 2) > 0.5 else words


def told(apart: Mapping[str, Any]) -> str:
    """A difference of AUROCs, bold where it is none of chance."""
    if apart["low"] is None:
        return tables.number(apart["difference"], 2)
    words = f"{apart['difference']:+.2f} [{apart['low']:+.2f}, {apart['high']:+.2f}]"
    return f"**{words}**" if apart["corrected"] < 0.05 else words


def drawn(score: Mapping[str, Any]) -> tuple[float | None, float | None, float | None]:
    """An AUROC with the ends of its interval, as a figure takes them: at two digits, like the tables."""
    auroc, low, high = (None if score[key] is None else round(score[key], 2) for key in ("auroc", "low", "high"))
    return auroc, low, high
