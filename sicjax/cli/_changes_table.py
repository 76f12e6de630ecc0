"""Comparisons on a terminal."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Sequence
from typing import TextIO, TypeVar

from rich.console import Console
from rich.text import Text

from sicjax.cli._fit import Column, console_for, print_table
from sicjax.measure import Comparison, LayerChange, PairChange

# From so many comparisons on there is a line for each, and tables of the last alone, unless all are asked for.
MANY = 4

R = TypeVar("R", PairChange, LayerChange)

# Headings, and how a row fills them.
_PAIRS: list[tuple[str, Callable[[PairChange], str]]] = [
    ("pair", lambda pair: _named(pair)),
    ("mean", lambda pair: _both(pair.mean_before, pair.mean_after, ".4f")),
    ("marginal", lambda pair: _both(pair.marginal_before, pair.marginal_after, "+.4f")),
    ("adaptation", lambda pair: _both(pair.adaptation_before, pair.adaptation_after, "+.4f")),
    ("z", lambda pair: _both(pair.z_before, pair.z_after, ".2f")),
    ("coupling", lambda pair: _both(pair.coupling_before, pair.coupling_after, "+.3f")),
    ("distance", lambda pair: _number(pair.distance, ".4f")),
]
_LAYERS: list[tuple[str, Callable[[LayerChange], str]]] = [
    ("layer", lambda layer: _named(layer)),
    ("shape", lambda layer: _shapes(layer.shape_before, layer.shape_after)),
    ("displacement", lambda layer: _number(layer.displacement, ".4f")),
    ("cosine", lambda layer: _number(layer.cosine, ".4f")),
]


def show(comparisons: Sequence[Comparison], file: TextIO, *, wide: bool = False) -> None:
    """Prints two tables a comparison, of its pairs and of its layers, and what else is to be said.

    Arguments:
        comparisons: with the same first version.
        file: where to.
        wide: all tables, however many.
    """
    console = console_for(file)
    few = wide or len(comparisons) < MANY
    if not few:
        _summary(console, comparisons)
        console.print()
    for k, comparison in enumerate(comparisons if few else comparisons[-1:]):
        if k:
            console.print()
        console.print(Text(f"{comparison.before} → {comparison.after}", style="bold"), soft_wrap=True)
        if comparison.pairs:
            _print(console, _PAIRS, comparison.pairs)
        else:
            console.print("no pair of successive convolutions in either", style="yellow")
        _print(console, _LAYERS, comparison.layers)
        for note in comparison.notes:
            console.print(Text(note), style="dim", soft_wrap=True)
    console.print(
        "distance: Wasserstein-1 of the ratios; displacement: |after - before| / |before| of the kernel",
        style="dim",
        soft_wrap=True,
    )
    if not few:
        note = "of each version the medians, and the pair and layer that moved furthest; all of them: --wide, --out DIR"
        console.print(note, style="dim", soft_wrap=True)


def _summary(console: Console, comparisons: Sequence[Comparison]) -> None:
    """Prints a line for each version."""
    first = comparisons[0]
    mean, coupling = (_median(getattr(pair, f"{name}_before") for pair in first.pairs) for name in ("mean", "coupling"))
    lines = [[first.before, _number(mean, ".4f"), _number(coupling, "+.3f"), *[""] * 4]]
    for comparison in comparisons:
        kept = [pair for pair in comparison.pairs if not math.isnan(pair.distance)]
        moved = [layer for layer in comparison.layers if not math.isnan(layer.displacement)]
        pair = max(kept, key=lambda pair: pair.distance, default=None)
        layer = max(moved, key=lambda layer: layer.displacement, default=None)
        lines.append(
            [
                comparison.after,
                _number(_median(pair.mean_after for pair in comparison.pairs), ".4f"),
                _number(_median(pair.coupling_after for pair in comparison.pairs), "+.3f"),
                "-" if pair is None else _number(pair.distance, ".4f"),
                "" if pair is None else _named(pair),
                "-" if layer is None else _number(layer.displacement, ".4f"),
                "" if layer is None else _named(layer),
            ]
        )
    headings = ["version", "mean", "coupling", "distance", "pair", "displacement", "layer"]
    names, *others = (
        Column(heading, cells, heading in ("pair", "layer"))
        for heading, cells in zip(headings, zip(*lines, strict=True), strict=True)
    )
    print_table(console, names, [others], styles=[None] * len(lines))


def _median(values: Iterable[float]) -> float:
    """Of those that are numbers; NaN of none."""
    numbers = [value for value in values if not math.isnan(value)]
    return statistics.median(numbers) if numbers else math.nan


def _print(console: Console, columns: Sequence[tuple[str, Callable[[R], str]]], rows: Sequence[R]) -> None:
    names, *others = [Column(heading, [fill(row) for row in rows]) for heading, fill in columns]
    print_table(console, names, [others], styles=[None if row.status == "kept" else "yellow" for row in rows])


def _named(change: PairChange | LayerChange) -> str:
    name = change.name if change.renamed is None else f"{change.name}, now {change.renamed}"
    return name if change.status == "kept" else f"{name} ({change.status})"


def _both(before: float, after: float, form: str) -> str:
    return f"{_number(before, form)} → {_number(after, form)}"


def _number(value: float, form: str) -> str:
    return "-" if math.isnan(value) else format(value, form)


def _shapes(before: tuple[int, ...] | None, after: tuple[int, ...] | None) -> str:
    shapes = dict.fromkeys("x".join(map(str, shape)) for shape in (before, after) if shape is not None)
    return " → ".join(shapes)
