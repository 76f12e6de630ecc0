"""Configs of runs: frozen dataclasses, of whose fields some may change between the runs in one directory."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Collection, Mapping
from typing import Any

# Metadata of a field that may change: what is computed stays the same.
FREE = {"free": True}


def as_json(config: Any) -> dict[str, Any]:
    """A dataclass as the values that a JSON file gives back."""
    return _plain(dataclasses.asdict(config))


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return json.loads(json.dumps(values, default=os.fspath))


def lasting(config: Any) -> dict[str, Any]:
    """The fields of a dataclass that are not marked `FREE`, as JSON values."""
    free = {field.name for field in dataclasses.fields(config) if field.metadata.get("free")}
    return {name: value for name, value in as_json(config).items() if name not in free}


def changes(before: Mapping[str, Any], config: Any, *, free: Collection[str] = ()) -> list[str]:
    """What differs between a stored config and this one and would make another run, in words.

    A field that the stored one lacks, as it is of an older version, had what is its default now.

    Arguments:
        before: as `describe` gives it.
        config: a dataclass.
        free: names of fields that may change here, beside those marked `FREE`.
    """
    fields = dataclasses.fields(config)
    defaults = {field.name: field.default for field in fields if field.default is not dataclasses.MISSING}
    stored = {**_plain(defaults), **before}
    return [
        f"{flag(name)} was {stored.get(name)}, now {now}"
        for name, now in lasting(config).items()
        if name not in free and stored.get(name) != now
    ]


def flag(field: str) -> str:
    """A field of a config as the command line spells it."""
    return "--" + field.replace("_", "-")
