"""Weights that lie in several files, with an index that says which array is where: `*.index.json`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sicjax._errors import InputError
from sicjax._limits import OverLimit
from sicjax.weights._json import read_json
from sicjax.weights._tensors import Tensors

INDEX = ".index.json"


def shards_of(index: Path) -> list[str]:
    """The names of the files that an index refers to, which lie beside it, in the order of their numbers.

    Raises:
        InputError: no index, or one that leads out of its folder.
    """
    return sorted(set(_places(index).values()))


def read_shards(index: Path, read: Callable[[Path], Tensors]) -> Tensors:
    """The arrays that an index names, each of the file that it says.

    Arguments:
        index: the file `*.index.json`.
        read: the arrays of one of the others.

    Raises:
        InputError: an index that cannot be read, a file or array that it names and that is not there.
    """
    places = _places(index)
    shards = sorted(set(places.values()))
    missing = [shard for shard in shards if not (index.parent / shard).is_file()]
    if missing:
        raise InputError(
            f"{index} names {len(shards)} files, of which {len(missing)} are not beside it: get {missing[0]}"
        )
    arrays, unread, ordered = {}, {}, True
    for shard in shards:
        held = read(index.parent / shard)
        ordered &= held.ordered
        arrays |= {name: array for name, array in held.arrays.items() if places.get(name) == shard}
        unread |= {name: reason for name, reason in held.unread.items() if places.get(name) == shard}
    lost = next((name for name in places if name not in arrays and name not in unread), None)
    if lost is not None:
        raise InputError(f"{index} says that {lost!r:.100} is in {places[lost]}, which does not have it")
    return Tensors(arrays, unread, ordered)


def _places(index: Path) -> dict[str, str]:
    """The file of each array."""
    try:
        places = read_json(index)["weight_map"]
        plain = bool(places) and all(isinstance(shard, str) for shard in places.values())
    except OverLimit:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(f"{index} is damaged, or no index of weights: {str(error)!r:.100}") from error
    if not plain:
        raise InputError(f"{index} is no index of weights: it does not name a file for each array")
    for shard in set(places.values()):
        if shard in ("", ".", "..") or set(shard) & set("/\\:\0") or shard.endswith(INDEX):
            raise InputError(f"{index} was not loaded: it names {shard!r:.100}, which is no weights file beside it")
    return places
