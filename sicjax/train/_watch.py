"""The measure during training: every pair of layers of every network."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from sicjax import runs, sdr
from sicjax.networks import Network

EDGES = np.linspace(0, 4, 401)


class Watch:
    """Measures the pairs of a state's networks."""

    def __init__(self, nets: Mapping[str, Network]) -> None:
        self.nets = nets

    def __call__(self, step: int, weights: Mapping[str, Any]) -> runs.Measure:
        """For each pair its moments and their split, and a histogram of its ratios."""
        pairs = {
            f"{part}.{name}": pair
            for part, net in self.nets.items()
            for name, pair in net.bind(jax.device_get(weights[part])).items()
        }
        numbers = jax.device_get({name: _numbers(pair) for name, pair in pairs.items()})
        plain = {
            name: {key: float(value) if math.isfinite(value) else None for key, value in found.items()}
            for name, found in numbers.items()
        }
        return runs.Measure(step, plain, {name: sdr.histogram(pair, edges=EDGES) for name, pair in pairs.items()})


def _numbers(pair: sdr.Cascade) -> dict[str, jax.Array]:
    found, parts, coupling = sdr.moments(pair), sdr.decompose(pair), sdr.coupling(pair)
    split = {"marginal": parts.marginal, "adaptation": parts.adaptation, "z": parts.z}
    coupled = {"coupling": coupling.coupling, "coupling_z": coupling.z, "energy": coupling.energy}
    return {"mean": found.mean, "std": found.std, **split, **coupled, "undefined": found.undefined}
