"""Archives, pickles, code and JSON that ask for gigabytes, or for hours."""

import json
import struct
import zipfile
from pathlib import Path

import numpy as np
from onnx_net import kernel
from pickled import mapping, plain, tensor, write_zip
from safetensors.numpy import save_file


def archive(name, entries):
    """A compressed archive with these entries."""

    def write_to(folder: Path) -> Path:
        with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
            for inside, data in entries.items():
                file.writestr(inside, data)
        return folder / name

    return write_to


def pickled(body: bytes):
    return archive("net.pt", {"net/data.pkl": b"\x80\x02" + body + b"."})


def program(code: str):
    head = "class Net(Module):\n  def forward(self: __torch__.Net, x: Tensor) -> Tensor:\n"
    module = {"net/data.pkl": b"\x80\x02c__torch__\nNet\n)\x81}b.", "net/constants.pkl": b"\x80\x02)."}
    return archive("net.pt", module | {"net/code/__torch__.py": head + code})


def exported(model: str):
    return archive("net.pt2", {"net/models/model.json": model})


def arrays(name, content, beside=None):
    """Arrays in safetensors, and a file of JSON beside them."""

    def write(folder: Path) -> Path:
        save_file(content, folder / "net.safetensors")
        if beside is not None:
            (folder / name).write_text(beside)
        return folder / ("net.safetensors" if name == "net.json" else name)

    return write


def npy(shape: str, data: bytes) -> bytes:
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}"
    header += " " * (63 - (len(header) + 10) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data


def legacy(folder: Path) -> Path:
    header = [0x1950A86A20F9469CFC6C, 1001, {"protocol_version": 1001, "little_endian": True, "type_sizes": {}}]
    parts = [*(b"\x80\x02" + plain(part) + b"." for part in header), b"\x80\x02", b"]" * 10_000_000]
    (folder / "net.pt").write_bytes(b"".join(parts))
    return folder / "net.pt"


def stored_once(count, values, **view):
    body = mapping(**{f"c{k}.weight": tensor(**view) for k in range(count)})
    return lambda folder: write_zip(folder / "net.pt", body, np.ones(values, "<f4").tobytes())


PLAIN = {"a.weight": kernel(4, 3, 3, 3), "b.weight": kernel(5, 4, 3, 3)}
LONG = {f"layer.{'1' * 5000}{k}.weight": array for k, array in enumerate(PLAIN.values())}
TAPS = {"a.weight": kernel(4, 3, 100_001), "b.weight": kernel(4, 4, 100_001)}
LISTS = "[" + "[]," * 15_000_000 + "[]]"
CHAIN = {"n": [{"type": "conv", "weight": name, "layout": "OIHW", "stride": 1} for name in TAPS]}

ARCHIVES = {
    "npz: zeros": archive("net.npz", {"a.weight.npy": npy("(256, 256, 48, 48)", bytes(4 * 256 * 256 * 48 * 48))}),
    "npz: a header that lies": archive("net.npz", {"a.weight.npy": npy("(65536, 65536, 3, 3)", bytes(64))}),
    "pytorch: a storage repeated": stored_once(300, 6, shape=(1024, 1024, 16, 16), strides=(0,) * 4),
    "pytorch: one storage, 3,000 kernels": stored_once(
        3000, 256 * 256 * 9, shape=(256, 256, 3, 3), strides=(2304, 9, 3, 1)
    ),
    "pytorch: 20,000 entries": archive(
        "net.pt", {"a/data.pkl": b"\x80\x02}."} | {f"a/{k}": b"" for k in range(20_000)}
    ),
    "pytorch: a pickle of lists": pickled(b"]" * 2**26),
    "pytorch: a pickle of None": pickled(b"N" * 2**26),
    "pytorch: a pickle of notes": pickled(b"N" + b"\x94" * 2**24),
    "pytorch: a pickle of texts": pickled(b"(" + b"U\x01a" * 2**23),
    "pytorch: a pickle of stand-ins": pickled(b"ctorch.nn\nModule\nq\x00" + b"h\x00)R" * 2**22),
    "pytorch: a legacy pickle of lists": legacy,
    "torch.export: lists": exported(LISTS),
    "torch.export: texts": exported('{"graph_module": [' + '"abcde",' * 8_000_000 + '""]}'),
    "torchscript: expressions": program("    y = [" + "x, " * 2_500_000 + "x]\n    return y\n"),
    "torchscript: statements": program("    y = x\n" * 800_000 + "    return y\n"),
    "safetensors: a number of 5,000 digits in a name": arrays("net.json", LONG),
    "safetensors: kernels of 100,001 taps": arrays("net.json", TAPS, json.dumps({"networks": CHAIN})),
    "safetensors: a sidecar of lists": arrays("net.json", PLAIN, LISTS),
    "safetensors: an index of lists": arrays("net.safetensors.index.json", PLAIN, LISTS),
    "safetensors: 10,000 kernels": arrays("net.json", {f"layer{k}.weight": kernel(1, 1, 1) for k in range(10_000)}),
}
