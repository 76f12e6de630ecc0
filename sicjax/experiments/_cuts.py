"""Filters or channels of a layer taken out by many rules, with controls for what each takes out, and what it costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from sicjax import interventions, networks, sdr

# Shares of all filters, or channels, that go.
AMOUNTS = (1 / 8, 1 / 4, 1 / 2)
UNITS = ("filter", "channel")
# What goes first: by which number, and from which end.
RULES = {
    "L1": ("L1", 1),
    "L1 with batch norm": ("L1 with batch norm", 1),
    "energies": ("energies", 1),
    "output energy": ("output energy", 1),
    "lowest ratio": ("ratio", 1),
    "highest ratio": ("ratio", -1),
    "lowest adaptation": ("adaptation", 1),
    "lowest coupling": ("coupling", 1),
}
# Rules that know no scale, each held against the same number of others that are like what it takes in one thing.
SCALELESS = ("lowest ratio", "highest ratio", "lowest adaptation", "lowest coupling")
CONTROLS = ("energy", "DC gain")
# Neighbours in energy or gain that stand in for one another.
ALIKE = 8

Numbers = dict[str, Float[np.ndarray, "*units"]]


# Of every convolution of a network which of its kernels `(i, o)` stay.
Masks = list[Bool[np.ndarray, "i o"]]


class Layer(NamedTuple):
    """A layer of a network, with the one that reads it.

    Attributes:
        shapes: of the kernels `(i, o)` of all convolutions of the network.
        place: of the layer among them; the next one reads it.
        pair: the layer and the one that reads it.
        scale: by which a batch norm between the two multiplies each channel.
    """

    shapes: tuple[tuple[int, int], ...]
    place: int
    pair: networks.Pair
    scale: Float[np.ndarray, " m"]


def coupling_shares(pair: sdr.Cascade) -> Float[np.ndarray, "i m"]:
    """What each filter of the first layer adds to the RV coefficient behind `coupling`; the shares sum to it.

        |X' Y|^2 = sum_m x_m' C y_m,    C = X' Y        share[i, m] = (a[i, m] - <x>)' C y_m / (I_m |X' X| |Y' Y|)

    with `x_m`, `y_m` a channel's rows of `X` and `Y`, see `sdr.coupling`: the mean over its `I_m` inputs of the lag
    features `a`, less the mean `<x>` over the channels, and the same of outputs. As of adaptation's shares, but with
    `C` between the two sides: positive where filter and reading kernels lean together as the network's channels do.
    A channel's share is the sum over its inputs; twice it is how fast `|X' Y|^2` grows with the channel's weight.

    Returns:
        `(i, m)`, NaN for filters without a defined pathway; NaN where `coupling` is not defined.

    >>> rng = np.random.default_rng(0)
    >>> pair = sdr.generative(rng.normal(size=(4, 4, 8, 6)), rng.normal(size=(4, 4, 6, 3)), stride=2)
    >>> bool(np.isclose(coupling_shares(pair).sum(), sdr.coupling(pair).rv, atol=1e-6))
    True
    """
    f = sdr.features(pair)
    a, b = np.asarray(f.a, np.float64), np.asarray(f.b, np.float64)
    inputs, outputs = np.asarray(f.first_alive).sum(0), np.asarray(f.second_alive).sum(1)
    present = (inputs > 0) & (outputs > 0)
    centred = lambda rows: np.where(present, rows - rows[:, present].mean(1, keepdims=True), 0)
    usual = a.sum(1) / np.maximum(inputs, 1)
    x, y = centred(usual), centred(b.sum(2) / np.maximum(outputs, 1))
    size = np.linalg.norm(x @ x.T) * np.linalg.norm(y @ y.T)
    departure = a - usual[:, present].mean(1)[:, None, None]
    shares = np.einsum("nim,nm->im", departure, x @ y.T @ y) / np.maximum(inputs, 1)
    return np.where(np.asarray(f.first_alive) & present, shares / size if size > 0 else np.nan, np.nan)


def numbers(layer: Layer, unit: str) -> tuple[Numbers, Numbers]:
    """What filters `(i, m)`, or channels `(m,)`, are chosen by; and what their controls have in common with them."""
    cascade = layer.pair.cascade
    first, second = (np.asarray(kernel, np.float64) for kernel in cascade.aligned())
    taps = tuple(range(first.ndim - 2))
    power = layer.scale**2
    read = {"energy": np.square(second).sum(taps).mean(1), "DC gain": np.square(second.sum(taps)).mean(1)}
    alike = {
        "energy": np.square(first).sum(taps) * power * read["energy"],
        "DC gain": np.square(first.sum(taps)) * power * read["DC gain"],
    }
    size = np.abs(first).sum(taps)
    found = {
        "L1": size,
        "L1 with batch norm": size * np.abs(layer.scale),
        "energies": alike["energy"],
        "output energy": interventions.output_energy(cascade) * power,
        "ratio": np.asarray(sdr.filter_ratios(cascade), np.float64),
        "adaptation": interventions.adaptation_shares(cascade),
        "coupling": coupling_shares(cascade),
    }
    if unit == "filter":
        return found, alike
    together = {name: values.mean(0) if name == "ratio" else values.sum(0) for name, values in found.items()}
    return together, {name: values.sum(0) for name, values in alike.items()}


def chosen(layer: Layer, unit: str, rng: np.random.Generator) -> dict[str, list[Bool[np.ndarray, "*units"]]]:
    """What goes by every rule, control and at random, at each amount."""
    found, alike = numbers(layer, unit)
    if not all(np.isfinite(values).all() for values in found.values()):
        raise ValueError(f"{layer.pair.name} has kernels without energy, for which no rule is defined")
    shape = found["L1"].shape
    counts = [round(amount * found["L1"].size) for amount in AMOUNTS]
    first = lambda order: [_at(order[:count], shape) for count in counts]
    masks = {rule: first(np.argsort(end * found[by].ravel(), kind="stable")) for rule, (by, end) in RULES.items()}
    masks["random"] = first(rng.permutation(found["L1"].size))
    for rule in SCALELESS:
        for control in CONTROLS:
            masks[held_against(rule, control)] = [like(mask, alike[control], rng) for mask in masks[rule]]
    return masks


def _at(places: Int[np.ndarray, " k"], shape: tuple[int, ...]) -> Bool[np.ndarray, "*units"]:
    mask = np.zeros(shape, bool)
    mask.flat[places] = True
    return mask


def held_against(rule: str, control: str) -> str:
    """What the control of a rule is called."""
    return f"{rule}: others of the same {control}"


def like(
    mask: Bool[np.ndarray, "*units"], by: Float[np.ndarray, "*units"], rng: np.random.Generator
) -> Bool[np.ndarray, "*units"]:
    """As many others at random from each group of neighbours by a number."""
    order = np.argsort(by.ravel(), kind="stable")
    group = np.empty(by.size, int)
    group[order] = np.arange(by.size) // ALIKE
    wanted = np.bincount(group, weights=mask.ravel())
    shuffled = np.lexsort((rng.random(by.size), group))
    place = np.arange(by.size) - np.searchsorted(group[shuffled], group[shuffled])
    found = np.zeros(by.size, bool)
    found[shuffled] = place < wanted[group[shuffled]]
    return found.reshape(by.shape)


def whole(layer: Layer) -> Masks:
    """All that the network has."""
    return [np.ones(shape, bool) for shape in layer.shapes]


def without(layer: Layer, unit: str, mask: Bool[np.ndarray, "*units"]) -> Masks:
    """What stays without these filters; of channels what reads them goes too, so that no constant is left."""
    masks = whole(layer)
    masks[layer.place] &= ~mask
    if unit == "channel":
        masks[layer.place + 1] &= ~mask[:, None]
    return masks


def costs(
    layer: Layer, unit: str, damage: Callable[[Masks], Float[np.ndarray, " n"]], rng: np.random.Generator
) -> dict[str, Float[np.ndarray, "amounts n"]]:
    """Of every rule the damage at each amount, to each of the images that it is judged by."""
    return {
        rule: np.stack([damage(without(layer, unit, mask)) for mask in masks])
        for rule, masks in chosen(layer, unit, rng).items()
    }


def area(damage: Float[np.ndarray, "amounts n"]) -> Float[np.ndarray, " n"]:
    """Under the damage against the amount, from none, which damages nothing; over the last amount, so a mean damage.

    >>> area(np.array([[1.0], [2.0], [4.0]]))
    array([2.])
    """
    at = np.array([0, *AMOUNTS])
    whole = np.concatenate([np.zeros_like(damage[:1]), damage])
    return np.trapezoid(whole, at, axis=0) / at[-1]


def curves(found: Mapping[str, Float[np.ndarray, "amounts n"]]) -> dict[str, list[float]]:
    """Mean damage at each amount."""
    return {rule: damage.mean(1).tolist() for rule, damage in found.items()}
