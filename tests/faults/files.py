"""Small files of every format, as its libraries write them; each writes into a folder what its network is in."""

import json
import shutil
import warnings
from pathlib import Path

import numpy as np
from keras_net import chain, conv, kernel, layer, model, save, start
from onnx_net import Net, helper, onnx
from safetensors.numpy import save_file
from torch_net import program

try:
    import torch
except ImportError:
    torch = None

PUBLIC = Path(__file__).parents[3] / "shared" / "data" / "weights"
KERNELS = {
    "layers.0.weight": kernel(5, 3, 3, 3),
    "layers.0.bias": np.zeros(5, np.float32),
    "layers.2.weight": kernel(7, 5, 3, 3).astype(np.float16),
    "layers.4.weight": kernel(4, 7, 1, 1),
}


def safetensors(folder: Path) -> Path:
    save_file(KERNELS, folder / "net.safetensors")
    return folder / "net.safetensors"


def with_sidecar(folder: Path) -> Path:
    stated = [{"weight": name, "type": "conv", "layout": "OIHW", "stride": 2} for name in KERNELS if "bias" not in name]
    (folder / "net.json").write_text(json.dumps({"networks": {"net": stated}}))
    return safetensors(folder)


def sharded(folder: Path) -> Path:
    places = {name: f"net-{k % 2}.safetensors" for k, name in enumerate(KERNELS)}
    for shard in set(places.values()):
        save_file({name: array for name, array in KERNELS.items() if places[name] == shard}, folder / shard)
    index = folder / "net.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {"total_size": 1}, "weight_map": places}))
    return index


def npz(folder: Path) -> Path:
    np.savez_compressed(folder / "net.npz", **KERNELS)
    return folder / "net.npz"


def pytorch(zipped):
    def write(folder: Path) -> Path:
        held = {name: torch.from_numpy(array.copy()) for name, array in KERNELS.items()}
        content = {"state_dict": held, "epoch": 3, "settings": {"lr": 0.1, "names": ["a", None]}}
        torch.save(content, folder / "net.pth", _use_new_zipfile_serialization=zipped)
        return folder / "net.pth"

    return write


def _module():
    nn = torch.nn
    layers = [nn.Conv2d(3, 5, 3, 2), nn.ReLU(), nn.Upsample(scale_factor=2), nn.Conv2d(5, 4, 3), nn.PixelShuffle(2)]
    return nn.Sequential(*layers, nn.ConvTranspose2d(1, 2, 4, 2)).eval()


def torchscript(folder: Path) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.script(_module()), folder / "net.pt")
    return folder / "net.pt"


BODY = """
if torch.ne(torch.dim(x), 4):
  ops.prim.RaiseException("four axes only")
else:
  pass
parts = annotate(List[Tensor], [])
y = (self.a).forward(x, )
_0 = torch.append(parts, y)
for i in range(2):
  y = torch.relu_(torch.add(y, parts[0], alpha=1))
named = {"left": y}
torch._set_item(named, "right", torch.neg(y))
both = __torch__.Both(y, named["right"]) if torch.gt(torch.len(parts), 0) else __torch__.Both(y, y)
left, right = both
if bool(torch.gt(torch.sum(x), 0)):
  z = (self.b).forward(y, )
  _1 = torch.append(parts, z)
else:
  z = (self.b).forward(named["right"], ) if torch.gt(torch.len(parts), 0) else left
  self.kept = z
size : int = torch.size(z, 2)
z = torch.slice(z, 2, torch.neg(size), size)
halves = torch.chunk(z, 2, 1)
z = torch.cat([halves[1], halves[0]], 1)
scale = torch.div(torch.norm(self.c.weight, 2, [1, 2, 3], True), torch.tensor([1.]))
w = torch._weight_norm(self.c.weight, scale, 0)
with torch.no_grad():
  z = torch.conv2d(__torch__.act(z, ), w, None, [1, 1], [1, 1])
while torch.lt(torch.item(torch.max(z)), 3.):
  z = torch.mul(z, 2)
return (z, torch.mystery(right))
""".strip()
MORE = """
class Conv(Module):
  stride : Final[int] = 1
  def forward(self: __torch__.Conv, y: Tensor) -> Tensor:
    return torch.conv2d(y, self.weight, None, [self.stride, self.stride], [1, 1])
class Both(NamedTuple):
  left : Tensor
  right : Tensor
def act(y: Tensor, slope: float=0.1) -> Tensor:
  return torch.leaky_relu(y, slope)
""".lstrip()


def torchscript_code(folder: Path) -> Path:
    """With what code can have: branches, loops, lists, dictionaries, tuples with names, functions, computed kernels."""
    return program(folder / "net.pt", BODY, MORE)


def _branching():
    nn = torch.nn

    class Branching(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b, self.c = (nn.Conv2d(k, 4, 3, padding=1) for k in (3, 4, 4))
            self.norm = nn.BatchNorm2d(4)
            self.register_buffer("scale", torch.tensor(2.0))

        def forward(self, x):
            y = torch.relu(self.norm(self.a(x)))
            with torch.no_grad():
                y = y * self.scale
            left, right = torch.chunk(y, 2, 1)
            z = torch.cat([right, left], 1)
            z[:, :2].mul_(2)
            z = z[:, :, : x.shape[2] // 2]
            z = z[:, torch.tensor([3, 2, 1, 0])]
            z = nn.functional.interpolate(z, size=[2 * n for n in z.shape[2:]])
            z = z + nn.functional.adaptive_avg_pool2d(z, (1, None))
            return torch.cond(x.sum() > 0, lambda v: self.b(v), lambda v: self.c(v), (z,))

    return Branching().eval()


def exported_branching(folder: Path) -> Path:
    """With open sizes, branches, parts that are written into, and what is computed from sizes."""
    n = torch.export.Dim("n", max=8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        shapes = {"x": {0: n}}
        found = torch.export.export(_branching(), (torch.zeros(2, 3, 16, 9),), dynamic_shapes=shapes)
        torch.export.save(found, folder / "net.pt2")
    return folder / "net.pt2"


def exported(folder: Path) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.export.save(torch.export.export(_module(), (torch.zeros(1, 3, 9, 9),)), folder / "net.pt2")
    return folder / "net.pt2"


def _onnx() -> "onnx.ModelProto":
    """With what a file can have: a computed kernel, branches, a function, sizes that are computed, a resize."""
    net = Net(("n", 4, "h", "w"))
    nodes = [helper.make_node("Relu", ["x"], ["y"]), helper.make_node("Neg", ["y"], ["z"])]
    net.functions.append(helper.make_function("custom", "f", ["x"], ["z"], nodes, [helper.make_opsetid("", 18)]))
    x = net.op("f", net.chain("x", "a"), domain="custom")
    held = net.op("Transpose", net.constant(kernel(3, 3, 4, 4), "b.weight"), perm=[3, 2, 0, 1])
    y = net.op("Conv", net.op("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2]), held, name="b", pads=[1] * 4)
    y = net.op("Resize", y, "", net.floats(1, 1, 2, 2), mode="linear")
    left, right = net.op("Split", y, outputs=2, axis=1, num_outputs=2)
    y = net.op("Pad", net.op("Concat", right, left, axis=1), net.ints(0, 0, 1, 1, 0, 0, 1, 1))
    condition = net.op("Greater", net.op("ReduceSum", "x", keepdims=0), net.number())
    parts = []
    for side, op in (("then", "Tanh"), ("else", "Sigmoid")):
        out = helper.make_tensor_value_info(f"{side}o", onnx.TensorProto.FLOAT, None)
        parts.append(helper.make_graph([helper.make_node(op, [y], [f"{side}o"])], side, [], [out]))
    y = net.op("If", condition, then_branch=parts[0], else_branch=parts[1])
    y = net.op("Slice", net.chain(y, "c"), net.ints(0), net.ints(2), net.ints(1))
    size = net.op("Gather", net.op("Shape", y), net.ints(0), axis=0)
    y = net.op("Reshape", y, net.op("Concat", size, net.ints(2, -1, 1), axis=0))
    return net.model(net.conv(y, kernel(3, 2, 1, 1), "d"))


def onnx_file(folder: Path) -> Path:
    onnx.save(_onnx(), folder / "net.onnx")
    return folder / "net.onnx"


def onnx_beside(folder: Path) -> Path:
    where = {"all_tensors_to_one_file": True, "location": "net.data", "size_threshold": 0}
    onnx.save(_onnx(), folder / "net.onnx", save_as_external_data=True, **where)
    return folder / "net.onnx"


def keras(format):
    def write(folder: Path) -> Path:
        inner = chain(conv("i", k=kernel(3, 3, 5, 5)), layer("ReLU", "r"), name="inner") | {"calls": [["a"]]}
        net = model(
            start(8, 8, 3),
            conv("a", "in", k=kernel(3, 3, 3, 5), strides=[2, 2]),
            layer("UpSampling2D", "up", "a", size=[2, 2]),
            conv("b", "up", k=kernel(3, 3, 5, 4)),
            inner,
            layer("Concatenate", "cat", ["a", "inner"], axis=-1),
            conv("c", "cat", k=kernel(4, 4, 2, 10), kind="Conv2DTranspose", strides=[2, 2]),
        )
        return save(folder, net, format)

    return write


def public(name):
    def write(folder: Path) -> Path:
        for file in (PUBLIC / name, (PUBLIC / name).with_suffix(".json")):
            shutil.copy(file, folder / f"net{file.suffix}")
        return folder / f"net{Path(name).suffix}"

    return write


FILES = {
    "safetensors": safetensors,
    "safetensors, sidecar": with_sidecar,
    "safetensors, shards": sharded,
    "NumPy": npz,
    "ONNX": onnx_file,
    "ONNX, weights beside it": onnx_beside,
    "Keras 3": keras("keras 3"),
    "Keras 3, HDF5": keras("keras 3 h5"),
    "Keras 2, HDF5": keras("keras 2 h5"),
    "TorchScript, its code": torchscript_code,
}
if torch is not None:
    FILES |= {
        "PyTorch": pytorch(True),
        "PyTorch, legacy": pytorch(False),
        "TorchScript": torchscript,
        "torch.export": exported,
        "torch.export, branches": exported_branching,
    }
if PUBLIC.is_dir():
    FILES |= {
        "safetensors, public": public("brainchop_meshnet5_gw.safetensors"),
        "PyTorch, public": public("digiface_dcgan_g64.tar"),
    }
