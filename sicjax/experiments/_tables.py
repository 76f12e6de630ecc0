"""Results as tables in Markdown."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sicjax.experiments._readings import READINGS
from sicjax.experiments._statistics import Estimate, Judged, Part, estimate
from sicjax.experiments.claims import CLAIMS, c3_reading

Results = Mapping[str, Mapping[str, Any]]


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


def verdicts(by_folder: Mapping[str, Mapping[str, tuple[Judged, Judged]]]) -> str:
    """The claims, and the verdict on each in every folder of results."""
    header = ["", "claim of the paper"]
    for name in by_folder:
        header += [f"{name}: ratio", f"{name}: adaptation"]
    rows = []
    for claim in CLAIMS:
        cells = [claim.name, claim.says]
        for found in by_folder.values():
            cells += [each.verdict for each in found[claim.name]] if claim.name in found else ["–", "–"]
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


def readings(given: Sequence[Mapping[str, Any]]) -> str:
    """Modes of decoder and encoder under every reading of the formula, and whether C3 holds under it."""
    rows = []
    for reading in READINGS:
        found = c3_reading(given, reading.name)
        cells = [reading.name]
        for network in ("decoder", "encoder"):
            of = [each for each in found.parts if network in each.what]
            cells.append(", ".join(number(each.found.mean, 2) for each in of))
            cells.append(", ".join(number(each.null, 2) for each in of))
        rows.append(
            [*cells, f"{found.verdict} ({sum(each.point for each in found.parts)} of {len(found.parts)} means)"]
        )
    header = ["reading", "decoder's modes, fine to coarse", "shuffled", "encoder's modes", "shuffled", "C3"]
    return table(header, rows)


KINDS = ("low energy", "lowest ratio", "highest ratio", "random", "lowest adaptation", "highest adaptation")


def removal(networks: Sequence[Mapping[str, Any]], share: float) -> str:
    """What each removal leaves of colour and edges, and how far it moves the images."""
    rows = []
    for kind in KINDS:
        at = [
            network[kind] if kind == "low energy" else next(r for r in network["doses"] if r["share"] == share)[kind]
            for network in networks
        ]
        given = lambda key, at=at: [each[key] for each in at if each[key] is not None] or [math.nan]
        cells = [interval(estimate(given(key))) for key in ("chroma", "edges", "checkerboard", "distance")]
        rows.append([kind, *(cell.removesuffix(" (n = 1)") for cell in cells)])
    return table(["removed", "chroma variance", "edge energy", "checkerboard energy", "distance to unedited"], rows)


def of_public(found: Sequence[tuple[str, str, tuple[Judged, Judged]]]) -> str:
    """For public networks, how many of a claim's numbers are where it says, and those that are not."""
    rows = []
    for claim, name, both in found:
        cells = []
        for each in both:
            missed = [f"{p.what} {number(p.found.mean)}" for p in each.parts if not p.point]
            kept = len(each.parts) - len(missed)
            told = f"{kept} of {len(each.parts)}" + (f"; not: {', '.join(missed)}" if missed else "")
            cells.append(f"{each.verdict}, {told}" if each.parts[0].found.n > 1 else told)
        rows.append([claim, name, *cells])
    return table(["claim", "networks", "on the ratio", "on adaptation"], rows)
