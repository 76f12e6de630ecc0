"""A program as a Keras model: as the configuration of a file, written without Keras, and with Keras itself.

Both are the same calls of layers and operations, by the names that a file has.
"""

import re

import keras_net
import numpy as np


class Left(Exception):
    """Keras has no such layer."""


def entry(program):
    """The model for `keras_net.save`."""
    made = _Written(program)
    outputs = program.run(_Keras(program, made))
    return keras_net.model(*made.layers, inputs=made.inputs, outputs=outputs)


def model(program):
    """The model, built with Keras."""
    import keras

    made = _Built(program)
    outputs = program.run(_Keras(program, made))
    return keras.Model(made.inputs, outputs)


class _Written:
    """Entries of a configuration; a value is the name of its layer, or `name.1` of its second call."""

    def __init__(self, program):
        self.layers, self.inputs = [], []

    def input(self, shape):
        self.inputs.append(name := f"in{len(self.inputs)}")
        self.layers.append(keras_net.start(*shape, name=name))
        return name

    def layer(self, kind, x, *, kernel=None, name=None, **config):
        name = name or f"{kind.lower()}_{len(self.layers)}"
        for known in self.layers:
            if known["config"]["name"] == name:
                known["calls"].append([x])
                return f"{name}.{len(known['calls']) - 1}"
        weights = {} if kernel is None else {"kernel": kernel}
        self.layers.append(keras_net.layer(kind, name, x, weights=weights, **config))
        return name

    def operation(self, kind, *args, **config):
        name = f"{kind.lower()}_{len(self.layers)}"
        self.layers.append(keras_net.operation(kind, name, [_stated(arg) for arg in args], config))
        return name


def _stated(arg):
    """An argument of an operation as a file has it."""
    if isinstance(arg, str):
        name, _, call = arg.partition(".")
        return keras_net.tensor(name, call=int(call or 0))
    if isinstance(arg, slice):
        return {"class_name": "__slice__", "config": {"start": arg.start, "stop": arg.stop, "step": arg.step}}
    if arg is ...:
        return {"class_name": "__ellipsis__", "config": {}}
    return [_stated(a) for a in arg] if isinstance(arg, (list, tuple)) else arg


class _Built:
    """Layers and operations of Keras, called."""

    def __init__(self, program):
        self.known, self.inputs = {}, []

    def input(self, shape):
        import keras

        self.inputs.append(keras.Input(shape))
        return self.inputs[-1]

    def layer(self, kind, x, *, kernel=None, name=None, **config):
        from keras import layers

        if kernel is not None:
            # They are set below, and to draw them first takes time.
            config["depthwise_initializer" if "Depthwise" in kind else "kernel_initializer"] = "zeros"
        made = self.known.get(name) or getattr(layers, kind)(name=name, **config)
        out = made(x)
        if kernel is not None:
            self.known[name] = made
            made.set_weights([kernel])
        return out

    def operation(self, kind, *args, **config):
        from keras import ops

        if kind == "GetItem":
            return args[0][tuple(args[1])]
        name = re.sub(r"(?<=[a-z])([A-Z])", r"_\1", kind).lower()
        return getattr(ops.image if kind == "Resize" else ops, name)(*args, **config)


class _Keras:
    def __init__(self, program, made):
        self.program, self.made, self.done = program, made, 0

    def shape(self, x):
        self.done += 1

    def _shape(self, which=0):
        """Of a value that the step at hand takes: its channels and space."""
        return self.program.shapes[self.program.steps[self.done].inputs[which]]

    def _layer(self, kind, x, **config):
        rank = len(self._shape()) - 1
        return self.made.layer(kind.replace("#", f"{rank}D"), x, **config)

    def input(self, shape, number):
        return self.made.input((*shape[1:], shape[0]))

    def conv(self, x, name, stride, pads, dilation, groups):
        kernel = self.program.kernels[name]
        inputs = kernel.shape[-2] * groups
        if np.any(pads):
            # `same` is what these are, where they are: Keras states no numbers.
            same = max(stride) == 1 and all(
                (a, b) == (d * (k - 1) // 2, d * (k - 1) - d * (k - 1) // 2)
                for (a, b), d, k in zip(pads, dilation, kernel.shape, strict=False)
            )
            x = x if same else self._padding(x, pads)
        else:
            same = False
        config = dict(kernel_size=kernel.shape[:-2], strides=stride, dilation_rate=dilation, use_bias=False, name=name)
        config |= dict(padding="same" if same else "valid")
        if groups == inputs > 1 and len(set(stride)) == 1 and len(stride) < 3:
            many = kernel.shape[-1] // inputs
            kernel = kernel.reshape(*kernel.shape[:-2], inputs, many)
            return self._layer("DepthwiseConv#", x, kernel=kernel, depth_multiplier=many, **config)
        return self._layer("Conv#", x, kernel=kernel, filters=kernel.shape[-1], groups=groups, **config)

    def _padding(self, x, pads):
        return self._layer("ZeroPadding#", x, padding=pads[0] if len(pads) == 1 else pads)

    def up(self, x, name, stride, pad, more, dilation, groups):
        if groups > 1 or max(dilation) > 1:
            raise Left("transposed convolutions in groups, or with a dilation")
        kernel = self.program.kernels[name]
        config = dict(filters=kernel.shape[-1], kernel_size=kernel.shape[:-2], strides=stride, use_bias=False)
        if max(more) > 0:
            config |= dict(output_padding=more)
        x = self._layer("Conv#Transpose", x, kernel=kernel.swapaxes(-1, -2), name=name, padding="valid", **config)
        # Without `output_padding` Keras adds what a kernel smaller than its stride leaves out.
        sizes = zip(kernel.shape, stride, pad, more, strict=False)
        cut = [(p, p + (max(s - k, 0) if max(more) == 0 else 0)) for k, s, p, _ in sizes]
        return self._layer("Cropping#", x, cropping=cut[0] if len(cut) == 1 else cut) if np.any(cut) else x

    def act(self, x, kind):
        if kind == "leaky":
            return self._layer("LeakyReLU", x, negative_slope=0.1)
        if kind == "relu":
            return self._layer("ReLU", x)
        return self._layer("Activation", x, activation={"hardswish": "hard_swish"}.get(kind, kind))

    def norm(self, x):
        return self._layer("BatchNormalization", x, epsilon=1e-5, center=False, scale=False)

    def group_norm(self, x, groups):
        return self._layer("GroupNormalization", x, groups=groups, epsilon=1e-5, center=False, scale=False)

    def add(self, *xs):
        return self._several("Add", "Add", xs)

    def mul(self, *xs):
        return self._several("Multiply", "Multiply", xs)

    def _several(self, layer, operation, xs):
        """Of two an operation, of more a layer."""
        return self.made.operation(operation, *xs) if len(xs) == 2 else self.made.layer(layer, list(xs))

    def scale(self, x, by):
        return self.made.operation("Multiply", x, by)

    def concat(self, *xs):
        return self.made.layer("Concatenate", list(xs), axis=-1)

    def cut(self, x, start, stop, step):
        return self.made.operation("GetItem", x, [..., slice(start, stop, step)])

    def every(self, x, step):
        whole = slice(None, None, None)
        places = [whole, *[slice(None, None, step)] * (len(self._shape()) - 1), whole]
        return self.made.operation("GetItem", x, places)

    def take(self, x, places):
        return self.made.operation("Take", x, list(places), axis=-1)

    def flip(self, x, axis):
        return self.made.operation("Flip", x, axis=axis or -1)

    def shuffle(self, x, groups):
        channels, *space = self._shape()
        x = self._reshape(x, (*space, groups, channels // groups))
        n = len(space)
        x = self.made.operation("Transpose", x, axes=[*range(n + 1), n + 2, n + 1])
        return self._reshape(x, (*space, channels))

    def _reshape(self, x, shape):
        return self.made.layer("Reshape", x, target_shape=shape)

    def fold(self, x, groups, first, kind):
        channels, *space = self._shape()
        x = self._reshape(x, (*space, groups, channels // groups))
        return self.made.operation(kind.capitalize(), x, axis=-2 if first else -1, keepdims=False)

    def pad(self, x, pads, mode):
        if any(min(p) < 0 for p in pads):
            x = self._layer("Cropping#", x, cropping=_for_each([(max(-a, 0), max(-b, 0)) for a, b in pads]))
            pads = [(max(a, 0), max(b, 0)) for a, b in pads]
            return self._padding(x, pads) if np.any(pads) else x
        if mode == "zero":
            return self._padding(x, pads)
        width = [[0, 0], *map(list, pads), [0, 0]]
        return self.made.operation("Pad", x, pad_width=width, mode=mode)

    def pad_channels(self, x, before, after):
        width = [*[[0, 0]] * len(self._shape()), [before, after]]
        return self.made.operation("Pad", x, pad_width=width, mode="constant")

    def pool(self, x, size, stride, pad, kind):
        if max(pad) > 0 and kind == "max":
            raise Left("maximum pooling with this padding")
        x = self._padding(x, [(p, p) for p in pad]) if max(pad) > 0 else x
        name = "MaxPooling#" if kind == "max" else "AveragePooling#"
        return self._layer(name, x, pool_size=size, strides=stride, padding="valid")

    def mean(self, x):
        return self._layer("GlobalAveragePooling#", x, keepdims=True)

    def resize(self, x, up, down, mode, by):
        channels, *space = self._shape()
        # UpSampling of one and three dimensions copies places.
        if by == "scale" and max(down) == 1 and (mode == "nearest" or len(space) == 2):
            more = dict(interpolation=mode) if len(space) == 2 else {}
            return self._layer("UpSampling#", x, size=up[0] if len(up) == 1 else up, **more)
        if len(space) != 2:
            raise Left("a resize of one dimension or three but by copies")
        height, width = (n * u // d for n, u, d in zip(space, up, down, strict=True))
        if by == "scale":
            return self.made.operation("Resize", x, size=[height, width], interpolation=mode)
        return self.made.layer("Resizing", x, height=height, width=width, interpolation=mode)

    def pixel_shuffle(self, x, factor):
        channels, *space = self._shape()
        n = len(space)
        x = self._reshape(x, (*space, channels // factor**n, *[factor] * n))
        x = self.made.layer("Permute", x, dims=[*(v for k in range(n) for v in (1 + k, 2 + n + k)), 1 + n])
        return self._reshape(x, (*(m * factor for m in space), channels // factor**n))

    def pixel_unshuffle(self, x, factor):
        channels, *space = self._shape()
        n = len(space)
        x = self._reshape(x, (*(v for m in space for v in (m // factor, factor)), channels))
        x = self.made.layer("Permute", x, dims=[*range(1, 2 * n, 2), 2 * n + 1, *range(2, 2 * n + 1, 2)])
        return self._reshape(x, (*(m // factor for m in space), channels * factor**n))

    def flat(self, x, kind):
        channels, *space = self._shape()
        return self._reshape(self.act(self.made.layer("Flatten", x), kind), (*space, channels))

    def dense(self, x, name, shape):
        channels, *space = self._shape()
        n, m = len(space), len(shape) - 1
        x = self.made.layer("Permute", x, dims=[n + 1, *range(1, n + 1)]) if n else x
        x = self.made.layer("Flatten", x) if n else x
        kernel = self.program.kernels[name]
        x = self.made.layer("Dense", x, kernel=kernel, name=name, units=kernel.shape[-1], use_bias=False)
        if m == 0:
            return x
        return self.made.layer("Permute", self._reshape(x, shape), dims=[*range(2, m + 2), 1])

    def either(self, x, name, other):
        raise Left("branches on a value")


def _for_each(pairs):
    return pairs[0] if len(pairs) == 1 else pairs
