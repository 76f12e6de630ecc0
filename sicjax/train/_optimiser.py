"""What both kinds of run do alike with gradients, images and the independence penalty."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, Float, UInt8

from sicjax import networks, sdr
from sicjax._errors import InputError
from sicjax.networks import Network
from sicjax.train._config import Config


def adam(config: Config) -> optax.GradientTransformation:
    rate = config.learning_rate
    schedule = optax.cosine_decay_schedule(rate, config.steps) if config.schedule == "cosine" else rate
    optimiser = optax.adam(schedule, b1=config.beta1, b2=config.beta2)
    return optax.chain(optax.clip_by_global_norm(config.clip), optimiser) if config.clip else optimiser


def prepared(images: UInt8[Array, "n h w 3"], key: Array, config: Config) -> Float[Array, "n h w 3"]:
    """Images in [-1, 1], half of them mirrored if the config says so."""
    x = images.astype(jnp.float32) / 127.5 - 1
    if not config.flip:
        return x
    mirrored = jax.random.bernoulli(key, shape=(len(x), 1, 1, 1))
    return jnp.where(mirrored, x[:, :, ::-1], x)


def spread(x: Array, mesh: Mesh | None) -> Array:
    """An array that each device of a mesh has its rows of."""
    return x if mesh is None else jax.lax.with_sharding_constraint(x, NamedSharding(mesh, PartitionSpec("data")))


def traced(model: nnx.Module, *example_inputs: jax.ShapeDtypeStruct) -> Network:
    """The network of an abstract module; its `bind` takes the module's parameters, an `nnx.State`."""
    # Only shapes matter until it is bound.
    zeros = jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), nnx.split(model, nnx.Param, ...)[1:])
    graphdef, (params, rest) = nnx.graphdef(model), zeros
    return networks.from_function(lambda params, *x: nnx.merge(graphdef, params, rest)(*x), params, *example_inputs)


def update(optimiser: optax.GradientTransformation, gradient: Any, state: Any, params: Any) -> tuple[Any, Any]:
    """Parameters and the optimiser's state after one step along a gradient."""
    updates, state = optimiser.update(gradient, state, params)
    return optax.apply_updates(params, updates), state


class Penalty:
    """The independence penalty of the pairs that a config chooses, without a choice those of what generates."""

    def __init__(self, config: Config, nets: dict[str, Network]) -> None:
        self.config, self.nets = config, nets
        names = [f"{part}.{name}" for part, net in nets.items() for name in net.cascades]
        chosen = config.penalty_layers or ("generator.", "decoder.")
        unknown = [layer for layer in config.penalty_layers if not any(layer in name for name in names)]
        if unknown:
            raise InputError(
                f"--penalty-layers {', '.join(unknown)}: no pair is called so; there are {', '.join(names)}"
            )
        self.names = {name for name in names if config.penalty and any(layer in name for layer in chosen)}

    def __call__(self, part: str, params: Any) -> Float[Array, ""]:
        """Its value for one network, the mean over the chosen pairs of all; 0 where none is chosen there."""
        cascades = {f"{part}.{name}": cascade for name, cascade in self.nets[part].bind(params).items()}
        terms = [sdr.penalty(cascades[name], kind=self.config.penalty_kind) for name in cascades if name in self.names]
        return sum(terms, jnp.zeros(())) / max(len(self.names), 1)

    def added(self, part: str, params: Any, gradient: Any) -> tuple[Any, Array]:
        """A gradient with the penalty's, and the penalty."""
        value, slope = jax.value_and_grad(lambda params: self(part, params))(params)
        return jax.tree.map(lambda g, s: g + self.config.penalty * s, gradient, slope), value
