"""What does it gain to measure many networks of one shape at once?

    python benchmarks/stack.py [--networks 1000]

Networks of three convolutions with 8 to 16 channels: moments, decomposition, coupling and null of their pairs, in one
program for all under `vmap`, against the same program for one network after the other, and against calling each
function.
Writes benchmarks/results/stack.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path

import jax
import numpy as np

from sicjax import sdr

RESULTS = Path(__file__).parent / "results"
SHAPES = [(4, 4, 3, 8), (4, 4, 8, 16), (4, 4, 16, 16)]


def closed_forms(kernels):
    pairs = [sdr.extractive(a, b, stride=2) for a, b in zip(kernels[:-1], kernels[1:], strict=True)]
    return [tuple(of(pair) for of in (sdr.moments, sdr.decompose, sdr.coupling, sdr.null)) for pair in pairs]


def timed(function: Callable, repeats: int = 5) -> tuple[float, float]:
    """Seconds of the first call, which compiles, and of the fastest that follow."""
    seconds = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        jax.block_until_ready(function())
        seconds.append(time.perf_counter() - start)
    return seconds[0], min(seconds[1:])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--networks", type=int, default=1000)
    count = parser.parse_args().networks
    rng = np.random.default_rng(0)
    stack = [rng.normal(size=(count, *shape)).astype(np.float32) for shape in SHAPES]
    each = [[kernel[n] for kernel in stack] for n in range(count)]
    one, together = jax.jit(closed_forms), jax.jit(jax.vmap(closed_forms))
    first, at_once = timed(lambda: together(stack))
    _, in_turn = timed(lambda: [one(kernels) for kernels in each])
    _, by_function = timed(lambda: [closed_forms(kernels) for kernels in each])
    found = jax.tree.leaves(together(stack))
    expected = [np.stack(leaves) for leaves in zip(*(jax.tree.leaves(one(kernels)) for kernels in each), strict=True)]
    difference = max(float(np.nanmax(np.abs(a - b))) for a, b in zip(found, expected, strict=True))
    result = {
        "machine": f"{os.cpu_count()} CPU cores, {platform.machine()}, jax {jax.__version__}",
        "device": jax.devices()[0].device_kind,
        "networks": count,
        "at once, seconds": at_once,
        "at once, first call, seconds": first,
        "one program a network, times as long": in_turn / at_once,
        "one call a function, times as long": by_function / at_once,
        "largest difference": difference,
    }
    for name, value in result.items():
        print(f"{name}: {value}")
    RESULTS.mkdir(exist_ok=True)
    RESULTS.joinpath("stack.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
