"""How many digits does this device keep, and does a setting that drops some for speed (TF32, bfloat16) reach them?

    python benchmarks/digits.py [--quick] [--out FILE.json]

Against `sdr.reference`, the literal equation in float64 on the processor: the largest relative error of the ratios by
every method and of each number, under each of JAX's precisions of a product. The measure asks for the highest wherever
it multiplies matrices, so that the settings should make no difference; beside it, what a plain product loses there.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from engine import pair_of

from sicjax import sdr

RESULTS = Path(__file__).parent / "results" / "digits.json"
# Inputs, intermediate channels, outputs; sides of both kernels; stride of the second.
PAIRS = {"16x64x16, 4x4 by 2": ((16, 64, 16), 4, 2), "8x32x8, 5x5": ((8, 32, 8), 5, 1)}
PRECISIONS = ("default", "tensorfloat32", "bfloat16", "highest")


def numbers(pair: sdr.Cascade) -> dict[str, Callable[[], jax.Array]]:
    """What is computed on the device."""
    return {
        "ratios from lags": lambda: sdr.ratios(pair, method="lags"),
        "ratios from FFTs": lambda: sdr.ratios(pair, method="fft"),
        "mean": lambda: sdr.moments(pair).mean,
        "std": lambda: sdr.moments(pair).std,
        "adaptation": lambda: sdr.decompose(pair).adaptation,
        "coupling": lambda: sdr.coupling(pair).coupling,
    }


def exact(pair: sdr.Cascade) -> dict[str, np.ndarray]:
    """The same in float64 on the processor: the literal equation, and the closed forms of what it does not give."""
    ratios = sdr.reference.ratios(pair)
    with jax.enable_x64(True), jax.default_device(jax.devices("cpu")[0]):
        wide = sdr.Cascade(*(np.asarray(k, np.float64) for k in (pair.first, pair.second)), up=pair.up)
        rest = {name: np.asarray(numbers(wide)[name]()) for name in ("adaptation", "coupling")}
    spread = {"mean": ratios.mean(), "std": ratios.std()}
    return {"ratios from lags": ratios, "ratios from FFTs": ratios, **spread, **rest}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="the smaller pair alone")
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parser.parse_args()
    device = jax.devices()[0]
    result = {"device": f"{device.device_kind}, {os.cpu_count()} CPU cores, jax {jax.__version__}", "error": {}}
    x = np.random.default_rng(1).normal(size=(256, 256)).astype(np.float32)
    for name, given in list(PAIRS.items())[1 if args.quick else 0 :]:
        pair = pair_of(*given)
        right = exact(pair)
        for precision in PRECISIONS:
            jax.clear_caches()  # what is compiled has its precision
            with jax.default_matmul_precision(precision):
                found = {key: np.asarray(step(), np.float64) for key, step in numbers(pair).items()}
                plain = np.asarray(jnp.asarray(x) @ jnp.asarray(x), np.float64)
            errors = {key: float(np.max(np.abs(found[key] / right[key] - 1))) for key in found}
            wide = x.astype(np.float64) @ x.astype(np.float64)
            errors["a plain product of 256 x 256"] = float(np.abs(plain - wide).max() / np.abs(wide).max())
            result["error"][f"{name}, {precision}"] = errors
            print(name, precision, json.dumps(errors, indent=1), flush=True)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
