"""Comparisons as plain JSON values, and as the files that `sicjax compare --out` writes."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sicjax import figures
from sicjax._errors import InputError
from sicjax.measure._compare import Comparison, LayerChange, PairChange

# Versions that are told apart in a picture; of more it shows the first and the last.
SHOWN = 7
# Pairs whose course over many versions is drawn: those that moved furthest.
COURSES = 12
DRAWN = ("mean", "marginal", "adaptation", "coupling")
WASSERSTEIN = "Wasserstein-1"


def comparison_as_json(comparison: Comparison) -> dict[str, Any]:
    """A comparison as plain JSON values; a number that is not finite is `None`."""
    return {
        **comparison._asdict(),
        "layers": [_plain(layer) for layer in comparison.layers],
        "pairs": [_plain(pair) for pair in comparison.pairs],
        "notes": list(comparison.notes),
    }


def write_comparisons(
    comparisons: Sequence[Comparison],
    folder: Path,
    courses: Mapping[str, Mapping[str, figures.Course]] | None = None,
) -> list[Path]:
    """Writes `changes.json`, `pair_changes.csv`, `layer_changes.csv` and `changes.png` into a folder, made if need be.

    Of so many versions that `changes.png` has the first and the last alone, `versions.png` has the pairs that moved
    furthest in all of them.

    Arguments:
        comparisons: of several versions with the same first.
        folder: where to write.
        courses: for each pair, and each run by its name, its course in the training; drawn as `steps.png`.

    Raises:
        InputError: the folder cannot be written, or matplotlib is not installed.
    """
    pictures = {"changes": _drawn(comparisons)}
    if courses:
        order = dict.fromkeys([pair.name for each in comparisons for pair in each.pairs if pair.name in courses])
        pictures["steps"] = figures.courses({name: courses[name] for name in order | dict.fromkeys(courses)})
    elif len(comparisons) >= SHOWN and (over := _over_versions(comparisons)):
        pictures["versions"] = figures.courses(over, f"version, from 0: {comparisons[0].before}")
    files = [folder / name for name in ("changes.json", "pair_changes.csv", "layer_changes.csv")]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        document = [comparison_as_json(comparison) for comparison in comparisons]
        files[0].write_text(json.dumps(document, indent=1, allow_nan=False) + "\n", encoding="utf-8")
        _write_csv(files[1], PairChange._fields, [(each, each.pairs) for each in comparisons])
        _write_csv(files[2], LayerChange._fields, [(each, each.layers) for each in comparisons])
        for name, figure in pictures.items():
            files += figures.save(figure, folder / name, [".png"])
    except OSError as error:
        raise InputError(f"cannot write into {folder}: {error.strerror or error}") from error
    return files


def _drawn(comparisons: Sequence[Comparison]):
    """The figure of all versions; a pair or layer is the same where its name in the first is, or else its own."""
    shown = comparisons if len(comparisons) < SHOWN else comparisons[-1:]
    versions = [shown[0].before, *(comparison.after for comparison in shown)]
    pairs: dict[str, dict[str, list[float]]] = {}
    layers: dict[str, dict[str, list[float]]] = {}
    blank = lambda names: {name: [math.nan] * len(versions) for name in names}
    for k, comparison in enumerate(shown, start=1):
        for pair in comparison.pairs:
            numbers = pairs.setdefault(pair.name, blank((*DRAWN, WASSERSTEIN)))
            numbers[WASSERSTEIN][k] = pair.distance
            for name in DRAWN:
                numbers[name][k] = getattr(pair, f"{name}_after")
                if pair.status != "added":
                    numbers[name][0] = getattr(pair, f"{name}_before")
        for layer in comparison.layers:
            numbers = layers.setdefault(layer.name, blank(("displacement", "cosine")))
            numbers["displacement"][k], numbers["cosine"][k] = layer.displacement, layer.cosine
    # A layer that is in one version alone has nothing to show, but where there is no other.
    moved = {name: numbers for name, numbers in layers.items() if any(map(math.isfinite, numbers["displacement"]))}
    groups = ([figures.Change(name, numbers) for name, numbers in group.items()] for group in (pairs, moved or layers))
    return figures.changes(versions, *groups)


def _over_versions(comparisons: Sequence[Comparison]) -> dict[str, dict[str, figures.Course]]:
    """The course of those pairs that are further from the first version than the others in any of them."""
    far: dict[str, float] = {}
    every: dict[str, list[tuple[int, float, float]]] = {}
    for k, comparison in enumerate(comparisons, start=1):
        for pair in comparison.pairs:
            if pair.status == "kept" and math.isfinite(pair.distance):
                far[pair.name] = max(far.get(pair.name, 0.0), pair.distance)
                points = every.setdefault(pair.name, [(0, pair.marginal_before, pair.adaptation_before)])
                points.append((k, pair.marginal_after, pair.adaptation_after))
    names = sorted(far, key=lambda name: -far[name])[:COURSES]
    of = f"{len(names)} of {len(far)} pairs"
    return {name: {of: figures.Course(*map(list, zip(*every[name], strict=True)))} for name in names}


def _write_csv(file: Path, fields: Sequence[str], changes: Sequence[tuple[Comparison, Sequence[tuple]]]) -> None:
    """One line a pair or layer, after the names of the two versions."""
    with file.open("w", newline="", encoding="utf-8", errors="backslashreplace") as stream:
        table = csv.writer(stream)
        table.writerow(["before", "after", *fields])
        for comparison, rows in changes:
            for row in rows:
                cells = ("x".join(map(str, cell)) if isinstance(cell, tuple) else cell for cell in row)
                table.writerow([comparison.before, comparison.after, *cells])


def _plain(row: LayerChange | PairChange) -> dict[str, Any]:
    return {name: _value(value) for name, value in row._asdict().items()}


def _value(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return None if isinstance(value, float) and not math.isfinite(value) else value
