"""Figure 3: two kernels of a generator with their spectra, and causal and anticausal ratios of random filters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.signal import freqz

from sicjax import figures, networks, sdr, sic
from sicjax.experiments import _tables as tables
from sicjax.experiments._experiment import Drawing, Experiment
from sicjax.experiments._lab import Lab
from sicjax.experiments._public import generators

# The ratio of the paper's example.
SHOWN = 0.88
POINTS = 65
FREQUENCIES = 1024


def run(lab: Lab):
    public = [] if lab.weights is None else list(generators(lab.weights))
    source = public[0] if public else lab.gan(lab.preset.seeds[0])
    numbers, kernels = example(source)
    images = composed(**kernels)
    systems = {name: directions(name, lab.preset.drawn) for name in SYSTEMS}
    images |= {f"{name}: {end}": ratios[k] for name, ratios in systems.items() for k, end in enumerate(ENDS)}
    summary = {
        name: {
            "systems": len(there),
            "causal_median": float(np.median(there)),
            "anticausal_median": float(np.median(back)),
            "anticausal_below_one": float((back < 1).mean()),
            "larger_is_causal": float((there > back).mean()),
            "closer_is_causal": float((abs(there - 1) < abs(back - 1)).mean()),
        }
        for name, (there, back) in systems.items()
    }
    return {"source": source.stem, "example": numbers, "directions": summary}, images


def fig3a(result, images):
    return pathway(result["example"], images)


def pathway(example, images):
    return figures.kernels(
        figures.Composition(
            *(images[key] for key in ("coarse", "fine", "composed", "coarse_power", "fine_power")),
            ratio=example["ratio"],
            names=(example["coarse"], example["fine"]),
        )
    )


def fig3b(result, images):
    return figures.directions({name: tuple(images[f"{name}: {end}"] for end in ENDS) for name in result["directions"]})


def fig3c(result, images):
    i, m, o = result["example"]["pathway"]
    return figures.compositions(images["coarse"], images["fine"], (i, m, o))


def page(result) -> list[str]:
    rows = [
        [
            kind,
            *(tables.number(each[key], 2) for key in ("causal_median", "anticausal_median")),
            *(f"{100 * each[key]:.0f} %" for key in ("anticausal_below_one", "larger_is_causal")),
        ]
        for kind, each in result["directions"].items()
    ]
    header = ["input and filter", "median, causal", "median, anticausal", "anticausal below 1", "larger is causal"]
    return [tables.table(header, rows)]


def example(source: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The pathway with a ratio close to the paper's that carries the most energy, between layers 1 and 2; its kernels
    `coarse` and `fine` at the resolution of the finer layer, and the `stride` between them."""
    net = networks.from_file(source)
    name = next((n for n in ("generator",) if any(pair.network == n for pair in net.pairs)), net.pairs[0].network)
    pairs = [pair for pair in net.pairs if pair.network == name]
    # A layer of stride 1 that stands in front makes the first images and is no deconvolution of the paper's.
    pair = next((pair for pair in pairs if max(pair.first.stride) > 1), pairs[0])
    cascade = pair.cascade
    first, second = (np.asarray(kernel, np.float64) for kernel in cascade.aligned())
    rho = np.asarray(sdr.ratios(cascade))
    energy = np.square(first).sum((0, 1))[:, :, None] * np.square(second).sum((0, 1))[None]
    distance = np.where(np.isfinite(rho), np.abs(rho - SHOWN), np.inf)
    near = distance <= max(0.005, float(distance.min()))
    i, m, o = (int(k) for k in np.unravel_index(np.argmax(np.where(near, energy, -1)), rho.shape))
    numbers = {
        "pair": pair.name,
        "pathway": [i, m, o],
        "ratio": float(rho[i, m, o]),
        "coarse": f"{pair.first.path} [{i}, {m}]",
        "fine": f"{pair.second.path} [{m}, {o}]",
    }
    return numbers, {"coarse": first[:, :, i, m], "fine": second[:, :, m, o], "stride": max(cascade.up)}


def composed(coarse: Float[np.ndarray, "k l"], fine: Float[np.ndarray, "m n"], stride: int) -> dict[str, np.ndarray]:
    """Two kernels, what they make together, and their power spectra."""
    stretched = np.zeros([(side - 1) * stride + 1 for side in coarse.shape])
    stretched[::stride, ::stride] = coarse
    return {
        "coarse": coarse,
        "fine": fine,
        "composed": _convolved(stretched, fine),
        "coarse_power": _power(stretched),
        "fine_power": _power(fine),
    }


def _power(kernel: Float[np.ndarray, "k l"]) -> Float[np.ndarray, "f f"]:
    return np.fft.fftshift(np.abs(np.fft.fft2(kernel, (POINTS, POINTS))) ** 2)


def _convolved(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    shape = [x + y - 1 for x, y in zip(a.shape, b.shape, strict=True)]
    return np.fft.ifft2(np.fft.fft2(a, shape) * np.fft.fft2(b, shape)).real


def directions(name: str, count: int) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """Ratios of cause to effect and back, from the exact spectra of `count` random inputs and invertible filters."""
    rng, make = np.random.default_rng(0), SYSTEMS[name]
    found = np.array([sic.ratio_of_spectra(*_spectra(make(rng), make(rng))) for _ in range(count)])
    return found[:, 0], found[:, 1]


def _spectra(source, system):
    power = lambda b, a: np.abs(freqz(b, a, worN=FREQUENCIES, whole=True)[1]) ** 2
    of_input = power(*source)
    return of_input, of_input * power(*system)


def _taps(rng: np.random.Generator):
    return rng.normal(size=4), np.ones(1)


def _fading(rng: np.random.Generator):
    return rng.normal(size=16) * np.exp(-np.arange(16) / 4), np.ones(1)


def _arma(rng: np.random.Generator):
    return _from_roots(rng, 0.9), _from_roots(rng, 0.8)


def _from_roots(rng: np.random.Generator, largest: float) -> np.ndarray:
    roots = rng.uniform(0, largest, 2) * np.exp(1j * rng.uniform(0, np.pi, 2))
    return np.poly(np.concatenate([roots, roots.conj()])).real


# As input and as filter, independently drawn.
SYSTEMS = {"4 random taps": _taps, "16 fading taps": _fading, "ARMA (4, 4)": _arma}
ENDS = ("causal", "anticausal")
EXPERIMENT = Experiment(
    "illustration",
    "two kernels and their spectra; causal and anticausal",
    run,
    drawings=(
        Drawing(
            "fig3a", "Fig. 3a: a pathway between the first two layers, with a ratio as in the paper's example.", fig3a
        ),
        Drawing(
            "fig3b", "Fig. 3b: ratios of random inputs through random filters, from cause to effect and back.", fig3b
        ),
        Drawing(
            "fig3c",
            "Fig. 3c: a ratio is of one pathway: an input (blue), an intermediate (green) and an output channel (red).",
            fig3c,
        ),
    ),
    page=page,
    weights="used",
)
