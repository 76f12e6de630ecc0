"""What filters are chosen by: one number for each (input, intermediate) kernel of a layer, or for each channel."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from jaxtyping import Float

from sicjax import sdr

Criterion: TypeAlias = Literal["energy", "output_energy", "ratio", "adaptation"]
Unit: TypeAlias = Literal["filter", "channel"]

OF_A_PAIR = ("output_energy", "ratio", "adaptation")
CRITERIA = ("energy", *OF_A_PAIR)


def criterion(
    kernel: Float[np.ndarray, "*k i m"], *, by: Criterion, pair: sdr.Cascade | None = None, unit: Unit = "filter"
) -> Float[np.ndarray, "i m"] | Float[np.ndarray, " m"]:
    """The number that filters, or intermediate channels, are chosen by.

    | by | of a filter | of a channel |
    |---|---|---|
    | `energy` | sum of its squared weights | sum over its filters |
    | `output_energy` | `output_energy` of the pair | sum |
    | `ratio` | `sdr.filter_ratios` of the pair | mean |
    | `adaptation` | `adaptation_shares` of the pair | sum |

    Arguments:
        kernel: of the layer, as in Flax.
        by: the criterion.
        pair: the layer, as `first`, and one that follows it.
        unit: `filter` or `channel`.

    Returns:
        `(i, m)`, or `(m,)`; NaN for what is zero in `kernel` already, and where the criterion is not defined.

    Raises:
        ValueError: an unknown criterion or unit, or a pair that is missing or not of this layer.

    >>> criterion(np.full((2, 2, 1, 3), 0.5), by="energy", unit="channel")
    array([1., 1., 1.])
    """
    if by not in CRITERIA:
        raise ValueError(f"by must be one of {', '.join(CRITERIA)}, got {by!r}")
    if unit not in ("filter", "channel"):
        raise ValueError(f"unit must be 'filter' or 'channel', got {unit!r}")
    energies = energy(kernel)
    if by == "energy":
        values = energies
    else:
        if pair is None:
            raise ValueError(f"by={by!r} needs pair=, the layer and the one that follows it")
        if pair.shape[:2] != energies.shape:
            raise ValueError(f"the pair's first layer has {pair.shape[:2]} filters, this kernel {energies.shape}")
        of = {"output_energy": output_energy, "ratio": sdr.filter_ratios, "adaptation": adaptation_shares}[by]
        values = np.asarray(of(pair), np.float64)
    values = np.where(energies > 0, values, np.nan)
    if unit == "filter":
        return values
    defined = np.isfinite(values)
    total, count = np.where(defined, values, 0).sum(0), defined.sum(0)
    return np.where(count > 0, total / np.maximum(count, 1) if by == "ratio" else total, np.nan)


def energy(kernel: Float[np.ndarray, "*k i m"]) -> Float[np.ndarray, "i m"]:
    """Sum of the squared weights of each filter, in float64."""
    return np.square(np.asarray(kernel, np.float64)).sum(tuple(range(np.ndim(kernel) - 2)))


def output_energy(pair: sdr.Cascade) -> Float[np.ndarray, "i m"]:
    """Energy of each filter of the first layer as it arrives at the outputs, averaged over them.

        mean_o sum_n r1[down n] r2[up n]  =  ||first[i, m]||^2  mean_o ( ||second[m, o]||^2 rho[i, m, o] )

    The energy of the two kernels composed, in closed form. It is how section 4.2 of the paper reads at its word
    ("the kernels contributing to the output layer with the smallest energy (averaged across output channels)").

    >>> rng = np.random.default_rng(0)
    >>> output_energy(sdr.generative(rng.normal(size=(4, 4, 8, 6)), rng.normal(size=(4, 4, 6, 3)), stride=2)).shape
    (8, 6)
    """
    f = sdr.features(pair)
    first, second = (energy(np.asarray(kernel)) for kernel in pair.aligned())
    a, b = np.asarray(f.a, np.float64), np.asarray(f.b, np.float64)
    return first * (second.mean(1) + 2 * np.einsum("nim,nm->im", a, (b * second).mean(2)))


def adaptation_shares(pair: sdr.Cascade) -> Float[np.ndarray, "i m"]:
    """What each filter of the first layer adds to the pair's `adaptation`; the shares sum to `sdr.decompose`'s.

        share[i, m] = 2 / (I M) sum_n (a[n, i, m] - <a_n>) (bbar[n, m] - <bbar_n>)

    with `a`, `b` the lag features, `bbar` the mean over outputs and `< . >` the mean over all kernels of a layer:
    positive where the filter and the kernels it meets lean the same way from what is usual in their layers. Not in
    the paper.

    With `I_m` defined inputs and `O_m` defined outputs of channel m, which a dead kernel makes unequal, the exact form
    has two terms more, in `I_m - <I>` and `O_m - <O>`; they are counted where they arise.

    Returns:
        `(i, m)`, NaN for filters without a defined pathway.

    >>> rng = np.random.default_rng(0)
    >>> pair = sdr.generative(rng.normal(size=(4, 4, 8, 6)), rng.normal(size=(4, 4, 6, 3)), stride=2)
    >>> bool(np.isclose(adaptation_shares(pair).sum(), sdr.decompose(pair).adaptation, atol=1e-6))
    True
    """
    f = sdr.features(pair)
    a, b = np.asarray(f.a, np.float64), np.asarray(f.b, np.float64)
    alive, second_alive = np.asarray(f.first_alive), np.asarray(f.second_alive)
    inputs, outputs = alive.sum(0), second_alive.sum(1)
    present = (inputs > 0) & (outputs > 0)
    alive, inputs, outputs = alive & present, np.where(present, inputs, 0), np.where(present, outputs, 0)
    channels, pathways = max(present.sum(), 1), max((inputs * outputs).sum(), 1)

    a, y = np.where(alive, a, 0), np.where(present, b.sum(2), 0)
    mean_a, mean_b = a.sum((1, 2)) / max(inputs.sum(), 1), y.sum(1) / max(outputs.sum(), 1)
    departure = a - mean_a[:, None, None]
    y = y - mean_b[:, None] * outputs
    shares = np.einsum("nim,nm->im", departure, y)
    shares += (1 - inputs.sum() / channels / np.maximum(inputs, 1)) * (mean_a @ y)
    shares += (outputs - outputs.sum() / channels) * np.einsum("n,nim->im", mean_b, departure)
    return np.where(alive, 2 * shares / pathways, np.nan)
