"""How much longer does a first measurement take for wide kernels than for narrow ones?

    python benchmarks/compile.py

The first calls that measure one pair of each size, most of which is compiling, and `sicjax measure` from an empty cache
on a 1-D network with the shapes of CREPE (kernels of 512 and 64 taps), each beside a 4 x 4 one in the same run.
Writes benchmarks/results/compile.json.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import jax
import numpy as np

import sicjax.sdr as sdr

RESULTS = Path(__file__).parent / "results"
NARROW = "4 x 4, stride 2"
PAIRS = {
    NARROW: ((4, 4), (4, 4), 2),
    "3 x 3, stride 1": ((3, 3), (3, 3), 1),
    "5 x 5, stride 1": ((5, 5), (5, 5), 1),
    "7 x 7, stride 1": ((7, 7), (7, 7), 1),
    "64, stride 2": ((64,), (64,), 2),
    "512 and 64, stride 8": ((512,), (64,), 8),
}
# Taps, channels and strides of each layer's convolution and pooling.
NETWORKS = {
    "DCGAN, 4 x 4": ([(4, 4)] * 5, (3, 64, 128, 256, 512, 1024), [2] * 5),
    "CREPE, 512 and 64": ([(512,)] + [(64,)] * 5, (1, 1024, 128, 128, 128, 256, 512), [8] + [2] * 5),
}


def smooth_kernel(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Random taps, each axis of space summed along, in PyTorch's layout."""
    kernel = rng.normal(size=shape).astype(np.float32)
    for axis in range(2, len(shape)):
        kernel = np.cumsum(kernel, axis)
    return kernel


def first_calls(first: tuple[int, ...], second: tuple[int, ...], stride: int) -> dict[str, float]:
    """Seconds of all steps of `sicjax measure` for one pair, with nothing compiled, and again."""
    rng = np.random.default_rng(0)
    kernels = (smooth_kernel(rng, *shape).transpose(*range(2, len(shape)), 1, 0)
               for shape in ((32, 16, *first), (16, 32, *second)))  # fmt: skip
    pair = sdr.extractive(*kernels, stride=stride)
    steps = (sdr.moments, sdr.null, sdr.decompose, sdr.coupling, lambda pair: sdr.histogram(pair).counts)
    seconds = []
    jax.clear_caches()
    for _ in range(2):
        start = time.perf_counter()
        for step in steps:
            jax.block_until_ready(step(pair))
        seconds.append(time.perf_counter() - start)
    return {"first": seconds[0], "again": seconds[1]}


def cold_run(folder: Path, taps, channels, strides) -> float:
    """Seconds of `sicjax measure` in a process of its own with an empty cache of compiled programs."""
    rng = np.random.default_rng(0)
    arrays, layers = {}, []
    for k, (size, inner, outer, stride) in enumerate(zip(taps, channels, channels[1:], strides, strict=False)):
        name = f"conv{k}.weight"
        arrays[name] = smooth_kernel(rng, outer, inner, *size)
        layers.append({"type": "conv", "weight": name, "layout": "OIHW", "stride": stride})
    np.savez(folder / "network.npz", **arrays)
    folder.joinpath("network.json").write_text(json.dumps({"networks": {"network": layers}}))
    command = [sys.executable, "-m", "sicjax.cli", "measure", str(folder / "network.npz"), "--json"]
    start = time.perf_counter()
    cache = {"JAX_COMPILATION_CACHE_DIR": str(folder / "programs")}
    subprocess.run(command, env=os.environ | cache, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    jax.config.update("jax_enable_compilation_cache", False)
    device = jax.devices()[0]
    machine = f"{device.device_kind}, {os.cpu_count()} CPU cores, {platform.machine()}, jax {jax.__version__}"
    print(machine)
    first_calls((2,), (2,), 1)  # what starts once in a process
    pairs = {name: first_calls(*pair) for name, pair in PAIRS.items()}
    for name, row in pairs.items():
        row["of 4 x 4"] = row["first"] / pairs[NARROW]["first"]
        again, ratio = 1e3 * row["again"], row["of 4 x 4"]
        print(
            f"  {name:24} first {row['first']:6.2f} s, {ratio:5.2f} times {NARROW}; again {again:8.2f} ms", flush=True
        )
    networks = {}
    for name, shapes in NETWORKS.items():
        with tempfile.TemporaryDirectory() as folder:
            networks[name] = cold_run(Path(folder), *shapes)
        print(f"  {name:24} {networks[name]:6.2f} s from an empty cache", flush=True)
    RESULTS.mkdir(exist_ok=True)
    result = {"machine": machine, "pairs": pairs, "networks, seconds": networks}
    RESULTS.joinpath("compile.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
