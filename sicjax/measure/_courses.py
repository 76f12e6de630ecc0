"""The pairs of training runs against the step, from what the runs measured along the way."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from sicjax import figures, runs


def courses(folders: Mapping[str, str | Path]) -> dict[str, dict[str, figures.Course]]:
    """For each pair of layers, and each run by its name, its course.

    Arguments:
        folders: directories of training runs by what they are to be called.

    Raises:
        InputError: a run without its log.
    """
    found: dict[str, dict[str, figures.Course]] = {}
    for name, folder in folders.items():
        for line in runs.log(folder, runs.MEASURES):
            for pair, numbers in line["pairs"].items():
                course = found.setdefault(pair, {}).setdefault(name, figures.Course([], [], []))
                course.steps.append(line["step"])
                for part, values in (("marginal", course.marginal), ("adaptation", course.adaptation)):
                    values.append(math.nan if numbers[part] is None else numbers[part])
    return found
