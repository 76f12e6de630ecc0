"""ONNX models in the making, for the tests of the reader."""

import numpy as np
import pytest

from sicjax import networks

onnx = pytest.importorskip("onnx")
helper, to_tensor = onnx.helper, onnx.numpy_helper.from_array

RNG = np.random.default_rng(0)
IMAGE = ("n", 4, "h", "w")


def kernel(*shape):
    return RNG.normal(size=shape).astype(np.float32)


class Net:
    """An ONNX model in the making; operations return the names of their results."""

    def __init__(self, shape=IMAGE, opset=18):
        self.nodes, self.initializers, self.functions, self.opset, self.count = [], [], [], opset, 0
        self.inputs = [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, shape)]

    def constant(self, array, name=None):
        name = name or f"constant{len(self.initializers)}"
        self.initializers.append(to_tensor(np.asarray(array), name))
        return name

    def ints(self, *values):
        return self.constant(np.array(values, np.int64))

    def floats(self, *values):
        return self.constant(np.array(values, np.float32))

    def number(self):
        return self.constant(np.float32(1.5))

    def op(self, kind, *inputs, outputs=1, name="", domain="", **attributes):
        names = [f"v{self.count + k}" for k in range(outputs)]
        self.count += outputs
        self.nodes.append(helper.make_node(kind, inputs, names, name=name, domain=domain, **attributes))
        return names[0] if outputs == 1 else names

    def conv(self, x, weight, path, kind="Conv", **attributes):
        held = {tensor.name for tensor in self.initializers}
        weight = f"{path}.weight" if f"{path}.weight" in held else self.constant(weight, f"{path}.weight")
        return self.op(kind, x, weight, name=f"node_{path}", **attributes)

    def held(self, path):
        """The kernel of a plain convolution, as Flax has it."""
        (found,) = [tensor for tensor in self.initializers if tensor.name == f"{path}.weight"]
        return np.moveaxis(onnx.numpy_helper.to_array(found), (0, 1), (-1, -2))

    def chain(self, x, *paths, channels=4, k=3):
        """Plain convolutions, one after another, in two dimensions."""
        for path in paths:
            x = self.conv(x, kernel(channels, channels, k, k), path, pads=[k // 2] * 4)
        return x

    def model(self, out):
        outputs = [helper.make_tensor_value_info(out, onnx.TensorProto.FLOAT, None)]
        graph = helper.make_graph(self.nodes, "net", self.inputs, outputs, self.initializers)
        imports = [helper.make_opsetid(d, v) for d, v in [("", self.opset), ("custom", 1), ("com.microsoft", 1)]]
        return helper.make_model(graph, opset_imports=imports, functions=self.functions)

    def read(self, folder, out):
        onnx.save(self.model(out), folder / "net.onnx")
        return networks.from_file(folder / "net.onnx")


def names(net):
    return [pair.name for pair in net.pairs]


def pairs(net):
    return [(pair.name, pair.cascade.down[0], pair.cascade.up[0]) for pair in net.pairs]


def flax(weight):
    return np.moveaxis(weight, (0, 1), (-1, -2))


def shuffled(net, x):
    """Four channels in the order of two groups in turns, of a signal."""
    x = net.op("Reshape", x, net.ints(0, 2, 2, -1))
    return net.op("Reshape", net.op("Transpose", x, perm=[0, 2, 1, 3]), net.ints(0, 4, -1))
