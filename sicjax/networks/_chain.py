"""Chains of layers, one after another, to pairs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sicjax.networks._network import Layer, Network, Pair, Skipped, make_pair


class Break(NamedTuple):
    """Something in a chain that no pair reaches across."""

    name: str
    reason: str


class Chain(NamedTuple):
    """A network's layers in the order of the data flow, with what interrupts them."""

    network: str
    entries: Sequence[Layer | Break]


def link(chains: Sequence[Chain], *, skipped: Sequence[Skipped] = (), notes: Sequence[str] = ()) -> Network:
    """Every two layers that follow one another in a chain become a pair; every layer in none is named, with why."""
    layers, pairs, left_out = [], [], []
    for network, entries in chains:
        found, unpaired = _link_chain(network, entries)
        layers += [entry for entry in entries if isinstance(entry, Layer)]
        pairs += found
        left_out += unpaired
    return Network(tuple(layers), tuple(pairs), (*left_out, *skipped), tuple(notes))


def _link_chain(network: str, entries: Sequence[Layer | Break]) -> tuple[list[Pair], list[Skipped]]:
    pairs, why_not = [], {}
    for k, entry in enumerate(entries):
        if not isinstance(entry, Layer):
            continue
        before = entries[k - 1] if k else Break("", "it is the first layer")
        if isinstance(before, Layer):
            mismatch = f"its {entry.inputs} input channels are not the {before.outputs} of {before.path}"
            if len(before.stride) != len(entry.stride):
                before = Break(before.path, f"{before.path} has {len(before.stride)} spatial axes, it has other")
            elif before.outputs != entry.inputs:
                before = Break(before.path, mismatch)
        if isinstance(before, Layer):
            pairs.append(make_pair(before, entry, network))
        else:
            why_not[entry.path] = before.reason
    paired = {path for pair in pairs for path in (pair.first.path, pair.second.path)}
    skipped = []
    for k, entry in enumerate(entries):
        if isinstance(entry, Layer) and entry.path not in paired:
            after = entries[k + 1] if k + 1 < len(entries) else Break("", "no layer follows it")
            end = why_not.get(after.path, "") if isinstance(after, Layer) else after.reason
            skipped.append(Skipped(entry.path, f"before it: {why_not[entry.path]}; after it: {end}"))
    return pairs, skipped
