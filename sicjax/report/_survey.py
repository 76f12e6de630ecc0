"""The page of many files, from their records alone, each seen once: no file is read again."""

from __future__ import annotations

import heapq
import math
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from sicjax.measure import Record, Row, rows_of
from sicjax.report._about import About, about
from sicjax.report._columns import PAIRS, cells, explained, number
from sicjax.report._histograms import WHOLE
from sicjax.report._left_out import REASONS, left_out
from sicjax.report._lines import Line, ends_of, interval
from sicjax.report._page import short, write_page
from sicjax.report._words import Counts, glance, lead, sentences

# Lines of files, of files that could not be measured, and files whose SHA-256 is on the page; all are in result.json.
FILES, FAILED, TOLD = 5000, 1000, 100
# Pairs that are kept for each of `EXTREMES`.
KEPT = 50
EXTREMES: dict[str, Callable[[Row], float]] = {
    "strongest coupling": lambda row: row.coupling,
    "highest mean": lambda row: row.mean,
    "lowest mean": lambda row: -row.mean,
    "adaptation furthest above chance": lambda row: row.z,
    "adaptation furthest below chance": lambda row: -row.z,
}
# Of the distributions over pairs: heading, width of a bin, field, and a second field to set beside.
SPREADS = (
    ("mean ratio", 0.01, "mean", "null_mean"),
    ("coupling", 0.02, "coupling", None),
    ("adaptation", 0.002, "adaptation", None),
    ("marginal", 0.01, "marginal", None),
    ("energy", 0.05, "energy", None),
    ("z of adaptation", 0.5, "z", None),
)
# Bins of a distribution from the first to the last that is drawn; further out lie few.
BINS = 200
# Letters of a file's path that are kept.
LONGEST = 1000


class FileLine(NamedTuple):
    """A file in the table."""

    name: str
    pairs: int
    coupled: str
    adapted: str
    low: str
    middle: str
    high: str
    lead: str


class Survey:
    """What a page says of any number of records, without holding them."""

    def __init__(self) -> None:
        self.counts = Counts()
        self.files, self.failures = 0, 0
        self.lines: list[FileLine] = []
        self.failed: list[tuple[str, str]] = []  # names, and what is wrong
        self.heads: list[Record] = []
        self.reasons: list[tuple[str, Record]] = []
        self.largest: dict[str, list[tuple[float, int, Row, str]]] = {name: [] for name in EXTREMES}
        self.spreads: dict[str, Counter[int]] = {
            field: Counter() for _, _, *fields in SPREADS for field in fields if field
        }

    def passing(self, records: Iterable[Record]) -> Iterator[Record]:
        """The records, each seen on its way."""
        for record in records:
            self.add(record)
            yield record

    def add(self, record: Record) -> None:
        """One more file."""
        self.files += 1
        step = record["settings"]["step"]
        name = record["file"] if step is None else f"{record['file']} step {step}"
        if len(self.heads) < TOLD:
            self.heads.append({key: record[key] for key in ("file", "sha256", "settings")})
        if "error" in record:
            self.failures += 1
            if len(self.failed) < FAILED:
                self.failed.append((name[:LONGEST], short(record["error"], 300)))
            return
        if len(self.reasons) < REASONS and (record["skipped"] or record["notes"]):
            self.reasons.append((short(name), {key: record[key] for key in ("skipped", "notes")}))
        own = Counts()
        for row in rows_of(record):
            own.add(row)
            self.counts.add(row)
            if not row.structural and math.isfinite(row.mean):
                self._pair(row, name)
        if len(self.lines) < FILES:
            self.lines.append(_line(name[:LONGEST], own))

    def _pair(self, row: Row, file: str) -> None:
        for name, value in EXTREMES.items():
            entry = (value(row), -self.counts.pairs, row, file)
            kept = self.largest[name]
            if math.isnan(entry[0]):
                continue
            if len(kept) < KEPT:
                heapq.heappush(kept, entry)
            elif entry[0] > kept[0][0]:
                heapq.heapreplace(kept, entry)
        for _, width, *fields in SPREADS:
            for field in filter(None, fields):
                value = getattr(row, field)
                if math.isfinite(value):
                    self.spreads[field][math.floor(value / width)] += 1

    def notable(self) -> list[tuple[Row, str]]:
        """The pairs that are kept, each once, those of the strongest coupling first."""
        found: dict[int, tuple[Row, str]] = {}
        for kept in self.largest.values():
            found |= {number: (row, file) for _, number, row, file in sorted(kept, reverse=True, key=lambda e: e[:2])}
        return list(found.values())


def write_survey(survey: Survey, folder: Path, *, origin: About | None = None) -> Path:
    """Writes `report.html`, a page on many files, into a folder, made if it is not there.

    Raises:
        InputError: the folder cannot be written.
    """
    return write_page(folder, lambda part: _content(survey, part) | {"about": origin or about()}, "survey.html")


def _content(survey: Survey, part: float) -> dict[str, Any]:
    notable = survey.notable()
    notable = notable[: round(len(notable) * part)]
    ends = ends_of([row for row, _ in notable])
    spreads = {
        str(k): spread
        for k, (_, width, *fields) in enumerate(SPREADS)
        if (spread := _spread(width, [survey.spreads[field] for field in fields if field])) is not None
    }
    measured = survey.files - survey.failures
    place = common_folder([*(line.name for line in survey.lines), *(name for name, _ in survey.failed)])
    within = lambda name: short(name.removeprefix(place))
    return {
        "title": f"{survey.files:,} networks",
        "lead": lead(survey.counts),
        "glance": [("files measured", f"{measured:,} of {survey.files:,}"), *glance(survey.counts)],
        "sentences": sentences(survey.counts),
        "place": place,
        "lines": [line._replace(name=within(line.name)) for line in survey.lines[: round(FILES * part)]],
        "measured": measured,
        "failed": [(within(name), reason) for name, reason in survey.failed[: round(FAILED * part)]],
        "failures": survey.failures,
        "columns": PAIRS,
        "pairs": [
            Line(k, row.name, within(file), cells(row), interval(row, *ends)) for k, (row, file) in enumerate(notable)
        ],
        "ends": ends,
        "histograms": {
            "pairs": spreads,
            "curves": ["pairs", "taps shuffled"],
            "key": "Share of all pairs in each bin.",
        },
        "options": [(k, SPREADS[int(k)][0]) for k in spreads],
        "left_out": left_out(survey.reasons),
        "explained": explained(),
        "heads": survey.heads,
    }


def common_folder(files: list[str]) -> str:
    """The folder that all files are in, with its slash; nothing where there is none.

    >>> common_folder(["/a/b/c.pt", "/a/d.pt"]), common_folder(["c.pt", "a/d.pt"])
    ('/a/', '')
    """
    folder = os.path.commonprefix([file.rpartition("/")[0] + "/" for file in files if "/" in file] or [""])
    return folder[: folder.rfind("/") + 1] if all("/" in file for file in files) else ""


def _line(name: str, counts: Counts) -> FileLine:
    of = lambda count: f"{count} of {counts.read}" if counts.read else "–"
    means = sorted(counts.means) or [math.nan]
    low, middle, high = (number(means[k], ".4f") for k in (0, len(means) // 2, -1))
    return FileLine(name, counts.pairs, of(counts.coupled), of(counts.adapted), low, middle, high, lead(counts))


def _spread(width: float, counted: list[Counter[int]]) -> dict[str, Any] | None:
    """A distribution as a page draws it."""
    totals = [sum(counts.values()) for counts in counted]
    if not totals[0]:
        return None
    # Without the furthest hundredth on either side.
    low, high = min(_quantile(c, 0.005) for c in counted if c), max(_quantile(c, 0.995) for c in counted if c)
    together = max(1, math.ceil((high - low + 1) / BINS))
    bins = range(low // together, high // together + 1)
    merged = [Counter[int]() for _ in counted]
    for counts, into in zip(counted, merged, strict=True):
        for place, count in counts.items():
            into[place // together] += count
    middle = (_quantile(counted[0], 0.5) + 0.5) * width
    return {
        "x": round(bins[0] * together * width, 6),
        "d": round(together * width, 6),
        "y": [
            [round(WHOLE * into[k] / max(1, total)) for k in bins] for into, total in zip(merged, totals, strict=True)
        ],
        "says": f"Over {totals[0]:,} pairs, half of them below {middle:.3g}.",
    }


def _quantile(counts: Counter[int], q: float) -> int:
    """The bin below which that part of the counts is."""
    left = q * sum(counts.values())
    for place in sorted(counts):
        left -= counts[place]
        if left <= 0:
            return place
    return max(counts)
