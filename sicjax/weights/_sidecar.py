"""The JSON files beside a weights file that state what weights alone do not: order, stride, direction, whose."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple

from sicjax._errors import InputError
from sicjax._limits import OverLimit
from sicjax.weights._json import read_json
from sicjax.weights._shards import INDEX

_KINDS = {"weight": str, "post": list, "groups": int}
# What is read of a layer with weights, beside their name.
_READ = {"type", "layout", "stride", "dilation", "groups", "post"}


class Sidecar(NamedTuple):
    """The layers of each network in a weights file, in order.

    Attributes:
        path: the JSON file.
        networks: for each network its layers, each a dict with `type` (`conv`, `conv_transpose`, or anything else
            that ends a chain), and for convolutions `weight` (the array's name), `layout` (starts with `OIHW`,
            `IOHW` or `HWIO`), `stride`, optionally `dilation`, `groups`, and `post` (what follows the layer).
    """

    path: Path
    networks: dict[str, list[dict[str, Any]]]


def sidecar_path(path: Path) -> Path:
    """Where the sidecar of a weights file is, if it has one."""
    return path.with_name(path.name.removesuffix(INDEX)).with_suffix(".json")


def find_sidecar(path: Path) -> Sidecar | None:
    """The sidecar of a weights file, `name.json` beside `name.ext`; None where there is none.

    Raises:
        InputError: a JSON file that does not state layers as it should.
    """
    beside = sidecar_path(path)
    if not os.path.isfile(beside):  # which a name that is too long is not
        return None
    try:
        stated = read_json(beside)
    except OverLimit:
        raise
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"the sidecar {beside} cannot be read: {error}") from error
    networks = stated.get("networks") if isinstance(stated, dict) else None
    if networks is None:
        return None
    for name, layers in networks.items() if isinstance(networks, dict) else [("networks", None)]:
        if not isinstance(layers, list) or not all(isinstance(layer, dict) and "type" in layer for layer in layers):
            raise InputError(f"the sidecar {beside}: {name} must be a list of layers, each with a type")
        # What else a file says, such as that there is no bias, is its own matter.
        with_weights = [layer for layer in layers if isinstance(layer.get("weight"), str)]
        unknown = [layer for layer in with_weights if any(layer.get(key, 0) is None for key in _READ)]
        if unknown:
            lacks = ", ".join(key for key, value in unknown[0].items() if key in _READ and value is None)
            more = f", as {len(unknown) - 1} more layers" if len(unknown) > 1 else ""
            raise InputError(f"the sidecar {beside}: fill in {lacks} of {unknown[0].get('weight', name)}{more}")
        for layer in filter(is_convolution, layers):
            what = f"the sidecar {beside}: a {layer['type']} of {name}"
            missing = {"weight", "layout", "stride"} - set(layer)
            if missing:
                raise InputError(f"{what} lacks {', '.join(sorted(missing))}")
            wrong = [key for key, kind in _KINDS.items() if type(layer.get(key, kind())) is not kind]
            if wrong or layer.get("groups", 1) < 1:
                raise InputError(f"{what}: expected weight as text, post as a list, groups as a positive integer")
    return Sidecar(beside, networks)


def is_convolution(layer: dict[str, Any]) -> bool:
    """Whether a stated layer is a convolution of either direction."""
    return layer["type"] in ("conv", "conv_transpose")


def config_of(path: Path) -> dict[str, Any] | None:
    """The `config.json` beside a weights file, as Hugging Face's libraries write it; None where there is none.

    Raises:
        InputError: one that cannot be read.
    """
    beside = path.with_name("config.json")
    if not os.path.isfile(beside):
        return None
    try:
        config = read_json(beside)
    except OverLimit:
        raise
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{beside}, beside {path.name}, cannot be read: {error}") from error
    return config if isinstance(config, dict) else None
