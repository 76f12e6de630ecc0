"""ResNet and VGG, as torchvision and timm have them."""

from __future__ import annotations

import re

from sicjax.networks.graph import Flow
from sicjax.networks.known._walk import Unlike, Walk


def resnet(walk: Walk) -> None:
    """A stem of 7x7 and a pooling, then four stages; all but the first begin with a stride of 2."""
    x = walk.conv(None, "conv1", 2)
    if walk.taps("conv1") != 7:
        raise Unlike("the stem is another one, whose stride is not known")
    x = walk.max_pool(x, 3)
    for stage in range(1, 5):
        for name in walk.blocks(f"layer{stage}"):
            x = _residual(walk, x, name, 2 if stage > 1 and name.endswith(".0") else 1)
    walk.end(x, "global pooling")


def _residual(walk: Walk, x: Flow, name: str, stride: int) -> Flow:
    """Two convolutions, or three of which the second has the stride and the groups, and what goes around them."""
    if walk.has(f"{name}.conv3"):
        y = walk.conv(walk.conv(x, f"{name}.conv1"), f"{name}.conv2", stride, grouped=True)
        y = walk.conv(y, f"{name}.conv3")
    else:
        y = walk.conv(walk.conv(x, f"{name}.conv1", stride), f"{name}.conv2")
    around = f"{name}.downsample.0"
    return walk.add(y, walk.conv(x, around, stride) if walk.has(around) else x)


def vgg(walk: Walk) -> None:
    """Convolutions of 3x3; where a number more lies between two of them than their activations take, a pooling does."""
    numbers = [int(match[1]) for name in walk.names() if (match := re.fullmatch(r"features\.(\d+)", name))]
    numbers.sort()
    apart = [after - before for before, after in zip(numbers, numbers[1:], strict=False)]
    if len(numbers) < 8 or max(apart) - min(apart) != 1 or min(apart) not in (2, 3):
        raise Unlike("the numbers of the layers are others")
    x = None
    for number, step in zip(numbers, [*apart, max(apart)], strict=True):
        x = walk.conv(x, f"features.{number}")
        if walk.taps(f"features.{number}") != 3:
            raise Unlike("a kernel is of another size")
        x = walk.max_pool(x, 2) if step > min(apart) else x
    assert x is not None
    walk.end(x, "a dense layer (classifier.0)")
