"""`config.json`: what a run trains, and how to build its networks."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, NamedTuple

import jax

from sicjax import __version__
from sicjax._errors import InputError
from sicjax.runs._places import Places
from sicjax.runs._whole import write_whole


class Blueprint(NamedTuple):
    """How to build a network; `sicjax.models` does.

    Attributes:
        model: its class in `sicjax.models`.
        arguments: of the class.
        params: where in a state its parameters are.
        stats: where in a state its batch statistics are.
    """

    model: str
    arguments: dict[str, Any]
    params: tuple[str, ...]
    stats: tuple[str, ...]


class Description(NamedTuple):
    """What a run states of itself.

    Attributes:
        kind: of run, such as "gan" or "vae".
        config: what is trained, as JSON values.
        models: how the networks are built, by name.
        sicjax: the version that trained it last.
        jax: the version that trained it last.
    """

    kind: str
    config: dict[str, Any]
    models: dict[str, Blueprint]
    sicjax: str = __version__
    jax: str = jax.__version__


def is_run(folder: str | Path) -> bool:
    """Whether a folder looks like the directory of a run."""
    return os.path.isfile(Places(folder).config)


def describe(folder: str | Path) -> Description:
    """What a run states of itself.

    Arguments:
        folder: the run's directory.

    Raises:
        InputError: no run.
    """
    places = Places(folder)
    try:
        found = json.loads(places.config.read_text()) if is_run(folder) else {}
        models = {name: _blueprint(stated) for name, stated in found["models"].items()}
        return Description(found["kind"], found["config"], models, found["sicjax"], found["jax"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{places.folder} is not the directory of a training run: it has no {places.config.name} with models"
        ) from error


def write_description(places: Places, description: Description) -> None:
    stated = {
        "sicjax": description.sicjax,
        "jax": description.jax,
        "kind": description.kind,
        "config": description.config,
        "models": {name: blueprint._asdict() for name, blueprint in description.models.items()},
    }
    write_whole(places.config, lambda stream: stream.write(json.dumps(stated, indent=1).encode() + b"\n"))


def _blueprint(stated: dict[str, Any]) -> Blueprint:
    arguments = {key: tuple(value) if isinstance(value, list) else value for key, value in stated["arguments"].items()}
    return Blueprint(stated["model"], arguments, tuple(stated["params"]), tuple(stated["stats"]))
