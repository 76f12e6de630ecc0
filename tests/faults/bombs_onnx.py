"""ONNX files of a few kilobytes that ask for gigabytes, or for hours."""

from pathlib import Path

import numpy as np
from onnx_net import Net, helper, kernel, onnx

FLOAT = onnx.TensorProto.FLOAT


def of_onnx(build, shape=("n", 4, 8, 8)):
    """An ONNX file of what is built from a net in the making."""

    def write(folder: Path) -> Path:
        net = Net(shape)
        (folder / "net.onnx").write_bytes(net.model(build(net)).SerializeToString())
        return folder / "net.onnx"

    return write


def huge_dims(net):
    x = net.chain("x", "a")
    held = [net.constant(np.zeros(1, np.float32), f"huge{k}") for k in range(3)]
    for stated in net.initializers[-3:]:
        del stated.dims[:]
        stated.dims.extend([1, 2**31, 2**31, 1])
    y = net.op("Concat", *held, axis=0)
    return net.chain(net.op("Add", x, y), "b")


def huge_channels(net):
    """Values of 2^31 channels beside each other."""
    x = net.chain("x", "a")
    big = net.op("ConstantOfShape", net.ints(1, 2**31, 8, 8))
    return net.chain(net.op("Concat", x, big, axis=1), "b")


def filled(net):
    """Kernels that a few bytes make, each as large as one may be."""
    x = "x"
    for k in range(40):
        made = net.op(
            "ConstantOfShape",
            net.ints(4, 4, 1024, 1024 + k),
            value=onnx.numpy_helper.from_array(np.ones(1, np.float32)),
        )
        x = net.op("Conv", x, made, name=f"c{k}", pads=[600] * 4)
    return x


def expanded(net):
    x = "x"
    held = net.constant(kernel(4, 4, 3, 3), "a.weight")
    for k in range(60):
        made = net.op("Tile", held, net.ints(1, 1, 400 + k, 400))
        x = net.op("Conv", x, made, name=f"c{k}", pads=[600] * 4)
    return x


def resized(net):
    x, held = "x", net.constant(kernel(4, 4, 3, 3), "a.weight")
    for k in range(40):
        made = net.op("Resize", held, "", net.floats(1, 1, 400 + k, 400))
        x = net.op("Conv", x, made, name=f"c{k}", pads=[600] * 4)
    return x


def gathered(net):
    """Indices as many as the channels may be, computed anew each time."""
    x = net.chain("x", "a")
    for k in range(300):
        many = net.op("Range", net.ints(0), net.constant(np.int64(2**18)), net.constant(np.int64(1)))
        zero = net.op("Mul", many, net.constant(np.int64(0)))
        x = net.op("Gather", x, net.op("Concat", zero, net.ints(k % 4), axis=0), axis=1)
        x = net.op("Slice", x, net.ints(0), net.ints(4), net.ints(1))
    return net.chain(x, "b")


def scalars(net):
    """Many constants of a size that is computed at once."""
    x, held = net.chain("x", "a"), net.op("ConstantOfShape", net.ints(4096))
    for _ in range(20_000):
        held = net.op("Neg", held)
    return net.chain(net.op("Add", x, held), "b")


def doubled(net):
    x = net.chain("x", "a", channels=4)
    for k in range(30):
        order = np.random.default_rng(k).permutation(4)
        x = net.op("Add", x, net.op("Gather", x, net.ints(*order), axis=1))
    return net.chain(x, "b")


def doubled_wide(net):
    x = net.conv("x", kernel(64, 4, 3, 3), "a", pads=[1] * 4)
    for k in range(30):
        order = np.random.default_rng(k).permutation(64)
        x = net.op("Add", x, net.op("Gather", x, net.ints(*order), axis=1))
    return net.conv(x, kernel(4, 64, 3, 3), "b")


def functions(depth, inside="Relu"):
    def build(net):
        imports = [helper.make_opsetid("", 18), helper.make_opsetid("custom", 1)]
        for k in range(depth):
            kind, domain = (inside, "") if k == 0 else (f"f{k - 1}", "custom")
            nodes = [helper.make_node(kind, [a], [b], domain=domain) for a, b in (("x", "y"), ("y", "z"))]
            net.functions.append(helper.make_function("custom", f"f{k}", ["x"], ["z"], nodes, imports))
        return net.chain(net.op(f"f{depth - 1}", net.chain("x", "a"), domain="custom"), "b")

    return build


def recursive_functions(net):
    imports = [helper.make_opsetid("", 18), helper.make_opsetid("custom", 1)]
    nodes = [helper.make_node("f", ["x"], ["y"], domain="custom")]
    net.functions.append(helper.make_function("custom", "f", ["x"], ["y"], nodes, imports))
    return net.chain(net.op("f", net.chain("x", "a"), domain="custom"), "b")


def branches(depth, wide=2):
    """Ifs in both branches of Ifs."""

    def build(net):
        x = net.chain("x", "a")
        condition = net.op("Greater", net.op("ReduceSum", "x", keepdims=0), net.number())

        def graph(level, name):
            out = helper.make_tensor_value_info(f"{name}o", FLOAT, None)
            if not level:
                nodes = [helper.make_node("Relu", [x], [f"{name}o"])]
            else:
                parts = [graph(level - 1, f"{name}{side}") for side in "te"]
                nodes = [helper.make_node("If", [condition], [f"{name}o"], then_branch=parts[0], else_branch=parts[1])]
            return helper.make_graph(nodes, name, [], [out])

        return net.chain(net.op("If", condition, then_branch=graph(depth, "t"), else_branch=graph(depth, "e")), "b")

    return build


def branches_in_functions(net):
    """The same in a file that does not grow: functions with an If whose branches call the next function."""
    imports = [helper.make_opsetid("", 18), helper.make_opsetid("custom", 1)]
    for k in range(24):
        kind, domain = ("Relu", "") if k == 0 else (f"f{k - 1}", "custom")
        parts = []
        for side in "te":
            out = helper.make_tensor_value_info(f"o{side}", FLOAT, None)
            parts.append(
                helper.make_graph(
                    [helper.make_node(kind, ["x"] if k == 0 else ["x", "c"], [f"o{side}"], domain=domain)],
                    side,
                    [],
                    [out],
                )
            )
        node = helper.make_node("If", ["c"], ["z"], then_branch=parts[0], else_branch=parts[1])
        net.functions.append(helper.make_function("custom", f"f{k}", ["x", "c"], ["z"], [node], imports))
    condition = net.op("Greater", net.op("ReduceSum", "x", keepdims=0), net.number())
    return net.chain(net.op("f23", net.chain("x", "a"), condition, domain="custom"), "b")


def wide(net):
    """Thousands of values beside each other, again and again."""
    x = net.chain("x", "a")
    for _ in range(6):
        x = net.op("Concat", *[x] * 200, axis=1)
        x = net.op("Slice", x, net.ints(0), net.ints(512), net.ints(1))
    return net.conv(x, kernel(4, 512, 3, 3), "b")


def wide_parts(net):
    net.chain("x", *[f"a{k}" for k in range(2000)], channels=4)
    return net.conv(net.op("Concat", *[f"v{k}" for k in range(2000)], axis=1), kernel(4, 8000, 3, 3), "b")


def dense(layers, growth=4):
    """Each layer takes what all before it gave, beside each other."""

    def build(net):
        parts = ["x"]
        for k in range(layers):
            x = net.op("Concat", *parts, axis=1) if k else "x"
            parts.append(net.conv(x, kernel(growth, 4 + growth * k, 1, 1), f"c{k}"))
        return net.op("Concat", *parts, axis=1)

    return build


def folded(net):
    """A filter folded into a kernel as large as one may be, for many pairs."""
    x = net.conv("x", kernel(64, 4, 3, 3), "a", pads=[1] * 4)
    for k in range(20):
        y = net.op("AveragePool", x, kernel_shape=[60, 60], strides=[1, 1], pads=[30, 30, 29, 29])
        x = net.conv(y, kernel(64, 64, 3, 3), f"b{k}", pads=[1] * 4)
    return x


def padded(net):
    x = net.chain("x", "a")
    for _ in range(60):
        x = net.op("Pad", x, net.ints(0, 0, 0, 0, 0, 2**18 - 5, 0, 0))
        x = net.op("Slice", x, net.ints(0), net.ints(4), net.ints(1))
    return net.chain(x, "b")


def many_layers(count, k=1, channels=1):
    def build(net):
        net.constant(kernel(channels, channels, k, k), "w")
        x = "x"
        for n in range(count):
            x = net.op("Conv", x, "w", name=f"c{n}")
        return x

    return build


def sequences(net):
    x = net.chain("x", "a")
    for _ in range(12):
        x = net.op("ConcatFromSequence", net.op("SequenceConstruct", *[x] * 50), axis=2)
    return net.chain(x, "b")


def no_outputs(net):
    return net.conv(net.conv("x", np.zeros((0, 4, 3, 3), np.float32), "a"), np.zeros((4, 0, 3, 3), np.float32), "b")


def one_weight_many_layers(net):
    net.constant(kernel(256, 256, 3, 3), "w")
    x = net.conv("x", kernel(256, 4, 3, 3), "a")
    for n in range(3000):
        x = net.op("Conv", x, "w", name=f"c{n}")
    return x


def depthwise_folded(net):
    x = net.conv("x", kernel(4096, 4, 1, 1), "a")
    for k in range(20):
        x = net.op("AveragePool", x, kernel_shape=[50, 50], strides=[1, 1])
        x = net.op("Conv", x, net.constant(kernel(4096, 1, 3, 3), f"d{k}.weight"), group=4096)
    return x


def named_operations(net):
    x = net.chain("x", "a")
    for k in range(30_000):
        x = net.op("Softmax", x, name=f"softmax{k}")
    return net.chain(x, "b")


def unknown_operations(net):
    x = net.chain("x", "a")
    for k in range(20_000):
        x = net.op(f"Unknown{k}", x)
    return net.chain(x, "b")


ONNX = {
    "onnx: dims of 2^31 into Concat": of_onnx(huge_dims),
    "onnx: 2^31 channels beside others": of_onnx(huge_channels),
    "onnx: kernels filled": of_onnx(filled),
    "onnx: kernels tiled": of_onnx(expanded),
    "onnx: kernels resized": of_onnx(resized),
    "onnx: indices": of_onnx(gathered),
    "onnx: 20,000 small constants": of_onnx(scalars),
    "onnx: a permutation doubled": of_onnx(doubled),
    "onnx: a wide permutation doubled": of_onnx(doubled_wide),
    "onnx: functions in functions": of_onnx(functions(26)),
    "onnx: a function in itself": of_onnx(recursive_functions),
    "onnx: Ifs in Ifs": of_onnx(branches(12)),
    "onnx: Ifs in functions": of_onnx(branches_in_functions),
    "onnx: wide concatenations": of_onnx(wide),
    "onnx: 2,000 values beside each other": of_onnx(wide_parts),
    "onnx: 300 dense layers": of_onnx(dense(300)),
    "onnx: 600 dense layers": of_onnx(dense(600, 1)),
    "onnx: filters folded": of_onnx(folded),
    "onnx: channels padded": of_onnx(padded),
    "onnx: 19,999 pairs": of_onnx(many_layers(20_000), ("n", 1, 8, 8)),
    "onnx: sequences": of_onnx(sequences),
    "onnx: a kernel without outputs": of_onnx(no_outputs),
    "onnx: one kernel, 3,000 layers": of_onnx(one_weight_many_layers),
    "onnx: filters folded into depthwise kernels": of_onnx(depthwise_folded),
    "onnx: 30,000 operations": of_onnx(named_operations),
    "onnx: 20,000 unknown operations": of_onnx(unknown_operations),
}
