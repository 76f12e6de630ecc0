"""Comparisons on a terminal."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TextIO, TypeVar

from rich.console import Console
from rich.text import Text

from sicjax.cli._fit import Column, console_for, print_table
from sicjax.measure import Comparison, LayerChange, PairChange

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


def show(comparisons: Sequence[Comparison], file: TextIO) -> None:
    """Prints two tables a comparison, of its pairs and of its layers, and what else is to be said."""
    console = console_for(file)
    cut = False
    for k, comparison in enumerate(comparisons):
        if k:
            console.print()
        console.print(Text(f"{comparison.before} → {comparison.after}", style="bold"), soft_wrap=True)
        if comparison.pairs:
            cut |= _print(console, _PAIRS, comparison.pairs)
        else:
            console.print("no pair of successive convolutions in either", style="yellow")
        cut |= _print(console, _LAYERS, comparison.layers)
        for note in comparison.notes:
            console.print(Text(note), style="dim", soft_wrap=True)
    console.print(
        "distance: Wasserstein-1 of the ratios; displacement: |after - before| / |before| of the kernel",
        style="dim",
        soft_wrap=True,
    )
    if cut:
        note = "names are shortened: whole in a wider terminal, in a pipe, and with --out or --json"
        console.print(note, style="dim", soft_wrap=True)


def _print(console: Console, columns: Sequence[tuple[str, Callable[[R], str]]], rows: Sequence[R]) -> bool:
    """Prints a table; whether a name had to be shortened."""
    names, *others = [Column(heading, [fill(row) for row in rows]) for heading, fill in columns]
    return print_table(console, names, [others], styles=[None if row.status == "kept" else "yellow" for row in rows])


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
