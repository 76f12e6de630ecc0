"""Which way of counting ratios into bins is fastest on this device: a scatter, sorted blocks, or products of one-hots?

    python benchmarks/histograms.py [--quick] [--out FILE.json]

`scatter` adds one for each pathway, channel by channel; `sdr.histogram` does so too, in the way that is fastest on
CPU, and is timed beside them. `sorted` sorts the cells of a block and finds where each begins. `one-hot` is a
Pallas kernel: with a cell's number as two digits, the counts are a product of two matrices of ones and zeros, which
matrix units multiply, and which stay beside the unit until a block is done. On CPU Pallas is only interpreted: there it
is checked, not timed. All three must count the same; the limit is writing the ratios, a copy of their bytes.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from engine import pair_of, timed
from jax.experimental import pallas as pl
from jaxtyping import Array, Float, Int

from sicjax import sdr

RESULTS = Path(__file__).parent / "results" / "histograms.json"
SHAPES = ((128, 64, 64), (512, 256, 128))
BINS, TOP = 4000, 4.0
# A cell's number has two digits of base `DIGIT`; inputs and outputs of a block.
DIGIT, INPUTS, OUTPUTS = 64, 16, 64
# Pathways that are sorted at once.
SORTED = 2**20


def cells(a: Float[Array, "n i"], b: Float[Array, "n o"]) -> Int[Array, "i o"]:
    """Of the pathways through one channel: 0 below the first edge, `BINS + 1` above the last."""
    width = TOP / BINS
    position = sum((a[n][:, None] * (2 / width * b[n])[None] for n in range(len(a))), 1 / width + 1)
    return jnp.clip(jnp.floor(position), 0, BINS + 1).astype(jnp.int32)


@jax.jit
def by_scatter(a: Float[Array, "n i m"], b: Float[Array, "n m o"]) -> Int[Array, " cells"]:
    def step(counts, channel):
        return counts.at[cells(*channel).ravel()].add(1, mode="promise_in_bounds"), None

    counts = jnp.zeros(BINS + 2, jnp.int32)
    return jax.lax.scan(step, counts, (jnp.moveaxis(a, 2, 0), jnp.moveaxis(b, 1, 0)))[0]


@jax.jit
def by_sorting(a: Float[Array, "n i m"], b: Float[Array, "n m o"]) -> Int[Array, " cells"]:
    together = max(1, SORTED // (a.shape[1] * b.shape[2]))
    together = next(size for size in range(min(together, a.shape[2]), 0, -1) if a.shape[2] % size == 0)
    blocks = lambda x: x.reshape(-1, together, *x.shape[1:])

    def step(counts, channels):
        found = jnp.sort(jax.vmap(cells)(*channels).ravel())
        return counts + jnp.diff(jnp.searchsorted(found, jnp.arange(BINS + 3))), None

    channels = blocks(jnp.moveaxis(a, 2, 0)), blocks(jnp.moveaxis(b, 1, 0))
    return jax.lax.scan(step, jnp.zeros(BINS + 2, jnp.int32), channels)[0]


@partial(jax.jit, static_argnames="interpret")
def by_one_hots(a: Float[Array, "n i m"], b: Float[Array, "n m o"], *, interpret: bool) -> Int[Array, " cells"]:
    """Inputs and outputs must be multiples of the sides of a block. Counts of a block are exact: below 2**24."""
    (n, i, m), o = a.shape, b.shape[2]

    def kernel(a_ref, b_ref, counts_ref):
        found = cells(a_ref[:, :, 0], b_ref[:, 0, :]).reshape(-1, 1)
        high = (found // DIGIT == jnp.arange(DIGIT)[None]).astype(jnp.bfloat16)
        low = (found % DIGIT == jnp.arange(DIGIT)[None]).astype(jnp.bfloat16)
        counts_ref[0, 0, 0] = jnp.dot(high.T, low, preferred_element_type=jnp.float32)

    grid = m, i // INPUTS, o // OUTPUTS
    counts = pl.pallas_call(
        kernel,
        grid=grid,
        in_specs=[
            pl.BlockSpec((n, INPUTS, 1), lambda channel, x, y: (0, x, channel)),
            pl.BlockSpec((n, 1, OUTPUTS), lambda channel, x, y: (0, channel, y)),
        ],
        out_specs=pl.BlockSpec((1, 1, 1, DIGIT, DIGIT), lambda channel, x, y: (channel, x, y, 0, 0)),
        out_shape=jax.ShapeDtypeStruct((*grid, DIGIT, DIGIT), jnp.float32),
        interpret=interpret,
    )(a, b)
    return counts.astype(jnp.int32).sum((0, 1, 2)).ravel()[: BINS + 2]


def measured(shape: tuple[int, int, int], cpu: bool) -> dict[str, float]:
    """Milliseconds of each way.

    Raises:
        SystemExit: one does not count as the others do.
    """
    pair = pair_of(shape, 4, 2)
    a, b, *_ = sdr.features(pair)
    ways: dict[str, Callable] = {"scatter": by_scatter, "sorted": by_sorting}
    ways["one-hot"] = partial(by_one_hots, interpret=cpu)
    counts = {name: np.asarray(way(a, b)) for name, way in ways.items()}
    for name, found in counts.items():
        if not (found == counts["scatter"]).all():
            raise SystemExit(f"{name} does not count as scatter does")
    source, copy = jnp.ones(shape, jnp.float32), jax.jit(lambda x: x + 1)
    steps: dict[str, Callable] = {"copy of as many bytes": lambda: copy(source)}
    edges = np.linspace(0, TOP, BINS + 1)
    steps["sdr.histogram"] = lambda: sdr.histogram(pair, edges=edges).counts
    steps |= {name: partial(way, a, b) for name, way in ways.items() if not cpu or name != "one-hot"}
    return {name: 1e3 * timed(step) for name, step in steps.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="without the largest")
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parser.parse_args()
    device = jax.devices()[0]
    result = {"device": f"{device.device_kind}, {os.cpu_count()} CPU cores, jax {jax.__version__}", "ms": {}}
    for shape in SHAPES[: 1 if args.quick else None]:
        rows = measured(shape, device.platform == "cpu")
        result["ms"]["x".join(map(str, shape))] = rows
        print(shape, json.dumps(rows, indent=1), flush=True)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
