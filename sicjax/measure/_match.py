"""Which layer of a network is which of another version of it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from os.path import commonprefix
from typing import NamedTuple

from sicjax.networks import Layer


class Matching(NamedTuple):
    """The layers of two versions of a network, by their names.

    Attributes:
        names: of the layers before, what they are called after; those that are gone are not there.
        moved: layers before that are at another place after, as few as say it.
        notes: how those were matched whose names differ.
    """

    names: dict[str, str]
    moved: frozenset[str]
    notes: tuple[str, ...]


def match(before: Sequence[Layer], after: Sequence[Layer]) -> Matching:
    """Layers with equal names; of the others those whose names end alike; or all, where shapes and order agree."""
    there = {layer.path for layer in after}
    names = {layer.path: layer.path for layer in before if layer.path in there}
    notes = []
    for how, found in [
        ("whose names begin otherwise", _by_ending(before, after, names)),
        ("by their order, because their shapes agree and their names do not", _by_order(before, after, names)),
    ]:
        new = {old: found[old] for old in found if old not in names and found[old] not in names.values()}
        if new:
            old, called = next(iter(new.items()))
            count = "a layer is" if len(new) == 1 else f"{len(new)} layers are"
            notes.append(f"{count} matched {how}: {old} is {called}")
        names |= new
    place = {layer.path: k for k, layer in enumerate(after)}
    kept = [layer.path for layer in before if layer.path in names]
    in_order = _longest_rise([place[names[path]] for path in kept])
    moved = frozenset(path for k, path in enumerate(kept) if k not in in_order)
    return Matching(names, moved, tuple(notes))


def _by_ending(before: Sequence[Layer], after: Sequence[Layer], known: dict[str, str]) -> dict[str, str]:
    """Layers whose names differ only in what they begin with, where no other could be meant."""
    old = {path: parts for path, parts in _parts(before).items() if path not in known}
    new = {path: parts for path, parts in _parts(after).items() if path not in known.values()}
    alike = [(a, b) for a in old for b in new if _ends_alike(old[a], new[b])]
    first, second = zip(*alike, strict=True) if alike else ((), ())
    return {a: b for a, b in alike if first.count(a) == second.count(b) == 1}


def _parts(layers: Sequence[Layer]) -> dict[str, tuple[str, ...]]:
    """The parts of every name, without those with which all begin."""
    split = {layer.path: tuple(layer.path.replace("/", ".").strip(".").split(".")) for layer in layers}
    common = len(commonprefix([parts[:-1] for parts in split.values()]))
    return {path: parts[common:] for path, parts in split.items()}


def _ends_alike(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    shared = min(len(one), len(other))
    return one[-shared:] == other[-shared:]


def _by_order(before: Sequence[Layer], after: Sequence[Layer], known: dict[str, str]) -> dict[str, str]:
    """Layers at the same place, where every layer has the same shape there."""
    if [layer.kernel.shape for layer in before] != [layer.kernel.shape for layer in after]:
        return {}
    return {a.path: b.path for a, b in zip(before, after, strict=True) if a.path not in known}


def _longest_rise(places: Sequence[int]) -> set[int]:
    """Where the longest rising part of a sequence is.

    >>> sorted(_longest_rise([0, 3, 1, 2]))
    [0, 2, 3]
    """
    ends: list[int] = []
    previous: list[int] = []
    for k, place in enumerate(places):
        at = bisect_left([places[end] for end in ends], place)
        previous.append(ends[at - 1] if at else -1)
        ends[at:] = [k, *ends[at + 1 :]]
    rise: set[int] = set()
    k = ends[-1] if ends else -1
    while k >= 0:
        rise.add(k)
        k = previous[k]
    return rise
