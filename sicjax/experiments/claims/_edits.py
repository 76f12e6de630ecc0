"""Claims on removed filters and on dropout: C5 and C6."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sicjax.experiments._statistics import Judged, Quantity, judged, part
from sicjax.experiments.claims._levels import difference, each_level


def c5(networks: Sequence[Mapping[str, Any]], share: float) -> tuple[Judged, Judged]:
    """Removing low-ratio filters spares meaning, removing high-ratio filters removes colour.

    Arguments:
        networks: what `removal.remove` found, one a network.
        share: of all filters removed, after those of low energy.
    """
    rows = [next(row for row in network["doses"] if row["share"] == share) for network in networks]
    found = []
    quantities: tuple[Quantity, ...] = ("ratio", "adaptation")
    for on in quantities:
        low, high = f"lowest {on}", f"highest {on}"
        less = lambda a, b, key: [
            row[a][key] - row[b][key]  # noqa: B023
            for row in rows
            if row[a][key] is not None and row[b][key] is not None
        ]
        parts = [
            part(f"chroma variance, {high} minus random", less(high, "random", "chroma"), "below", null=0.0),
            part(f"chroma variance, {high} minus {low}", less(high, low, "chroma"), "below", null=0.0),
            part(f"distance to unedited, {low} minus random", less(low, "random", "distance"), "below", null=0.0),
            part(f"distance to unedited, {high} minus {low}", less(high, low, "distance"), "above", null=0.0),
        ]
        board = less(low, "random", "checkerboard")
        if board:
            parts.append(part(f"checkerboard energy, {low} minus random", board, "above", null=0.0))
        says = (
            "highest out: less colour than lowest or random out; lowest out: closer to the unedited, more checkerboard"
        )
        found.append(judged("C5", on, says, parts))
    return found[0], found[1]


def c6(result: Mapping[str, Any]) -> tuple[Judged, Judged]:
    """Dropout between the finest layers raises their dependence and spoils the images."""
    with_, without = result["with"], result["without"]
    pairs = (with_["networks"]["generator"], without["networks"]["generator"])
    (_, (on, off)) = next(each_level(*pairs))
    worse = difference(with_["quality"], without["quality"], "sliced_wasserstein")
    kernel = difference(with_["quality"], without["quality"], "kernel_random")
    images = [
        part("sliced Wasserstein distance, with minus without", worse, "above", null=0.0),
        part("kernel distance (random features), with minus without", kernel, "above", null=0.0),
    ]
    null = difference(on, off, "null_mean")
    ratio = [
        part("finest: mean ratio, with minus without", difference(on, off, "mean"), "above", null=null),
        part(
            "finest: share above 1.1, with minus without",
            difference(on, off, "above"),
            "above",
            null=difference(on, off, "null_above"),
        ),
    ]
    adaptation = [part("finest: adaptation, with minus without", difference(on, off, "adaptation"), "above", null=0.0)]
    return (
        judged("C6", "ratio", "higher ratios at the finest level, and images further from real ones", ratio + images),
        judged("C6", "adaptation", "more at the finest level, and images further from real ones", adaptation + images),
    )
