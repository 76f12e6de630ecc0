"""How often does chance alone look like dependence? False positives of `coupling`, `decompose` and `energy`.

    python benchmarks/calibration.py [FOLDER]

Pairs of independent random layers, of the shapes that people have, and the pairs of the networks in FOLDER (weights
files) with the channels of one side in a random order: as they are and after pruning, rounding to float16 and to int8
(a batch norm folded in scales a channel, which coupling does not see by construction; it is tried for `energy`).
The rules, fixed before: `p` below 0.05 and 0.01, of coupling as `sdr.coupling` gives it, of adaptation from a normal
`z` (either side), of energy from Student's t for a correlation (either side). Beside each share is the interval in
which 95 % of such counts would lie. Writes benchmarks/results/calibration.json.
"""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import scipy.stats

import sicjax.sdr as sdr
from sicjax import networks

RESULTS = Path(__file__).parent / "results"
RATES = (0.05, 0.01)
# Kernel sizes, `up`, inputs and outputs of a channel, numbers of channels, and how many pairs of each.
SHAPES = {
    "2-D, 3 x 3": ((3, 3), (3, 3), 1, 4, 4, ((8, 2000), (16, 2000), (64, 1000), (256, 300), (2048, 60))),
    "2-D, 4 x 4 at stride 2": ((4, 4), (4, 4), 2, 4, 4, ((8, 2000), (32, 1000), (128, 500))),
    "depthwise, then 3 x 3": ((3, 3), (3, 3), 1, 1, 4, ((16, 1000), (128, 500))),
    "1-D, 9": ((9,), (9,), 1, 4, 4, ((16, 1000), (64, 500))),
    "3-D, 3 x 3 x 3": ((3, 3, 3), (3, 3, 3), 1, 4, 4, ((32, 500),)),
}
# Random orders of the channels of each real pair, and the pairs taken from one file.
ORDERS, TAKEN = 40, 4


@jax.jit
def p_values(pair: sdr.Cascade) -> dict[str, jax.Array]:
    """Of coupling, adaptation and energy."""
    coupling, z = sdr.coupling(pair), sdr.decompose(pair).z
    return {"coupling": coupling.p, "adaptation": 2 * jax.scipy.stats.norm.sf(jnp.abs(z)), "energy": coupling.energy}


def judged(found: dict[str, np.ndarray], channels: int | np.ndarray) -> dict[str, dict[str, float]]:
    """The share of p-values below each rate and the interval of such shares."""
    r = np.clip(np.asarray(found["energy"], np.float64), -1 + 1e-12, 1 - 1e-12)
    freedom = np.asarray(channels) - 2
    energy = 2 * scipy.stats.t.sf(np.abs(r) * np.sqrt(freedom / (1 - r**2)), freedom)
    shares = {}
    for name, p in {**found, "energy": np.where(np.isfinite(found["energy"]), energy, np.nan)}.items():
        p = np.asarray(p, np.float64)
        p = p[np.isfinite(p)]
        low_high = {rate: scipy.stats.binom.interval(0.95, len(p), rate) for rate in RATES}
        shares[name] = {"pairs": len(p)}
        for rate, (low, high) in low_high.items():
            shares[name][f"below {rate}"] = float((p < rate).mean())
            shares[name][f"interval {rate}"] = [low / len(p), high / len(p)]
    return shares


def random_layers() -> dict[str, dict]:
    rows = {}
    for name, (first, second, up, i, o, sizes) in SHAPES.items():
        for m, pairs in sizes:
            together = max(1, min(pairs, 2**21 // m**2))

            @jax.jit
            def some(key, m=m, together=together, first=first, second=second, up=up, i=i, o=o):
                a, b = jax.random.split(key)
                kernels = (
                    jax.random.normal(a, (together, *first, i, m)),
                    jax.random.normal(b, (together, *second, m, o)),
                )
                return jax.vmap(lambda f, s: p_values(sdr.Cascade(f, s, up=up)))(*kernels)

            keys = jax.random.split(jax.random.key(m), -(-pairs // together))
            found = jax.tree.map(lambda *p: np.concatenate(p), *(jax.device_get(some(key)) for key in keys))
            rows[f"{name}, {m} channels"] = judged(found, m)
            tell(f"{name}, {m} channels", rows[f"{name}, {m} channels"])
    return rows


def pruned(kernel: np.ndarray) -> np.ndarray:
    """The smaller half of the weights set to 0."""
    return np.where(np.abs(kernel) < np.median(np.abs(kernel)), 0, kernel)


def as_int8(kernel: np.ndarray) -> np.ndarray:
    scale = np.abs(kernel).max() / 127
    return np.round(kernel / scale) * scale


CHANGES = {
    "as they are": lambda kernel: kernel,
    "half of the weights pruned": pruned,
    "float16": lambda kernel: kernel.astype(np.float16).astype(np.float32),
    "int8": as_int8,
}


def between(pair: sdr.Cascade) -> tuple[tuple[int, ...], ...]:
    return pair.down, pair.up, pair.first_dilation, pair.second_dilation


@partial(jax.jit, static_argnames="settings")
def in_orders(first, second, orders, settings) -> dict[str, jax.Array]:
    """Of a pair with the second layer's kernels in each of these orders."""
    return jax.lax.map(lambda order: p_values(sdr.Cascade(first, jnp.take(second, order, -2), *settings)), orders)


def real_layers(folder: Path) -> dict[str, dict]:
    """Pairs of real layers, the channels between them in a random order."""
    rng = np.random.default_rng(0)
    found = {name: {"coupling": [], "adaptation": [], "energy": [], "channels": []} for name in CHANGES}
    for file in sorted(folder.glob("*.safetensors")):
        pairs = [pair.cascade for pair in networks.from_file(file).pairs if not pair.cascade.structural]
        pairs = [pair for pair in pairs if pair.first_groups == pair.second_groups == 1 and pair.shape[1] >= 8]
        for k in np.unique(np.linspace(0, len(pairs) - 1, min(TAKEN, len(pairs))).astype(int)) if pairs else ():
            pair = pairs[k]
            orders = np.stack([rng.permutation(pair.shape[1]) for _ in range(ORDERS)])
            # 32 inputs and outputs a channel are enough: a null is asked for, whatever the features are.
            kernels = np.asarray(pair.first)[..., :32, :], np.asarray(pair.second)[..., :32]
            for name, change in CHANGES.items():
                first, second = map(change, kernels)
                for key, values in jax.device_get(in_orders(first, second, orders, between(pair))).items():
                    found[name][key].append(values)
                found[name]["channels"].append(np.full(ORDERS, pair.shape[1]))
    rows = {}
    for name, lists in found.items():
        together = {key: np.concatenate(values) for key, values in lists.items()}
        rows[name] = judged(together, together.pop("channels"))
        tell(f"{folder.name}, permuted, {name}", rows[name])
    return rows


def tell(name: str, shares: dict[str, dict[str, float]]) -> None:
    parts = [f"{key} {100 * s['below 0.05']:.1f} % and {100 * s['below 0.01']:.2f} %" for key, s in shares.items()]
    print(f"{name:>40}, {shares['coupling']['pairs']:>5} pairs: {', '.join(parts)}", flush=True)


def main() -> None:
    result = {"random layers": random_layers()}
    if len(sys.argv) > 1:
        result["permuted channels of public networks"] = real_layers(Path(sys.argv[1]))
    outside = [
        (where, name, key, rate, s[f"below {rate}"])
        for where, rows in result.items()
        for name, shares in rows.items()
        for key, s in shares.items()
        for rate in RATES
        if not s[f"interval {rate}"][0] <= s[f"below {rate}"] <= s[f"interval {rate}"][1]
    ]
    result["outside"] = outside
    print(f"outside their intervals (5 % would be by chance): {len(outside)}", *outside, sep="\n  ")
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "calibration.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
