"""What one can look at to ask whether a layer is as trained: numbers of its pair, and of the layer alone."""

from __future__ import annotations

import math
from collections.abc import Mapping

import jax
import numpy as np
from jaxtyping import Float
from scipy.special import xlogy

from sicjax import _extras, sdr
from sicjax.experiments._planting import Kernel, Planted

# Every detector with the direction in which a fault should move it.
DETECTORS = {
    "ratio": -1,
    "adaptation z": -1,
    "coupling": -1,
    "coupling z": -1,
    "|energy|": -1,
    "entropy": 1,
    "norm": 1,
    "alpha": 1,
}
# Those that two successive layers are needed for.
OF_PAIRS = ("ratio", "adaptation z", "coupling", "coupling z", "|energy|")

Values = list[float | None]


def weightwatcher() -> str | None:
    """The version of WeightWatcher, which `alpha` is left to; None where it or PyTorch is not installed."""
    return None if _extras.missing("peers") else _extras.version("weightwatcher")


def detect(planted: Planted) -> dict[str, Values]:
    """The detectors, in their order, on every version of a layer; None where one gives no number."""
    alpha = alphas(planted.versions) if weightwatcher() else {}
    found = {}
    for version, kernel in planted.versions.items():
        alone = {
            "entropy": entropy(kernel),
            "norm": kernel.std(dtype=np.float64),
            "alpha": alpha.get(version, math.nan),
        }
        values = {**of_pair(planted.pair, kernel), **alone}
        found[version] = [float(f"{values[name]:.6g}") if np.isfinite(values[name]) else None for name in DETECTORS]
    return found


def of_pair(pair: sdr.Cascade, kernel: Kernel) -> dict[str, Float[jax.Array, ""]]:
    """The detectors of a pair whose second layer has this kernel; NaN where one is undefined."""
    first, second = _filled(np.asarray(pair.first)), _filled(kernel)
    return _of_pair(sdr.Cascade(first, second, pair.down, pair.up, pair.first_dilation, pair.second_dilation))


def _filled(kernel: Kernel) -> Float[np.ndarray, "*k m2 o2"]:
    """With empty kernels, which count nowhere, up to a power of 4: compiling takes longer than computing."""
    fill = [(0, max(16, 4 ** math.ceil(math.log(n, 4))) - n) for n in kernel.shape[-2:]]
    return np.pad(kernel, [(0, 0)] * (kernel.ndim - 2) + fill)


@jax.jit
def _of_pair(pair: sdr.Cascade) -> dict[str, Float[jax.Array, ""]]:
    parts, coupling = sdr.decompose(pair), sdr.coupling(pair)
    found = (1 + parts.total, parts.z, coupling.coupling, coupling.z, abs(coupling.energy))
    return dict(zip(OF_PAIRS, found, strict=True))


def entropy(kernel: Kernel) -> float:
    """Entropy of a kernel's power over the frequencies, at most 1, as the mean over the kernels with any energy."""
    spatial = tuple(range(kernel.ndim - 2))
    points = [2 * size for size in kernel.shape[:-2]]
    power = np.abs(np.fft.fftn(kernel.astype(np.float64), points, axes=spatial)) ** 2
    total = power.sum(spatial)
    share = power / np.where(total > 0, total, 1)
    of_each = -xlogy(share, share).sum(spatial) / math.log(math.prod(points))
    return float(of_each[total > 0].mean()) if (total > 0).any() else math.nan


def alphas(kernels: Mapping[str, Kernel]) -> dict[str, float]:
    """WeightWatcher's alpha of kernels by name, with its defaults; NaN or none where it gives no number.

    It is the exponent of a power law fitted to the tail of the eigenvalues of all taps' matrices together. Of the
    weights of a state dict WeightWatcher takes convolutions in two dimensions, with at least 8 eigenvalues.
    """
    import torch
    import weightwatcher

    as_stored = {
        f"{name}.weight": torch.from_numpy(np.ascontiguousarray(np.moveaxis(kernel, (-1, -2), (0, 1)), np.float32))
        for name, kernel in kernels.items()
        if kernel.ndim == 4
    }
    if not as_stored:
        return {}
    table = weightwatcher.WeightWatcher(model=as_stored).analyze()
    if not len(table):
        return {}
    # A fit that failed is -1; an exponent of a density is above 1.
    return {
        name: float(alpha) if alpha > 1 else math.nan
        for name, alpha in zip(table["longname"], table["alpha"], strict=True)
    }
