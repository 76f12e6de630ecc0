"""The Spectral Dependency Ratio of two successive convolutions.

>>> import numpy as np
>>> import sicjax.sdr as sdr
>>> first, second = np.random.default_rng(0).normal(size=(2, 4, 4, 8, 8))
>>> pair = sdr.generative(first, second, stride=2)
>>> sdr.ratios(pair).shape, sdr.moments(pair).count.item()
((8, 8, 8), 512)
"""

from sicjax.sdr import reference
from sicjax.sdr._cascade import Cascade, extractive, generative
from sicjax.sdr._coupling import Coinertia, Coupling, coinertia, coupling, energies, energy
from sicjax.sdr._decompose import Decomposition, decompose
from sicjax.sdr._extremes import Extremes, extremes
from sicjax.sdr._histogram import Histogram, histogram
from sicjax.sdr._lags import Features, features
from sicjax.sdr._moments import Moments, moments, penalty
from sicjax.sdr._null import null, shuffle_taps
from sicjax.sdr._ratios import filter_ratios, ratios
from sicjax.sdr._spread import Spread, spread

__all__ = [
    "Cascade",
    "Coinertia",
    "Coupling",
    "Decomposition",
    "Extremes",
    "Features",
    "Histogram",
    "Moments",
    "Spread",
    "coinertia",
    "coupling",
    "decompose",
    "energies",
    "energy",
    "extractive",
    "extremes",
    "features",
    "filter_ratios",
    "generative",
    "histogram",
    "moments",
    "null",
    "penalty",
    "ratios",
    "reference",
    "shuffle_taps",
    "spread",
]
