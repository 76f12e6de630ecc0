"""A small classifier of what drawn faces were drawn from: the encoder of the VAE, its latent means taken as logits."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial
from typing import Any

import jax
import numpy as np
from jaxtyping import Bool, Float

from sicjax import data, models
from sicjax.train import VaeConfig

# Whether a factor is above this: with the ranges of `data.FACTORS` half of the faces, but 60, 30 and 25 % of the last
# three, have it.
ABOVE = {
    "yaw": 0.0, "skin": 0.5, "hair_colour": 0.5, "hair_length": 0.5, "smile": 0.0,
    "mouth_open": 0.0, "beard": 0.0, "glasses": 0.0,
}  # fmt: skip
BATCH = 32


def classifier(config: VaeConfig, images: int, seed: int) -> Any:
    """A classifier trained on so many faces of its own, for the config's steps, with half of its encoder's channels."""
    from flax import nnx

    model = models.Encoder(
        latent=len(ABOVE),
        channels=tuple(max(count // 2, 2) for count in config.encoder),
        strides=(2,) * len(config.encoder),
        kernel=config.kernel,
        size=config.size,
        rngs=nnx.Rngs(seed),
    )
    pixels, labels = faces(images, config.size, seed)
    graphdef, params, stats = nnx.split(model, nnx.Param, nnx.BatchStat)
    optimiser = _adam(config.learning_rate)
    state = optimiser.init(params)
    for step in range(config.steps):
        batch = data.indices(step, images, min(BATCH, images), seed)
        params, stats, state = _step(graphdef, optimiser, params, stats, state, pixels[batch], labels[batch])
    return nnx.merge(graphdef, params, stats)


@cache
def _adam(learning_rate: float) -> Any:
    """One for all seeds, so that they share a compiled step."""
    import optax

    return optax.adam(learning_rate)


@partial(jax.jit, static_argnums=(0, 1))
def _step(graphdef, optimiser, params, stats, state, pixels, labels):
    import optax
    from flax import nnx

    def loss(params):
        model = nnx.merge(graphdef, params, stats, copy=True)
        logits, _ = model(pixels, train=True)
        return optax.sigmoid_binary_cross_entropy(logits, labels).mean(), nnx.state(model, nnx.BatchStat)

    gradient, stats = jax.grad(loss, has_aux=True)(params)
    updates, state = optimiser.update(gradient, state, params)
    return optax.apply_updates(params, updates), stats, state


def faces(n: int, size: int, seed: int) -> tuple[Float[np.ndarray, "n size size 3"], Bool[np.ndarray, "n factors"]]:
    """Drawn faces in [-1, 1], and whether each factor of each is above its limit."""
    found = data.load("faces", size=size, limit=n, seed=seed)
    factors: Mapping[str, np.ndarray] | None = found.factors
    assert factors is not None
    labels = np.stack([factors[name] > limit for name, limit in ABOVE.items()], 1)
    return np.asarray(found.pixels, np.float32) / 127.5 - 1, labels
