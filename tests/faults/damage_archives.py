"""Damage to archives: their members, and the headers that say where these are."""

from __future__ import annotations

import warnings
import zipfile
from pathlib import Path
from random import Random

NAMES = (
    "../../evil",
    "/tmp/evil",
    "..\\evil",
    "C:\\evil",
    "a" * 70_000,
    "a\0b",
    "\x1b[31m",
    "",
    ".",
    "café",
    "-1",
    "a\nb",
)


def unzipped(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {entry: archive.read(entry) for entry in archive.namelist()}


def rezipped(path: Path, entries, compression: int = zipfile.ZIP_STORED) -> None:
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", compression) as archive:
        warnings.simplefilter("ignore")  # of two of one name
        for inside, data in entries:
            archive.writestr(inside, data)


def members(rng: Random, path: Path) -> None:
    """Members left out, doubled, renamed, put in each other's place, emptied, made huge, compressed."""
    entries = list(unzipped(path).items())
    at, other = rng.randrange(len(entries)), rng.randrange(len(entries))
    inside, data = entries[at]
    match rng.randrange(9):
        case 0:
            del entries[at]
        case 1:
            entries.append((inside, entries[other][1]))
        case 2:
            entries[at] = rng.choice(NAMES)[:60_000] or "x", data
        case 3:
            entries.append((f"{rng.choice(('..', '/tmp', 'a/../..'))}/{inside}", data))
        case 4:
            entries[at], entries[other] = (inside, entries[other][1]), (entries[other][0], data)
        case 5:
            entries[at] = inside, b""
        case 6:
            entries[at] = inside, bytes(rng.choice((10**6, 5 * 10**7)))
        case 7:
            entries[at] = inside, data[: rng.randrange(len(data) + 1)]
        case _:
            rng.shuffle(entries)
    rezipped(path, entries, rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)))


def zip_headers(rng: Random, path: Path) -> None:
    """A field of a header of a member, or of the directory, that lies: sizes, offsets, flags, versions, methods."""
    data = bytearray(path.read_bytes())
    marks = {b"PK\x03\x04": (4, 6, 8, 14, 18, 22, 26, 28), b"PK\x01\x02": (4, 6, 8, 10, 20, 24, 28, 30, 32, 42)}
    marks |= {b"PK\x05\x06": (4, 8, 10, 12, 16, 20), b"PK\x06\x06": (4, 24, 32, 40, 48)}
    for _ in range(rng.choice((1, 1, 2))):
        mark = rng.choice(list(marks))
        found = [k for k in range(len(data)) if data.startswith(mark, k)] if len(data) < 10**6 else []
        at = rng.choice(found) if found else max(data.rfind(mark), 0)
        at += rng.choice(marks[mark])
        width = rng.choice((2, 4))
        value = rng.choice((0, 1, 8, 99, 0xFF, 0x800, 0xFFFF, 2**31 - 1, 2**32 - 1, len(data), rng.randrange(2**16)))
        data[at : at + width] = (value % 256**width).to_bytes(width, "little")
    path.write_bytes(data)


def npy_headers(rng: Random, path: Path) -> None:
    """The description of an array in a `.npz` file."""
    entries = unzipped(path)
    inside = rng.choice(list(entries))
    old, new = rng.choice(
        (
            (b"<f4", b">f4"),
            (b"<f4", b"|O8"),
            (b"<f4", b"<c8"),
            (b"<f4", b"|V4"),
            (b"<f4", b"|S0"),
            (b"(5, 3", b"(9**9**9, 3"),
        )
        + ((b"(5, 3", b"(-5, -3"), (b"(5, 3", b"(99999999, 3"), (b"False", b"True "), (b"\x01\x00v", b"\x03\x00v"))
        + ((b"(5, 3", b"(0, 3"), (b"'shape'", b"'shape "), (b"False", b"print"), (b"'<f4'", b"[('a', '<f4')]"))
    )
    entries[inside] = entries[inside].replace(old, new, 1)
    rezipped(path, entries.items())
