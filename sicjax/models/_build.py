"""A network from its blueprint: new, or with the arrays of a checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from sicjax import runs
from sicjax.models._dcgan import Discriminator, Generator
from sicjax.models._vae import Decoder, Encoder

CLASSES = {model.__name__: model for model in (Decoder, Discriminator, Encoder, Generator)}


def build(blueprint: runs.Blueprint, *, rngs: nnx.Rngs) -> nnx.Module:
    """The network of a blueprint, with new weights.

    Arguments:
        blueprint: its class, one of those here, and the arguments of the class.
        rngs: of the first weights.
    """
    return CLASSES[blueprint.model](**blueprint.arguments, rngs=rngs)


def load(folder: str | Path, *, step: int | Literal["latest", "best"] = "latest") -> dict[str, nnx.Module]:
    """The networks of a training run.

    Arguments:
        folder: the run's directory.
        step: of which checkpoint; "best" is the one with the lowest score.

    Returns:
        The networks by name: of a GAN `generator`, `average` (its weights averaged over the steps) and
        `discriminator`, of a VAE `encoder` and `decoder`.

    Raises:
        InputError: no run, no such checkpoint, or orbax is not installed.
    """
    blueprints, state = runs.describe(folder).models, runs.state(folder, step=step)
    return {name: _filled(blueprint, state) for name, blueprint in blueprints.items()}


def _filled(blueprint: runs.Blueprint, state: dict[str, Any]) -> nnx.Module:
    abstract = nnx.eval_shape(lambda: build(blueprint, rngs=nnx.Rngs(0)))
    graphdef, params, stats, rest = nnx.split(abstract, nnx.Param, nnx.BatchStat, ...)
    return nnx.merge(graphdef, _taken(params, state, blueprint.params), _taken(stats, state, blueprint.stats), rest)


def _taken(abstract: nnx.State, state: dict[str, Any], where: tuple[str, ...]) -> nnx.State:
    """Arrays for an abstract state, from the part of a checkpoint with the same keys."""
    for key in where:
        state = state[key]
    found = {
        tuple(str(getattr(key, "key", getattr(key, "name", key))) for key in path): leaf
        for path, leaf in jax.tree_util.tree_leaves_with_path(state)
    }

    def one(path, leaf):
        array = found[(*(str(key.key) for key in path if hasattr(key, "key")), "value")]
        return jnp.asarray(np.asarray(array), leaf.dtype)

    return jax.tree_util.tree_map_with_path(one, abstract)
