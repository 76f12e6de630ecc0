"""Trained networks back from the directory of a run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from sicjax._errors import InputError, missing_package
from sicjax.models._dcgan import Discriminator, Generator
from sicjax.models._vae import Decoder, Encoder

CLASSES = {model.__name__: model for model in (Decoder, Discriminator, Encoder, Generator)}


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
    try:
        import orbax.checkpoint as ocp
    except ImportError as error:
        raise missing_package("orbax-checkpoint", "train", "reading checkpoints") from error
    folder = Path(folder).absolute()
    try:
        blueprints = json.loads((folder / "config.json").read_text())["models"]
    except (OSError, ValueError, KeyError) as error:
        raise InputError(
            f"{folder} is not the directory of a training run: it has no config.json with models"
        ) from error
    checkpoints = folder / "checkpoints"
    # A checkpoint gets its number as its name when it is whole.
    there = sorted(int(path.name) for path in checkpoints.glob("*") if path.name.isdigit())
    if step == "best":
        chosen = min(there, key=lambda k: _score(checkpoints / str(k)), default=None)
    else:
        chosen = max(there, default=None) if step == "latest" else step
    if chosen not in there:
        raise InputError(f"{folder} has no checkpoint of step {step}; there are {', '.join(map(str, there)) or 'none'}")
    with ocp.StandardCheckpointer() as checkpointer:
        state = checkpointer.restore(checkpoints / str(chosen) / "default")
    return {name: _filled(blueprint, state) for name, blueprint in blueprints.items()}


def _score(checkpoint: Path) -> float:
    return json.loads((checkpoint / "metrics" / "metrics").read_text())["score"]


def _filled(blueprint: dict[str, Any], state: dict[str, Any]) -> nnx.Module:
    listed = lambda value: tuple(value) if isinstance(value, list) else value
    arguments: dict[str, Any] = {key: listed(value) for key, value in blueprint["arguments"].items()}
    make = lambda: CLASSES[blueprint["model"]](**arguments, rngs=nnx.Rngs(0))
    graphdef, params, stats, rest = nnx.split(nnx.eval_shape(make), nnx.Param, nnx.BatchStat, ...)
    return nnx.merge(
        graphdef, _taken(params, state, blueprint["params"]), _taken(stats, state, blueprint["stats"]), rest
    )


def _taken(abstract: nnx.State, state: dict[str, Any], where: list[str]) -> nnx.State:
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
