"""Damage to what a file means: its JSON, members, pickles, graph, links."""

from __future__ import annotations

import io
import json
import pickletools
import struct
import warnings
import zipfile
from pathlib import Path
from random import Random
from typing import Any

from keras_net import h5py
from onnx_net import onnx
from pickled import call, group, name, plain

# Written in the folder of a file by whatever of it is run.
MARK = "executed"
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
VALUES = (
    *(None, True, -1, 0, 1, 3, 4096, 2**31, 2**63, 2**64, 10**400, 0.5, float("nan"), float("inf"), "", "x", [], {}),
    *([[]], {"class_name": "Lambda", "config": {}}, "9" * 5000, [1] * 70, [2**40, 2**40]),
)


# JSON


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
        entries = _entries(path)
        inside = rng.choice([entry for entry in entries if entry.endswith(".json")])
        entries[inside] = json.dumps(damaged(rng, json.loads(entries[inside]))).encode()
        _zip(path, entries.items())


# Archives


def _entries(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {entry: archive.read(entry) for entry in archive.namelist()}


def _zip(path: Path, entries, compression: int = zipfile.ZIP_STORED) -> None:
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", compression) as archive:
        warnings.simplefilter("ignore")  # of two of one name
        for inside, data in entries:
            archive.writestr(inside, data)


def members(rng: Random, path: Path) -> None:
    """Members left out, doubled, renamed, put in each other's place, emptied, made huge, compressed."""
    entries = list(_entries(path).items())
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
    _zip(path, entries, rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)))


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
    entries = _entries(path)
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
    _zip(path, entries.items())


# Pickles


def payload(rng: Random, path: Path) -> None:
    """A pickle that runs something, by each instruction that can."""
    mark = str(path.parent / MARK)
    command = plain(f"touch {mark}")
    system, opened = (
        rng.choice(("os.system", "posix.system", "subprocess.getoutput")),
        call("builtins.open", plain(mark), plain("w")),
    )
    calls = {
        "reduce": call(system, command),
        "open": opened,
        "eval": call("builtins.eval", plain(f"open({mark!r}, 'w')")),
        "exec": call("builtins.exec", plain(f"open({mark!r}, 'w')")),
        "import": call("builtins.__import__", plain("os")),
        "instance": b"(" + command + b"i" + system.replace(".", "\n").encode() + b"\n",
        "object": b"(" + name(system) + command + b"o",
        "new object": name("subprocess.Popen") + group(plain(["touch", mark])) + b"\x81",
        "new object, keywords": name("subprocess.Popen") + b")}" + plain("args") + plain(["touch", mark]) + b"s\x92",
        "stacked name": plain("os") + plain("system") + b"\x93" + group(command) + b"R",
        "build": name("torch.nn.Module") + b")\x81}" + plain("__class__") + name(system) + b"sb",
        "set state": name("torch.nn.Module") + b")\x81" + name(system) + b"b",
        "extension": b"\x82\x01" + group(command) + b"R",
        "persistent": group(plain("storage"), name(system), command, plain("cpu"), plain(1)) + b"Q",
        "attribute": call("builtins.getattr", name("os.path"), plain("join")),
        "getter": call("operator.attrgetter", plain("system")) + group(name("os.path")) + b"R",
        "partial": call("functools.partial", name(system), command) + b")R",
        "mapped": call("builtins.list", call("builtins.map", name(system), group(command))),
        "dotted": b"\x80\x04\x8c\x05torch\x8c\x1bserialization.os.system    "[: 2 + 7 + 2 + 27]
        + b"\x93"
        + group(command)
        + b"R",
        "torch": call("torch.load", plain(mark)),
        "hub": call("torch.hub.load", plain("x"), plain("y")),
        "jit": call("torch.jit.unsupported_tensor_ops.execWrapper", plain("import os"), b"}", b"}"),
        "numpy": call("numpy.testing._private.utils.runstring", plain("import os"), b"}"),
        "numpy load": call("numpy.load", plain(mark)),
        "code": call("types.CodeType", b"K\x00"),
        "runpy": call("runpy._run_code", plain("import os"), b"}"),
        "pdb": call("pdb.run", plain(f"open({mark!r}, 'w')")),
        "web": call("webbrowser.open", plain("file://" + mark)),
        "nested pickle": call("pickle.loads", plain(b"cos\nsystem\n(V" + f"touch {mark}".encode() + b"\ntR.")),
        "copyreg": call("copyreg._reconstructor", name("subprocess.Popen"), name("builtins.object"), b"N"),
        "ordered": call("collections.OrderedDict", b"]" + opened + b"a"),
        "harmless by name": call("torch.nn.modules.container.os.system", command),
    }
    run = calls[rng.choice(list(calls))]
    parts = b"(" + b"N" + run + b"l" if rng.random() < 0.3 else run + rng.choice((b"", b"0", b"q\xfa"))
    if path.suffix in (".pt", ".pth", ".tar") and zipfile.is_zipfile(path):
        entries = _entries(path)
        inside = rng.choice([entry for entry in entries if entry.endswith(".pkl")])
        body = entries[inside]
        entries[inside] = _put_in(rng, body, parts)
        _zip(path, entries.items())
    else:
        body = path.read_bytes()
        path.write_bytes(_put_in(rng, body, parts) if rng.random() < 0.7 else b"\x80\x02" + parts + b".")


def _put_in(rng: Random, body: bytes, part: bytes) -> bytes:
    """A pickle with other instructions at its start, or between two of its own."""
    at = 2 if rng.random() < 0.5 else rng.choice(_places(body))
    return body[:at] + part + body[at:]


def _places(body: bytes) -> list[int]:
    places = []
    try:
        for _, _, at in pickletools.genops(io.BytesIO(body)):
            places.append(at)
    except ValueError:  # the storages of a legacy file follow
        pass
    return places[1:] or [0]


def opcodes(rng: Random, path: Path) -> None:
    """Instructions of a pickle left out, doubled, put elsewhere, or others."""
    zipped = zipfile.is_zipfile(path)
    entries = _entries(path) if zipped else {"": path.read_bytes()}
    inside = rng.choice([entry for entry in entries if entry.endswith(".pkl")] if zipped else [""])
    body = entries[inside]
    for _ in range(rng.choice((1, 1, 2, 4))):
        places = _places(body)
        k = rng.randrange(len(places))
        at, end = places[k], places[min(k + 1, len(places) - 1)]
        other = rng.choice(pickletools.opcodes).code.encode("latin-1")
        number = struct.pack("<i", rng.choice((-1, 0, 2**31 - 1, 10**6)))
        match rng.randrange(5):
            case 0:
                body = body[:at] + body[end:]
            case 1:
                body = body[:at] + body[at:end] * rng.choice((2, 1000)) + body[end:]
            case 2:
                body = body[:at] + other + body[end:]
            case 3:
                body = body[:at] + other + number + body[at:]
            case _:
                body = body[:at] + b"J" + number + body[end:]
    if zipped:
        _zip(path, (entries | {inside: body}).items())
    else:
        path.write_bytes(body)


# Programs


def code(rng: Random, path: Path) -> None:
    """Words and lines of a program left out, doubled, and others put in."""
    entries = _entries(path)
    inside = rng.choice([entry for entry in entries if entry.endswith(".py")])
    lines = entries[inside].decode().split("\n")
    hostile = (
        *(
            "while True:\n      pass",
            "x = [x, x]",
            "open('executed', 'w')",
            "import os",
            "return x",
            "x = (self).forward(x)",
        ),
        *(
            "x = torch.cat([x] * 99999, 1)",
            "for k in range(9999999999):\n      x = torch.relu(x)",
            "x = " + "-" * 500 + "x",
        ),
    )
    for _ in range(rng.choice((1, 2, 5))):
        at = rng.randrange(len(lines))
        words = lines[at].split(" ")
        match rng.randrange(5):
            case 0:
                del lines[at]
                lines = lines or [""]
            case 1:
                lines.insert(at, lines[rng.randrange(len(lines))])
            case 2:
                lines[at] = " " * (len(lines[at]) - len(lines[at].lstrip())) + rng.choice(hostile)
            case 3:
                words[rng.randrange(len(words))] = rng.choice(
                    ("0", "-1", "99999999999", "None", "x", "[]", "self", "1e400", "(")
                )
                lines[at] = " ".join(words)
            case _:
                lines[at] = lines[at].replace(str(rng.randrange(5)), str(rng.choice((0, -7, 2**31, 2**70))))
    entries[inside] = "\n".join(lines).encode()
    _zip(path, entries.items())


# ONNX


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


# HDF5


def links(rng: Random, path: Path) -> None:
    """Links to other files, to groups above, to nothing; arrays elsewhere, of other types, compressed, huge."""
    zipped = zipfile.is_zipfile(path)
    entries = _entries(path) if zipped else {}
    stream = io.BytesIO(entries["model.weights.h5"]) if zipped else path
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
        _zip(path, (entries | {"model.weights.h5": stream.getvalue()}).items())
