"""The page of a few networks, all of them looked into."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sicjax import sdr
from sicjax.measure import Measured, Record, Row, as_json, shuffled
from sicjax.report._about import About, about
from sicjax.report._cards import Card, cards, chosen
from sicjax.report._columns import PAIRS, cells, explained
from sicjax.report._graph import graph
from sicjax.report._histograms import bins_for, drawn
from sicjax.report._images import embedded
from sicjax.report._left_out import left_out
from sicjax.report._lines import Line, ends_of, interval
from sicjax.report._page import short, write_page
from sicjax.report._scales import SIDE, scales
from sicjax.report._words import Counts, glance, lead, sentences

# Lines of the table, layers of a drawing, and pairs with a histogram, on a page of the usual size.
LINES, LAYERS, HISTOGRAMS = 3000, 800, 1500
# Pairs of all files together that are looked at closely.
CLOSELY = 12
KEY = "Line: share of the ratios in each bin. Dashed: taps shuffled."


def write(
    measured: Measured | Sequence[Measured],
    folder: str | Path,
    *,
    nulls: Sequence[tuple[sdr.Histogram, ...]] | None = None,
    origin: About | None = None,
    pictures: Mapping[str, Path] | None = None,
    failed: Sequence[Record] = (),
) -> Path:
    """Writes `report.html`, a page on a few networks, into a folder, made if it is not there.

    Arguments:
        measured: the networks, or a single one.
        folder: where to.
        nulls: `measure.shuffled` of each, where that is known already.
        origin: how to repeat it; see `about`.
        pictures: PNG files to show, by their captions.
        failed: records of files that could not be measured.

    Raises:
        InputError: the folder cannot be written, or matplotlib is not installed.
    """
    measured = [measured] if isinstance(measured, Measured) else measured
    nulls = list(map(shuffled, measured)) if nulls is None else nulls
    rows = [row for result in measured for row in result.rows]
    near = _cards(measured)
    return write_page(
        Path(folder),
        lambda part: {
            **_content(measured, rows, nulls, part),
            "cards": near,
            "about": origin or about(),
            "failed": [(short(record["file"]), short(record["error"], 300)) for record in failed],
            "pictures": embedded(pictures or {}, width=round(900 * part**0.5)),
        },
        "network.html",
    )


def _content(
    measured: Sequence[Measured], rows: Sequence[Row], nulls: Sequence[tuple[sdr.Histogram, ...]], part: float
) -> dict[str, Any]:
    names = called([result.file for result in measured])
    owner = [name for name, result in zip(names, measured, strict=True) for _ in result.rows]
    starts = [sum(len(result.rows) for result in measured[:k]) for k in range(len(measured))]
    counts, colours = Counts(rows), scales(rows)
    ends = ends_of(rows)
    shown = rows[: round(LINES * part)]
    curves = [
        both for result, null in zip(measured, nulls, strict=True) for both in zip(result.histograms, null, strict=True)
    ]
    kept = min(len(shown), round(HISTOGRAMS * part))
    bins = bins_for(kept)
    histograms = {k: data for k in range(kept) if (data := drawn(rows[k], curves[k], bins)) is not None}
    return {
        "title": names[0] if len(names) == 1 else f"{len(names)} networks",
        "lead": lead(counts),
        "glance": glance(counts),
        "sentences": sentences(counts),
        "files": [
            {**as_json(result), "name": name, "pairs": len(result.rows), "lead": lead(Counts(result.rows))}
            for result, name in zip(measured, names, strict=True)
        ],
        "columns": PAIRS,
        "lines": [Line(k, row.name, owner[k], cells(row), interval(row, *ends)) for k, row in enumerate(shown)],
        "ends": ends,
        "of": len(rows),
        "histograms": {"pairs": histograms, "curves": ["ratios", "taps shuffled"], "key": KEY},
        "options": [(k, short(rows[k].name) + (f" ({owner[k]})" if len(names) > 1 else "")) for k in histograms],
        "scales": colours,
        "steps": range(2 * SIDE + 1),
        "graphs": [
            (name, graph(result, start, colours, round(LAYERS * part)))
            for name, result, start in zip(names, measured, starts, strict=True)
        ],
        "left_out": left_out(zip(names, map(as_json, measured), strict=True)),
        "explained": explained(),
    }


def called(files: Sequence[str]) -> list[str]:
    """Names of files without their folders, where they differ so."""
    names = [Path(file).name or file for file in files]
    return [short(name) for name in (names if len(set(names)) == len(names) else files)]


def _cards(measured: Sequence[Measured]) -> list[Card]:
    """Of every file some, of many files fewer."""
    each = max(1, CLOSELY // max(1, len(measured)))
    found, start = [], 0
    for result in measured:
        places = chosen(result.rows)
        # Of few that are left both ends.
        kept = places if len(places) <= each else [*places[: each - each // 3], *places[len(places) - each // 3 :]]
        found += cards(result, kept, start)
        start += len(result.rows)
    return found[:CLOSELY]
