"""Archives, pickles, code and JSON that ask for gigabytes, or for hours."""

import json
import struct
import zipfile
from pathlib import Path

import numpy as np
from onnx_net import kernel
from pickled import mapping, plain, tensor, write_zip
from safetensors.numpy import save_file


def archive(folder: Path, name: str, entries: dict) -> Path:
    """A compressed archive with these entries."""
    with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        for inside, data in entries.items():
            file.writestr(inside, data)
    return folder / name


def pickled(folder: Path, body: bytes) -> Path:
    return archive(folder, "net.pt", {"net/data.pkl": b"\x80\x02" + body + b"."})


def program(folder: Path, code: str) -> Path:
    head = "class Net(Module):\n  def forward(self: __torch__.Net, x: Tensor) -> Tensor:\n"
    module = {"net/data.pkl": b"\x80\x02c__torch__\nNet\n)\x81}b.", "net/constants.pkl": b"\x80\x02)."}
    return archive(folder, "net.pt", module | {"net/code/__torch__.py": head + code})


def exported(folder: Path, model: str) -> Path:
    return archive(folder, "net.pt2", {"net/models/model.json": model})


def arrays(folder: Path, name: str, content: dict, beside: str | None = None) -> Path:
    """Arrays in safetensors, and a file of JSON beside them."""
    save_file(content, folder / "net.safetensors")
    if beside is not None:
        (folder / name).write_text(beside)
    return folder / ("net.safetensors" if name == "net.json" else name)


def npy(shape: str, data: bytes) -> bytes:
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}"
    header += " " * (63 - (len(header) + 10) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data


def legacy(folder: Path) -> Path:
    header = [0x1950A86A20F9469CFC6C, 1001, {"protocol_version": 1001, "little_endian": True, "type_sizes": {}}]
    parts = [*(b"\x80\x02" + plain(part) + b"." for part in header), b"\x80\x02", b"]" * 10_000_000]
    (folder / "net.pt").write_bytes(b"".join(parts))
    return folder / "net.pt"


def stored_once(folder: Path, count: int, values: int, **view) -> Path:
    body = mapping(**{f"c{k}.weight": tensor(**view) for k in range(count)})
    return write_zip(folder / "net.pt", body, np.ones(values, "<f4").tobytes())


def long_names() -> dict:
    return {f"layer.{'1' * 5000}{k}.weight": array for k, array in enumerate(PLAIN.values())}


def many_taps(folder: Path) -> Path:
    taps = {"a.weight": kernel(4, 3, 100_001), "b.weight": kernel(4, 4, 100_001)}
    chain = {"n": [{"type": "conv", "weight": name, "layout": "OIHW", "stride": 1} for name in taps]}
    return arrays(folder, "net.json", taps, json.dumps({"networks": chain}))


def lists() -> str:
    return "[" + "[]," * 15_000_000 + "[]]"


PLAIN = {"a.weight": kernel(4, 3, 3, 3), "b.weight": kernel(5, 4, 3, 3)}

# Each is made when it is written: together they are gigabytes.
ARCHIVES = {
    "npz: zeros": lambda folder: archive(
        folder, "net.npz", {"a.weight.npy": npy("(256, 256, 48, 48)", bytes(4 * 256 * 256 * 48 * 48))}
    ),
    "npz: a header that lies": lambda folder: archive(
        folder, "net.npz", {"a.weight.npy": npy("(65536, 65536, 3, 3)", bytes(64))}
    ),
    "pytorch: a storage repeated": lambda folder: stored_once(
        folder, 300, 6, shape=(1024, 1024, 16, 16), strides=(0,) * 4
    ),
    "pytorch: one storage, 3,000 kernels": lambda folder: stored_once(
        folder, 3000, 256 * 256 * 9, shape=(256, 256, 3, 3), strides=(2304, 9, 3, 1)
    ),
    "pytorch: 20,000 entries": lambda folder: archive(
        folder, "net.pt", {"a/data.pkl": b"\x80\x02}."} | {f"a/{k}": b"" for k in range(20_000)}
    ),
    "pytorch: a pickle of lists": lambda folder: pickled(folder, b"]" * 2**26),
    "pytorch: a pickle of None": lambda folder: pickled(folder, b"N" * 2**26),
    "pytorch: a pickle of notes": lambda folder: pickled(folder, b"N" + b"\x94" * 2**24),
    "pytorch: a pickle of texts": lambda folder: pickled(folder, b"(" + b"U\x01a" * 2**23),
    "pytorch: a pickle of stand-ins": lambda folder: pickled(folder, b"ctorch.nn\nModule\nq\x00" + b"h\x00)R" * 2**22),
    "pytorch: a legacy pickle of lists": legacy,
    "torch.export: lists": lambda folder: exported(folder, lists()),
    "torch.export: texts": lambda folder: exported(folder, '{"graph_module": [' + '"abcde",' * 8_000_000 + '""]}'),
    "torchscript: expressions": lambda folder: program(folder, "    y = [" + "x, " * 2_500_000 + "x]\n    return y\n"),
    "torchscript: statements": lambda folder: program(folder, "    y = x\n" * 800_000 + "    return y\n"),
    "safetensors: a number of 5,000 digits in a name": lambda folder: arrays(folder, "net.json", long_names()),
    "safetensors: kernels of 100,001 taps": many_taps,
    "safetensors: a sidecar of lists": lambda folder: arrays(folder, "net.json", PLAIN, lists()),
    "safetensors: an index of lists": lambda folder: arrays(folder, "net.safetensors.index.json", PLAIN, lists()),
    "safetensors: 10,000 kernels": lambda folder: arrays(
        folder, "net.json", {f"layer{k}.weight": kernel(1, 1, 1) for k in range(10_000)}
    ),
}
