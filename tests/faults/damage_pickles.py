"""Damage to pickles and to the code of programs: what runs something, and what makes no sense."""

from __future__ import annotations

import io
import pickletools
import struct
import zipfile
from pathlib import Path
from random import Random

from damage_archives import rezipped, unzipped
from pickled import call, group, name, plain

# Written in the folder of a file by whatever of it is run.
MARK = "executed"


def runs(mark: str, system: str = "os.system") -> dict[str, bytes]:
    """Instructions that make a file, or would run something else, by each way that a pickle has."""
    command, opened = plain(f"touch {mark}"), call("builtins.open", plain(mark), plain("w"))
    return {
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
        "dotted": b"\x8c\x05torch\x8c\x17serialization.os.system\x93" + group(command) + b"R",
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


def payload(rng: Random, path: Path) -> None:
    """A pickle that runs something, put at the start of another, between its instructions, or in its place."""
    mark, system = str(path.parent / MARK), rng.choice(("os.system", "posix.system", "subprocess.getoutput"))
    run = rng.choice(list(runs(mark, system).values()))
    parts = b"(" + b"N" + run + b"l" if rng.random() < 0.3 else run + rng.choice((b"", b"0", b"q\xfa"))
    if path.suffix in (".pt", ".pth", ".tar") and zipfile.is_zipfile(path):
        entries = unzipped(path)
        inside = rng.choice([entry for entry in entries if entry.endswith(".pkl")])
        body = entries[inside]
        entries[inside] = _put_in(rng, body, parts)
        rezipped(path, entries.items())
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
    entries = unzipped(path) if zipped else {"": path.read_bytes()}
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
        rezipped(path, (entries | {inside: body}).items())
    else:
        path.write_bytes(body)


def code(rng: Random, path: Path) -> None:
    """Words and lines of a program left out, doubled, and others put in."""
    entries = unzipped(path)
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
    rezipped(path, entries.items())
