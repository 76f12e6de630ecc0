"""Rows as JSON, and as the files that `--out` writes."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sicjax import figures
from sicjax._errors import InputError
from sicjax.measure._levels import by_level
from sicjax.measure._rows import QUANTILES, Measured, Row


def as_json(measured: Measured) -> dict[str, Any]:
    """A file's result as plain JSON values; a number that is not finite is `None`."""
    return {
        "file": measured.file,
        "cascades": [_plain(row._asdict()) for row in measured.rows],
        "skipped": [skipped._asdict() for skipped in measured.skipped],
        "notes": list(measured.network.notes),
    }


def write(measured: Sequence[Measured], folder: Path) -> list[Path]:
    """Writes `pairs.csv`, `result.json` and `histograms.png` into a folder, made if it is not there.

    Raises:
        InputError: the folder cannot be written, or matplotlib is not installed.
    """
    files = [folder / name for name in ("pairs.csv", "result.json", "histograms.png")]
    figure = figures.distributions(*({label: [run] for label, run in found} for found in by_level(measured).values()))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write_csv(measured, files[0])
        files[1].write_text(json.dumps([as_json(result) for result in measured], indent=1) + "\n")
        figures.save(figure, files[2].with_suffix(""), [".png"])
    except OSError as error:
        raise InputError(f"cannot write into {folder}: {error.strerror or error}") from error
    return files


def _write_csv(measured: Sequence[Measured], file: Path) -> None:
    """One line a pair: the fields of a row, the quantiles at its end."""
    plain = [field for field in Row._fields if field != "quantiles"]
    with file.open("w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(["file", *plain, *(f"quantile_{q}" for q in QUANTILES)])
        for result in measured:
            for row in result.rows:
                cells = row._asdict()
                cells |= {field: "x".join(map(str, cells[field])) for field in ("stride", "shape")}
                table.writerow([result.file, *(cells[field] for field in plain), *row.quantiles.values()])


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
