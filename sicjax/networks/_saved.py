"""The directory of a training run to its networks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp

from sicjax import runs
from sicjax._errors import InputError
from sicjax.networks.graph import Network, Pair
from sicjax.networks.trace import from_module

if TYPE_CHECKING:
    from flax import nnx


def from_run(folder: Path, *, step: int | None = None) -> Network:
    """The networks of a checkpoint of a run of `sicjax.train`, side by side; of the latest whole one unless told."""
    if not runs.is_run(folder):
        raise InputError(f"{folder} is a folder, and not one of a training run: give a file, or a run's --workdir")
    try:
        from sicjax import models
    except ImportError as error:
        raise InputError(f"reading {folder} needs Flax: pip install 'sicjax[train]'") from error
    whole, damaged = runs.latest(folder)
    step = whole if step is None else step
    layers, pairs, skipped, notes = [], [], [], []
    if step == whole:
        notes += [f"the checkpoint of step {k} after this one is damaged: {damage}" for k, damage in damaged.items()]
    for name, module in models.load(folder, step="latest" if step is None else step).items():
        net = from_module(module, _input(module))
        named = {layer.path: layer._replace(path=f"{name}.{layer.path}") for layer in net.layers}
        layers += named.values()
        notes += [f"{name}: {note}" for note in net.notes]
        skipped += [reason._replace(layer=f"{name}: {reason.layer}") for reason in net.skipped]
        pairs += [
            Pair(f"{name}.{pair.name}", named[pair.first.path], named[pair.second.path], pair.cascade, name)
            for pair in net.pairs
        ]
    return Network(tuple(layers), tuple(pairs), tuple(skipped), tuple(notes))


def files_of_run(folder: Path, *, step: int | None = None) -> list[Path]:
    """The files that `from_run` reads."""
    chosen = runs.latest(folder)[0] if step is None else step
    return [] if chosen is None else runs.checkpoint_files(folder, step=chosen)


def _input(module: nnx.Module) -> jax.ShapeDtypeStruct:
    latent, size = (getattr(module, name, None) for name in ("latent", "size"))
    return jax.ShapeDtypeStruct((1, latent) if latent else (1, size, size, 3), jnp.float32)
