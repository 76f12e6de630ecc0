"""Networks written twice, in PyTorch and in plain JAX, with their pairs written by hand: see test_doors.py.

The JAX forms take the parameters by the names of the PyTorch modules, kernels as `(*k, in / groups, out)`.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import torch
from torch import nn
from torch.nn import functional as F

SPACE = "DHW"


class Door(NamedTuple):
    """A network: its module, the shape of an input, its form in JAX and its pairs.

    A pair is `first second down up`, with the dilation of the first and of the second layer after, where it is not 1.
    """

    module: nn.Module
    shape: tuple[int, ...]
    apply: object
    pairs: str


def conv(p, x, path, stride=1, pad=0, dilation=1, groups=1):
    """A convolution as PyTorch has it, channels last; `pad` is one number or one of JAX's words."""
    kernel = p[path]
    n = kernel.ndim - 2
    space = SPACE[3 - n :]
    numbers = (f"N{space}C", f"{space}IO", f"N{space}C")
    pad = pad if isinstance(pad, str) else [(pad, pad)] * n
    return jax.lax.conv_general_dilated(
        x, kernel, (stride,) * n, pad, None, (dilation,) * n, numbers, feature_group_count=groups
    )


def up(p, x, path, stride=1, pad=0):
    """A transposed convolution as PyTorch has it: the kernel turned round over the input with zeros between."""
    kernel = p[path]
    n = kernel.ndim - 2
    space = SPACE[3 - n :]
    numbers = (f"N{space}C", f"{space}IO", f"N{space}C")
    room = [(k - 1 - pad,) * 2 for k in kernel.shape[:-2]]
    return jax.lax.conv_general_dilated(x, jnp.flip(kernel, range(n)), (1,) * n, room, (stride,) * n, None, numbers)


def pool(x, size, stride, pad=0, kind="average"):
    """Pooling of every spatial axis."""
    n = x.ndim - 2
    window, strides = (1, *(size,) * n, 1), (1, *(stride,) * n, 1)
    room = [(0, 0), *[(pad, pad)] * n, (0, 0)]
    if kind == "max":
        return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, window, strides, room)
    return jax.lax.reduce_window(x, 0.0, jax.lax.add, window, strides, room) / size**n


def resize(x, factor, method):
    n = x.ndim - 2
    return jax.image.resize(x, (x.shape[0], *(factor * s for s in x.shape[1 : n + 1]), x.shape[-1]), method)


def norm(x):
    """Stands for a batch normalisation as it is at first: a scale of 1 and no shift."""
    return x / jnp.sqrt(1 + 1e-5)


relu, leaky = jax.nn.relu, lambda x: jax.nn.leaky_relu(x, 0.1)


def chain():
    layers = [nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 5, 3, 2, dilation=2), nn.ReLU(), nn.Conv2d(5, 2, 1)]

    def apply(p, x):
        return conv(p, relu(conv(p, relu(conv(p, x, "0")), "2", 2, dilation=2)), "4")

    return Door(nn.Sequential(*layers), (1, 3, 20, 20), apply, "0 2 1 1 1 2, 2 4 2 1 2 1")


def generator():
    layers = [nn.ConvTranspose2d(7, 6, 4, bias=False), nn.BatchNorm2d(6), nn.ReLU()]
    layers += [nn.ConvTranspose2d(6, 4, 4, 2, 1, bias=False), nn.BatchNorm2d(4), nn.ReLU()]
    layers += [nn.ConvTranspose2d(4, 3, 4, 2, 1, bias=False), nn.Tanh()]

    def apply(p, x):
        x = relu(norm(up(p, x, "0")))
        return jnp.tanh(up(p, relu(norm(up(p, x, "3", 2, 1))), "6", 2, 1))

    return Door(nn.Sequential(*layers), (1, 7, 2, 2), apply, "0 3 1 2, 3 6 1 2")


def discriminator():
    layers = [nn.Conv2d(3, 4, 4, 2, 1, bias=False), nn.LeakyReLU(0.1)]
    layers += [nn.Conv2d(4, 6, 4, 2, 1, bias=False), nn.BatchNorm2d(6), nn.LeakyReLU(0.1), nn.Conv2d(6, 1, 4)]

    def apply(p, x):
        return conv(p, leaky(norm(conv(p, leaky(conv(p, x, "0", 2, 1)), "2", 2, 1))), "5")

    return Door(nn.Sequential(*layers), (1, 3, 16, 16), apply, "0 2 2 1, 2 5 2 1")


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.e1, self.e2 = nn.Conv2d(3, 4, 4, 2, 1), nn.Conv2d(4, 6, 4, 2, 1)
        self.mean, self.dense = nn.Linear(96, 5), nn.Linear(5, 96)
        self.d1, self.d2 = nn.ConvTranspose2d(6, 4, 4, 2, 1), nn.ConvTranspose2d(4, 3, 4, 2, 1)

    def forward(self, x):
        h = self.mean(F.relu(self.e2(F.relu(self.e1(x)))).flatten(1))
        return torch.sigmoid(self.d2(F.relu(self.d1(self.dense(h).view(-1, 6, 4, 4)))))


def vae():
    def apply(p, x):
        x = relu(conv(p, relu(conv(p, x, "e1", 2, 1)), "e2", 2, 1))
        x = x.reshape(x.shape[0], -1) @ p["mean"] @ p["dense"]
        return jax.nn.sigmoid(up(p, relu(up(p, x.reshape(-1, 4, 4, 6), "d1", 2, 1)), "d2", 2, 1))

    return Door(VAE(), (1, 3, 16, 16), apply, "e1 e2 2 1, d1 d2 1 2")


class Block(nn.Module):
    def __init__(self, i, o, stride):
        super().__init__()
        self.a, self.na = nn.Conv2d(i, o, 3, stride, 1, bias=False), nn.BatchNorm2d(o)
        self.b, self.nb = nn.Conv2d(o, o, 3, 1, 1, bias=False), nn.BatchNorm2d(o)
        self.side = nn.Conv2d(i, o, 1, stride, bias=False) if stride > 1 else None

    def forward(self, x):
        out = self.nb(self.b(F.relu(self.na(self.a(x)))))
        return torch.relu(out + (x if self.side is None else self.side(x)))


class ResNet(nn.Module):
    """The stem and blocks of a ResNet-18, two stages of two blocks."""

    def __init__(self):
        super().__init__()
        self.stem, self.norm = nn.Conv2d(3, 4, 7, 2, 3, bias=False), nn.BatchNorm2d(4)
        self.layers = nn.Sequential(Block(4, 4, 1), Block(4, 4, 1), Block(4, 6, 2), Block(6, 6, 1))
        self.fc = nn.Linear(6, 2)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.norm(self.stem(x))), 3, 2, 1)
        return self.fc(self.layers(x).mean((2, 3)))


def resnet():
    def block(p, x, path, stride):
        out = norm(conv(p, relu(norm(conv(p, x, f"{path}.a", stride, 1))), f"{path}.b", 1, 1))
        return relu(out + (conv(p, x, f"{path}.side", stride) if stride > 1 else x))

    def apply(p, x):
        x = pool(relu(norm(conv(p, x, "stem", 2, 3))), 3, 2, 1, "max")
        for k, stride in enumerate((1, 1, 2, 1)):
            x = block(p, x, f"layers.{k}", stride)
        return x.mean((1, 2)) @ p["fc"]

    inside = ", ".join(f"layers.{k}.a layers.{k}.b {2 if k == 2 else 1} 1" for k in range(4))
    # What reaches the later blocks: the stem along the sums, halved by its stride and the pooling, and every block.
    stage1 = "stem layers.0.a 4 1, stem layers.1.a 4 1, stem layers.2.a 4 1, stem layers.2.side 4 1"
    stage1 += ", layers.0.b layers.1.a 1 1, layers.0.b layers.2.a 1 1, layers.0.b layers.2.side 1 1"
    stage1 += ", layers.1.b layers.2.a 1 1, layers.1.b layers.2.side 1 1"
    stage2 = "layers.2.b layers.3.a 1 1, layers.2.side layers.3.a 2 1"
    return Door(ResNet(), (1, 3, 32, 32), apply, f"{inside}, {stage1}, {stage2}")


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Conv2d(3, 4, 3, 1, 1), nn.Conv2d(4, 6, 3, 1, 1), nn.Conv2d(6, 8, 3, 1, 1)
        self.up1, self.d = nn.ConvTranspose2d(8, 6, 2, 2), nn.Conv2d(12, 6, 3, 1, 1)
        self.up2, self.e, self.out = nn.ConvTranspose2d(6, 4, 2, 2), nn.Conv2d(8, 4, 3, 1, 1), nn.Conv2d(4, 2, 1)

    def forward(self, x):
        a = F.relu(self.a(x))
        b = F.relu(self.b(F.max_pool2d(a, 2)))
        c = F.relu(self.c(F.max_pool2d(b, 2)))
        d = F.relu(self.d(torch.cat([self.up1(c), b], 1)))
        return self.out(F.relu(self.e(torch.cat([self.up2(d), a], 1))))


def unet():
    def apply(p, x):
        a = relu(conv(p, x, "a", 1, 1))
        b = relu(conv(p, pool(a, 2, 2, kind="max"), "b", 1, 1))
        c = relu(conv(p, pool(b, 2, 2, kind="max"), "c", 1, 1))
        d = relu(conv(p, jnp.concatenate([up(p, c, "up1", 2), b], -1), "d", 1, 1))
        return conv(p, relu(conv(p, jnp.concatenate([up(p, d, "up2", 2), a], -1), "e", 1, 1)), "out")

    pairs = "a b 2 1, b c 2 1, c up1 1 2, up1 d 1 1, b d 1 1, d up2 1 2, up2 e 1 1, a e 1 1, e out 1 1"
    return Door(UNet(), (1, 3, 16, 16), apply, pairs)


class Mobile(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, self.n0 = nn.Conv2d(3, 4, 3, 2, 1, bias=False), nn.BatchNorm2d(4)
        self.wide, self.n1 = nn.Conv2d(4, 8, 1, bias=False), nn.BatchNorm2d(8)
        self.deep, self.n2 = nn.Conv2d(8, 8, 3, 1, 1, groups=8, bias=False), nn.BatchNorm2d(8)
        self.narrow, self.n3 = nn.Conv2d(8, 4, 1, bias=False), nn.BatchNorm2d(4)
        self.deep2, self.last = nn.Conv2d(4, 4, 5, 2, 2, groups=4, bias=False), nn.Conv2d(4, 6, 1)

    def forward(self, x):
        x = F.relu6(self.n0(self.stem(x)))
        h = F.relu6(self.n2(self.deep(F.relu6(self.n1(self.wide(x))))))
        x = x + self.n3(self.narrow(h))
        return self.last(F.hardswish(self.deep2(x))).mean((2, 3))


def mobile():
    def apply(p, x):
        x = jax.nn.relu6(norm(conv(p, x, "stem", 2, 1)))
        h = jax.nn.relu6(norm(conv(p, jax.nn.relu6(norm(conv(p, x, "wide"))), "deep", 1, 1, groups=8)))
        x = x + norm(conv(p, h, "narrow"))
        return conv(p, jax.nn.hard_swish(conv(p, x, "deep2", 2, 2, groups=4)), "last").mean((1, 2))

    pairs = "stem wide 2 1, wide deep 1 1, deep narrow 1 1, stem deep2 2 1, narrow deep2 1 1, deep2 last 2 1"
    return Door(Mobile(), (1, 3, 16, 16), apply, pairs)


class Dense(nn.Module):
    """Layers that see all before them, then branches side by side as in Inception."""

    def __init__(self):
        super().__init__()
        self.stem, self.a, self.b = nn.Conv2d(3, 4, 3, 1, 1), nn.Conv2d(4, 2, 3, 1, 1), nn.Conv2d(6, 2, 3, 1, 1)
        self.squeeze, self.one = nn.Conv2d(8, 4, 1), nn.Conv2d(4, 2, 1)
        self.wide, self.side, self.last = nn.Conv2d(4, 3, 5, 1, 2), nn.Conv2d(4, 2, 1), nn.Conv2d(7, 2, 3)

    def forward(self, x):
        x = self.stem(x)
        x = torch.cat([x, self.a(F.relu(x))], 1)
        x = torch.cat([x, self.b(F.relu(x))], 1)
        x = F.avg_pool2d(self.squeeze(F.relu(x)), 2)
        x = torch.cat([self.one(x), self.wide(x), self.side(F.avg_pool2d(x, 3, 1, 1))], 1)
        return self.last(F.relu(x))


def dense():
    def apply(p, x):
        x = conv(p, x, "stem", 1, 1)
        x = jnp.concatenate([x, conv(p, relu(x), "a", 1, 1)], -1)
        x = jnp.concatenate([x, conv(p, relu(x), "b", 1, 1)], -1)
        x = pool(conv(p, relu(x), "squeeze"), 2, 2)
        sides = [conv(p, x, "one"), conv(p, x, "wide", 1, 2), conv(p, pool(x, 3, 1, 1), "side")]
        return conv(p, relu(jnp.concatenate(sides, -1)), "last")

    pairs = "stem a 1 1, stem b 1 1, a b 1 1, stem squeeze 1 1, a squeeze 1 1, b squeeze 1 1"
    pairs += ", squeeze one 2 1, squeeze wide 2 1, squeeze side 2 1, one last 1 1, wide last 1 1, side last 1 1"
    return Door(Dense(), (1, 3, 16, 16), apply, pairs)


class Resized(nn.Module):
    def __init__(self):
        super().__init__()
        self.dense, self.a, self.b = nn.Linear(8, 64), nn.Conv2d(4, 5, 3, 1, 1), nn.Conv2d(5, 4, 3, 1, 1)
        self.c = nn.Conv2d(4, 3, 3, 1, 1)

    def forward(self, z):
        x = self.dense(z).reshape(-1, 4, 4, 4)
        x = F.relu(self.a(F.interpolate(x, scale_factor=2.0)))
        x = F.relu(self.b(F.interpolate(x, scale_factor=2.0)))
        return torch.tanh(self.c(F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)))


def resized():
    def apply(p, z):
        x = (z @ p["dense"]).reshape(-1, 4, 4, 4)
        x = relu(conv(p, resize(x, 2, "nearest"), "a", 1, 1))
        x = relu(conv(p, resize(x, 2, "nearest"), "b", 1, 1))
        return jnp.tanh(conv(p, resize(x, 2, "linear"), "c", 1, 1))

    return Door(Resized(), (1, 8), apply, "a b 1 2, b c 1 2")


class WaveNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.start, self.end = nn.Conv1d(1, 4, 1), nn.Conv1d(3, 2, 1)
        self.gates = nn.ModuleList(nn.Conv1d(4, 8, 2, dilation=2**k) for k in range(2))
        self.mixes = nn.ModuleList(nn.Conv1d(4, 7, 1) for _ in range(2))

    def forward(self, x):
        x = self.start(x)
        skips = torch.jit.annotate(list[torch.Tensor], [])
        for gate, mix in zip(self.gates, self.mixes, strict=True):
            a, b = torch.chunk(gate(x), 2, dim=1)
            x0, skip = torch.split(mix(torch.tanh(a) * torch.sigmoid(b)), [4, 3], dim=1)
            x = x0 + x[:, :, -x0.size(2) :]
            skips.append(skip)
        return self.end(F.relu(skips[0][:, :, -x.size(2) :] + skips[1]))


def wavenet():
    def apply(p, x):
        x, skips = conv(p, x, "start"), []
        for k in range(2):
            a, b = jnp.split(conv(p, x, f"gates.{k}", dilation=2**k), 2, -1)
            mixed = conv(p, jnp.tanh(a) * jax.nn.sigmoid(b), f"mixes.{k}")
            x = mixed[..., :4] + x[:, -mixed.shape[1] :]
            skips.append(mixed[..., 4:])
        return conv(p, relu(skips[0][:, -x.shape[1] :] + skips[1]), "end")

    # Each mix takes the two halves of its gate as two pairs.
    pairs = "start gates.0 1 1, gates.0 mixes.0 1 1, gates.0 mixes.0 1 1"
    pairs += ", start gates.1 1 1 1 2, mixes.0 gates.1 1 1 1 2, gates.1 mixes.1 1 1 2 1, gates.1 mixes.1 1 1 2 1"
    return Door(WaveNet(), (1, 1, 16), apply, f"{pairs}, mixes.0 end 1 1, mixes.1 end 1 1")


class HiFi(nn.Module):
    def __init__(self):
        super().__init__()
        self.pre, self.post = nn.Conv1d(5, 4, 7, 1, 3), nn.Conv1d(2, 1, 7, 1, 3)
        self.up = nn.ConvTranspose1d(4, 2, 8, 4, 2)
        self.blocks = nn.ModuleList(nn.Conv1d(2, 2, 3, 1, d, dilation=d) for d in (1, 3))

    def forward(self, x):
        x = self.up(F.leaky_relu(self.pre(x), 0.1))
        a, b = self.blocks[0](F.leaky_relu(x, 0.1)) + x, self.blocks[1](F.leaky_relu(x, 0.1)) + x
        return torch.tanh(self.post(F.leaky_relu((a + b) / 2, 0.1)))


def hifi():
    def apply(p, x):
        x = up(p, leaky(conv(p, x, "pre", 1, 3)), "up", 4, 2)
        a, b = (conv(p, leaky(x), f"blocks.{k}", 1, d, d) + x for k, d in enumerate((1, 3)))
        return jnp.tanh(conv(p, leaky((a + b) / 2), "post", 1, 3))

    pairs = "pre up 1 4, up blocks.0 1 1, up blocks.1 1 1 1 3"
    return Door(HiFi(), (1, 5, 12), apply, f"{pairs}, blocks.0 post 1 1, blocks.1 post 1 1 3 1, up post 1 1")


def volume():
    layers = [nn.Conv3d(1, 3, 3, padding=1), nn.BatchNorm3d(3), nn.MaxPool3d(2), nn.Conv3d(3, 4, 3)]
    layers += [nn.ConvTranspose3d(4, 3, 2, 2), nn.Upsample(scale_factor=2), nn.Conv3d(3, 1, 1)]

    def apply(p, x):
        x = conv(p, pool(norm(conv(p, x, "0", 1, 1)), 2, 2, kind="max"), "3")
        return conv(p, resize(up(p, x, "4", 2), 2, "nearest"), "6")

    return Door(nn.Sequential(*layers), (1, 1, 8, 8, 8), apply, "0 3 2 1, 3 4 1 2, 4 6 1 2")


_ALL = chain, generator, discriminator, vae, resnet, unet, mobile, dense, resized, wavenet, hifi, volume
DOORS = {make.__name__: make for make in _ALL}
