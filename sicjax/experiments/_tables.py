"""Numbers that experiments have in common, and verdicts, as tables in Markdown."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sicjax.experiments._claim import Claim, Verdicts
from sicjax.experiments._statistics import Estimate, Judged, Part, estimate


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Rows of cells under a header."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"


def number(value: float | None, digits: int = 3) -> str:
    """Three significant digits at least, or a dash."""
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:.{digits}f}" if abs(value) >= 0.0095 or value == 0 else f"{value:.1g}"


def interval(found: Estimate) -> str:
    """A mean with its interval."""
    if found.low is None or found.high is None:
        return f"{number(found.mean)} (n = {found.n})"
    return f"{number(found.mean)} [{number(found.low)}, {number(found.high)}]"


def verdicts(claims: Sequence[Claim], by_folder: Mapping[str, Mapping[str, Verdicts]]) -> str:
    """The claims, and the verdict on each in every folder of results."""
    header = ["", "claim of the paper"]
    for name in by_folder:
        header += [f"{name}: ratio", f"{name}: adaptation"]
    rows = []
    for claim in claims:
        cells = [claim.name, claim.says]
        for found in by_folder.values():
            cells += [each.verdict for each in found[claim.name]] if claim.name in found else ["not run"] * 2
        rows.append(cells)
    return table(header, rows)


def parts(found: Judged) -> str:
    """What a claim is judged by."""
    rows = [
        [each.what, interval(each.found), str(each.found.n), number(each.null), rule(each), each.verdict]
        for each in found.parts
    ]
    return table(["number", "mean [95 % interval]", "n", "null", "the claim says", "verdict"], rows)


def rule(given: Part) -> str:
    """What the claim says of a number."""
    if given.rule == "within":
        return f"within {given.bound:g} of {given.centre:g}"
    return f"{given.rule} {given.bound:g}"


LEVEL = (
    "network", "level", "pathways", "mean", "std", "mode", "median", "0.9 to 1.1", "below 0.9",
    "shuffled: mean ± std", "marginal", "adaptation", "z",
)  # fmt: skip


def levels(networks: Mapping[str, Sequence[Sequence[Mapping[str, Any]]]]) -> str:
    """Every network and level, means over seeds; of mean, marginal and adaptation with intervals."""
    rows = []
    for name, seeds in networks.items():
        for k in range(len(seeds[0])):
            at = [levels[k] for levels in seeds]
            mean = lambda key, at=at: estimate([level[key] for level in at if level[key] is not None] or [math.nan])
            several = lambda key, at=at, mean=mean: interval(mean(key)) if len(at) > 1 else number(mean(key).mean)
            rows.append(
                [
                    name, "1, finest" if k == 0 else str(k + 1), f"{at[0]['pathways']:,}", several("mean"),
                    number(mean("std").mean), number(mean("mode").mean), number(mean("median").mean),
                    *(f"{100 * mean(key).mean:.0f} %" for key in ("near_one", "below")),
                    f"{number(mean('null_mean').mean)} ± {number(mean('null_std').mean)}",
                    several("marginal"), several("adaptation"), number(mean("z").mean, 1),
                ]
            )  # fmt: skip
    return table(LEVEL, rows)


def quality(named: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """How good the images of each kind of run are, with intervals over seeds."""
    keys = {
        "sliced_wasserstein": "sliced Wasserstein",
        "kernel_random": "kernel distance (random features)",
        "diversity": "diversity",
        "chroma": "chroma variance",
        "edges": "edge energy",
    }
    rows = [
        [name, *(interval(estimate([seed[key] for seed in seeds])) for key in keys)] for name, seeds in named.items()
    ]
    return table(["runs", *keys.values()], rows)
