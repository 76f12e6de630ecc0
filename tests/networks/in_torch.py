"""A program as a PyTorch module."""

import numpy as np
import torch
from program import of_pytorch
from torch import nn
from torch.nn import functional as F

ACTS = {
    "relu": torch.relu,
    "leaky": lambda x: F.leaky_relu(x, 0.1),
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "silu": F.silu,
    "relu6": F.relu6,
    "hardswish": F.hardswish,
}


class _Module(nn.Module):
    def __init__(self, program):
        super().__init__()
        self.program = program
        for step in program.steps:
            if step.op in ("conv", "up") and step.settings["name"] not in dict(self.named_children()):
                self.add_module(step.settings["name"], _layer(step, program.kernels))
            elif step.op == "either":
                for key in ("name", "other"):
                    self.add_module(step.settings[key], _plain(program.kernels[step.settings[key]]))
            elif step.op == "dense":
                self.add_module(step.settings["name"], _dense(program.kernels[step.settings["name"]]))
        for k, step in enumerate(program.steps):
            if step.op == "norm":
                name = f"n{k}"
                self.add_module(name, getattr(nn, f"BatchNorm{len(program.shapes[k]) - 1}d")(program.shapes[k][0]))
        self.eval()

    def forward(self, x):
        return self._run(x)

    def _run(self, *inputs):
        found = self.program.run(_Torch(self, inputs))
        return found[0] if len(found) == 1 else tuple(found)


class _OfTwo(_Module):
    def forward(self, x, other):
        return self._run(x, other)


def module(program):
    """The module; its layers have the names in the program."""
    return (_Module if len(program.inputs) == 1 else _OfTwo)(program)


def inputs(program, arrays=None):
    given = arrays or [np.zeros((1, *shape), np.float32) for shape in program.inputs]
    return tuple(map(torch.from_numpy, given))


def scripted(program):
    """TorchScript of the straight code that `torch.fx` writes of the module."""
    return torch.jit.script(torch.fx.symbolic_trace(module(program)))


def _layer(step, kernels):
    s, kernel = step.settings, kernels[step.settings["name"]]
    n, inputs = kernel.ndim - 2, kernel.shape[-2] * s["groups"]
    settings = dict(stride=s["stride"], dilation=s["dilation"], groups=s["groups"], bias=False)
    if step.op == "up":
        settings |= dict(padding=s["pad"], output_padding=s["more"])
        layer = getattr(nn, f"ConvTranspose{n}d")(inputs, kernel.shape[-1], kernel.shape[:n], **settings)
        return _filled(layer, of_pytorch(kernel, s["groups"], transposed=True))
    even = all(a == b for a, b in s["pads"])
    settings |= dict(padding=[a for a, _ in s["pads"]] if even else 0)
    layer = getattr(nn, f"Conv{n}d")(inputs, kernel.shape[-1], kernel.shape[:n], **settings)
    return _filled(layer, of_pytorch(kernel))


def _plain(kernel):
    layer = getattr(nn, f"Conv{kernel.ndim - 2}d")(*kernel.shape[-2:], kernel.shape[:-2], padding=1, bias=False)
    return _filled(layer, of_pytorch(kernel))


def _dense(kernel):
    return _filled(nn.Linear(*kernel.shape, bias=False), kernel.T.copy())


def _filled(layer, weight):
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(weight))
    return layer


class _Torch:
    def __init__(self, module, inputs):
        self.module, self.inputs, self.program = module, inputs, module.program
        self.done = 0

    def shape(self, x):
        """Fixed by the program: a trace has no shapes to ask."""
        self.done += 1

    def _shape(self):
        """The channels and space of the value that the step at hand takes."""
        return self.program.shapes[self.program.steps[self.done].inputs[0]]

    def _space(self, x):
        """Its sizes of space as people ask for them: a file of TorchScript states none."""
        return [x.size(k + 2) for k in range(len(self._shape()) - 1)]

    def input(self, shape, number):
        return self.inputs[number]

    def conv(self, x, name, stride, pads, dilation, groups):
        if any(a != b for a, b in pads):
            x = F.pad(x, _backwards(pads))
        return getattr(self.module, name)(x)

    def up(self, x, name, **settings):
        return getattr(self.module, name)(x)

    def act(self, x, kind):
        return ACTS[kind](x)

    def norm(self, x):
        return getattr(self.module, f"n{self.done}")(x)

    def group_norm(self, x, groups):
        return F.group_norm(x, groups)

    def add(self, *xs):
        return sum(xs[1:], xs[0])

    def mul(self, a, b):
        return a * b

    def scale(self, x, by):
        return x * by

    def concat(self, *xs):
        return torch.cat(xs, 1)

    def cut(self, x, start, stop, step):
        # PyTorch's slices only go forward.
        return x[:, start:stop:step] if step > 0 else x[:, list(range(self._shape()[0]))[start:stop:step]]

    def every(self, x, step):
        return x[:, :, ::step, ::step] if len(self._shape()) == 3 else x[:, :, ::step]

    def take(self, x, places):
        return x[:, list(places)]

    def flip(self, x, axis):
        return torch.flip(x, [axis + 1])

    def shuffle(self, x, groups):
        channels, space = self._shape()[0], self._space(x)
        return x.reshape(1, groups, channels // groups, *space).transpose(1, 2).reshape(1, channels, *space)

    def fold(self, x, groups, first, kind):
        x = x.reshape(1, groups, self._shape()[0] // groups, *self._space(x))
        return getattr(torch, "amax" if kind == "max" else kind)(x, 1 if first else 2)

    def pad(self, x, pads, mode):
        modes = {"zero": "constant", "reflect": "reflect", "edge": "replicate"}
        return F.pad(x, _backwards(pads), mode=modes[mode])

    def pad_channels(self, x, before, after):
        return F.pad(x, [*[0, 0] * (len(self._shape()) - 1), before, after])

    def pool(self, x, size, stride, pad, kind):
        n = len(size)
        if kind == "max":
            return getattr(F, f"max_pool{n}d")(x, size, stride, pad)
        return getattr(F, f"avg_pool{n}d")(x, size, stride, pad)

    def mean(self, x):
        return x.mean(list(range(2, len(self._shape()) + 1)), keepdim=True)

    def resize(self, x, up, down, mode, by):
        mode = {1: "linear", 2: "bilinear", 3: "trilinear"}[len(up)] if mode == "bilinear" else mode
        # As JAX takes the nearest place.
        mode = "nearest-exact" if mode == "nearest" and max(down) > 1 else mode
        corners = None if mode.startswith("nearest") else False
        if by == "scale":
            factors = [u / d for u, d in zip(up, down, strict=True)]
            return F.interpolate(x, scale_factor=factors, mode=mode, align_corners=corners)
        sizes = [n * u // d for n, u, d in zip(self._space(x), up, down, strict=True)]
        return F.interpolate(x, size=sizes, mode=mode, align_corners=corners)

    def pixel_shuffle(self, x, factor):
        if len(self._shape()) == 3:
            return F.pixel_shuffle(x, factor)
        channels, length = self._shape()[0], x.size(2)
        x = x.reshape(1, channels // factor, factor, length).permute(0, 1, 3, 2)
        return x.reshape(1, channels // factor, length * factor)

    def pixel_unshuffle(self, x, factor):
        if len(self._shape()) == 3:
            return F.pixel_unshuffle(x, factor)
        channels, length = self._shape()[0], x.size(2)
        x = x.reshape(1, channels, length // factor, factor).permute(0, 1, 3, 2)
        return x.reshape(1, channels * factor, length // factor)

    def flat(self, x, kind):
        return ACTS[kind](x.flatten(1)).reshape(1, self._shape()[0], *self._space(x))

    def dense(self, x, name, shape):
        return getattr(self.module, name)(x.flatten(1)).reshape(1, *shape)

    def either(self, x, name, other):
        ways = [getattr(self.module, path) for path in (name, other)]
        return torch.cond(x.sum() > 0, lambda x: ways[0](x), lambda x: ways[1](x), (x,))


def _backwards(pads):
    """From the last axis on, as PyTorch pads."""
    return [v for pair in reversed(pads) for v in pair]
