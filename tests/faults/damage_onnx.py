"""Damage to ONNX models: their fields, and the places of their weights."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

from onnx_net import onnx


def onnx_graph(rng: Random, path: Path) -> None:
    """Fields of the model replaced, left out, doubled; names exchanged, so that graphs have cycles and wrong values."""
    model = onnx.ModelProto()
    model.ParseFromString(path.read_bytes())
    for _ in range(rng.choice((1, 1, 2, 4))):
        _damage(rng, model)
    path.write_bytes(model.SerializeToString())


def _damage(rng: Random, model: Any) -> None:
    messages, stack = [], [model]
    while stack:
        message = stack.pop()
        messages.append(message)
        for field, value in message.ListFields():
            if field.message_type is not None:
                stack.extend(value if field.is_repeated else [value])
    message = rng.choice(messages)
    fields = message.ListFields()
    if not fields:
        return
    field, value = rng.choice(fields)
    texts = [name for node in model.graph.node for name in (*node.input, *node.output)]
    numbers = (0, 1, -1, 2, 7, 2**20, 2**31 - 1, -(2**31))
    fresh = {
        "string": lambda: rng.choice((*texts, "", "a" * 2000, "../x", "\x1b[1m")),
        "bytes": lambda: rng.randbytes(rng.choice((0, 3, 64))),
    }
    other = fresh.get(
        _kind(field), lambda: rng.choice(numbers + ((2**62, -(2**62)) if _kind(field) == "int64" else ()))
    )
    try:
        if not field.is_repeated:
            if field.message_type is None and rng.random() < 0.8:
                setattr(message, field.name, other())
            else:
                message.ClearField(field.name)
        elif field.message_type is None:
            at = rng.randrange(len(value))
            match rng.randrange(3):
                case 0:
                    value[at] = other()
                case 1:
                    del value[at]
                case _:
                    value.extend([other()] * rng.choice((1, 1, 50)))
        else:
            at, to = rng.randrange(len(value)), rng.randrange(len(value))
            match rng.randrange(4):
                case 0:
                    del value[at]
                case 1:
                    value.add().CopyFrom(value[at])
                case 2:
                    value[at].CopyFrom(value[to])
                case _:
                    first, second = type(value[at])(), type(value[at])()
                    first.CopyFrom(value[at])
                    second.CopyFrom(value[to])
                    value[at].CopyFrom(second)
                    value[to].CopyFrom(first)
    except (ValueError, TypeError):  # a number that the field does not hold
        message.ClearField(field.name)


def _kind(field: Any) -> str:
    kinds = {field.TYPE_STRING: "string", field.TYPE_BYTES: "bytes", field.TYPE_INT64: "int64"}
    return kinds.get(field.type, "")


def onnx_places(rng: Random, path: Path) -> None:
    """Weights that lie outside of the folder, in links, beyond the end of their file, or over each other."""
    model = onnx.load(path, load_external_data=False)
    tensor = rng.choice([tensor for tensor in model.graph.initializer if tensor.external_data])
    entry = rng.choice(tensor.external_data)
    places = (
        "../net.data",
        "/etc/passwd",
        "/dev/zero",
        "C:\\x",
        "net.onnx",
        ".",
        "",
        "..",
        "a/../../x",
        "net.data\0",
        "link",
    )
    numbers = ("-1", "0", "4", "99999999", str(2**70), "x", "1e3", "", "٣", "9" * 5000)
    if rng.random() < 0.3:
        (path.parent / "link").symlink_to("/etc/hostname")
    entry.value = rng.choice(places if entry.key == "location" else numbers)
    if rng.random() < 0.2:
        tensor.external_data.add(key=entry.key, value=rng.choice(numbers))
    path.write_bytes(model.SerializeToString())
