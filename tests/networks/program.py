"""A small network as data: steps that `in_jax.py`, `in_onnx.py`, `in_keras.py` and `in_torch.py` build, each natively.

A value is named by its number and has the shape `(channels, *space)`; the batch is left out. Kernels are
`(*k, in / groups, out)`.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np


class Step(NamedTuple):
    """An operation, the numbers of the values it takes, and its settings, which are one for each spatial axis."""

    op: str
    inputs: tuple[int, ...]
    settings: dict[str, Any]


def each(value, axes: int) -> tuple:
    """One setting for each spatial axis."""
    return tuple(value) if isinstance(value, (tuple, list)) else (value,) * axes


class Program:
    """Records steps; its methods take and return the numbers of values."""

    def __init__(self, *, seed: int = 0):
        self.steps: list[Step] = []
        self.shapes: list[tuple[int, ...]] = []
        self.kernels: dict[str, np.ndarray] = {}
        self.outputs: list[int] = []
        self._rng = np.random.default_rng(seed)

    def __repr__(self):
        steps = enumerate(zip(self.steps, self.shapes, strict=True))
        lines = [f"{k}: {s.op}{list(s.inputs)} {s.settings} -> {shape}" for k, (s, shape) in steps]
        return "\n".join(["", *lines])

    @property
    def inputs(self) -> list[tuple[int, ...]]:
        return [s.settings["shape"] for s in self.steps if s.op == "input"]

    def run(self, backend) -> list:
        """The values of the outputs, where each step is a method of the same name."""
        values: list[Any] = []
        for k, step in enumerate(self.steps):
            found = getattr(backend, step.op)(*(values[i] for i in step.inputs), **step.settings)
            shape = backend.shape(found)
            assert shape is None or shape == self.shapes[k], f"{step}: {shape}, not {self.shapes[k]}"
            values.append(found)
        return [values[k] for k in self.outputs]

    def ends(self, *values: int) -> "Program":
        self.outputs = list(values)
        return self

    def _add(self, op: str, inputs: Sequence[int], shape: Sequence[int], /, **settings) -> int:
        assert min(shape) > 0, f"{op} {settings} of {[self.shapes[k] for k in inputs]} gives {shape}"
        self.steps.append(Step(op, tuple(inputs), settings))
        self.shapes.append(tuple(shape))
        return len(self.shapes) - 1

    def _kernel(self, name: str, shape: tuple[int, ...]) -> None:
        if name not in self.kernels:
            # Of the size at which values neither vanish nor grow.
            size = np.sqrt(2 / np.prod(shape[:-1]))
            self.kernels[name] = (self._rng.normal(size=shape) * size).astype(np.float32)
        assert self.kernels[name].shape == shape, name

    def input(self, *shape: int) -> int:
        return self._add("input", (), shape, shape=shape, number=len(self.inputs))

    def conv(self, x, name, out, k=3, *, stride=1, pad=0, dilation=1, groups=1):
        """`pad` is one number an axis, or two where before and after differ."""
        channels, *space = self.shapes[x]
        k, stride, dilation = (each(v, len(space)) for v in (k, stride, dilation))
        pads = tuple(p if isinstance(p, tuple) else (p, p) for p in each(pad, len(space)))
        self._kernel(name, (*k, channels // groups, out))
        sizes = [
            (n + sum(p) - (m - 1) * d - 1) // s + 1
            for n, m, s, p, d in zip(space, k, stride, pads, dilation, strict=True)
        ]
        settings = dict(name=name, stride=stride, pads=pads, dilation=dilation, groups=groups)
        return self._add("conv", (x,), (out, *sizes), **settings)

    def up(self, x, name, out, k=4, *, stride=2, pad=0, more=0, dilation=1, groups=1):
        """A transposed convolution; `pad` places are cut off on both sides, `more` added after."""
        channels, *space = self.shapes[x]
        k, stride, pad, more, dilation = (each(v, len(space)) for v in (k, stride, pad, more, dilation))
        self._kernel(name, (*k, channels // groups, out))
        sizes = [
            (n - 1) * s + (m - 1) * d + 1 - 2 * p + q
            for n, m, s, p, q, d in zip(space, k, stride, pad, more, dilation, strict=True)
        ]
        settings = dict(name=name, stride=stride, pad=pad, more=more, dilation=dilation, groups=groups)
        return self._add("up", (x,), (out, *sizes), **settings)

    def act(self, x, kind="relu"):
        """`relu`, `relu6`, `leaky`, `tanh`, `sigmoid`, `silu` or `hardswish`."""
        return self._add("act", (x,), self.shapes[x], kind=kind)

    def norm(self, x):
        """A batch normalisation as it is at first."""
        return self._add("norm", (x,), self.shapes[x])

    def group_norm(self, x, groups):
        return self._add("group_norm", (x,), self.shapes[x], groups=groups)

    def add(self, *xs):
        return self._add("add", xs, self._common(xs))

    def mul(self, *xs):
        return self._add("mul", xs, self._common(xs))

    def _common(self, xs):
        return np.broadcast_shapes(*(self.shapes[x] for x in xs))

    def scale(self, x, by):
        return self._add("scale", (x,), self.shapes[x], by=by)

    def concat(self, *xs):
        return self._add("concat", xs, (sum(self.shapes[x][0] for x in xs), *self.shapes[xs[0]][1:]))

    def cut(self, x, start, stop, step=1):
        """A slice of the channels."""
        channels, *space = self.shapes[x]
        count = len(range(channels)[start:stop:step])
        return self._add("cut", (x,), (count, *space), start=start, stop=stop, step=step)

    def every(self, x, step):
        """Every so many places of space, by a slice."""
        channels, *space = self.shapes[x]
        return self._add("every", (x,), (channels, *(-(-n // step) for n in space)), step=step)

    def take(self, x, places):
        """Channels by number."""
        return self._add("take", (x,), (len(places), *self.shapes[x][1:]), places=tuple(places))

    def flip(self, x, axis=0):
        """The channels (axis 0) or space in reverse."""
        return self._add("flip", (x,), self.shapes[x], axis=axis)

    def shuffle(self, x, groups):
        """Channels of several groups in turns, by a reshape."""
        return self._add("shuffle", (x,), self.shapes[x], groups=groups)

    def fold(self, x, groups, *, first, kind="sum"):
        """Channels as `(groups, rest)`, and the sum, mean or maximum over the first or the last of the two."""
        channels, *space = self.shapes[x]
        left = channels // groups if first else groups
        return self._add("fold", (x,), (left, *space), groups=groups, first=first, kind=kind)

    def pad(self, x, pads, mode="zero"):
        """Places put around space: zeros, `reflect` or `edge`; taken away where negative."""
        channels, *space = self.shapes[x]
        pads = tuple(p if isinstance(p, tuple) else (p, p) for p in each(pads, len(space)))
        sizes = [n + sum(p) for n, p in zip(space, pads, strict=True)]
        return self._add("pad", (x,), (channels, *sizes), pads=pads, mode=mode)

    def pad_channels(self, x, before, after):
        channels, *space = self.shapes[x]
        return self._add("pad_channels", (x,), (channels + before + after, *space), before=before, after=after)

    def pool(self, x, size=2, stride=None, pad=0, kind="average"):
        channels, *space = self.shapes[x]
        size, stride, pad = (each(v, len(space)) for v in (size, stride or size, pad))
        sizes = [(n + 2 * p - k) // s + 1 for n, k, s, p in zip(space, size, stride, pad, strict=True)]
        return self._add("pool", (x,), (channels, *sizes), size=size, stride=stride, pad=pad, kind=kind)

    def mean(self, x):
        """Over all of space, whose axes stay."""
        channels, *space = self.shapes[x]
        return self._add("mean", (x,), (channels, *(1 for _ in space)))

    def resize(self, x, up=1, mode="nearest", *, down=1, by="scale"):
        """By whole factors; `by` says whether the file states them or the sizes."""
        channels, *space = self.shapes[x]
        up, down = each(up, len(space)), each(down, len(space))
        sizes = tuple(n * u // d for n, u, d in zip(space, up, down, strict=True))
        return self._add("resize", (x,), (channels, *sizes), up=up, down=down, mode=mode, by=by)

    def pixel_shuffle(self, x, factor):
        channels, *space = self.shapes[x]
        shape = (channels // factor ** len(space), *(n * factor for n in space))
        return self._add("pixel_shuffle", (x,), shape, factor=factor)

    def pixel_unshuffle(self, x, factor):
        channels, *space = self.shapes[x]
        shape = (channels * factor ** len(space), *(n // factor for n in space))
        return self._add("pixel_unshuffle", (x,), shape, factor=factor)

    def flat(self, x, kind="relu"):
        """All in one axis, an activation, and back."""
        return self._add("flat", (x,), self.shapes[x], kind=kind)

    def dense(self, x, name, *shape):
        """A dense layer from all of a value to all of another; the channels count first."""
        weights = (int(np.prod(self.shapes[x])), int(np.prod(shape)))
        self._kernel(name, weights)
        return self._add("dense", (x,), shape, name=name, shape=shape)

    def either(self, x, name, other, out):
        """One of two convolutions of 3 places that keep the size, by the sign of the sum of all."""
        channels, *space = self.shapes[x]
        for path in (name, other):
            self._kernel(path, (3,) * len(space) + (channels, out))
        return self._add("either", (x,), (out, *space), name=name, other=other)


def of_pytorch(kernel: np.ndarray, groups: int = 1, *, transposed: bool = False) -> np.ndarray:
    """A kernel as PyTorch and ONNX have it: `(out, in / groups, *k)`, or `(in, out / groups, *k)`."""
    if not transposed:
        return np.ascontiguousarray(np.moveaxis(kernel, (-1, -2), (0, 1)))
    *k, inner, out = kernel.shape
    grouped = np.moveaxis(kernel.reshape(*k, inner, groups, out // groups), (-2, -3, -1), (0, 1, 2))
    return np.ascontiguousarray(grouped.reshape(groups * inner, out // groups, *k))
