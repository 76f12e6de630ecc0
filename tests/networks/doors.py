"""Small networks with their pairs written by hand, each to be read through every door: see test_doors.py."""

from collections.abc import Callable
from typing import NamedTuple

from program import Program


class Door(NamedTuple):
    """A network, its pairs, and the doors that cannot hold it with the reason.

    A pair is `first second down up`, with the dilation of the first and of the second layer after, where it is not 1.
    The doors are `jax`, `onnx`, `keras`; `built` with Keras itself; of PyTorch `pt2`, `trace`, `script`, `legacy`,
    `dynamo` (exporters of ONNX). No doors are `run` and `reference`: of networks that cannot be run at all, or not by
    ONNX's evaluator.
    """

    make: Callable[[Program], Program]
    pairs: str
    without: dict[str, str]

    @property
    def program(self) -> Program:
        return self.make(Program())


DOORS: dict[str, Door] = {}


def pairs(*stated: str, **without: str):
    """Enters a network in the list."""

    def enter(make):
        DOORS[make.__name__] = Door(make, ", ".join(stated), without)
        return make

    return enter


@pairs("0 2 1 1 1 2, 2 4 2 1 2 1", built="Keras refuses a stride with a dilation")
def chain(n):
    x = n.act(n.conv(n.input(3, 20, 20), "0", 4))
    return n.ends(n.conv(n.act(n.conv(x, "2", 5, stride=2, dilation=2)), "4", 2, 1))


@pairs("0 3 1 2, 3 6 1 2")
def generator(n):
    x = n.act(n.norm(n.up(n.input(7, 2, 2), "0", 6, stride=1)))
    x = n.act(n.norm(n.up(x, "3", 4, pad=1)))
    return n.ends(n.act(n.up(x, "6", 3, pad=1), "tanh"))


@pairs("0 2 2 1, 2 5 2 1")
def discriminator(n):
    x = n.act(n.conv(n.input(3, 16, 16), "0", 4, 4, stride=2, pad=1), "leaky")
    x = n.act(n.norm(n.conv(x, "2", 6, 4, stride=2, pad=1)), "leaky")
    return n.ends(n.conv(x, "5", 1, 4))


@pairs("e1 e2 2 1, d1 d2 1 2")
def vae(n):
    x = n.act(n.conv(n.input(3, 16, 16), "e1", 4, 4, stride=2, pad=1))
    x = n.act(n.conv(x, "e2", 6, 4, stride=2, pad=1))
    x = n.dense(n.dense(x, "mean", 5), "dense", 6, 4, 4)
    return n.ends(n.act(n.up(n.act(n.up(x, "d1", 4, pad=1)), "d2", 3, pad=1), "sigmoid"))


# What reaches the later blocks: the stem along the sums, halved by its stride and the pooling, and every block.
@pairs(
    *(f"layers_{k}_a layers_{k}_b {2 if k == 2 else 1} 1" for k in range(4)),
    "stem layers_0_a 4 1, stem layers_1_a 4 1, stem layers_2_a 4 1, stem layers_2_side 4 1",
    "layers_0_b layers_1_a 1 1, layers_0_b layers_2_a 1 1, layers_0_b layers_2_side 1 1",
    "layers_1_b layers_2_a 1 1, layers_1_b layers_2_side 1 1",
    "layers_2_b layers_3_a 1 1, layers_2_side layers_3_a 2 1",
    keras="the pooling has padding that Keras does not have",
)
def resnet(n):
    """The stem and blocks of a ResNet-18, two stages of two blocks."""
    x = n.act(n.norm(n.conv(n.input(3, 32, 32), "stem", 4, 7, stride=2, pad=3)))
    x = n.pool(x, 3, 2, 1, "max")
    for k, (out, stride) in enumerate([(4, 1), (4, 1), (6, 2), (6, 1)]):
        y = n.act(n.norm(n.conv(x, f"layers_{k}_a", out, stride=stride, pad=1)))
        y = n.norm(n.conv(y, f"layers_{k}_b", out, pad=1))
        x = n.act(n.add(y, n.conv(x, f"layers_{k}_side", out, 1, stride=2) if stride > 1 else x))
    return n.ends(n.dense(n.mean(x), "fc", 2))


@pairs("a b 2 1, b c 2 1, c up1 1 2, up1 d 1 1, b d 1 1, d up2 1 2, up2 e 1 1, a e 1 1, e out 1 1")
def unet(n):
    a = n.act(n.conv(n.input(3, 16, 16), "a", 4, pad=1))
    b = n.act(n.conv(n.pool(a, kind="max"), "b", 6, pad=1))
    c = n.act(n.conv(n.pool(b, kind="max"), "c", 8, pad=1))
    d = n.act(n.conv(n.concat(n.up(c, "up1", 6, 2), b), "d", 6, pad=1))
    e = n.act(n.conv(n.concat(n.up(d, "up2", 4, 2), a), "e", 4, pad=1))
    return n.ends(n.conv(e, "out", 2, 1))


@pairs("stem wide 2 1, wide deep 1 1, deep narrow 1 1, stem deep2 2 1, narrow deep2 1 1, deep2 last 2 1")
def mobile(n):
    x = n.act(n.norm(n.conv(n.input(3, 16, 16), "stem", 4, stride=2, pad=1)), "relu6")
    h = n.act(n.norm(n.conv(x, "wide", 8, 1)), "relu6")
    h = n.act(n.norm(n.conv(h, "deep", 8, pad=1, groups=8)), "relu6")
    x = n.add(x, n.norm(n.conv(h, "narrow", 4, 1)))
    x = n.act(n.conv(x, "deep2", 4, 5, stride=2, pad=2, groups=4), "hardswish")
    return n.ends(n.mean(n.conv(x, "last", 6, 1)))


@pairs(
    "stem a 1 1, stem b 1 1, a b 1 1, stem squeeze 1 1, a squeeze 1 1, b squeeze 1 1",
    "squeeze one 2 1, squeeze wide 2 1, squeeze side 2 1, one last 1 1, wide last 1 1, side last 1 1",
)
def dense(n):
    """Layers that see all before them, then branches side by side as in Inception."""
    x = n.conv(n.input(3, 16, 16), "stem", 4, pad=1)
    x = n.concat(x, n.conv(n.act(x), "a", 2, pad=1))
    x = n.concat(x, n.conv(n.act(x), "b", 2, pad=1))
    x = n.pool(n.conv(n.act(x), "squeeze", 4, 1))
    sides = n.conv(x, "one", 2, 1), n.conv(x, "wide", 3, 5, pad=2), n.conv(n.pool(x, 3, 1, 1), "side", 2, 1)
    return n.ends(n.conv(n.act(n.concat(*sides)), "last", 2))


@pairs("a b 1 2, b c 1 2")
def resized(n):
    x = n.dense(n.input(8), "dense", 4, 4, 4)
    x = n.act(n.conv(n.resize(x, 2), "a", 5, pad=1))
    x = n.act(n.conv(n.resize(x, 2), "b", 4, pad=1))
    return n.ends(n.act(n.conv(n.resize(x, 2, "bilinear"), "c", 3, pad=1), "tanh"))


# Each mix takes the two halves of its gate as two pairs.
@pairs(
    "start gates_0 1 1, gates_0 mixes_0 1 1, gates_0 mixes_0 1 1",
    "start gates_1 1 1 1 2, mixes_0 gates_1 1 1 1 2, gates_1 mixes_1 1 1 2 1, gates_1 mixes_1 1 1 2 1",
    "mixes_0 end 1 1, mixes_1 end 1 1",
)
def wavenet(n):
    x, skips = n.conv(n.input(1, 16), "start", 4, 1), []
    for k in range(2):
        gate = n.conv(x, f"gates_{k}", 8, 2, dilation=2**k)
        gated = n.mul(n.act(n.cut(gate, 0, 4), "tanh"), n.act(n.cut(gate, 4, 8), "sigmoid"))
        mixed = n.conv(gated, f"mixes_{k}", 7, 1)
        x = n.add(n.cut(mixed, 0, 4), n.pad(x, [(-(2**k), 0)]))
        skips.append(n.cut(mixed, 4, 7))
    return n.ends(n.conv(n.act(n.add(n.pad(skips[0], [(-2, 0)]), skips[1])), "end", 2, 1))


@pairs("pre up 1 4, up blocks_0 1 1, up blocks_1 1 1 1 3, blocks_0 post 1 1, blocks_1 post 1 1 3 1, up post 1 1")
def hifi(n):
    x = n.up(n.act(n.conv(n.input(5, 12), "pre", 4, 7, pad=3), "leaky"), "up", 2, 8, stride=4, pad=2)
    blocks = [n.add(n.conv(n.act(x, "leaky"), f"blocks_{k}", 2, pad=d, dilation=d), x) for k, d in enumerate((1, 3))]
    return n.ends(n.act(n.conv(n.act(n.scale(n.add(*blocks), 0.5), "leaky"), "post", 1, 7, pad=3), "tanh"))


@pairs("0 3 2 1, 3 4 1 2, 4 6 1 2")
def volume(n):
    x = n.conv(n.pool(n.norm(n.conv(n.input(1, 8, 8, 8), "0", 3, pad=1)), kind="max"), "3", 4)
    return n.ends(n.conv(n.resize(n.up(x, "4", 3, 2), 2), "6", 1, 1))


@pairs("stem a 1 1, a b 2 1, stem c 2 1, b c 1 1")
def shortcut(n):
    """Of a ResNet for CIFAR (option A): every second place, and channels of zeros."""
    x = n.act(n.conv(n.input(3, 16, 16), "stem", 4, pad=1))
    y = n.conv(n.act(n.conv(x, "a", 8, stride=2, pad=1)), "b", 8, pad=1)
    return n.ends(n.conv(n.act(n.add(y, n.pad_channels(n.every(x, 2), 2, 2))), "c", 3))


@pairs("a b 1 1, a b 1 1, b c 1 1, b c 1 1, b c 1 1, c d 1 1, c d 1 1")
def folds(n):
    """Sums, means and extremes over one of two channel axes: so many branches that are added."""
    x = n.fold(n.conv(n.input(3, 12, 12), "a", 8), 2, first=True)
    x = n.fold(n.conv(n.act(x), "b", 6), 2, first=False, kind="mean")
    return n.ends(n.conv(n.fold(n.conv(x, "c", 4), 2, first=True, kind="max"), "d", 3))


@pairs(
    "c d 1 1",
    run="gigabytes",
    trace="PyTorch runs what it traces",
    legacy="PyTorch runs what it traces",
)
def flood(n):
    """Upsampling by 64 twice, whose filter would have 4,033 x 4,033 taps."""
    x = n.conv(n.resize(n.resize(n.conv(n.input(1, 6, 6), "a", 2), 64), 64), "b", 1, 1)
    return n.ends(n.conv(n.conv(n.pool(x, 4096), "c", 2, 1), "d", 1, 1))


@pairs("a b 1 1, b c 1 1, c d 1 1")
def shufflenet(n):
    x = n.shuffle(n.conv(n.input(4, 10, 10), "a", 6, 1, groups=2), 3)
    x = n.shuffle(n.conv(n.act(x), "b", 6, groups=6), 2)
    return n.ends(n.conv(n.act(n.conv(x, "c", 4, 1, groups=2)), "d", 3))


@pairs("a b 1 1, b c 1 1, c d 1 1")
def subpixel(n):
    """A convolution and a pixel shuffle are one transposed convolution."""
    x = n.conv(n.input(2, 6, 6), "a", 8, pad=1)
    x = n.conv(n.act(n.pixel_shuffle(x, 2)), "b", 12, pad=1)
    return n.ends(n.conv(n.act(n.conv(n.pixel_shuffle(x, 2), "c", 4)), "d", 1))


@pairs("a b 1 1, b c 1 2")
def subpixel_line(n):
    x = n.pixel_shuffle(n.conv(n.input(2, 8), "a", 6, pad=1), 3)
    return n.ends(n.up(n.act(n.conv(x, "b", 4)), "c", 1))


@pairs("b c 1 1")
def unshuffled(n):
    """Places that become channels are filtered each by its own part of a kernel: no pair reaches across."""
    x = n.pixel_unshuffle(n.conv(n.input(2, 8, 8), "a", 3, pad=1), 2)
    return n.ends(n.conv(n.act(n.conv(x, "b", 4)), "c", 1, 1))


@pairs("a b 1 1, squeeze excite 1 1")
def squeeze_and_excitation(n):
    x = n.act(n.conv(n.input(3, 9, 9), "a", 6))
    gate = n.act(n.conv(n.act(n.conv(n.mean(x), "squeeze", 2, 1)), "excite", 6, 1), "sigmoid")
    return n.ends(n.conv(n.mul(x, gate), "b", 3))


@pairs("a b 1 1, c d 1 1")
def flips(n):
    """Of channels a pair knows the order; a kernel on space in reverse is another."""
    x = n.conv(n.flip(n.conv(n.input(3, 10, 10), "a", 4)), "b", 3)
    return n.ends(n.conv(n.conv(n.flip(x, 1), "c", 4), "d", 2, 1))


@pairs("a b 1 1, b c 1 1")
def gathers(n):
    x = n.conv(n.take(n.conv(n.input(3, 10, 10), "a", 4), [3, 0, 2, 1, 1, 3]), "b", 6)
    return n.ends(n.conv(n.cut(n.act(x), 5, 0, -2), "c", 2))


@pairs("a b 2 1, b c 1 1, c d 2 1")
def margins(n):
    """Padding of another width before and after, of other places and of zeros, and cropping."""
    x = n.conv(n.input(3, 16, 16), "a", 4, stride=2, pad=[(0, 1), (0, 1)])
    x = n.conv(n.pad(x, [(2, 1), (0, 2)], "reflect"), "b", 4)
    x = n.conv(n.pad(x, [(1, 0), (0, 1)], "edge"), "c", 4, stride=2)
    return n.ends(n.conv(n.pad(n.pad(x, [(-1, 0), (0, -1)]), [(0, 2), (1, 1)]), "d", 2))


@pairs(
    "a b 1 2 1 2, b c 1 3 2 1, c d 1 1",
    keras="transposed convolutions in groups, or with a dilation",
    reference="ONNX's evaluator has no groups of these",
)
def transposed(n):
    """In groups, with a dilation, with places added at the end."""
    x = n.up(n.conv(n.input(2, 5, 5), "a", 4), "b", 6, 3, dilation=2, groups=2, pad=1, more=1)
    x = n.up(n.act(x), "c", 6, (3, 4), stride=3, groups=3, more=(0, 1))
    return n.ends(n.conv(x, "d", 2))


@pairs("a b 1 2, b c 1 3")
def transposed_plain(n):
    """Kernels smaller than the stride, and places added at the end."""
    x = n.up(n.conv(n.input(2, 5, 5), "a", 4), "b", 3, 3, pad=1, more=1)
    return n.ends(n.up(x, "c", 2, 2, stride=3, more=1))


@pairs("a b 2 1, b c 1 1, c d 2 1, d e 3 1")
def pools(n):
    x = n.pool(n.conv(n.input(3, 32, 32), "a", 4, pad=1))
    x = n.pool(n.conv(n.act(x), "b", 4, pad=1), 3, 1, 1)
    x = n.pool(n.conv(x, "c", 4, pad=1), 3, 2, 1)
    return n.ends(n.conv(n.pool(n.conv(n.act(x), "d", 4), 2, 3), "e", 2, 1))


@pairs("a b 1 2, b c 1 3, c d 1 2, d e 1 3, e f 2 1")
def resizes(n):
    x = n.conv(n.resize(n.conv(n.input(2, 2, 2), "a", 2, pad=1), 2, by="size"), "b", 3, pad=1)
    x = n.conv(n.resize(x, 3), "c", 2, pad=1)
    x = n.conv(n.resize(x, 2, "bilinear", by="size"), "d", 2, pad=1)
    x = n.conv(n.resize(x, 3, "bilinear"), "e", 2, pad=1)
    return n.ends(n.conv(n.resize(x, down=2, mode="bilinear"), "f", 1, 1))


_OPEN = "a file of TorchScript states no sizes, and one that is smaller says nothing of the size before"


@pairs(
    "a b 2 1, b c 2 1", trace=_OPEN, script=_OPEN, legacy="the exporter does not know the nearest place as JAX has it"
)
def smaller(n):
    x = n.conv(n.resize(n.conv(n.input(2, 16, 16), "a", 2, pad=1), down=2, mode="bilinear", by="size"), "b", 3, pad=1)
    return n.ends(n.conv(n.resize(x, down=2, by="size"), "c", 2))


_CUBIC = "the coefficient of PyTorch's bicubic is another"


@pairs("a b 1 2", pt2=_CUBIC, trace=_CUBIC, script=_CUBIC, legacy=_CUBIC, dynamo=_CUBIC)
def bicubic(n):
    return n.ends(n.conv(n.resize(n.conv(n.input(2, 10, 10), "a", 3), 2, "bicubic"), "b", 2))


@pairs("a w 1 1, w w 1 1, w b 1 1")
def shared(n):
    """Weights that are used twice."""
    x = n.act(n.conv(n.act(n.conv(n.input(2, 9, 9), "a", 3)), "w", 3, pad=1))
    return n.ends(n.conv(n.act(n.conv(x, "w", 3, pad=1)), "b", 2))


@pairs("a b 1 1, a c 2 1, b d 1 1")
def two_outputs(n):
    x = n.act(n.conv(n.input(2, 10, 10), "a", 4))
    y = n.conv(x, "b", 3, 1)
    return n.ends(n.conv(n.act(y), "d", 1), n.conv(n.pool(x), "c", 2))


@pairs("a b 1 1, z b 2 1, b c 1 1")
def late(n):
    """An input that joins late, beside the value and through a layer of its own."""
    x, z = n.input(2, 10, 10), n.input(3, 16, 16)
    x = n.concat(n.conv(x, "a", 4), n.conv(z, "z", 2, stride=2, pad=1))
    y = n.pad(n.pool(z), 0)
    return n.ends(n.conv(n.act(n.conv(n.concat(y, x), "b", 3)), "c", 2))


@pairs("a b 1 1, b c 1 1, c d 1 1")
def norms(n):
    """Group and instance norms, which some exporters write with reshapes."""
    x = n.act(n.group_norm(n.conv(n.input(3, 10, 10), "a", 4), 2), "silu")
    x = n.act(n.group_norm(n.conv(x, "b", 4), 4))
    return n.ends(n.conv(n.group_norm(n.conv(x, "c", 3), 1), "d", 2))


@pairs("a b 1 1, b c 1 1")
def flattened(n):
    """A reshape that mixes space and channels, and back, with an activation between."""
    return n.ends(n.conv(n.flat(n.conv(n.flat(n.conv(n.input(2, 8, 8), "a", 3)), "b", 4), "tanh"), "c", 2))


@pairs("a b 1 1")
def flattened_line(n):
    """In one dimension, with the channels last, that is no pixel shuffle."""
    return n.ends(n.conv(n.flat(n.conv(n.input(2, 8), "a", 3)), "b", 4))


@pairs("a b 1 1, a b 1 1, a c 1 1, b c 1 1, c d 1 1, d h 1 1, d f 1 1")
def one_place(n):
    """Without space, where sizes alone do not tell the axes apart: pooling changes nothing, and channels go on."""
    x = n.conv(n.mean(n.input(4, 6, 6)), "a", 2, 1)
    y = n.mul(n.act(n.cut(x, 0, 1), "tanh"), n.act(n.cut(x, 1, 2), "sigmoid"))
    x = n.conv(n.shuffle(n.add(x, n.conv(n.mean(y), "b", 2, 1)), 1), "c", 4, 1)
    x = n.mean(n.act(n.fold(n.conv(n.shuffle(x, 4), "d", 4, 1), 1, first=True)))
    # One place that is copied, and all but one that are cut off, are no filters.
    z = n.pad(n.conv(n.resize(x, 3), "e", 3, pad=1), -1)
    h = n.resize(n.conv(x, "h", 2, 1), 2)
    return n.ends(n.conv(z, "g", 1, 1), n.conv(x, "f", 3, 1), n.conv(h, "i", 1, 1))


@pairs("b c 1 1, b d 1 1, c d 1 1")
def gate_of_one_place(n):
    """Where a mean of one place takes its axis away and puts it back, that is none of space, and meets one that is."""
    x = n.mean(n.conv(n.mean(n.conv(n.input(2, 8), "a", 4, pad=1)), "b", 1, 1))
    gate = n.act(n.conv(n.mean(x), "c", 1, 1), "sigmoid")
    return n.ends(n.conv(n.mul(x, gate), "d", 2, 1))


@pairs(
    "a b 1 1, a c 1 1, b d 1 1, c d 1 1",
    keras="a functional model has no branches",
    trace="a trace has one of the branches",
    legacy="a trace has one of the branches",
    script="the code that torch.fx writes has no branches",
)
def branches(n):
    """One of two layers, by what the input is: both are followed."""
    x = n.either(n.act(n.conv(n.input(2, 9, 9), "a", 3)), "b", "c", 4)
    return n.ends(n.conv(n.act(x), "d", 2))
