"""Ways to damage a file, each with a source of random choices: of its bytes, or of what they mean to its format."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import NamedTuple

from damage_archives import members, npy_headers, zip_headers
from damage_hdf5 import links
from damage_json import damaged, json_inside
from damage_onnx import onnx_graph, onnx_places
from damage_pickles import code, opcodes, payload

# What tells more than random numbers do.
NUMBERS = (0, 1, 7, 127, 128, 255, 2**15, 2**16 - 1, 2**24, 2**31 - 1, 2**31, 2**32 - 1, 2**40, 2**62, 2**63, 2**64 - 1)


def of_bytes(change: Callable[[Random, bytearray], bytes | bytearray]) -> Callable[[Random, Path], None]:
    """A change of the bytes of a file, or of one beside it."""

    def mutate(rng: Random, path: Path) -> None:
        beside = sorted(file for file in path.parent.iterdir() if file.is_file() and file != path)
        file = rng.choice(beside) if beside and rng.random() < 0.3 else path
        file.write_bytes(change(rng, bytearray(file.read_bytes())))

    return mutate


def place(rng: Random, data: bytearray) -> int:
    """Anywhere, but as often near the start or the end, where headers are."""
    near = [
        rng.randrange(len(data)),
        rng.randrange(min(len(data), 400)),
        len(data) - 1 - rng.randrange(min(len(data), 600)),
    ]
    return rng.choice(near)


def truncated(rng: Random, data: bytearray) -> bytearray:
    return data[: place(rng, data)]


def bits(rng: Random, data: bytearray) -> bytearray:
    for _ in range(rng.choice((1, 1, 2, 8))):
        data[place(rng, data)] ^= 1 << rng.randrange(8)
    return data


def changed(rng: Random, data: bytearray) -> bytearray:
    for _ in range(rng.choice((1, 2, 4))):
        at = place(rng, data)
        data[at : at + rng.choice((1, 2, 4, 16))] = rng.randbytes(rng.choice((1, 2, 4, 16)))
    return data


def magic(rng: Random, data: bytearray) -> bytearray:
    heads = (
        b"PK\x03\x04",
        b"\x89HDF\r\n\x1a\n",
        b"\x93NUMPY\x01\x00",
        b"\x80\x02",
        b"",
        b"\x08\x08\x12",
        b"{",
        b"\x1f\x8b",
    )
    head = rng.choice(heads)
    return bytearray(head) + data[len(head) if rng.random() < 0.7 else 0 :]


def sizes(rng: Random, data: bytearray) -> bytearray:
    """A number in a header, of any width, that says something else."""
    for _ in range(rng.choice((1, 1, 3))):
        width = rng.choice((1, 2, 4, 8))
        at = min(place(rng, data), max(len(data) - width, 0))
        number = rng.choice((*NUMBERS, len(data), len(data) - 1, rng.randrange(max(len(data), 1))))
        data[at : at + width] = (number % 256**width).to_bytes(width, "little")
    return data


def moved(rng: Random, data: bytearray) -> bytearray:
    """A block that is copied over another, put in, or left out, so that offsets overlap or point beside."""
    size = rng.choice((1, 4, 8, 64, 512))
    source, target = place(rng, data), place(rng, data)
    block = data[source : source + size]
    match rng.randrange(3):
        case 0:
            data[target : target + len(block)] = block
        case 1:
            data[target:target] = block
        case _:
            del data[source : source + size]
    return data


def offsets(rng: Random, data: bytearray) -> bytearray:
    """A word of a file put in another's place, as where two offsets are the same."""
    at, other = (place(rng, data) & ~3 for _ in range(2))
    data[at : at + 4] = data[other : other + 4]
    return data


def beside(rng: Random, path: Path) -> None:
    """JSON beside the file that is damaged, or is no JSON."""
    file = rng.choice((path.parent / "net.json", path.parent / "config.json"))
    text = file.read_text() if file.exists() else '{"networks": {"net": [{"type": "conv"}]}, "architectures": ["UNet"]}'
    file.write_text(
        json.dumps(damaged(rng, json.loads(text))) if rng.random() < 0.8 else rng.choice(("", "[", "NaN", "[" * 9999))
    )


class Mutation(NamedTuple):
    """A way to damage files of formats whose names start so; `hard` ones change what a reader of bytes rarely meets."""

    mutate: Callable[[Random, Path], None]
    of: tuple[str, ...] = ("",)


ZIPS = ("NumPy", "Keras 3", "PyTorch", "TorchScript", "torch.export")
KINDS = {
    "truncated": Mutation(of_bytes(truncated)),
    "bits": Mutation(of_bytes(bits)),
    "bytes": Mutation(of_bytes(changed)),
    "magic": Mutation(of_bytes(magic)),
    "sizes": Mutation(of_bytes(sizes)),
    "blocks": Mutation(of_bytes(moved)),
    "offsets": Mutation(of_bytes(offsets)),
    "JSON beside": Mutation(beside, ("safetensors", "NumPy", "PyTorch")),
    "JSON": Mutation(json_inside, ("safetensors", "Keras", "torch.export")),
    "zip members": Mutation(members, ZIPS),
    "zip headers": Mutation(zip_headers, ZIPS),
    "pickle payloads": Mutation(payload, ("PyTorch", "TorchScript")),
    "pickle opcodes": Mutation(opcodes, ("PyTorch", "TorchScript")),
    "code": Mutation(code, ("TorchScript",)),
    "ONNX graph": Mutation(onnx_graph, ("ONNX",)),
    "ONNX places": Mutation(onnx_places, ("ONNX, weights",)),
    "HDF5 links": Mutation(links, ("Keras",)),
    "NumPy headers": Mutation(npy_headers, ("NumPy",)),
}


def kinds_of(format: str) -> list[str]:
    """The ways to damage files of a format, its own twice."""
    zipped = lambda kind: kind.of is not ZIPS or not ("HDF5" in format or "legacy" in format)
    fits = {name: kind.of for name, kind in KINDS.items() if format.startswith(kind.of) and zipped(kind)}
    return [name for name, of in fits.items() for _ in range(1 if of == ("",) else 2)]
