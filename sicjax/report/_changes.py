"""The page of versions of one network: what changed, in words, in tables and in histograms."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sicjax.measure import Comparison, LayerChange, Measured, PairChange, as_json
from sicjax.report._about import About, about
from sicjax.report._columns import explained, number
from sicjax.report._graph import Graph, graph
from sicjax.report._histograms import bins_for, drawn
from sicjax.report._images import embedded
from sicjax.report._page import short, write_page
from sicjax.report._scales import SIDE, Scale, scales

# Lines of each table, and pairs with a histogram, on a page of the usual size.
LINES, HISTOGRAMS = 3000, 300
# Layers of the drawing.
LAYERS = 300
# Versions that are told in full, the last one alone where there are more; and those that have a line.
IN_FULL, TOLD = 3, 40
# A distribution of ratios, or a kernel, that is nearer than this to the one before is called the same.
SAME = 5e-5
SHOWN = {"mean": ".4f", "marginal": "+.4f", "adaptation": "+.4f", "z": ".2f", "coupling": "+.3f"}
CAPTIONS = {
    "changes": "Every pair and layer; of more than seven versions in the first and the last",
    "steps": "Every pair along the training",
    "versions": "The pairs that moved furthest, from version to version",
}


class PairLine(NamedTuple):
    """A pair in the table: its number on the page or none, its version, its name, its cells."""

    pair: str
    version: str
    name: str
    status: str
    cells: list[str]


class LayerLine(NamedTuple):
    """A layer in the table."""

    version: str
    name: str
    status: str
    shape: str
    displacement: str
    cosine: str


class Changes:
    """What a page says of comparisons with the same first version, without holding the networks."""

    def __init__(self) -> None:
        self.comparisons: list[Comparison] = []
        self.heads: list[dict[str, Any]] = []
        self.curves: dict[int, dict[str, Any]] = {}
        self.pairs = 0
        self.drawing: Graph | None = None  # of the last version, with its own numbers
        self.scales: list[Scale] = []

    def add(self, comparison: Comparison, before: Measured, after: Measured) -> None:
        """One more comparison, and the two networks that it is of."""
        if not self.comparisons:
            self.heads.append(as_json(before))
        self.comparisons.append(comparison)
        self.heads.append(as_json(after))
        rows = {row.name: k for k, row in reversed(list(enumerate(after.rows)))}
        moved = [k for k, pair in enumerate(comparison.pairs) if pair.status == "kept"]
        moved.sort(key=lambda k: -comparison.pairs[k].distance)
        for k in moved[: max(1, HISTOGRAMS - len(self.curves))]:
            pair = comparison.pairs[k]
            now = rows.get(pair.renamed or pair.name)
            if now is None:
                continue
            both = after.histograms[now], before.histograms[k]
            curve = drawn(after.rows[now], both, bins_for(HISTOGRAMS))
            if curve is not None:
                self.curves[self.pairs + k] = curve | {"says": _said(pair)}
        self.scales = scales(after.rows)
        drawing = graph(after, 0, self.scales, LAYERS)
        places = {pair.renamed or pair.name: self.pairs + k for k, pair in enumerate(comparison.pairs)}
        arcs = [arc._replace(pair=places.get(after.rows[arc.pair].name, -1)) for arc in drawing.arcs]
        self.drawing = drawing._replace(arcs=arcs)
        self.pairs += len(comparison.pairs)


def write_changes(
    changes: Changes, folder: Path, pictures: Sequence[Path] = (), *, origin: About | None = None
) -> Path:
    """Writes `report.html`, a page on what changed, into a folder, made if it is not there.

    Arguments:
        changes: with one comparison or more.
        folder: where to.
        pictures: `changes.png`, `steps.png` and `versions.png`, where they are drawn.
        origin: how to repeat it; see `about`.

    Raises:
        InputError: the folder cannot be written.
    """
    captions = {CAPTIONS.get(file.stem, file.stem): file for file in pictures}
    return write_page(
        folder,
        lambda part: {
            **_content(changes, part),
            "pictures": embedded(captions, width=round(1400 * part**0.5)),
            "about": origin or about(),
        },
        "changes.html",
    )


def _content(changes: Changes, part: float) -> dict[str, Any]:
    comparisons, several = changes.comparisons, len(changes.comparisons) > 1
    full = IN_FULL if len(comparisons) <= IN_FULL else 1
    pairs, numbered = [], 0
    for comparison in comparisons:
        for k, pair in enumerate(comparison.pairs):
            numbered_as = str(numbered + k) if numbered + k in changes.curves else ""
            pairs.append(_pair_line(numbered_as, short(comparison.after, 40), pair))
        numbered += len(comparison.pairs)
    layers = [_layer_line(short(c.after, 40), layer) for c in comparisons for layer in c.layers]
    kept = round(LINES * part)
    curves = {k: curve for k, curve in changes.curves.items() if k < kept}
    distances = [pair.distance for comparison in comparisons for pair in comparison.pairs]
    furthest = sorted(curves, key=lambda k: -distances[k])
    first, last = comparisons[0].before, comparisons[-1].after
    return {
        "title": f"{short(first, 60)} → {short(last, 60)}",
        "lead": _lead(comparisons[-1]),
        "several": several,
        "briefly": [(short(c.after), _lead(c)) for c in comparisons[:-full][-TOLD:]],
        "versions": [(short(c.after), _lead(c), _sentences(c)) for c in comparisons[-full:]],
        "left": max(0, len(comparisons) - full - TOLD),
        "notes": [note for comparison in comparisons for note in comparison.notes][:40],
        "pairs": pairs[:kept],
        "pairs_of": len(pairs),
        "layers": layers[:kept],
        "layers_of": len(layers),
        "histograms": {"pairs": curves, "curves": ["after", "before"], "key": "Line: after. Dashed: before."},
        "options": [(k, f"{pairs[k].name} ({pairs[k].version})" if several else pairs[k].name) for k in furthest],
        "graph": changes.drawing,
        "last": short(last),
        "scales": changes.scales,
        "steps": range(2 * SIDE + 1),
        "explained": explained(),
        "heads": changes.heads[:100],
    }


def _lead(comparison: Comparison) -> str:
    moved = [layer for layer in comparison.layers if layer.displacement > SAME]
    others = [layer for layer in comparison.layers if layer.status not in ("kept", "reordered")]
    if not moved and not others:
        return "No kernel changed."
    shifted = [pair for pair in comparison.pairs if pair.distance > SAME]
    said = f"{len(moved):,} of {len(comparison.layers):,} kernels changed"
    if not shifted:
        return f"{said}, and no pair's ratios moved."
    most = max(shifted, key=lambda pair: pair.distance)
    return f"{said}; the ratios moved most in {short(most.name)} (distance {most.distance:.3f})."


def _sentences(comparison: Comparison) -> list[str]:
    said = []
    moved = [layer for layer in comparison.layers if layer.displacement > SAME]
    if moved:
        far = max(moved, key=lambda layer: layer.displacement)
        near = min(moved, key=lambda layer: layer.displacement)
        said.append(
            f"Furthest went {short(far.name)}: its kernel moved by {far.displacement:.2g} times its own size, and has "
            f"a cosine of {number(round(far.cosine, 2) + 0.0, '.2f')} with the one before "
            "(1: the same direction, 0: nothing in common)."
        )
        if near is not far:
            said.append(f"Least of those that changed went {short(near.name)}, by {near.displacement:.2g}.")
    for status in ("added", "removed", "replaced", "altered", "reordered"):
        named = [short(layer.name, 60) for layer in comparison.layers if layer.status == status]
        if named:
            more = f" and {len(named) - 6:,} more" if len(named) > 6 else ""
            said.append(f"{status.capitalize()}: {', '.join(named[:6])}{more}.")
    kept = [pair for pair in comparison.pairs if pair.status == "kept"]
    shifted = [pair for pair in kept if pair.distance > SAME]
    if kept:
        up = sum(pair.mean_after > pair.mean_before for pair in shifted)
        said.append(
            f"Of {len(kept):,} pairs that are in both, the ratios of {len(shifted):,} moved; the mean rose in {up:,} "
            f"and fell in {sum(pair.mean_after < pair.mean_before for pair in shifted):,}."
        )
        both = [
            (pair.coupling_before, pair.coupling_after)
            for pair in kept
            if math.isfinite(pair.coupling_before) and math.isfinite(pair.coupling_after)
        ]
        if both:
            before, after = (statistics.median(values) for values in zip(*both, strict=True))
            said.append(f"The median coupling was {before:.3f}, and is {after:.3f}.")
    return said


def _said(pair: PairChange) -> str:
    return (
        f"The mean was {pair.mean_before:.4f}, and is {pair.mean_after:.4f}; the two distributions are "
        f"{pair.distance:.4f} apart (Wasserstein-1)."
    )


def _pair_line(pair: str, version: str, change: PairChange) -> PairLine:
    numbers = []
    for field, form in SHOWN.items():
        numbers += [number(getattr(change, f"{field}_{when}"), form) for when in ("before", "after")]
    return PairLine(pair, version, _named(change), change.status, [number(change.distance, ".4f"), *numbers])


def _layer_line(version: str, change: LayerChange) -> LayerLine:
    shapes = dict.fromkeys(
        " x ".join(map(str, shape)) for shape in (change.shape_before, change.shape_after) if shape is not None
    )
    return LayerLine(
        version,
        _named(change),
        change.status,
        " → ".join(shapes),
        number(change.displacement, ".4f"),
        number(change.cosine, ".4f"),
    )


def _named(change: PairChange | LayerChange) -> str:
    return (
        short(change.name) if change.renamed is None else f"{short(change.name, 60)}, now {short(change.renamed, 60)}"
    )
