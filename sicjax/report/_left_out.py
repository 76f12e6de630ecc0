"""What was skipped and why, told once for all layers with the same reason."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sicjax.measure import Record

# Reasons that are told, and layers that are named with each; with their files.
REASONS, LAYERS = 40, 12


class LeftOut(NamedTuple):
    """A reason, how many layers it is that of, the first of them, and the file where there are several."""

    reason: str
    layers: int
    named: list[str]
    file: str


class Told(NamedTuple):
    """What is told of files.

    Attributes:
        reasons: why layers are in no pair.
        more: reasons that are not told here.
        notes: of each file, what was inferred or decided.
    """

    reasons: list[LeftOut]
    more: int
    notes: list[tuple[str, str]]


def left_out(records: Iterable[tuple[str, Record]]) -> Told:
    """Of records by the names of their files."""
    reasons: dict[tuple[str, str], list[str]] = {}
    notes: list[tuple[str, str]] = []
    for name, record in records:
        for skipped in record.get("skipped", ()):
            reasons.setdefault((name, skipped["reason"]), []).append(skipped["layer"])
        notes += [(name, note) for note in record.get("notes", ())]
    told = [LeftOut(reason, len(layers), layers[:LAYERS], name) for (name, reason), layers in reasons.items()]
    return Told(told[:REASONS], len(told) - len(told[:REASONS]), notes[:REASONS])
