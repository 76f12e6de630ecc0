"""A program as a JAX function, channels last."""

import jax
import jax.numpy as jnp
import numpy as np

SPACE = "DHW"
ACTS = {
    "relu": jax.nn.relu,
    "leaky": lambda x: jax.nn.leaky_relu(x, 0.1),
    "tanh": jnp.tanh,
    "sigmoid": jax.nn.sigmoid,
    "silu": jax.nn.silu,
    "relu6": jax.nn.relu6,
    "hardswish": jax.nn.hard_swish,
}
# What lies between the places of a resize; that to fewer places as in PyTorch, of the nearest ones alone.
METHODS = {"nearest": "nearest", "bilinear": "linear", "bicubic": "cubic"}


def of(program):
    """The function `apply(kernels, *inputs)`, its kernels and its inputs."""
    inputs = [jnp.zeros((1, *shape[1:], shape[0])) for shape in program.inputs]
    apply = lambda kernels, *inputs: program.run(_Jax(kernels, inputs))
    return apply, {name: jnp.asarray(k) for name, k in program.kernels.items()}, inputs


class _Jax:
    def __init__(self, kernels, inputs):
        self.kernels, self.inputs = kernels, inputs

    def shape(self, x):
        return (x.shape[-1], *x.shape[1:-1])

    def input(self, shape, number):
        return self.inputs[number]

    def conv(self, x, name, stride, pads, dilation, groups):
        return _conv(x, self.kernels[name], stride, pads, rhs=dilation, groups=groups)

    def up(self, x, name, stride, pad, more, dilation, groups):
        kernel = self.kernels[name]
        n = len(stride)
        sizes = zip(kernel.shape, dilation, pad, more, strict=False)
        room = [((k - 1) * d - p, (k - 1) * d - p + q) for k, d, p, q in sizes]
        return _conv(x, jnp.flip(kernel, range(n)), (1,) * n, room, lhs=stride, rhs=dilation, groups=groups)

    def act(self, x, kind):
        return ACTS[kind](x)

    def norm(self, x):
        return x / jnp.sqrt(1 + 1e-5)

    def group_norm(self, x, groups):
        parts = x.reshape(*x.shape[:-1], groups, -1)
        over = (*range(1, x.ndim - 1), x.ndim)
        mean, var = parts.mean(over, keepdims=True), parts.var(over, keepdims=True)
        return ((parts - mean) * jax.lax.rsqrt(var + 1e-5)).reshape(x.shape)

    def add(self, *xs):
        return sum(xs[1:], xs[0])

    def mul(self, a, b):
        return a * b

    def scale(self, x, by):
        return x * by

    def concat(self, *xs):
        return jnp.concatenate(xs, -1)

    def cut(self, x, start, stop, step):
        return x[..., start:stop:step]

    def every(self, x, step):
        return x[(slice(None), *[slice(None, None, step)] * (x.ndim - 2))]

    def take(self, x, places):
        return x[..., np.array(places)]

    def flip(self, x, axis):
        return jnp.flip(x, axis if axis else -1)

    def shuffle(self, x, groups):
        return x.reshape(*x.shape[:-1], groups, -1).swapaxes(-1, -2).reshape(x.shape)

    def fold(self, x, groups, first, kind):
        return getattr(jnp, kind)(x.reshape(*x.shape[:-1], groups, -1), axis=-2 if first else -1)

    def pad(self, x, pads, mode):
        x = x[(slice(None), *(slice(max(-a, 0), n - max(-b, 0)) for n, (a, b) in zip(x.shape[1:], pads, strict=False)))]
        room = [(0, 0), *((max(a, 0), max(b, 0)) for a, b in pads), (0, 0)]
        return jnp.pad(x, room, "constant" if mode == "zero" else mode)

    def pad_channels(self, x, before, after):
        return jnp.pad(x, [*[(0, 0)] * (x.ndim - 1), (before, after)])

    def pool(self, x, size, stride, pad, kind):
        window, strides = (1, *size, 1), (1, *stride, 1)
        room = [(0, 0), *((p, p) for p in pad), (0, 0)]
        if kind == "max":
            return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, window, strides, room)
        return jax.lax.reduce_window(x, 0.0, jax.lax.add, window, strides, room) / np.prod(size)

    def mean(self, x):
        return x.mean(tuple(range(1, x.ndim - 1)), keepdims=True)

    def resize(self, x, up, down, mode, by):
        sizes = [n * u // d for n, u, d in zip(x.shape[1:], up, down, strict=False)]
        return jax.image.resize(x, (x.shape[0], *sizes, x.shape[-1]), METHODS[mode], antialias=False)

    def pixel_shuffle(self, x, factor):
        batch, *space, channels = x.shape
        n = len(space)
        x = x.reshape(batch, *space, -1, *[factor] * n)
        order = [axis for k in range(n) for axis in (1 + k, 2 + n + k)]
        return x.transpose(0, *order, 1 + n).reshape(batch, *(m * factor for m in space), -1)

    def pixel_unshuffle(self, x, factor):
        batch, *space, channels = x.shape
        n = len(space)
        x = x.reshape(batch, *(v for m in space for v in (m // factor, factor)), channels)
        order = [*range(1, 2 * n, 2), 2 * n + 1, *range(2, 2 * n + 1, 2)]
        return x.transpose(0, *order).reshape(batch, *(m // factor for m in space), -1)

    def flat(self, x, kind):
        return ACTS[kind](x.reshape(x.shape[0], -1)).reshape(x.shape)

    def dense(self, x, name, shape):
        x = jnp.moveaxis(x, -1, 1).reshape(x.shape[0], -1) @ self.kernels[name]
        return jnp.moveaxis(x.reshape(-1, *shape), 1, -1)

    def either(self, x, name, other):
        n = x.ndim - 2
        ways = [lambda x, k=self.kernels[path]: _conv(x, k, (1,) * n, [(1, 1)] * n) for path in (name, other)]
        return jax.lax.cond(x.sum() > 0, *ways, x)


def _conv(x, kernel, stride, pads, *, lhs=None, rhs=None, groups=1):
    space = SPACE[3 - len(stride) :]
    numbers = (f"N{space}C", f"{space}IO", f"N{space}C")
    return jax.lax.conv_general_dilated(x, kernel, stride, pads, lhs, rhs, numbers, feature_group_count=groups)
