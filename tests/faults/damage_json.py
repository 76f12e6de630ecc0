"""Damage to what JSON means, in a file or beside it."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from random import Random
from typing import Any

from damage_archives import NAMES, rezipped, unzipped
from keras_net import h5py

VALUES = (
    *(None, True, -1, 0, 1, 3, 4096, 2**31, 2**63, 2**64, 10**400, 0.5, float("nan"), float("inf"), "", "x", [], {}),
    *([[]], {"class_name": "Lambda", "config": {}}, "9" * 5000, [1] * 70, [2**40, 2**40]),
)


def damaged(rng: Random, content: Any) -> Any:
    """JSON with a few of its parts replaced, left out, doubled or put in the place of others."""
    for _ in range(rng.choice((1, 1, 2, 5))):
        parts = list(_parts(content))
        if not parts:
            return rng.choice(VALUES)
        holder, key = rng.choice(parts)
        match rng.randrange(6):
            case 0 | 1:
                holder[key] = rng.choice((*VALUES, *NAMES))
            case 2:
                other, at = rng.choice(parts)
                holder[key] = other[at]
            case 3:
                del holder[key]
            case 4 if isinstance(holder, list):
                holder.extend(holder[: rng.choice((1, 4, 100))])
            case 4:
                holder[rng.choice(NAMES)] = holder[key]
            case _ if isinstance(holder[key], (int, float)):
                holder[key] = rng.choice((-holder[key], holder[key] + 1, holder[key] * 1000, str(holder[key])))
        try:
            content = json.loads(json.dumps(content)[:3_000_000])
        except (ValueError, RecursionError):  # it holds itself, or grew without end
            return rng.choice(VALUES)
    return content


def _parts(content: Any):
    stack = [content]
    while stack:
        part = stack.pop()
        if isinstance(part, (dict, list)):
            keys = list(part) if isinstance(part, dict) else range(len(part))
            yield from ((part, key) for key in keys)
            stack.extend(part[key] for key in keys)


def json_inside(rng: Random, path: Path) -> None:
    """The JSON that a format has inside."""
    if path.name.endswith(".index.json") and rng.random() < 0.7:
        path.write_text(json.dumps(damaged(rng, json.loads(path.read_text()))))
    elif path.suffix in (".safetensors", ".json"):
        file = rng.choice(sorted(path.parent.glob("*.safetensors")))
        data = file.read_bytes()
        size = int.from_bytes(data[:8], "little")
        text = json.dumps(damaged(rng, json.loads(data[8 : 8 + size]))).encode()
        file.write_bytes(struct.pack("<Q", len(text)) + text + data[8 + size :])
    elif path.suffix == ".h5":
        with h5py.File(path, "a") as file:
            file.attrs["model_config"] = json.dumps(damaged(rng, json.loads(file.attrs["model_config"])))[:60_000]
    else:
        entries = unzipped(path)
        inside = rng.choice([entry for entry in entries if entry.endswith(".json")])
        entries[inside] = json.dumps(damaged(rng, json.loads(entries[inside]))).encode()
        rezipped(path, entries.items())
