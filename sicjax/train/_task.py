"""What a run needs to know of the networks it trains."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np
from flax import nnx
from jaxtyping import Array, UInt8

from sicjax import models, networks, runs
from sicjax.networks import Network

# Tasks that are kept: called again with the same config, what JAX compiled for their functions is there.
KEPT = 4


class Task(NamedTuple):
    """Pure functions of a state, a pytree of arrays with the number of steps done as `step`.

    Attributes:
        init: the state before the first step.
        step: the state after a step on uint8 images `(n, size, size, 3)`, and metrics, scalars by name.
        networks: by name, traced from abstract arrays.
        weights: of each network in a state, what its `bind` takes.
        pictures: images to look at, `(rows, columns, size, size, 3)` in [-1, 1] by name, from a state and images.
        score: numbers by name from a state and held-out images; "score" decides which checkpoint is best, the lower.
        models: how the networks are built, by name.
    """

    init: Callable[[], Any]
    step: Callable[[Any, UInt8[Array, "n h w 3"]], tuple[Any, dict[str, Array]]]
    networks: dict[str, Network]
    weights: Callable[[Any], dict[str, Any]]
    pictures: Callable[[Any, UInt8[Array, "n h w 3"]], dict[str, Array]]
    score: Callable[[Any, UInt8[Array, "n h w 3"]], dict[str, float]]
    models: dict[str, runs.Blueprint]


def first(blueprint: runs.Blueprint, seed: int, number: int = 0) -> nnx.Module:
    """A network with first weights of its own for every seed and number."""
    return models.build(blueprint, rngs=nnx.Rngs(jax.random.fold_in(jax.random.key(seed), number)))


def traced(model: nnx.Module, *example_inputs: jax.ShapeDtypeStruct) -> Network:
    """The network of an abstract module; its `bind` takes the module's parameters, an `nnx.State`."""
    # Only shapes matter until it is bound.
    zeros = jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), nnx.split(model, nnx.Param, ...)[1:])
    graphdef, (params, rest) = nnx.graphdef(model), zeros
    return networks.from_function(lambda params, *x: nnx.merge(graphdef, params, rest)(*x), params, *example_inputs)
