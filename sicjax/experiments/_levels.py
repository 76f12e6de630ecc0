"""Networks of every seed, level by level, and their curves for a figure."""

from __future__ import annotations

import math
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


def levels_of(result: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Every level of every network and seed in a result."""
    return [level for seeds in result["networks"].values() for levels in seeds for level in levels]


def curves(named: Mapping[str, Sequence[Levels]]) -> dict[str, list[list[figures.Level]]]:
    """Of every network its runs as a figure of distributions takes them."""
    return {label: [[_level(level) for level in levels] for levels in seeds] for label, seeds in named.items()}


def _level(level: Mapping[str, Any]) -> figures.Level:
    return figures.Level(
        name=level["name"],
        ratios=histogram_of(level["histogram"]),
        shuffled=histogram_of(level["null_histogram"]),
        # Kept as None where no pathway has a ratio.
        **{key: math.nan if level[key] is None else level[key] for key in ("marginal", "adaptation")},
    )
