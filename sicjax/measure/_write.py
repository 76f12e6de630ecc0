"""Results as the files that `--out` writes."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TextIO

from sicjax import figures, sdr
from sicjax._errors import InputError
from sicjax.measure._levels import by_level
from sicjax.measure._record import Record, as_json, rows_of
from sicjax.measure._rows import QUANTILES, Measured, Row
from sicjax.measure._whole import whole

# Pairs of a network in its picture: of more those that are furthest from their null.
DRAWN = 16


def write(measured: Sequence[Measured], folder: Path) -> list[Path]:
    """Writes `pairs.csv`, `result.json` and `histograms.png` into a folder, made if it is not there.

    Raises:
        InputError: the folder cannot be written, or matplotlib is not installed.
    """
    picture = write_histograms(measured, folder)
    return [*write_records(map(as_json, measured), folder), picture]


def write_records(records: Iterable[Record], folder: Path) -> list[Path]:
    """Writes `pairs.csv` and `result.json`, record by record, into a folder, made if it is not there.

    Raises:
        InputError: the folder cannot be written.
    """
    files = [folder / name for name in ("pairs.csv", "result.json")]
    try:
        # Other processes may do the same, and readers see either the old or the new.
        with (
            whole(*files) as (for_table, for_text),
            for_table.open("w", newline="", encoding="utf-8", errors="backslashreplace") as table,
            for_text.open("w", encoding="utf-8") as text,
        ):
            lines = csv.writer(table)
            lines.writerow(["file", *_FIELDS, *(f"quantile_{q}" for q in QUANTILES), "step", "error"])
            print_json(_into(lines, records), text)
    except OSError as error:
        raise InputError(f"cannot write into {folder}: {error.strerror or error}") from error
    return files


def write_histograms(
    measured: Sequence[Measured], folder: Path, nulls: Sequence[tuple[sdr.Histogram, ...]] | None = None
) -> Path:
    """Draws `histograms.png` into a folder, made if it is not there: of each network up to `DRAWN` pairs.

    Arguments:
        measured: the files.
        folder: where to draw.
        nulls: `shuffled` of each file, where that is known already.

    Raises:
        InputError: the folder cannot be written, or matplotlib is not installed.
    """
    levels = by_level(measured, nulls).values()
    figure = figures.distributions(*({label: [run] for label, run in found} for found in levels), most=DRAWN)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        figures.save(figure, folder / "histograms", [".png"])
    except OSError as error:
        raise InputError(f"cannot write into {folder}: {error.strerror or error}") from error
    return folder / "histograms.png"


def print_json(records: Iterable[Record], stream: TextIO) -> None:
    """Writes the JSON list of records without holding it: a line for each field, for each pair, for each note."""
    before = "[\n"
    for record in records:
        fields = ",\n".join(f"  {_json(name)}: {_in_lines(value)}" for name, value in record.items())
        stream.write(f"{before} {{\n{fields}\n }}")
        before = ",\n"
    stream.write("[]\n" if before == "[\n" else "\n]\n")


# Without an indent of its own: with one it is ten times as slow.
_json = json.JSONEncoder(allow_nan=False).encode


def _in_lines(value: Any) -> str:
    if not isinstance(value, list) or not value:
        return _json(value)
    items = ",\n".join(f"   {_json(item)}" for item in value)
    return f"[\n{items}\n  ]"


_FIELDS = [field for field in Row._fields if field != "quantiles"]


def _into(lines, records: Iterable[Record]) -> Iterable[Record]:
    """The records, each written on its way: a line a pair, the quantiles at its end, or one with what is wrong."""
    for record in records:
        step = record["settings"]["step"]
        for row in rows_of(record):
            cells = row._asdict()
            cells |= {field: "x".join(map(str, cells[field])) for field in ("stride", "shape")}
            lines.writerow([record["file"], *(cells[field] for field in _FIELDS), *row.quantiles.values(), step, ""])
        if "error" in record:
            blank = [""] * (len(_FIELDS) + len(QUANTILES))
            lines.writerow([record["file"], *blank, step, record["error"]])
        yield record
