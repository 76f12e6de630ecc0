"""TorchScript and torch.export programs as files, written by hand, so that PyTorch is not needed."""

import json
import struct
import zipfile

import numpy as np


class Tensor:
    """A parameter of a program: its key in the archive and its values."""

    def __init__(self, key, shape):
        self.key, self.array = key, np.asarray(np.random.default_rng(int(key)).normal(size=shape), np.float32)


class Module:
    def __init__(self, kind, **state):
        self.kind, self.state = kind, state


def pickled(value):
    """The instructions of a pickle as TorchScript writes it; bytes are instructions already."""
    match value:
        case Module():
            return f"c__torch__\n{value.kind}\n".encode() + b")\x81" + pickled(value.state) + b"b"
        case Tensor():
            strides = tuple(np.array(value.array.strides) // 4)
            storage = b"(" + pickled("storage") + b"ctorch\nFloatStorage\n" + pickled(value.key) + pickled("cpu")
            storage += pickled(value.array.size) + b"tQ"
            rest = b"K\x00" + pickled(value.array.shape) + pickled(tuple(map(int, strides))) + b"\x89"
            return b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + rest + b"ccollections\nOrderedDict\n)RtR"
        case dict():
            return b"}(" + b"".join(pickled(part) for item in value.items() for part in item) + b"u"
        case tuple():
            return b"(" + b"".join(map(pickled, value)) + b"t"
        case bytes():
            return value
        case str():
            return b"X" + struct.pack("<I", len(value)) + value.encode()
        case int():
            return b"J" + struct.pack("<i", value)
    raise TypeError(value)


def tensors(value):
    if isinstance(value, Tensor):
        yield value
    for part in value.state.values() if isinstance(value, Module) else ():
        yield from tensors(part)


def script(path, module, code, **options):
    """A TorchScript archive of a module, with the code of its classes."""
    with zipfile.ZipFile(path, "w", **options) as archive:
        archive.writestr("net/data.pkl", b"\x80\x02" + pickled(module) + b".")
        archive.writestr("net/constants.pkl", b"\x80\x02).")
        archive.writestr("net/code/__torch__.py", code)
        for tensor in tensors(module):
            archive.writestr(f"net/data/{tensor.key}", tensor.array.tobytes())
    return path


def conv(x, name):
    return f"torch.conv2d({x}, self.{name}.weight, None, [1, 1], [1, 1])"


def program(path, body, more="", **options):
    """A program with three convolutions `a` (3 to 4), `b` and `c` (4 to 4), and `more` classes and functions."""
    shapes = {"a": (4, 3, 3, 3), "b": (4, 4, 3, 3), "c": (4, 4, 3, 3)}
    layers = {name: Module("Conv", weight=Tensor(str(k), shape)) for k, (name, shape) in enumerate(shapes.items())}
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    head = "class Net(Module):\n  def forward(self: __torch__.Net, x: Tensor, n: int=2) -> Tensor:\n"
    return script(path, Module("Net", **layers), head + lines + more, **options)


def exported(path, nodes, shapes, **parts):
    """A `torch.export` archive of a graph whose parameters are `a.weight` and `b.weight`."""
    sizes = lambda shape: [{"as_int": n} for n in shape]
    kernels = {"a.weight": Tensor("0", (4, 3, 3, 3)), "b.weight": Tensor("1", (2, 4, 3, 3))}
    specs = [{"parameter": {"arg": {"name": k[0]}, "parameter_name": k}} for k in kernels]
    specs.append({"user_input": {"arg": {"as_tensor": {"name": "x"}}}})
    graph = {"nodes": nodes, "tensor_values": {name: {"sizes": sizes(shape)} for name, shape in shapes.items()}}
    program = {"graph_module": {"graph": graph | parts, "signature": {"input_specs": specs}}}
    config = {}
    with zipfile.ZipFile(path, "w") as archive:
        for k, (name, tensor) in enumerate(kernels.items()):
            strides = [s // 4 for s in tensor.array.strides]
            meta = {"dtype": 7, "sizes": sizes(tensor.array.shape), "strides": sizes(strides)}
            meta["storage_offset"] = {"as_int": 0}
            config[name] = {"path_name": f"weight_{k}", "use_pickle": False, "tensor_meta": meta}
            archive.writestr(f"net/data/weights/weight_{k}", tensor.array.tobytes())
        archive.writestr("net/data/weights/model_weights_config.json", json.dumps({"config": config}))
        archive.writestr("net/models/model.json", json.dumps(program))
    return path


def node(target, output, *inputs):
    given = [{"name": name, "arg": {"as_tensor": {"name": value}}} for name, value in inputs]
    return {"target": target, "inputs": given, "outputs": [{"as_tensor": {"name": output}}], "metadata": {}}
