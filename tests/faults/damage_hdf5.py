"""Damage to HDF5 files: links out of them and in circles, arrays of other kinds and elsewhere."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from random import Random
from typing import Any

from damage_archives import NAMES, rezipped, unzipped
from keras_net import h5py


def links(rng: Random, path: Path) -> None:
    """Links to other files, to groups above, to nothing; arrays elsewhere, of other types, compressed, huge."""
    zipped = zipfile.is_zipfile(path)
    entries = unzipped(path) if zipped else {}
    stream: Any = io.BytesIO(entries["model.weights.h5"]) if zipped else path
    with h5py.File(stream, "a") as file:
        found: list[str] = []
        file.visit(found.append)
        arrays = [item for item in found if isinstance(file[item], h5py.Dataset)]
        item, other = rng.choice(found), rng.choice(found)
        array = rng.choice(arrays)
        shape, value = file[array].shape, file[array][()]
        match rng.randrange(10):
            case 0:
                del file[item]
                file[item] = h5py.ExternalLink(
                    rng.choice(("/etc/hostname", "x.h5", str(path))), rng.choice(("/", "/k"))
                )
            case 1:
                del file[item]
                file[item] = h5py.SoftLink(rng.choice(("/", "/gone", f"/{item}", f"/{other}")))
            case 2:
                file[f"{other}/again" if other not in arrays else f"again{rng.randrange(9)}"] = file[item]
            case 3:
                del file[array]
                file.create_dataset(array, shape, "f4", external=[("/etc/hostname", 0, h5py.h5f.UNLIMITED)])
            case 4:
                layout = h5py.VirtualLayout(shape, "f4")
                del file[array]
                file.create_virtual_dataset(array, layout)
            case 5:
                del file[array]
                file.create_dataset(array, [n * rng.choice((1, 1000)) for n in shape] or [9], "f4", chunks=True)
            case 6:
                del file[array]
                kind = rng.choice(("f8", "f2", "i4", "c8", "S9", "O", ">f4", "V2", "V8", "u1"))
                file.create_dataset(array, shape, h5py.string_dtype() if kind == "O" else kind)
            case 7:
                del file[array]
                file.create_dataset(
                    array, data=value, chunks=True if value.ndim else None, compression="gzip" if value.ndim else None
                )
            case 8:
                key = rng.choice(("model_config", "keras_version", "name", "layer_names", "weight_names"))
                stated = rng.choice((3, [1, 2], "", "[]", h5py.Empty("f"), file[item].ref, b"\xff\xfe", "x" * 60_000))
                file.attrs[key] = stated
            case _:
                file.move(
                    item, f"{rng.choice(NAMES[6:10]) or 'x'}{item[-3:]}" if rng.random() < 0.5 else f"elsewhere/{item}"
                )
    if zipped:
        rezipped(path, (entries | {"model.weights.h5": stream.getvalue()}).items())
