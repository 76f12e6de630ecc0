"""A part of a network: the layers whose names begin so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from sicjax._errors import InputError
from sicjax.networks.chain import begins
from sicjax.networks.graph import Network


def prefixes(given: Any, what: str) -> tuple[str, ...]:
    """What names may begin with, from one or several of them; nothing for None.

    Raises:
        InputError: anything but text.
    """
    several = (given,) if isinstance(given, str) else () if given is None else tuple(given)
    if not all(isinstance(prefix, str) and prefix for prefix in several):
        raise InputError(f"{what} is what names begin with, got {given!r:.60}")
    return several


def check(path: Path, names: Iterable[str], wanted: Sequence[str], flag: str) -> None:
    """Makes sure that some name begins with each prefix.

    Raises:
        InputError: none does.
    """
    names = list(names)
    for prefix in wanted:
        if not any(begins(name, [prefix]) for name in names):
            there = list(dict.fromkeys(name.rpartition("/")[2].partition(".")[0] for name in names))
            more = ", ..." if len(there) > 8 else ""
            raise InputError(
                f"{path}: no layer begins with {flag} {prefix}; they begin with {', '.join(there[:8])}{more}"
            )


def part_of(path: Path, network: Network, wanted: Sequence[str]) -> Network:
    """The layers whose names begin so, and the pairs of two of them.

    Raises:
        InputError: there is none.
    """
    if not wanted:
        return network
    check(path, (layer.path for layer in network.layers), wanted, "--only")
    layers = tuple(layer for layer in network.layers if begins(layer.path, wanted))
    pairs = tuple(
        pair for pair in network.pairs if begins(pair.first.path, wanted) and begins(pair.second.path, wanted)
    )
    skipped = tuple(reason for reason in network.skipped if begins(reason.layer, wanted))
    return network._replace(
        layers=layers, pairs=pairs, skipped=skipped,
        notes=(*network.notes, left_out(wanted, len(network.layers) - len(layers))),
    )  # fmt: skip


def left_out(wanted: Sequence[str], count: int) -> str:
    """What is said of the layers that are left out."""
    return f"only layers that begin with {' or '.join(wanted)}: {count} others are left out"
