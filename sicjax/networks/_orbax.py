"""An Orbax checkpoint of anyone's Flax model, and the module it was saved from, to its network."""

from __future__ import annotations

import functools
import os
import pkgutil
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np

from sicjax._errors import InputError, missing_package
from sicjax.networks.graph import Network
from sicjax.networks.trace import from_module

# What Orbax writes into the folder of a tree, and into that of a step, which has a folder for each of its items.
_TREE, _STEP = "_METADATA", "_CHECKPOINT_METADATA"
Build = Callable[[], Any]


def is_orbax(folder: str | Path) -> bool:
    """Whether a folder is a checkpoint: a tree, or a step that has some."""
    folder = Path(folder)
    return (folder / _TREE).is_file() or ((folder / _STEP).is_file() and bool(_items(folder)))


def files_of_orbax(folder: Path) -> list[Path]:
    """The files that `from_orbax` reads."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def from_orbax(folder: Path, *, module: str | Build | None) -> Network:
    """The network of a module with the arrays of a checkpoint, which states no layers itself.

    The arrays are found by the names they have in the module, under any key that has them all: `params` of a
    `TrainState`, an item of a `CheckpointManager`. Only parameters are needed, no statistics of normalisations.

    Arguments:
        folder: of the checkpoint.
        module: a function, or its name `package.module:function`, that takes nothing and returns the Flax module and
            example inputs; a dictionary after these has keywords of the call, such as `train=False`.
    """
    if module is None:
        raise InputError(
            f"{folder} is an Orbax checkpoint, which has arrays and no layers: name the function that returns its Flax "
            "module and an example input, --module package.module:function"
        )
    try:
        from flax import linen, nnx
    except ImportError as error:
        raise missing_package("flax", "train", "reading Flax modules") from error
    built, inputs, call = _built(module)
    saved = _arrays(folder)
    if isinstance(built, linen.Module):
        wanted = jax.eval_shape(lambda: built.init(jax.random.key(0), *inputs, **call))
        # Of collections other than parameters no convolution has anything.
        rest = jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), {**wanted, "params": {}})
        parameters = _placed(folder, wanted["params"], saved, ("params",))
        return from_module(built, *inputs, variables={**rest, "params": parameters}, **call)
    graph, parameters, rest = nnx.split(built, nnx.Param, ...)
    parameters = _placed(folder, parameters, saved, ())
    return from_module(nnx.merge(graph, parameters, rest), *inputs, **call)


def _built(module: str | Build) -> tuple[Any, tuple, dict[str, Any]]:
    """The module, its inputs and the keywords of its call."""
    if isinstance(module, str):
        return _built_by_name(module)
    returned = module()
    found, *inputs = returned if isinstance(returned, tuple) else (returned,)
    call = inputs.pop() if inputs and isinstance(inputs[-1], dict) else {}
    if not inputs:
        raise InputError(f"{module.__name__} returned no example input: return the module and its inputs, as a tuple")
    return found, tuple(inputs), call


@functools.cache  # once for all files of a process
def _built_by_name(name: str) -> tuple[Any, tuple, dict[str, Any]]:
    here = os.getcwd()
    sys.path.insert(0, here)  # as `python -m` has it
    try:
        return _built(pkgutil.resolve_name(name))
    except InputError:
        raise
    except Exception as error:  # it is the user's code
        raise InputError(f"--module {name}: {type(error).__name__}: {error}") from error
    finally:
        sys.path.remove(here)


def _items(step: Path) -> list[Path]:
    return sorted(path.parent for path in step.glob(f"*/{_TREE}"))


def _arrays(folder: Path) -> dict[tuple[str, ...], np.ndarray]:
    """Every array by the keys that lead to it."""
    trees = [((), folder)] if (folder / _TREE).is_file() else [((item.name,), item) for item in _items(folder)]
    return {start + path: array for start, tree in trees for path, array in _flat(_restored(tree))}


def _restored(folder: Path) -> Any:
    try:
        import orbax.checkpoint as ocp
    except ImportError as error:
        raise missing_package("orbax-checkpoint", "train", "reading Orbax checkpoints") from error
    with ocp.PyTreeCheckpointer() as checkpointer:
        tree = checkpointer.metadata(folder.absolute()).item_metadata.tree
        # On this machine, whatever devices it was saved from.
        how = jax.tree.map(lambda _: ocp.RestoreArgs(restore_type=np.ndarray), tree)
        return checkpointer.restore(folder.absolute(), restore_args=how)


def _flat(tree: Any) -> Iterable[tuple[tuple[str, ...], Any]]:
    for path, leaf in jax.tree.leaves_with_path(tree):
        names = tuple(str(getattr(key, "key", getattr(key, "idx", getattr(key, "name", key)))) for key in path)
        # A variable of NNX is saved with its value one level below.
        yield (names[:-1] if names[-1] in ("value", "raw_value") else names), leaf


def _placed(folder: Path, wanted: Any, saved: Mapping[tuple[str, ...], np.ndarray], under: tuple[str, ...]) -> Any:
    """The tree of parameters with the arrays of the same names, which are below some key, or below `under` there."""
    names = [path for path, _ in _flat(wanted)]
    if not names:
        raise InputError(f"the module for {folder} has no parameters")
    starts = {path[: -len(names[0])] for path in saved if path[-len(names[0]) :] == names[0]}
    whole = [start for start in starts if all(start + name in saved for name in names)]
    whole = [start for start in whole if start[-len(under) :] == under] or whole
    nearest = [start for start in whole if len(start) == min(map(len, whole))]
    if len(nearest) > 1:
        several = ", ".join(sorted(".".join(start) for start in nearest))
        raise InputError(
            f"{folder} has the module's parameters more than once, under {several}: save one of them alone"
        )
    if not nearest:
        absent = next((name for name in names if not any(path[-len(name) :] == name for path in saved)), names[0])
        there = ", ".join(".".join(path) for path in list(saved)[:5])
        raise InputError(
            f"{folder} is not of this module: it has no {'.'.join(absent)} where the module has it; it has {there}, ..."
        )
    arrays = [saved[nearest[0] + name] for name in names]
    for name, array, leaf in zip(names, arrays, jax.tree.leaves(wanted), strict=True):
        if np.shape(array) != np.shape(leaf):
            raise InputError(
                f"{folder} is not of this module: {'.'.join(name)} is {np.shape(array)}, expected {np.shape(leaf)}"
            )
    return jax.tree.unflatten(jax.tree.structure(wanted), arrays)
