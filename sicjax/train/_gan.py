"""The GAN: non-saturating loss on logits (Goodfellow et al., 2014), discriminator first, then generator."""

from __future__ import annotations

from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from jax.sharding import Mesh
from jaxtyping import Array, Int

from sicjax import quality, runs
from sicjax.train._config import GanConfig
from sicjax.train._feed import prepared, spread
from sicjax.train._loop import Result, run
from sicjax.train._optimiser import adam, update
from sicjax.train._penalty import Penalty
from sicjax.train._task import KEPT, Task, first, traced

PICTURES = 8


class GanState(NamedTuple):
    """Everything that a step changes."""

    step: Int[Array, ""]
    generator: Any
    generator_stats: Any
    average: Any
    average_stats: Any
    discriminator: Any
    discriminator_stats: Any
    generator_optimiser: Any
    discriminator_optimiser: Any


def gan(config: GanConfig, workdir: str | Path, **how: Any) -> Result:
    """Trains the paper's GAN in a directory; called again it goes on where it stopped.

    Arguments:
        config: what to train.
        workdir: the run's directory, made if it is not there.
        how: see `sicjax.train.run`.

    Raises:
        InputError: images that cannot be read, a directory with another config, a loss that is no number any more.
    """
    return run("gan", config, partial(gan_task, config), workdir, **how)


def blueprints(config: GanConfig) -> dict[str, runs.Blueprint]:
    """The class and arguments of the networks, and which fields of a state hold their weights."""
    shape = {"kernel": config.kernel, "size": config.size, "dtype": config.dtype}
    up = {"latent": config.latent, "channels": config.generator, "strides": (2,) * len(config.generator)}
    down = {"channels": config.discriminator, "strides": (2,) * len(config.discriminator)}
    generator, discriminator = {**up, "dropout": config.dropout, **shape}, {**down, **shape}
    return {
        "generator": runs.Blueprint("Generator", generator, ("generator",), ("generator_stats",)),
        "average": runs.Blueprint("Generator", generator, ("average",), ("average_stats",)),
        "discriminator": runs.Blueprint("Discriminator", discriminator, ("discriminator",), ("discriminator_stats",)),
    }


@lru_cache(KEPT)
def gan_task(config: GanConfig, mesh: Mesh | None = None) -> Task:
    """The GAN as pure functions, for a training loop of one's own; with a mesh its batch is spread over it."""
    prints = blueprints(config)
    build = lambda: [first(prints[name], config.seed, k) for k, name in enumerate(("generator", "discriminator"))]
    abstract = nnx.eval_shape(build)
    generator_def, discriminator_def = map(nnx.graphdef, abstract)
    optimiser = adam(config)
    images = jax.ShapeDtypeStruct((1, config.size, config.size, 3), jnp.float32)
    inputs = {"generator": jax.ShapeDtypeStruct((1, config.latent), jnp.float32), "discriminator": images}
    nets = {name: traced(model, inputs[name]) for name, model in zip(inputs, abstract, strict=True)}
    penalty = Penalty(config, nets)
    root, shown, scored = (jax.random.fold_in(jax.random.key(config.seed), k) for k in (2, 3, 4))

    def init() -> GanState:
        split = [nnx.split(model, nnx.Param, nnx.BatchStat)[1:] for model in build()]
        (generator, generator_stats), (discriminator, discriminator_stats) = split
        # Copies, because a step takes over the memory of its state and no array can be given twice.
        average, average_stats = jax.tree.map(jnp.copy, (generator, generator_stats))
        return GanState(
            jnp.zeros((), jnp.int32), generator, generator_stats, average, average_stats, discriminator,
            discriminator_stats, optimiser.init(generator), optimiser.init(discriminator),
        )  # fmt: skip

    def generate(params, stats, z, key):
        model = nnx.merge(generator_def, params, stats, copy=True)
        return model(z, train=True, key=key), nnx.state(model, nnx.BatchStat)

    def discriminate(params, stats, x):
        model = nnx.merge(discriminator_def, params, stats, copy=True)
        return model(x, train=True), nnx.state(model, nnx.BatchStat)

    def step(state: GanState, batch) -> tuple[GanState, dict[str, Array]]:
        flip, latent, drop = jax.random.split(jax.random.fold_in(root, state.step), 3)
        real = prepared(batch, flip, config)
        z = spread(jax.random.normal(latent, (len(real), config.latent)), mesh)
        fake, pull, generator_stats = jax.vjp(
            lambda params: generate(params, state.generator_stats, z, drop), state.generator, has_aux=True
        )

        def discriminator_loss(params):
            of_real, stats = discriminate(params, state.discriminator_stats, real)
            of_fake, stats = discriminate(params, stats, fake)
            loss = jax.nn.softplus(-of_real).mean() + jax.nn.softplus(of_fake).mean()
            return loss, (stats, (of_real > 0).mean(), (of_fake < 0).mean())

        (d_loss, (discriminator_stats, right_real, right_fake)), gradient = jax.value_and_grad(
            discriminator_loss, has_aux=True
        )(state.discriminator)
        gradient, of_discriminator = penalty.added("discriminator", state.discriminator, gradient)
        discriminator, discriminator_optimiser = update(
            optimiser, gradient, state.discriminator_optimiser, state.discriminator
        )

        def generator_loss(fake):
            return jax.nn.softplus(-discriminate(discriminator, discriminator_stats, fake)[0]).mean()

        g_loss, gradient = jax.value_and_grad(generator_loss)(fake)
        gradient, of_generator = penalty.added("generator", state.generator, pull(gradient)[0])
        generator, generator_optimiser = update(optimiser, gradient, state.generator_optimiser, state.generator)
        metrics = {
            "discriminator_loss": d_loss,
            "generator_loss": g_loss,
            "real_right": right_real,
            "fake_right": right_fake,
        }
        if penalty.names:
            metrics["penalty"] = of_discriminator + of_generator
        # The average follows fast at first, or it would remember the first weights for long.
        decay = jnp.minimum(config.ema, (1 + state.step) / (10 + state.step))
        average, average_stats = jax.tree.map(
            lambda old, new: decay * old + (1 - decay) * new,
            (state.average, state.average_stats),
            (generator, generator_stats),
        )
        return GanState(
            state.step + 1, generator, generator_stats, average, average_stats, discriminator, discriminator_stats,
            generator_optimiser, discriminator_optimiser,
        ), metrics  # fmt: skip

    @partial(jax.jit, static_argnums=2)
    def sample(params_and_stats, key, count):
        z = jax.random.normal(key, (count, config.latent))
        return nnx.merge(generator_def, *params_and_stats)(z)

    def pictures(state: GanState, held_out) -> dict[str, Array]:
        found = sample((state.average, state.average_stats), shown, PICTURES**2)
        return {runs.SAMPLES: found.reshape(PICTURES, PICTURES, *found.shape[1:])}

    def score(state: GanState, held_out) -> dict[str, float]:
        drawn = sample((state.average, state.average_stats), scored, len(held_out))
        real = held_out.astype(jnp.float32) / 127.5 - 1
        return {"score": float(quality.sliced_wasserstein(drawn, real))}

    def weights(state: GanState) -> dict[str, Any]:
        return {"generator": state.generator, "discriminator": state.discriminator}

    return Task(init, step, nets, weights, pictures, score, prints)
