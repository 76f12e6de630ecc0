"""How many images a second do the DCGAN's and the VAE's steps train on, against PyTorch doing the same?

    python benchmarks/training.py [--size 64] [--batch 32] [--dtype float32]

Same architecture, batch, losses and optimiser on the same device, random images in memory. On a GPU PyTorch runs with
channels_last, autocast for bfloat16, and `torch.compile` (`training_in_torch.py`); where it is not installed, there is
no peer. Also: the gradient of a transposed convolution against the one XLA derives from `lax.conv_transpose`, and the
share of time that training waits for images.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

import jax
import numpy as np

from sicjax import data, models, train
from sicjax.train._feed import Feed
from sicjax.train._loop import _advance

ROUNDS = 3
RESULTS = Path(__file__).parent / "results" / "training.json"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--size", type=int, default=64)
    options.add_argument("--batch", type=int, default=32)
    options.add_argument("--dtype", choices=("float32", "bfloat16"), default="float32")
    options.add_argument("--seconds", type=float, default=20, help="of each measurement")
    options.add_argument("--out", type=Path, default=RESULTS)
    given = options.parse_args()
    device = jax.devices()[0]
    try:
        import training_in_torch as peers
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        peers, versions = None, f"jax {jax.__version__}, without PyTorch"
    else:
        versions = f"jax {jax.__version__}, torch {peers.VERSION}"
    result = {
        "device": f"{device.device_kind}, {os.cpu_count()} CPU cores, {versions}",
        "batch": given.batch,
        "size": given.size,
        "dtype": given.dtype,
        "images_per_second": {},
    }
    common = dict(size=given.size, batch=given.batch, dtype=given.dtype)
    pixels = np.random.default_rng(0).integers(0, 256, (4096, given.size, given.size, 3), np.uint8)
    cases = {
        "gan": (train.gan_task(train.GanConfig(**common)), train.GanConfig(**common)),
        "vae": (train.vae_task(train.VaeConfig(**common)), train.VaeConfig(**common)),
    }
    for name, (task, config) in cases.items():
        step, waiting = ours(task, config, pixels)
        both = {"sicjax": step}
        if peers is not None:
            theirs = peers.PEERS[name](given.size, peers.device_of(device), given.dtype)
            both["PyTorch"] = partial(theirs.step, pixels[: given.batch])
        rates = alternately(both, given.batch, given.seconds)
        if peers is not None:
            rates["sicjax over PyTorch"] = rates["sicjax"] / rates["PyTorch"]
        rates["share of time waiting for images, on the device"] = waiting(True, given.seconds / 4)
        rates["share of time waiting for images, streamed"] = waiting(False, given.seconds / 4)
        result["images_per_second"][name] = rates
        print(name, json.dumps(rates, indent=1), flush=True)
    result["transposed_convolution_ms"] = transposed(given.batch, given.seconds / 4)
    print(json.dumps(result["transposed_convolution_ms"], indent=1))
    given.out.parent.mkdir(exist_ok=True)
    given.out.write_text(json.dumps(result, indent=1) + "\n")


def alternately(steps: dict[str, Callable[[], object]], images: int, seconds: float) -> dict[str, float]:
    """Images a second of each, run in turns so that what else the machine does hits both alike.

    A turn is several steps after a rest, because the threads of one library still spin when the other starts.
    """
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(ROUNDS):
        for name, step in steps.items():
            time.sleep(0.5)
            step()
            start = time.perf_counter()
            while not times[name] or time.perf_counter() - start < seconds / ROUNDS / len(steps):
                before = time.perf_counter()
                step()
                times[name].append(time.perf_counter() - before)
    return {name: images / median(found) for name, found in times.items()}


def ours(task: train.Task, config: train.Config, pixels: np.ndarray):
    """A step as training runs it, and the share of its time in which it waits for images."""
    together = 1 if jax.devices()[0].platform == "cpu" else 10
    advance = jax.jit(lambda state, pixels, given: _advance(task.step, state, pixels, given), donate_argnums=0)
    held = {"state": task.init(), "step": 0}
    mesh = jax.sharding.Mesh(np.array(jax.devices()[:1]), ("data",))
    images = data.Images("random", pixels, tuple(map(str, range(len(pixels)))))
    feeds = {
        fits: Feed(images, len(pixels), type(config)(size=config.size, batch=config.batch, on_device=fits), mesh)
        for fits in (True, False)
    }

    def run(fits: bool = True) -> float:
        before = time.perf_counter()
        given = feeds[fits].steps(held["step"], held["step"] + together)
        waited = time.perf_counter() - before
        held["state"], metrics = advance(held["state"], feeds[fits].pixels, given)
        jax.block_until_ready(metrics)
        held["step"] += together
        return waited

    def waiting(fits: bool, seconds: float) -> float:
        run(fits)
        waited, start = 0.0, time.perf_counter()
        while time.perf_counter() - start < seconds:
            waited += run(fits)
        return waited / (time.perf_counter() - start)

    return (lambda: [run() for _ in range(1)]) if together == 1 else run, waiting


def transposed(batch: int, seconds: float) -> dict[str, dict[str, float]]:
    """Milliseconds of the kernel's and the input's gradient for each layer of the generator."""
    found = {}
    for side, i, o in ((4, 512, 256), (8, 256, 128), (16, 128, 64), (32, 64, 3)):
        keys = jax.random.split(jax.random.key(0), 3)
        x, g = (jax.random.normal(key, (batch, n, n, c)) for key, n, c in ((keys[0], side, i), (keys[1], 2 * side, o)))
        kernel = jax.random.normal(keys[2], (4, 4, i, o))
        forms = {
            "lax.conv_transpose": lambda x, k: jax.lax.conv_transpose(x, k, (2, 2), "SAME"),
            "models.conv_transpose": lambda x, k: models.conv_transpose(x, k, 2),
        }
        steps = {}
        for name, form in forms.items():
            gradient = jax.jit(lambda x, k, g, form=form: jax.vjp(form, x, k)[1](g))
            steps[name] = lambda gradient=gradient, x=x, kernel=kernel, g=g: jax.block_until_ready(
                gradient(x, kernel, g)
            )
        rates = alternately(steps, 1, seconds)
        found[f"{i} to {o}"] = {name: 1000 / rate for name, rate in rates.items()}
    totals = {
        name: sum(layer[name] for layer in found.values()) for name in ("lax.conv_transpose", "models.conv_transpose")
    }
    return {**found, "all": totals, "ratio": totals["lax.conv_transpose"] / totals["models.conv_transpose"]}


if __name__ == "__main__":
    main()
