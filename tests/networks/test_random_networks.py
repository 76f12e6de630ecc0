"""Small networks drawn at random: every door finds the same pairs, with the same ratios.

A network is drawn as a program (`program.py`) and built as a JAX function, as a file of ONNX, as a file of Keras and,
where PyTorch is installed, as an exported program. `SICJAX_EXAMPLES=2000` draws that many, others each time.
"""

import os

import in_jax
import keras_net
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from program import Program
from same_pairs import compare, rows

from sicjax import networks

EXAMPLES = os.environ.get("SICJAX_EXAMPLES")
DRAWN = settings(
    max_examples=int(EXAMPLES or 15),
    derandomize=not EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
# Places along one axis and channels of a value: tracing stays fast.
LARGEST, WIDEST = 40, 12


class _Draw:
    """Draws a program step by step; each method adds one operation to a value, or gives None where it does not fit."""

    def __init__(self, draw):
        self.draw = draw
        self.net = Program(seed=draw(st.integers(0, 3)))
        axes = draw(st.integers(1, 2))
        self.values = [self.net.input(draw(st.integers(2, 4)), *draw(st.sampled_from([(8,), (12,)])) * axes)]

    def number(self, low, high):
        return self.draw(st.integers(low, high))

    def of(self, *options):
        return self.draw(st.sampled_from(options))

    def name(self):
        return f"c{len(self.net.kernels)}"

    def divisor(self, n):
        return self.of(*(d for d in range(1, n + 1) if n % d == 0))

    def conv(self, x):
        channels, *space = self.net.shapes[x]
        groups = self.divisor(channels)
        k, stride, dilation, pad = self.number(1, 4), self.of(1, 1, 2), self.of(1, 1, 2), self.number(0, 1)
        if min(space) + 2 * pad < (k - 1) * dilation + 1 or (stride > 1 and dilation > 1):
            return None
        out = groups * self.number(1, max(4 // groups, 1))
        return self.net.conv(x, self.name(), out, k, stride=stride, pad=pad, dilation=dilation, groups=groups)

    def wide(self, x):
        return self.net.conv(x, self.name(), self.of(4, 6, 8), 3, pad=1)

    def up(self, x):
        channels, *space = self.net.shapes[x]
        k, stride = self.number(1, 4), self.number(1, 3)
        groups, dilation = self.of((1, 1), (1, 1), (1, 2), (self.divisor(channels), 1))
        pad, more = self.number(0, min((k - 1) // 2, 1)), self.number(0, stride - 1)
        if min(space) * stride < 4 or max(space) * stride > LARGEST or (dilation > 1 and more >= dilation):
            return None
        out, settings = groups * self.number(1, 2), dict(pad=pad, more=more, dilation=dilation, groups=groups)
        return self.net.up(x, self.name(), out, k, stride=stride, **settings)

    def act(self, x):
        return self.net.act(x, self.of("relu", "leaky", "tanh", "silu"))

    def norm(self, x):
        groups = self.divisor(self.net.shapes[x][0])
        if max(self.net.shapes[x][1:]) == 1:
            return None  # PyTorch refuses to normalise one number
        return self.of(lambda: self.net.norm(x), lambda: self.net.group_norm(x, groups))()

    def scale(self, x):
        return self.net.scale(x, 0.5)

    def residual(self, x):
        channels, k = self.net.shapes[x][0], self.of(1, 3)
        y = self.net.conv(self.net.act(x), self.name(), channels, k, pad=k // 2)
        return (
            self.net.add(x, self.net.conv(y, self.name(), channels, 1)) if self.of(True, False) else self.net.add(x, y)
        )

    def join(self, x):
        """With another value of the same space: side by side, or added."""
        channels, *space = self.net.shapes[x]
        others = [v for v in self.values if self.net.shapes[v][1:] == tuple(space)]
        other = self.of(*others)
        if self.net.shapes[other][0] == channels and self.of(True, False):
            return self.net.add(x, other)
        return (
            self.net.concat(*self.of((x, other), (other, x)))
            if self.net.shapes[other][0] + channels <= WIDEST
            else None
        )

    def gate(self, x):
        channels = self.net.shapes[x][0]
        weights = self.net.act(self.net.conv(self.net.mean(x), self.name(), channels, 1), "sigmoid")
        return self.net.mul(x, weights)

    def halves(self, x):
        channels = self.net.shapes[x][0]
        if channels % 2:
            return None
        a, b = self.net.cut(x, 0, channels // 2), self.net.cut(x, channels // 2, channels)
        return self.net.mul(self.net.act(a, "tanh"), self.net.act(b, "sigmoid"))

    def cut(self, x):
        channels = self.net.shapes[x][0]
        start = self.number(0, channels - 1)
        return self.net.cut(x, start, self.number(start + 1, channels), self.number(1, 2))

    def take(self, x):
        channels = self.net.shapes[x][0]
        return self.net.take(x, self.draw(st.lists(st.integers(0, channels - 1), min_size=1, max_size=6)))

    def flip(self, x):
        return self.net.flip(x, self.of(0, 0, 0, 1))

    def every(self, x):
        return self.net.every(x, 2) if min(self.net.shapes[x][1:]) > 3 else None

    def shuffle(self, x):
        channels, *space = self.net.shapes[x]
        # In the reshapes of one place a sum with another value cannot tell the axes apart, channels first.
        return self.net.shuffle(x, self.divisor(channels)) if max(space) > 1 else None

    def fold(self, x):
        kind, first = self.of("sum", "mean", "max"), self.of(True, False)
        return self.net.fold(x, self.divisor(self.net.shapes[x][0]), first=first, kind=kind)

    def pad(self, x):
        space = self.net.shapes[x][1:]
        mode = self.of("zero", "reflect", "edge")
        low = -1 if mode == "zero" else 0
        pads = [(self.number(low, 1), self.number(low, 1)) for _ in space]
        return self.net.pad(x, pads, mode) if min(space) > 2 else None

    def pad_channels(self, x):
        before, after = self.number(0, 2), self.number(0, 2)
        return self.net.pad_channels(x, before, after) if self.net.shapes[x][0] + before + after <= WIDEST else None

    def pool(self, x):
        size, stride, kind = self.number(1, 3), self.number(1, 2), self.of("average", "average", "max")
        pad = self.number(0, size // 2) if kind == "average" else 0
        return self.net.pool(x, size, stride, pad, kind) if min(self.net.shapes[x][1:]) >= 4 else None

    def mean(self, x):
        return self.net.mean(x)

    def resize(self, x):
        space = self.net.shapes[x][1:]
        by, mode = self.of("scale", "size"), self.of("nearest", "bilinear")
        if self.of(True, True, False):
            factor = self.number(2, 3)
            # A trace has a linear resize as a table, which of a few places is all edges.
            fits = max(space) * factor <= LARGEST and (mode == "nearest" or min(space) >= 4)
            return self.net.resize(x, factor, mode, by=by) if fits else None
        fits = min(space) >= 6 and not any(n % 2 for n in space)
        return self.net.resize(x, down=2, mode=mode, by=by) if fits else None

    def pixel_shuffle(self, x):
        channels, *space = self.net.shapes[x]
        factor = self.of(2, 3)
        fits = channels % factor ** len(space) == 0 and max(space) * factor <= LARGEST
        return self.net.pixel_shuffle(x, factor) if fits else None

    def pixel_unshuffle(self, x):
        channels, *space = self.net.shapes[x]
        fits = not any(n % 2 for n in space) and channels * 2 ** len(space) <= WIDEST
        return self.net.pixel_unshuffle(x, 2) if fits else None

    def flat(self, x):
        return self.net.flat(x)


_STEPS = [name for name in vars(_Draw) if name[0] != "_" and name not in ("number", "of", "name", "divisor")]
# What starts and ends pairs comes more often.
_STEPS += ["conv", "conv", "wide", "up", "act", "residual", "join"] * 2


@st.composite
def programs(draw):
    """A small network that ends in a convolution."""
    drawn = _Draw(draw)
    drawn.values.append(drawn.wide(drawn.values[0]))
    for step in draw(st.lists(st.sampled_from(_STEPS), min_size=2, max_size=9)):
        found = getattr(drawn, step)(draw(st.sampled_from(drawn.values[-2:])))
        if found is not None:
            drawn.values.append(found)
    return drawn.net.ends(drawn.net.conv(drawn.values[-1], "last", 2, 1))


def traced(program):
    apply, kernels, inputs = in_jax.of(program)
    return networks.from_function(apply, kernels, *inputs)


def keras_file(program, folder):
    """The network of its file of Keras; None where Keras has no such layers."""
    import in_keras

    try:
        entry = in_keras.entry(program)
    except in_keras.Left:
        return None
    return networks.from_file(keras_net.save(folder, entry, "keras 3"))


def onnx_file(program, folder):
    import in_onnx
    import onnx

    onnx.save(in_onnx.of(program), folder / "net.onnx")
    return networks.from_file(folder / "net.onnx")


def exported(program, folder):
    import in_torch
    import torch

    with torch.no_grad():
        torch.export.save(torch.export.export(in_torch.module(program), in_torch.inputs(program)), folder / "net.pt2")
    return networks.from_file(folder / "net.pt2")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("random")


@DRAWN
@given(program=programs())
def test_files_of_onnx_and_keras_have_the_pairs_of_the_trace(folder, program):
    pytest.importorskip("onnx")
    expected = rows(traced(program), None)
    compare(onnx_file(program, folder), expected, None, "ONNX")
    found = keras_file(program, folder)
    if found is not None:
        compare(found, expected, None, "Keras")


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore")
@DRAWN
@given(program=programs())
def test_exported_programs_have_the_pairs_of_onnx(folder, program):
    pytest.importorskip("torch")
    pytest.importorskip("onnx")
    compare(exported(program, folder), rows(onnx_file(program, folder), None), None, "torch.export")


@pytest.mark.filterwarnings("ignore")
@settings(DRAWN, max_examples=4)
@given(program=programs())
def test_the_forms_compute_the_same(program):
    """Else they would be other networks; that each operation does so is tested on the list of `doors.py`."""
    reference = pytest.importorskip("onnx.reference")
    import in_onnx

    apply, kernels, inputs = in_jax.of(program)
    x = np.random.default_rng(0).normal(size=(1, *program.inputs[0])).astype(np.float32)
    (expected,) = apply(kernels, np.moveaxis(x, 1, -1))
    (found,) = reference.ReferenceEvaluator(in_onnx.of(program)).run(None, {"x": x})
    np.testing.assert_allclose(np.moveaxis(found, 1, -1), expected, atol=1e-4)
