"""The ratios of a run or weights file, level by level, as plain values that are kept."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from sicjax import measure, networks, runs, sdr
from sicjax.experiments._lab import Lab
from sicjax.experiments._result import write_json
from sicjax.experiments._statistics import as_json

# What is kept of a histogram: bins of 0.01 up to 4. Numbers come from the fine one before.
EDGES = np.linspace(0, 4, 401)
LOW, HIGH = 0.9, 1.1

Levels = list[dict[str, Any]]


def measured_run(lab: Lab, folder: Path) -> dict[str, Levels]:
    """The networks of a run, each with its levels from the finest; computed once for the latest checkpoint.

    Of a GAN the weights as trained are measured, as the paper did, not their average over the steps.
    """
    step = runs.checkpoints(folder)[-1]
    name = "-".join(folder.relative_to(lab.out / "runs").parts)
    kept = lab.out / "measured" / f"{name}-{step}.json"
    if not kept.exists():
        lab.say(f"measuring {name}")
        write_json(kept, {key: found for key, found in measured_file(folder).items() if key != "average"})
    return json.loads(kept.read_text())


def measured_file(path: Path | networks.Network, step: int | None = None) -> dict[str, Levels]:
    """The networks of a weights file, of a run at a step, or in memory, by name: levels from the finest."""
    (result,) = measure.measure([path], step=step)
    rows = {row.name: row for row in result.rows}
    found: dict[str, Levels] = {pair.network: [] for pair in result.network.pairs}
    drawn = next(iter(measure.by_level([result]).values()), [])
    for name, (_, levels) in zip(found, drawn, strict=True):
        found[name] = [as_json(_level(rows[level.name], level)) for level in levels]
    return found


def _level(row: measure.Row, level) -> dict[str, Any]:
    found = row._asdict()
    for key, histogram in (("", level.ratios), ("null_", level.shuffled)):
        found[f"{key}near_one"] = histogram.share(LOW, HIGH)
        found[f"{key}below"] = histogram.share(histogram.edges[0], LOW) + histogram.below / max(histogram.defined, 1)
        found[f"{key}above"] = 1 - found[f"{key}below"] - found[f"{key}near_one"]
        found[f"{key}median"] = histogram.quantile(0.5)
        found[f"{key}iqr"] = histogram.quantile(0.75) - histogram.quantile(0.25)
        found[f"{key}mode"] = mode(histogram)
        found[f"{key}histogram"] = _coarse(histogram)
    return found


def mode(histogram: sdr.Histogram) -> float:
    """Where the density of the ratios is highest, smoothed by a Gaussian of Silverman's width.

    >>> mode(sdr.Histogram(np.array([0, 1, 9, 1]), np.linspace(0.8, 1.2, 5), 0, 0, 0))
    1.05
    """
    counts, edges = histogram.counts, histogram.edges
    places, total = (edges[1:] + edges[:-1]) / 2, counts.sum()
    if not total:
        return float("nan")
    mean = (counts * places).sum() / total
    spread = np.sqrt((counts * (places - mean) ** 2).sum() / total)
    quartiles = histogram.quantile(0.75) - histogram.quantile(0.25)
    width = max(0.9 * min(spread, quartiles / 1.34) * total**-0.2, edges[1] - edges[0])
    offsets = np.arange(-(len(places) - 1), len(places)) * (edges[1] - edges[0])
    # The kernel reaches over all bins from each: what both cover whole is the bins.
    smooth = np.convolve(np.exp(-0.5 * (offsets / width) ** 2), counts, mode="valid")
    return round(float(places[int(np.argmax(smooth))]), 4)


def _coarse(histogram: sdr.Histogram) -> dict[str, Any]:
    """Counts between `EDGES`, the rest above; the fine edges are a division of them, or go beyond."""
    place = np.searchsorted(EDGES, (histogram.edges[1:] + histogram.edges[:-1]) / 2) - 1
    inside = place < len(EDGES) - 1
    counts = np.bincount(place[inside], histogram.counts[inside], minlength=len(EDGES) - 1).astype(int)
    last = int(np.max(np.nonzero(counts)[0], initial=-1)) + 1
    return {
        "counts": counts[:last],
        "above": histogram.above + histogram.counts[~inside].sum(),
        "undefined": histogram.undefined,
    }


def histogram_of(kept: Mapping[str, Any]) -> sdr.Histogram:
    """A histogram from what is kept of it."""
    counts = np.zeros(len(EDGES) - 1, int)
    counts[: len(kept["counts"])] = kept["counts"]
    return sdr.Histogram(counts, EDGES, 0, kept["above"], kept["undefined"])
