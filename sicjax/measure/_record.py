"""The result of a file as plain JSON values, `schema.json`: what is printed, archived and put together."""

from __future__ import annotations

import json
import math
from importlib import resources
from typing import Any, TypeAlias

from sicjax import __version__
from sicjax.measure._identity import SCHEMA, Identity
from sicjax.measure._rows import Measured, Row

# An object of `measure --json`: of a file that was measured or, with "error", of one that could not be.
Record: TypeAlias = dict[str, Any]


def as_json(measured: Measured) -> Record:
    """A file's result; a number that is not finite is `None`."""
    return {
        **_head(measured.identity),
        "cascades": [_plain(row._asdict()) for row in measured.rows],
        "skipped": [skipped._asdict() for skipped in measured.skipped],
        "notes": list(measured.network.notes),
    }


def failure(identity: Identity, error: str) -> Record:
    """The record of a file that could not be measured."""
    return {**_head(identity), "error": error}


def rows_of(record: Record) -> list[Row]:
    """The rows of a record, none of a failure; numbers that are not finite are NaN."""
    return [_row(cascade) for cascade in record.get("cascades", ())]


def schema() -> dict[str, Any]:
    """The JSON Schema of a record."""
    return json.loads(resources.files("sicjax.measure").joinpath("schema.json").read_text(encoding="utf-8"))


def _head(identity: Identity) -> Record:
    return {
        "file": identity.file,
        "schema": SCHEMA,
        "sicjax": __version__,
        "sha256": identity.sha256,
        "settings": _plain(identity.settings._asdict()),
    }


def _row(cascade: Record) -> Row:
    known: dict[str, Any] = {name: math.nan if value is None else value for name, value in cascade.items()}
    quantiles = {q: math.nan if value is None else value for q, value in cascade["quantiles"].items()}
    known |= {"quantiles": quantiles, "stride": tuple(cascade["stride"]), "shape": tuple(cascade["shape"])}
    return Row(**known)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
