"""How fast is the measure? Each step against copying its result's bytes and against others doing the same, in one run.

    python benchmarks/engine.py [--quick | --coupling]

Writes benchmarks/results/engine.json and engine_growth.png. Peak memory is what a step adds to the process (Linux).
`--coupling` only holds `coupling` against `decompose` at 512 x 256 x 128 channels, the two in turns, and puts the
result into the file that is there.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

import sicjax.sdr as sdr

RESULTS = Path(__file__).parent / "results"
SHAPES = ((128, 64, 3), (256, 128, 64), (512, 256, 128))
KERNELS = ((4, 2), (5, 2), (3, 1))
EDGES = np.linspace(0, 4, 201)
LIMIT = "numpy.copyto" if jax.default_backend() == "cpu" else "x + 1 on the device"


def timed(step: Callable, repeats: int = 9) -> float:
    """Median seconds of a step, after one run that compiles."""
    jax.block_until_ready(step())
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        jax.block_until_ready(step())
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def peak_memory(step: Callable) -> float | None:
    """Mebibytes that a step adds to the process at its peak; None where the system does not tell."""
    status, reset = Path("/proc/self/status"), Path("/proc/self/clear_refs")
    if not status.exists():
        return None
    jax.block_until_ready(step())
    # Memory that was freed but kept would hide what the step needs.
    ctypes.CDLL(None).malloc_trim(0)
    read = lambda field: next(int(s.split()[1]) for s in status.read_text().splitlines() if s.startswith(field)) / 1024
    try:
        reset.write_text("5")
    except OSError:
        return None
    before = read("VmRSS")
    jax.block_until_ready(step())
    return max(0.0, read("VmHWM") - before)


def pair_of(shape, size: int, stride: int) -> sdr.Cascade:
    rng = np.random.default_rng(0)
    i, m, o = shape
    first = rng.normal(size=(size, size, i, m)).astype(np.float32)
    return sdr.generative(first, rng.normal(size=(size, size, m, o)).astype(np.float32), stride=stride)


def steps_of(pair: sdr.Cascade) -> dict[str, Callable]:
    """Every step of the measure; `ratios, given memory` writes into an array that is there already."""
    memory = [jnp.zeros(pair.shape)]

    def into_memory():
        memory[0] = sdr.ratios(pair, out=memory[0])
        return memory[0]

    return {
        "ratios": lambda: sdr.ratios(pair),
        "ratios, given memory": into_memory,
        "histogram": lambda: sdr.histogram(pair, edges=EDGES),
        "moments": lambda: sdr.moments(pair),
        "filter_ratios": lambda: sdr.filter_ratios(pair),
        "decompose": lambda: sdr.decompose(pair),
        "coupling": lambda: sdr.coupling(pair),
        "null": lambda: sdr.null(pair),
        "ratios, fft": lambda: sdr.ratios(pair, method="fft"),
    }


def copies(shape) -> dict[str, Callable]:
    """The physical limit: the result's bytes copied to memory that is there, and to fresh memory; on the device."""
    if jax.devices()[0].platform != "cpu":
        here, add = jnp.ones(shape, jnp.float32), jax.jit(lambda x: x + 1)
        return {LIMIT: lambda: add(here)}
    source = np.ones(shape, np.float32)
    target = np.empty_like(source)

    def fresh():
        np.copyto(made := np.empty_like(source), source)
        return made

    return {LIMIT: lambda: np.copyto(target, source), f"{LIMIT}, fresh memory": fresh}


def numpy_literal(pair: sdr.Cascade, points: int = 16) -> tuple[float, int]:
    """Seconds of the literal equation for all pathways, extrapolated from a few channels; and how many were run."""
    first, second = np.asarray(pair.first), np.asarray(pair.second)
    (stride, _), channels = pair.up, 2
    start = time.perf_counter()
    a = np.abs(np.fft.fft2(first[..., :channels], (points, points), axes=(0, 1))) ** 2
    b = np.abs(np.fft.fft2(second[..., :channels, :], (points, points), axes=(0, 1))) ** 2
    read = np.arange(points) * stride % points
    a = a[np.ix_(read, read)]
    for m in range(channels):
        product = (a[:, :, :, m, None] * b[:, :, m, None, :]).mean((0, 1))
        product / (a[..., m].mean((0, 1))[:, None] * b[:, :, m].mean((0, 1)))
    return (time.perf_counter() - start) * pair.shape[1] / channels, channels


def torch_fft(pair: sdr.Cascade, points: int) -> float | None:
    """Seconds of PyTorch's batched real FFTs and einsum for all pathways; None without PyTorch."""
    try:
        import torch
    except ImportError:
        return None
    torch.set_num_threads(os.cpu_count() or 1)
    first, second = (torch.from_numpy(np.array(kernel)).movedim((0, 1), (-2, -1)) for kernel in pair.aligned())
    stride = pair.up[0]
    half = points // 2 + 1
    weights = torch.full((half,), 2.0)
    weights[0] = 1
    if points % 2 == 0:
        weights[-1] = 1
    weights = (weights.repeat(points) / points**2)[:, None, None]

    def run():
        a = torch.fft.fft2(first, s=(points, points)).abs().square()
        b = torch.fft.rfft2(second, s=(points, points)).abs().square()
        rows, columns = torch.arange(points) * stride % points, torch.arange(half) * stride % points
        a = a[..., rows, :][..., columns].flatten(-2).permute(2, 0, 1)
        b = b.flatten(-2).permute(2, 0, 1) * weights
        power = torch.einsum("fim,fmo->imo", a, b)
        return power / ((a * weights).sum(0)[:, :, None] * b.sum(0))

    return timed(run, repeats=1 if points > 16 else 3)


def measure_pair(shape, size: int, stride: int, quick: bool) -> dict:
    pair = pair_of(shape, size, stride)
    limits = {name: timed(step) for name, step in copies(shape).items()}
    limit = limits[LIMIT]
    rows = {name: {"ms": 1e3 * s} for name, s in limits.items()}
    for name, step in steps_of(pair).items():
        rows[name] = {"ms": 1e3 * timed(step), "MiB": peak_memory(step)}
    literal, channels = numpy_literal(pair)
    rows[f"NumPy, literal, 16 points (extrapolated from {channels} of {shape[1]} channels)"] = {"ms": 1e3 * literal}
    for points in (10, 16) if quick else (10, 16, 64):
        seconds = torch_fft(pair, points)
        if seconds is not None:
            rows[f"PyTorch, FFT and einsum, {points} points"] = {"ms": 1e3 * seconds}
    for row in rows.values():
        row["of the limit"] = row["ms"] / (1e3 * limit)
    return {"shape": shape, "kernel": size, "stride": stride, "lags": len(pair.lags), "steps": rows}


def growth(quick: bool) -> dict[str, dict[int, float]]:
    """Milliseconds of each step at c x c x c channels, 4 x 4 kernels, stride 2."""
    found: dict[str, dict[int, float]] = {}
    for c in (32, 64, 128) if quick else (32, 64, 128, 256, 512):
        steps = copies((c, c, c)) | steps_of(pair_of((c, c, c), 4, 2))
        for name in (LIMIT, "ratios, given memory", "histogram", "moments", "decompose"):
            found.setdefault(name, {})[c] = 1e3 * timed(steps[name], repeats=5)
    return found


def draw(found: dict[str, dict[int, float]], file: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 3.6), layout="constrained")
    panel = figure.subplots()
    for (name, points), marker in zip(found.items(), "os^vD", strict=True):
        panel.loglog(list(points), list(points.values()), marker=marker, markersize=4, linewidth=1, label=name)
    panel.set(xlabel="channels c of a c x c x c pair, 4 x 4 kernels, stride 2", ylabel="milliseconds")
    panel.legend(fontsize=7, frameon=False)
    panel.grid(alpha=0.3, which="both", linewidth=0.4)
    figure.savefig(file, dpi=150)


def in_turns(steps: dict[str, Callable], repeats: int = 100) -> dict[str, dict[str, float]]:
    """Milliseconds of each step, all of them once a round: the least, and the median."""
    found: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(1 + repeats):
        for name, step in steps.items():
            start = time.perf_counter()
            jax.block_until_ready(step())
            found[name].append(1e3 * (time.perf_counter() - start))
    return {name: {"least": min(ms[1:]), "median": statistics.median(ms[1:])} for name, ms in found.items()}


def coupling_against_decompose(machine: str, shape=SHAPES[-1]) -> dict:
    steps = steps_of(pair_of(shape, *KERNELS[0]))
    ms = in_turns({name: steps[name] for name in ("decompose", "coupling")})
    ratios = {key: ms["coupling"][key] / ms["decompose"][key] for key in ("least", "median")}
    load = os.getloadavg()[0]
    return {"machine": machine, "shape": shape, "ms": ms, "coupling over decompose": ratios, "load": load}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="without the largest and slowest")
    parser.add_argument("--coupling", action="store_true", help="coupling against decompose, and nothing else")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder")
    args = parser.parse_args()
    quick, out, file = args.quick, args.out, args.out / "engine.json"
    out.mkdir(parents=True, exist_ok=True)
    device = jax.devices()[0]
    machine = f"{device.device_kind}, {os.cpu_count()} CPU cores, {platform.machine()}, jax {jax.__version__}"
    print(machine)
    compared = coupling_against_decompose(machine, SHAPES[0 if quick else -1])
    print(json.dumps(compared, indent=1))
    if args.coupling:
        before = json.loads(file.read_text()) if file.exists() else {}
        file.write_text(json.dumps(before | {"in turns": compared}, indent=1) + "\n")
        return
    pairs = []
    for shape in SHAPES[: 1 if quick else None]:
        for size, stride in KERNELS:
            found = measure_pair(shape, size, stride, quick)
            pairs.append(found)
            # What there is, should it be stopped.
            file.write_text(json.dumps({"machine": machine, "pairs": pairs, "in turns": compared}, indent=1) + "\n")
            print(f"\n{'x'.join(map(str, shape))} channels, {size}x{size}, stride {stride}, {found['lags']} lags")
            for name, row in found["steps"].items():
                memory = f"{row['MiB']:8.0f} MiB" if row.get("MiB") is not None else ""
                print(f"  {name:66} {row['ms']:10.2f} ms {row['of the limit']:9.2f} x {LIMIT} {memory}", flush=True)
    larger = growth(quick)
    result = {"machine": machine, "pairs": pairs, "growth": larger, "in turns": compared}
    file.write_text(json.dumps(result, indent=1) + "\n")
    draw(larger, out / "engine_growth.png")


if __name__ == "__main__":
    main()
