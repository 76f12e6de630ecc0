"""Histograms of ratios with few enough bins for a page."""

from __future__ import annotations

from typing import Any

import numpy as np

from sicjax import sdr
from sicjax.measure import Row

# Bins of a histogram, and of all on a page; no fewer than the least.
BINS, TOGETHER, FEWEST = 120, 60_000, 30
# Of the ratios, on either side, that are left out where the curve is nothing but a tail.
TAIL = 0.0005
# What a share of 1 is, so that shares are whole numbers.
WHOLE = 100_000


def bins_for(histograms: int) -> int:
    """How many bins each of so many histograms may have."""
    return max(FEWEST, min(BINS, TOGETHER // max(1, histograms)))


def drawn(row: Row, curves: tuple[sdr.Histogram, ...], bins: int) -> dict[str, Any] | None:
    """What a page draws of a pair: shares of ratios in bins of one width, of each curve.

    Arguments:
        row: of the pair.
        curves: two histograms, such as of the pair and of its shuffled kernels.
        bins: how many, about.

    Returns:
        None where there is nothing to draw: every ratio is 1, or undefined.
    """
    alive = [curve for curve in curves if curve.defined]
    if row.structural or not alive:
        return None
    # A quantile beyond the edges is infinite: there the picture ends where the histogram does.
    at = lambda curve, q: float(np.clip(curve.quantile(q), curve.edges[0], curve.edges[-1]))
    low = min(at(curve, TAIL) for curve in alive)
    high = max(at(curve, 1 - TAIL) for curve in alive)
    width = _width((high - low) / bins)
    start, stop = int(np.floor(low / width)), int(np.ceil(high / width)) + 1
    edges = width * np.arange(start, stop + 1)
    return {
        "x": round(float(edges[0]), 6),
        "d": round(width, 6),
        "y": [_shares(curve, edges) for curve in curves],
        "says": _said(row),
    }


def _said(row: Row) -> str:
    """The picture in words."""
    low, middle, high = (f"{row.quantiles[q]:.3f}" for q in ("0.05", "0.5", "0.95"))
    return (
        f"The mean is {row.mean:.3f}, the median {middle}; nine of ten ratios lie from {low} to {high}. With "
        f"shuffled taps the mean would be {row.null_mean:.3f} ± {row.null_std:.3f}."
    )


def _shares(curve: sdr.Histogram, edges: np.ndarray) -> list[int]:
    if not curve.defined:
        return [0] * (len(edges) - 1)
    upto = (curve.below + np.concatenate([[0], np.cumsum(curve.counts)])) / curve.defined
    return np.rint(WHOLE * np.diff(np.interp(edges, curve.edges, upto, left=0))).astype(int).tolist()


def _width(about: float) -> float:
    """Of a bin, the next of 1, 2 and 5 times a power of ten; at least the measured one."""
    if not about > 0.001:
        return 0.001
    power = 10.0 ** np.floor(np.log10(about))
    return float(next(power * step for step in (1, 2, 5, 10) if power * step >= about))
