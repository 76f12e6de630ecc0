"""A program as an ONNX model, made with `onnx.helper`."""

import numpy as np
from onnx_net import Net, helper, onnx
from program import of_pytorch

ACTS = {"relu": "Relu", "leaky": "LeakyRelu", "tanh": "Tanh", "sigmoid": "Sigmoid", "hardswish": "HardSwish"}
MODES = {"nearest": "nearest", "bilinear": "linear", "bicubic": "cubic"}


def of(program):
    """The model; its inputs are `x`, `x1` and so on."""
    net = Net((1, *program.inputs[0]))
    for k, shape in enumerate(program.inputs[1:], start=1):
        net.inputs.append(helper.make_tensor_value_info(f"x{k}", onnx.TensorProto.FLOAT, (1, *shape)))
    found = program.run(_Onnx(program, net))
    model = net.model(found[0])
    model.graph.output.extend(helper.make_tensor_value_info(v, onnx.TensorProto.FLOAT, None) for v in found[1:])
    return model


def inputs(arrays):
    """Inputs by name, channels first, of a program's inputs in order."""
    return {f"x{k or ''}": array for k, array in enumerate(arrays)}


class _Onnx:
    def __init__(self, program, net):
        self.net, self.kernels = net, program.kernels
        # The shape of each value, which is its name here.
        self.known = {}
        self.at = iter(program.shapes)

    def shape(self, x):
        self.known[x] = next(self.at)

    def input(self, shape, number):
        # As its own value, since several steps may be named by one.
        return self.net.op("Identity", f"x{number or ''}")

    def conv(self, x, name, stride, pads, dilation, groups):
        settings = dict(strides=stride, pads=[*(a for a, _ in pads), *(b for _, b in pads)], dilations=dilation)
        return self.net.conv(x, of_pytorch(self.kernels[name]), name, group=groups, **settings)

    def up(self, x, name, stride, pad, more, dilation, groups):
        weight = of_pytorch(self.kernels[name], groups, transposed=True)
        settings = dict(strides=stride, pads=[*pad, *pad], output_padding=more, dilations=dilation, group=groups)
        return self.net.conv(x, weight, name, "ConvTranspose", **settings)

    def act(self, x, kind):
        if kind == "relu6":
            return self.net.op("Clip", x, *(self.net.constant(np.float32(v)) for v in (0, 6)))
        if kind == "silu":
            return self.net.op("Mul", x, self.net.op("Sigmoid", x))
        return self.net.op(ACTS[kind], x, **({"alpha": 0.1} if kind == "leaky" else {}))

    def norm(self, x):
        ones, zeros = np.ones(self.known[x][0]), np.zeros(self.known[x][0])
        return self.net.op("BatchNormalization", x, *(self.net.floats(*v) for v in (ones, zeros, zeros, ones)))

    def group_norm(self, x, groups):
        """As PyTorch's exporter writes it, by an instance normalisation of another shape."""
        flat = self.net.op("Reshape", x, self.net.ints(0, groups, -1))
        scale, shift = self.net.floats(*[1] * groups), self.net.floats(*[0] * groups)
        return self._reshape(self.net.op("InstanceNormalization", flat, scale, shift), self.known[x])

    def _reshape(self, x, shape):
        return self.net.op("Reshape", x, self.net.ints(1, *shape))

    def add(self, *xs):
        return self.net.op("Add", *xs) if len(xs) == 2 else self.net.op("Sum", *xs)

    def mul(self, a, b):
        return self.net.op("Mul", a, b)

    def scale(self, x, by):
        return self.net.op("Mul", x, self.net.constant(np.float32(by)))

    def concat(self, *xs):
        return self.net.op("Concat", *xs, axis=1)

    def cut(self, x, start, stop, step):
        return self.net.op("Slice", x, *(self.net.ints(v) for v in (start, stop, 1, step)))

    def every(self, x, step):
        space = range(2, len(self.known[x]) + 1)
        return self.net.op(
            "Slice",
            x,
            *(self.net.ints(*[v] * len(space)) for v in (0, 2**31)),
            self.net.ints(*space),
            self.net.ints(*[step] * len(space)),
        )

    def take(self, x, places):
        return self.net.op("Gather", x, self.net.ints(*places), axis=1)

    def flip(self, x, axis):
        return self.net.op("Slice", x, *(self.net.ints(v) for v in (-1, -(2**31), axis + 1, -1)))

    def shuffle(self, x, groups):
        channels, *space = self.known[x]
        x = self._reshape(x, (groups, channels // groups, *space))
        x = self.net.op("Transpose", x, perm=[0, 2, 1, *range(3, len(space) + 3)])
        return self._reshape(x, (channels, *space))

    def fold(self, x, groups, first, kind):
        channels, *space = self.known[x]
        x = self._reshape(x, (groups, channels // groups, *space))
        axis = 1 if first else 2
        if kind == "sum":
            return self.net.op("ReduceSum", x, self.net.ints(axis), keepdims=0)
        return self.net.op(f"Reduce{kind.capitalize()}", x, self.net.ints(axis), keepdims=0)

    def pad(self, x, pads, mode):
        if np.min(pads) < 0:
            sizes, axes = self.known[x][1:], range(2, len(pads) + 2)
            starts, stops = zip(
                *((max(-a, 0), n - max(-b, 0)) for n, (a, b) in zip(sizes, pads, strict=True)), strict=True
            )
            x = self.net.op("Slice", x, *(self.net.ints(*v) for v in (starts, stops, axes)))
            pads = [(max(a, 0), max(b, 0)) for a, b in pads]
        room = [0, 0, *(a for a, _ in pads), 0, 0, *(b for _, b in pads)]
        return self.net.op("Pad", x, self.net.ints(*room), mode="constant" if mode == "zero" else mode)

    def pad_channels(self, x, before, after):
        space = [0] * (len(self.known[x]) - 1)
        return self.net.op("Pad", x, self.net.ints(0, before, *space, 0, after, *space))

    def pool(self, x, size, stride, pad, kind):
        settings = dict(kernel_shape=size, strides=stride, pads=[*pad, *pad])
        if kind == "max":
            return self.net.op("MaxPool", x, **settings)
        return self.net.op("AveragePool", x, count_include_pad=1, **settings)

    def mean(self, x):
        return self.net.op("GlobalAveragePool", x)

    def resize(self, x, up, down, mode, by):
        channels, *space = self.known[x]
        settings = dict(mode=MODES[mode], nearest_mode="round_prefer_ceil") | {"cubic_coeff_a": -0.5}
        if mode == "bicubic":
            settings["exclude_outside"] = 1
        if by == "scale":
            scales = self.net.floats(1, 1, *(u / d for u, d in zip(up, down, strict=True)))
            return self.net.op("Resize", x, "", scales, **settings)
        sizes = self.net.ints(1, channels, *(n * u // d for n, u, d in zip(space, up, down, strict=True)))
        return self.net.op("Resize", x, "", "", sizes, **settings)

    def pixel_shuffle(self, x, factor):
        if len(self.known[x]) == 3:
            return self.net.op("DepthToSpace", x, blocksize=factor, mode="CRD")
        channels, length = self.known[x]
        x = self._reshape(x, (channels // factor, factor, length))
        return self._reshape(self.net.op("Transpose", x, perm=[0, 1, 3, 2]), (channels // factor, length * factor))

    def pixel_unshuffle(self, x, factor):
        channels, *space = self.known[x]
        n = len(space)
        x = self._reshape(x, (channels, *(v for m in space for v in (m // factor, factor))))
        x = self.net.op("Transpose", x, perm=[0, 1, *range(3, 2 * n + 2, 2), *range(2, 2 * n + 2, 2)])
        return self._reshape(x, (channels * factor**n, *(m // factor for m in space)))

    def flat(self, x, kind):
        return self._reshape(self.act(self.net.op("Flatten", x), kind), self.known[x])

    def dense(self, x, name, shape):
        weight = self.net.constant(self.kernels[name], f"{name}.weight")
        return self._reshape(self.net.op("MatMul", self.net.op("Flatten", x), weight), shape)

    def either(self, x, name, other):
        total = self.net.op("ReduceSum", x, keepdims=0)
        positive = self.net.op("Greater", total, self.net.constant(np.float32(0)))
        ways = []
        for path in (name, other):
            weight = self.net.constant(of_pytorch(self.kernels[path]), f"{path}.weight")
            pads = [1] * 2 * (self.kernels[path].ndim - 2)
            node = helper.make_node("Conv", [x, weight], [f"{path}.out"], name=path, pads=pads)
            out = helper.make_tensor_value_info(f"{path}.out", onnx.TensorProto.FLOAT, None)
            ways.append(helper.make_graph([node], path, [], [out]))
        return self.net.op("If", positive, then_branch=ways[0], else_branch=ways[1])
