"""Which experiments there are, in the order of the page: a line for each, and everything of it in its module."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from sicjax._errors import InputError
from sicjax.experiments._claim import Claim, Verdicts
from sicjax.experiments._experiment import Experiment, Results, registered

NAMES = (
    "illustration",
    "gan_levels",
    "vae_levels",
    "removal",
    "sweep",
    "dropout",
    "penalty",
    "along",
    "overfitting",
    "public",
    "faults",
    "rescaling",
    "checkpoints",
    "pruning",
    "ladder",
    "families",
)
EXPERIMENTS: tuple[Experiment, ...] = registered(
    *(import_module(f"sicjax.experiments.{name}").EXPERIMENT for name in NAMES)
)
# Of the paper, in its order.
FIGURES: tuple[str, ...] = tuple(
    sorted({name for e in EXPERIMENTS for name in e.figures}, key=lambda name: int(name.removeprefix("fig")))
)
CLAIMS: tuple[Claim, ...] = tuple(
    sorted((claim for e in EXPERIMENTS for claim in e.claims), key=lambda claim: int(claim.name.removeprefix("C")))
)


def chosen(names: Sequence[str]) -> list[Experiment]:
    """The experiments of figures (`fig4`, `fig3a`), by their names (`penalty`), or `all` of the paper; each once.

    Raises:
        InputError: a name that there is not.
    """
    called = {e.name: {e.name, *e.figures, *(drawing.name for drawing in e.drawings)} for e in EXPERIMENTS}
    unknown = [name for name in names if name != "all" and not any(name in known for known in called.values())]
    if unknown:
        raise InputError(
            f"nothing to reproduce is called {', '.join(unknown)}; there are {', '.join(FIGURES)}, all, and the "
            f"experiments {', '.join(called)}"
        )
    return [e for e in EXPERIMENTS if called[e.name] & set(names) or ("all" in names and not e.own)]


def results_in(folder: Path) -> dict[str, dict[str, Any]]:
    """What experiments have left in a folder."""
    files = {experiment.name: folder / experiment.name / "result.json" for experiment in EXPERIMENTS}
    return {name: json.loads(file.read_text()) for name, file in files.items() if file.exists()}


def judge_all(results: Results) -> dict[str, Verdicts]:
    """The claims whose experiments are among the results, each on the ratio and on adaptation."""
    judged = {}
    for experiment in EXPERIMENTS:
        for claim in experiment.claims:
            needed = (experiment.name, *claim.also)
            if all(name in results for name in needed):
                judged[claim.name] = claim(*claim.of(*(results[name] for name in needed)))
    return {claim.name: judged[claim.name] for claim in CLAIMS if claim.name in judged}
