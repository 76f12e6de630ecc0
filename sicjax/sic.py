"""Cause and effect of two time series by the Spectral Independence Criterion (paper, section 2.3).

>>> import numpy as np
>>> from sicjax import sic
>>> x = np.random.default_rng(0).normal(size=4096)
>>> y = np.convolve(x, [1, 0.6, 0.2])[:4096]
>>> sic.direction(x, y).direction
'x->y'
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import jax
import numpy as np
from jaxtyping import Num

# The series is cut into so many blocks, and the spread over leaving one out tells how certain a direction is.
BLOCKS = 8
# A spectrum below this share of its peak is rounding, not signal: the gain over it means nothing.
LEAST_POWER = 1e-24
# A difference of ratios that is rounding.
TIE = 1e-12

Series = Num[np.ndarray | jax.Array, " t"]
Spectrum = Num[np.ndarray | jax.Array, " f"]


class Ratios(NamedTuple):
    """The Spectral Dependency Ratios of both directions, no unit: 1 is independence of input and filter.

    Attributes:
        x_to_y: of the filter that turns x into y, with x as its input.
        y_to_x: of the inverse filter, with y as its input.
    """

    x_to_y: float
    y_to_x: float


class Direction(NamedTuple):
    """Which series is the cause.

    Attributes:
        direction: the answer; `undecided` when `score` is within the confidence interval around 0.
        ratios: of both directions.
        score: how much x -> y is favoured, negative for y -> x, in the rule's own terms.
        standard_error: of the score, by the jackknife over blocks of the series.
    """

    direction: Literal["x->y", "y->x", "undecided"]
    ratios: Ratios
    score: float
    standard_error: float


def ratio(x: Series, y: Series, *, segment: int | None = None) -> Ratios:
    """Spectral Dependency Ratio of x -> y and of y -> x, from Welch spectra.

        rho(x -> y) = <S_y> / (<S_x> <S_y / S_x>)        rho(y -> x) = <S_x> / (<S_y> <S_x / S_y>)

    with `S` the power spectral densities and `< . >` the mean over the unit frequency interval. `S_y / S_x` stands for
    the squared gain of the filter, so no phase is needed. The product of both is `1 / (<H> <1/H>)` with
    `H = S_y / S_x`: at most 1, so the two ratios never both exceed 1.

    Arguments:
        x: one series, at least `8 * segment` samples (256 with the default).
        y: the other, sampled at the same times; the units of either do not matter.
        segment: samples in a Welch segment, with a Hann window and half overlap: the default is the largest power of
            two up to `2 sqrt(t)`. Longer resolves sharper peaks, shorter is less noisy.

    Raises:
        ValueError: series of different lengths, too short, not finite, or without power at some frequency.

    Equation 3 of the paper.

    >>> x = np.random.default_rng(0).normal(size=4096)
    >>> there, back = ratio(x, np.convolve(x, [1, 0.6, 0.2])[:4096])
    >>> round(there, 1), there * back <= 1
    (1.0, True)
    """
    x, y, segment = _checked(x, y, segment)
    return ratio_of_spectra(_welch(x, segment), _welch(y, segment))


def ratio_of_spectra(power_x: Spectrum, power_y: Spectrum) -> Ratios:
    """The ratios from two power spectra over the whole unit interval, both sides, at the same frequencies.

    Raises:
        ValueError: spectra of different lengths, or without power at some frequency.

    >>> ratio_of_spectra(np.array([1.0, 1.0]), np.array([1.0, 4.0]))
    Ratios(x_to_y=1.0, y_to_x=0.64)
    """
    power_x, power_y = np.asarray(power_x, np.float64), np.asarray(power_y, np.float64)
    if power_x.ndim != 1 or power_x.shape != power_y.shape:
        raise ValueError(f"expected two spectra of one length, got shapes {power_x.shape} and {power_y.shape}")
    for name, power in (("x", power_x), ("y", power_y)):
        if not (power > LEAST_POWER * power.max(initial=0)).all():
            raise ValueError(f"{name} has no power at some frequencies, where the filter is not defined")
    # The scale cancels; at mean 1 no product over- or underflows.
    power_x, power_y = power_x / power_x.mean(), power_y / power_y.mean()
    return Ratios(float(1 / (power_y / power_x).mean()), float(1 / (power_x / power_y).mean()))


def direction(
    x: Series,
    y: Series,
    *,
    rule: Literal["larger", "closer"] = "larger",
    segment: int | None = None,
    confidence: float = 0.95,
) -> Direction:
    """Which of two series is the cause, or `undecided` near a tie.

    * `larger`: the direction with the larger ratio, score `log rho(x -> y) - log rho(y -> x)`: under the postulate the
      true direction has about 1 and the other less (Shajarisales et al., 2015).
    * `closer`: the direction with the ratio closer to 1, score `|rho(y -> x) - 1| - |rho(x -> y) - 1|`. On a log scale
      it would be the same rule, since the product of the ratios is at most 1; as it is, the two differ where one ratio
      is well above 1.

    `undecided` is where the score is within the `confidence` interval around 0 of Student's t with 7 degrees of
    freedom. Its standard error comes from a jackknife: the series is cut into 8 blocks, a Welch spectrum is taken of
    each, and the score is computed from the mean over every 7. It covers the noise of the spectra, not that the
    postulate holds only approximately for any one filter.

    Arguments:
        x, y, segment: as for `ratio`.
        rule: `larger` or `closer`.
        confidence: of a decision, between 0 and 1; 0 decides always, but for an exact tie.

    Raises:
        ValueError: as for `ratio`, an unknown rule, a confidence outside [0, 1).

    >>> x = np.random.default_rng(0).normal(size=4096)
    >>> direction(x, 2 * x).direction
    'undecided'
    """
    from scipy.special import stdtrit

    if rule not in ("larger", "closer"):
        raise ValueError(f"rule must be 'larger' or 'closer', got {rule!r}")
    if not 0 <= confidence < 1:
        raise ValueError(f"confidence must be at least 0 and below 1, got {confidence}")
    x, y, segment = _checked(x, y, segment)
    found = ratio_of_spectra(_welch(x, segment), _welch(y, segment))
    score = _score(found, rule)
    spectra_x, spectra_y = (_welch(_blocks(series), segment) for series in (x, y))
    others = (spectra_x.sum(0) - spectra_x, spectra_y.sum(0) - spectra_y)
    without = np.array([_score(ratio_of_spectra(*pair), rule) for pair in zip(*others, strict=True)])
    error = float(np.sqrt((BLOCKS - 1) * without.var()))
    bound = max(TIE, float(stdtrit(BLOCKS - 1, (1 + confidence) / 2)) * error)
    answer = "undecided" if abs(score) <= bound else "x->y" if score > 0 else "y->x"
    return Direction(answer, found, score, error)


def _score(found: Ratios, rule: str) -> float:
    if rule == "larger":
        return math.log(found.x_to_y) - math.log(found.y_to_x)
    return abs(found.y_to_x - 1) - abs(found.x_to_y - 1)


def _welch(series: np.ndarray, segment: int) -> np.ndarray:
    """Spectra over the last axis, both sides, so that a mean over bins is the mean over the unit interval."""
    from scipy.signal import welch

    return welch(series, window="hann", nperseg=segment, detrend=False, return_onesided=False)[1]


def _blocks(series: np.ndarray) -> np.ndarray:
    length = len(series) // BLOCKS
    return series[: BLOCKS * length].reshape(BLOCKS, length)


def _checked(x: Series, y: Series, segment: int | None) -> tuple[np.ndarray, np.ndarray, int]:
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if x.ndim != 1 or x.shape != y.shape:
        raise ValueError(f"expected two series of one length, got shapes {x.shape} and {y.shape}")
    default = 1 << int(math.log2(2 * math.sqrt(max(len(x), 256))))
    segment = default if segment is None else segment
    if segment < 4 or len(x) < BLOCKS * segment:
        raise ValueError(
            f"segments of {segment} samples need at least 4 and a series of {BLOCKS} of them, got {len(x)} samples"
        )
    for name, series in (("x", x), ("y", y)):
        if not np.isfinite(series).all():
            raise ValueError(f"{name} has values that are NaN or infinite")
        if np.ptp(series) == 0:
            raise ValueError(f"{name} is constant: it has no spectrum")
    centred = lambda series: (series - series.mean()) / np.abs(series - series.mean()).max()
    return centred(x), centred(y), segment
