"""Networks of every seed, level by level, and their curves for a figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sicjax import figures
from sicjax.experiments._lab import Lab, config_of
from sicjax.experiments._measured import Levels, histogram_of, measured_run


def measured_seeds(lab: Lab, folders: Sequence[Path]) -> dict[str, Any]:
    """For every network of these runs its levels, a list for each run; and the runs' configs."""
    found = [measured_run(lab, folder) for folder in folders]
    networks = {name: [each[name] for each in found] for name in found[0]}
    return {"networks": networks, "configs": [config_of(folder) for folder in folders]}


def curves(named: Mapping[str, Sequence[Levels]]) -> list[list[figures.Curve]]:
    """For each level from the finest a curve of every network, labelled; seeds are kept apart within a curve."""
    count = max(len(levels) for seeds in named.values() for levels in seeds)
    return [
        [_curve(label, [levels[k] for levels in seeds]) for label, seeds in named.items() if k < len(seeds[0])]
        for k in range(count)
    ]


def _curve(label: str, levels: Sequence[Mapping[str, Any]]) -> figures.Curve:
    return figures.Curve(
        label=label,
        ratios=[histogram_of(level["histogram"]) for level in levels],
        shuffled=[histogram_of(level["null_histogram"]) for level in levels],
        mean=[level["mean"] for level in levels],
        marginal=[level["marginal"] for level in levels],
        adaptation=[level["adaptation"] for level in levels],
    )
