"""safetensors files."""

from __future__ import annotations

import json
from pathlib import Path

import ml_dtypes
import numpy as np
from safetensors import SafetensorError, safe_open

from sicjax._errors import InputError
from sicjax._limits import OF_TEXT, make
from sicjax.weights._bytes import whole
from sicjax.weights._tensors import Tensors

_DTYPES = {
    "BOOL": np.bool_,
    "U8": np.uint8,
    "I8": np.int8,
    "U16": np.uint16,
    "I16": np.int16,
    "U32": np.uint32,
    "I32": np.int32,
    "U64": np.uint64,
    "I64": np.int64,
    "F8_E4M3": ml_dtypes.float8_e4m3fn,
    "F8_E5M2": ml_dtypes.float8_e5m2,
    "F16": np.float16,
    "BF16": ml_dtypes.bfloat16,
    "F32": np.float32,
    "F64": np.float64,
    "C64": np.complex64,
}


def read_safetensors(path: Path) -> Tensors:
    """The arrays of a safetensors file, where its bytes are; it does not keep an order."""
    try:
        with safe_open(path, framework="np") as file:  # which checks the header
            names = list(file.keys())
    except SafetensorError as error:
        damaged = f"{path} is damaged or not a safetensors file; save or download it again"
        raise InputError(f"{damaged}: {str(error)!r:.100}") from error
    content = whole(path)
    start = 8 + int.from_bytes(content[:8], "little")
    make(OF_TEXT * start, "its header")
    header = json.loads(content[8:start])
    arrays, unread = {}, {}
    for name in names:
        entry = header[name]
        dtype, (begin, end) = _DTYPES.get(entry["dtype"]), entry["data_offsets"]
        if dtype is None:
            unread[name] = f"dtype {entry['dtype']} cannot be read: save it as float32"
        else:
            flat = np.frombuffer(content, dtype, (end - begin) // np.dtype(dtype).itemsize, start + begin)
            arrays[name] = flat.reshape(entry["shape"])
    return Tensors(arrays, unread, ordered=False)
