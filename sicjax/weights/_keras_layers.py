"""Which arrays of a Keras file belong to which layer: found by name in `.h5` files, by place in `.keras` files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from sicjax.weights._keras import KerasArrays

# The folder of a model's layers in Keras 2.12 and 2.13: layers that have weights are counted twice and stored once.
_LISTED_TWICE = "_layer_checkpoint_dependencies"


class KerasPlace(NamedTuple):
    """Where a layer is.

    Attributes:
        names: of the models it is in, but for the outermost, and its own.
        folder: in a `.keras` file, named after the classes and their order.
    """

    names: tuple[str, ...] = ()
    folder: str = ""

    @property
    def path(self) -> str:
        return "/".join(self.names)


class KerasWeights:
    """The arrays of a file, by layer."""

    def __init__(self, arrays: KerasArrays) -> None:
        self._arrays = arrays
        self._inside: dict[str, list[str]] = {}
        for name in arrays.shapes:
            for k in range(1, name.count("/") + 1):
                self._inside.setdefault(name.rsplit("/", k)[0], []).append(name)
        self._owned: dict[str, list[str]] | None = None
        self._found: dict[str, str] = {}
        self._followed: set[str] = set()

    def places(self, layers: Sequence[dict], parent: KerasPlace) -> list[KerasPlace]:
        """Where the layers of a model are."""
        start = f"{parent.folder}/" if parent.folder else ""
        twice = f"{start}{_LISTED_TWICE}" in self._inside
        within = _LISTED_TWICE if twice else "layers"
        counts: dict[str, int] = {}
        found = []
        for layer in layers:
            folder = snake_case(str(layer["class_name"]).rpartition(">")[2])
            # An operation is no layer and is not counted.
            if ".ops" not in str(layer.get("module")):
                count = counts.get(folder, 0)
                counts[folder] = count + (2 if twice else 1)
                folder += f"_{count}" if count else ""
            found.append(KerasPlace((*parent.names, keras_name(layer)), f"{start}{within}/{folder}"))
        if self._owned is None:
            self._owned = self._by_owner({keras_name(layer) for layer in layers})
        return found

    def array(
        self, place: KerasPlace, roles: Sequence[str], number: int, shape: Sequence[int | None]
    ) -> np.ndarray | None:
        """A layer's array, by one of these names in a `.h5` file, by its number in a `.keras` file; None if not there.

        Arguments:
            shape: what the layer's settings say it is, None where they do not.

        Raises:
            ValueError: it has another shape or is not in floating point.
        """
        name = self._named(place, roles, shape) if self._arrays.by_name else self._numbered(place, number)
        if name not in self._arrays.shapes:
            return None
        stored = self._arrays.shapes[name]
        if not _fits(stored, shape) or 0 in stored:
            stated = " x ".join("any" if n is None else str(n) for n in shape)
            raise ValueError(f"its {roles[0]} has shape {stored}, its settings say {stated}")
        self._followed.add(name)
        return self._arrays.read(name)

    def follow(self, place: KerasPlace) -> list[tuple[int, ...]]:
        """The shapes of all arrays of a layer, which are then of no more matter."""
        if self._arrays.by_name:
            inside = f"/{place.names[-1]}/"
            names = [n for n in self._of(place) if len(place.names) == 1 or inside in f"/{n}"]
        else:
            names = self._inside.get(place.folder, [])
        self._followed.update(names)
        return [self._arrays.shapes[name] for name in names]

    def left(self) -> list[str]:
        """Arrays that could be kernels, of layers that were not followed."""
        return [
            name
            for name, shape in self._arrays.shapes.items()
            if len(shape) >= 3 and name not in self._followed and not name.startswith("optimizer/")
        ]

    def _by_owner(self, layers: set[str]) -> dict[str, list[str]]:
        """The arrays of each layer of the outermost model, which has a group for each; names may have slashes."""
        owned: dict[str, list[str]] = {}
        for name in self._arrays.shapes:
            owner = name
            while owner and owner not in layers:
                owner = owner.rpartition("/")[0]
            owned.setdefault(owner, []).append(name)
        return owned

    def _of(self, place: KerasPlace) -> list[str]:
        return (self._owned or {}).get(place.names[0], [])

    def _named(self, place: KerasPlace, roles: Sequence[str], shape: Sequence[int | None]) -> str:
        """Layers of nested models are all in one group, and are told apart by their names and those around them."""
        found = [name for name in self._of(place) if _segments(name)[-1] in roles]
        if len(place.names) == 1 and len(found) == 1:
            return found[0]
        found = [name for name in found if _fits(self._arrays.shapes[name], shape)]
        names = "/".join(place.names).split("/")
        own = len(place.names[-1].split("/"))

        def closeness(name: str) -> tuple[int, int]:
            segments = _segments(name)[:-1]
            common = 0
            while common < min(len(segments), len(names)) and segments[-1 - common] == names[-1 - common]:
                common += 1
            return common, -len(segments)

        ranked = sorted(((closeness(name), name) for name in found), reverse=True)
        known = ranked and ranked[0][0][0] >= own and (len(ranked) == 1 or ranked[0][0] != ranked[1][0])
        return ranked[0][1] if known else ""

    def _numbered(self, place: KerasPlace, number: int) -> str:
        """By the layer's place; a layer that is in two models is stored once, under its name."""
        named = self._arrays.folders.get(place.names[-1], [])
        elsewhere = named if len(named) == 1 else [self._found.get(place.names[-1], "")]
        for folder in (place.folder, *elsewhere):
            name = f"{folder}/vars/{number}"
            if name in self._arrays.shapes:
                self._found[place.names[-1]] = folder
                return name
        return ""


def snake_case(kind: str) -> str:
    """What Keras calls the folder of a layer of this type."""
    kind = re.sub(r"\W+", "", kind)
    return re.sub("([a-z])([A-Z])", r"\1_\2", re.sub("(.)([A-Z][a-z]+)", r"\1_\2", kind)).lower()


def keras_name(layer: dict) -> str:
    """A layer's name."""
    config: Any = layer.get("config")
    name = layer.get("name") or (config.get("name") if isinstance(config, dict) else None)
    return str(name or layer["class_name"])


def _fits(stored: Sequence[int], shape: Sequence[int | None]) -> bool:
    return len(stored) == len(shape) and all(n in (None, m) for m, n in zip(stored, shape, strict=True))


def _segments(name: str) -> list[str]:
    """Parts of an array's name, without TensorFlow's `:0`."""
    return [part.partition(":")[0] for part in name.split("/")]
