"""Images that trained networks draw, and numbers that say how good they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from sicjax import data, quality
from sicjax.train import Config

BATCH = 64
# Faces that no run has seen: their seed is beyond those of training.
UNSEEN = 1_000_003


def draw(model: Any, count: int, seed: int = 0) -> Float[np.ndarray, "n h w 3"]:
    """Images in [-1, 1] that a generator or decoder makes of latent variables N(0, 1); the same for the same seed."""
    z = jax.random.normal(jax.random.key(seed), (count, model.latent))
    return decode(model, z)


def decode(model: Any, z: jax.Array | np.ndarray) -> Float[np.ndarray, "n h w 3"]:
    """Images of given latent variables."""
    return _applied(model, z)


def given_back(encoder: Any, decoder: Any, images: Float[np.ndarray, "n h w 3"]) -> Float[np.ndarray, "n h w 3"]:
    """What a VAE makes of images by way of the means of their latent variables."""
    mean, _ = _applied(encoder, images)
    return decode(decoder, mean)


def _applied(model: Any, x: jax.Array | np.ndarray) -> Any:
    from flax import nnx

    graphdef, state = nnx.split(model)
    count = len(x)
    batch = min(BATCH, count)
    # Filled up to whole batches, so that one program does all.
    x = jnp.concatenate([jnp.asarray(x), jnp.zeros((-count % batch, *x.shape[1:]))])
    parts = [_apply(graphdef, state, x[k : k + batch]) for k in range(0, len(x), batch)]
    return jax.tree.map(lambda *each: np.concatenate(each)[:count], *parts)


@partial(jax.jit, static_argnums=0)
def _apply(graphdef, state, x):
    from flax import nnx

    return nnx.merge(graphdef, state)(x)


def recalibrated(model: Any, x: jax.Array | np.ndarray) -> Callable[[Sequence[np.ndarray]], Any]:
    """What a network makes of inputs when a mask `(i, o)` of each of its convolutions is laid on the kernel.

    Its batch norms take the statistics that these same inputs have in what is left of it.
    """
    from flax import nnx

    graphdef, state = nnx.split(model)
    leaves, structure = jax.tree.flatten(state)
    program, x = _masked(graphdef, structure), jnp.asarray(x)
    return lambda masks: jax.tree.map(np.asarray, program(leaves, tuple(masks), x))


@lru_cache(8)
def _masked(graphdef, structure):
    """A program for all networks of one kind; looked up once, because a graph takes longer to hash than to run."""
    from flax import nnx

    @jax.jit
    def masked(leaves, masks, x):
        model = nnx.merge(graphdef, jax.tree.unflatten(structure, leaves), copy=True)
        for conv, mask in zip(model.convs, masks, strict=True):
            conv.kernel[...] = conv.kernel[...] * mask
        return model(x, train=True)

    return masked


def real(config: Config, count: int) -> Float[np.ndarray, "n h w 3"]:
    """Images that no run of this config was trained on: those held out, or faces drawn anew."""
    if config.data == "faces":
        pixels = _loaded(config.data, None, config.size, 0, count, UNSEEN).pixels
    else:
        images = _loaded(config.data, config.data_dir, config.size, config.crop, config.images, UNSEEN)
        pixels = images.pixels[len(images) - min(count, config.held_out(len(images))) :]
    return np.asarray(pixels, np.float32) / 127.5 - 1


def seen(config: Config, count: int, seed: int) -> Float[np.ndarray, "n h w 3"]:
    """The first so many images of those that a run of this config and seed was trained on."""
    drawn = config.data == "faces"
    limit, which = (count, seed) if drawn else (config.images, UNSEEN)
    images = _loaded(config.data, None if drawn else config.data_dir, config.size, config.crop, limit, which)
    return np.asarray(images.pixels[:count], np.float32) / 127.5 - 1


@lru_cache(2)
def _loaded(source: str, data_dir: str | None, size: int, crop: int, limit: int, seed: int) -> data.Images:
    folder = Path(data_dir) if data_dir else None
    return data.load(source, size=size, crop=crop or None, limit=limit or None, data_dir=folder, seed=seed)


def judge(images: Float[np.ndarray, "n h w 3"], reference: Float[np.ndarray, "m h w 3"]) -> dict[str, Any]:
    """Distances to real images and statistics of the images themselves.

    The extractor's features are random (`quality.random_features`): its distances compare the networks here, and are no
    FID or KID.
    """
    count = min(len(images), len(reference))
    given, against = images[:count], reference[:count]
    features = quality.random_features(0)
    distance, error = quality.kernel_distance(given, against, features=features)
    return {
        "images": count,
        "sliced_wasserstein": quality.sliced_wasserstein(given, against),
        "frechet_random": quality.frechet_distance(given, against, features=features),
        "kernel_random": distance,
        "kernel_random_error": error,
        "diversity": quality.diversity(given),
        **look(given),
    }


def look(images: Float[np.ndarray, "n h w 3"]) -> dict[str, Any]:
    """Colour, edges and the artifact of strides; the artifact needs 20 pixels a side."""
    whole = min(images.shape[1:3]) >= 20
    return {
        "chroma": float(quality.chroma_variance(images).mean()),
        "edges": float(quality.edge_energy(images).mean()),
        "checkerboard": quality.checkerboard_energy(images) if whole else None,
    }
