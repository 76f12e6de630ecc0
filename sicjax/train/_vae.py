"""The VAE: pixel error plus `0.005 beta` times the KL term (Kingma and Welling, 2013; Higgins et al., 2017)."""

from __future__ import annotations

from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from jax.sharding import Mesh
from jaxtyping import Array, Int

from sicjax import runs
from sicjax.train._config import VaeConfig
from sicjax.train._feed import prepared, spread
from sicjax.train._loop import Result, run
from sicjax.train._optimiser import adam, update
from sicjax.train._penalty import Penalty
from sicjax.train._task import KEPT, Task, first, traced

# What the code that the paper names multiplies the KL term with.
KL_WEIGHT = 0.005
PICTURES = 8


class VaeState(NamedTuple):
    """Everything that a step changes; parameters and statistics are those of the encoder and the decoder."""

    step: Int[Array, ""]
    params: Any
    stats: Any
    optimiser: Any


def vae(config: VaeConfig, workdir: str | Path, **how: Any) -> Result:
    """Trains the paper's VAE in a directory; called again it goes on where it stopped.

    Arguments:
        config: what to train.
        workdir: the run's directory, made if it is not there.
        how: see `sicjax.train.run`.

    Raises:
        InputError: images that cannot be read, a directory with another config, a loss that is no number any more.
    """
    return run("vae", config, partial(vae_task, config), workdir, **how)


def blueprints(config: VaeConfig) -> dict[str, runs.Blueprint]:
    """The class and arguments of both networks, and which fields of a state hold their weights."""
    shape = {"latent": config.latent, "kernel": config.kernel, "size": config.size, "dtype": config.dtype}
    down = {"channels": config.encoder, "strides": (2,) * len(config.encoder)}
    up = {"channels": config.decoder, "strides": (*(2,) * (len(config.decoder) - 1), 1), "dropout": config.dropout}
    return {
        "encoder": runs.Blueprint("Encoder", {**down, **shape}, ("params", "encoder"), ("stats", "encoder")),
        "decoder": runs.Blueprint("Decoder", {**up, **shape}, ("params", "decoder"), ("stats", "decoder")),
    }


@lru_cache(KEPT)
def vae_task(config: VaeConfig, mesh: Mesh | None = None) -> Task:
    """The VAE as pure functions, for a training loop of one's own; with a mesh its batch is spread over it."""
    prints = blueprints(config)
    build = lambda: [first(blueprint, config.seed, k) for k, blueprint in enumerate(prints.values())]
    abstract = nnx.eval_shape(build)
    encoder_def, decoder_def = map(nnx.graphdef, abstract)
    optimiser = adam(config)
    inputs = {
        "encoder": jax.ShapeDtypeStruct((1, config.size, config.size, 3), jnp.float32),
        "decoder": jax.ShapeDtypeStruct((1, config.latent), jnp.float32),
    }
    nets = {name: traced(model, inputs[name]) for name, model in zip(inputs, abstract, strict=True)}
    penalty = Penalty(config, nets)
    root, shown = (jax.random.fold_in(jax.random.key(config.seed), k) for k in (2, 3))

    def init() -> VaeState:
        split = {
            name: nnx.split(model, nnx.Param, nnx.BatchStat)[1:] for name, model in zip(inputs, build(), strict=True)
        }
        params, stats = ({name: parts[k] for name, parts in split.items()} for k in (0, 1))
        return VaeState(jnp.zeros((), jnp.int32), params, stats, optimiser.init(params))

    def step(state: VaeState, batch) -> tuple[VaeState, dict[str, Array]]:
        flip, noise, drop = jax.random.split(jax.random.fold_in(root, state.step), 3)
        x = prepared(batch, flip, config)
        epsilon = spread(jax.random.normal(noise, (len(x), config.latent)), mesh)

        def loss(params):
            encoder = nnx.merge(encoder_def, params["encoder"], state.stats["encoder"], copy=True)
            decoder = nnx.merge(decoder_def, params["decoder"], state.stats["decoder"], copy=True)
            mean, log_variance = encoder(x, train=True)
            z = mean + jnp.exp(log_variance / 2) * epsilon
            error = jnp.mean((decoder(z, train=True, key=drop) - x) ** 2)
            kl = 0.5 * (mean**2 + jnp.exp(log_variance) - 1 - log_variance).sum(1).mean()
            stats = {"encoder": nnx.state(encoder, nnx.BatchStat), "decoder": nnx.state(decoder, nnx.BatchStat)}
            return error + config.beta * KL_WEIGHT * kl, (stats, error, kl)

        (total, (stats, error, kl)), gradient = jax.value_and_grad(loss, has_aux=True)(state.params)
        penalties = {}
        for name in inputs:
            gradient[name], penalties[name] = penalty.added(name, state.params[name], gradient[name])
        params, optimiser_state = update(optimiser, gradient, state.optimiser, state.params)
        metrics = {"loss": total, "error": error, "kl": kl}
        if penalty.names:
            metrics["penalty"] = sum(penalties.values())
        return VaeState(state.step + 1, params, stats, optimiser_state), metrics

    @jax.jit
    def decode(params, stats, z):
        return nnx.merge(decoder_def, params["decoder"], stats["decoder"])(z)

    @jax.jit
    def reconstruct(params, stats, x):
        mean, _ = nnx.merge(encoder_def, params["encoder"], stats["encoder"])(x)
        return nnx.merge(decoder_def, params["decoder"], stats["decoder"])(mean)

    def pictures(state: VaeState, held_out) -> dict[str, Array]:
        z = jax.random.normal(shown, (PICTURES**2, config.latent))
        drawn = decode(state.params, state.stats, z)
        x = held_out[: PICTURES * (PICTURES // 2)].astype(jnp.float32) / 127.5 - 1
        pairs = jnp.stack([x, reconstruct(state.params, state.stats, x)], 1)
        columns = min(PICTURES, 2 * len(x))
        pairs = pairs[: len(x) * 2 // columns * columns // 2].reshape(-1, columns, *x.shape[1:])
        return {runs.SAMPLES: drawn.reshape(PICTURES, PICTURES, *drawn.shape[1:]), runs.RECONSTRUCTIONS: pairs}

    def score(state: VaeState, held_out) -> dict[str, float]:
        x = held_out.astype(jnp.float32) / 127.5 - 1
        errors = [
            ((reconstruct(state.params, state.stats, part) - part) ** 2).mean((1, 2, 3))
            for part in jnp.split(x, list(range(config.batch, len(x), config.batch)))
        ]
        return {"score": float(jnp.concatenate(errors).mean())}

    return Task(init, step, nets, lambda state: state.params, pictures, score, prints)
