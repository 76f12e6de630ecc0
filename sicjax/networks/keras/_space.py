"""Layers of Keras that change the number of places: pooling, resizing, margins."""

from __future__ import annotations

from collections.abc import Sequence

from sicjax.networks import graph
from sicjax.networks.graph import Flow, Unreachable
from sicjax.networks.keras._call import Call, canonical, rules

# Keras's names of what is between places.
_MODES = {"bilinear": "linear", "bicubic": "cubic"}


@rules("averagepooling# averagepool maxpooling# maxpool")
def _pool(call: Call) -> Flow:
    sizes = call.each("pool_size", 2)
    strides = call.each("strides", sizes)
    reach = [1] * call.rank if call.get("padding") == "same" else sizes
    space = [graph.windowed(n, k, s) for n, k, s in zip(call.space, reach, strides, strict=True)]
    return _pooled(call, space, sizes, strides)


@rules("adaptiveaveragepooling# adaptiveaveragepool adaptivemaxpooling# adaptivemaxpool")
def _adaptive(call: Call) -> Flow:
    """Pooling to a size that is stated: windows of one size where it divides the input's."""
    space = call.each("output_size", 1)
    if any(n % m for n, m in zip(call.space, space, strict=True)):
        raise Unreachable("adaptive pooling with windows of several sizes", shape=call.image(space))
    sizes = [n // m for n, m in zip(call.space, space, strict=True)]
    return _pooled(call, space, sizes, sizes)


def _pooled(call: Call, space: Sequence[int], sizes: Sequence[int], strides: Sequence[int]) -> Flow:
    windows = call.along([(size, stride, 1) for size, stride in zip(sizes, strides, strict=True)])
    return graph.pool(call.graph, call.x, call.image(space), windows, average="max" not in call.kind.lower())


@rules("globalaveragepooling# globalmaxpooling#")
def _global(call: Call) -> Flow:
    keep = call.get("keepdims", default=False)
    return graph.reduce(call.graph, call.x, list(call.along(call.space)), keep=keep, name=call.label)


@rules("mean max min sum prod amax amin var std logsumexp reducemean reducemax reducemin reducesum average")
def _reduced(call: Call) -> Flow:
    """Over some axes; the average of several values is a sum."""
    if len(call.flows) > 1:
        return graph.elementwise(call.graph, call.flows, call.label)
    keep = call.get("keepdims", "keep_dims", default=False)
    return graph.reduce(call.graph, call.x, call.axes, keep=keep, name=call.label)


@rules("upsampling#")
def _upsampling(call: Call) -> Flow:
    return _resized(call, [n * by for n, by in zip(call.space, call.each("size", 2), strict=True)], "nearest")


@rules("resizing resize")
def _resizing(call: Call) -> Flow:
    """To a size that is stated."""
    size = call.get("size", default=[call.get("height"), call.get("width")])
    keeps = call.get("crop_to_aspect_ratio") or call.get("pad_to_aspect_ratio") or call.get("preserve_aspect_ratio")
    if keeps and size[0] * call.space[1] != size[1] * call.space[0]:
        raise Unreachable("a resize that keeps the ratio of the sides", shape=call.image(size))
    return _resized(call, size, "bilinear")


def _resized(call: Call, space: Sequence[int], default: str) -> Flow:
    stated = str(call.get("interpolation", "method", default=default))
    mode = _MODES.get(stated, stated)
    smooth = call.get("antialias", default=False)
    return graph.resize(call.graph, call.x, call.image(space), mode, antialias=smooth, coefficient=-0.5)


@rules("zeropadding# cropping#")
def _margins(call: Call) -> Flow:
    crop = call.kind.startswith("Cropping")
    stated = call.get("cropping" if crop else "padding", default=1)
    margins = [stated] * call.rank if isinstance(stated, int) else [stated] if call.rank == 1 else stated
    pairs = [[m, m] if isinstance(m, int) else m for m in margins]
    return graph.pad(call.x, call.along([[-m for m in pair] for pair in pairs] if crop else pairs))


@rules("centercrop")
def _center(call: Call) -> Flow:
    size = call.get("height"), call.get("width")
    rest = [n - m for n, m in zip(call.space, size, strict=True)]
    if min(rest) < 0:
        raise Unreachable("a crop that first resizes", shape=call.image(size))
    return graph.pad(call.x, call.along([[-(n // 2), n // 2 - n] for n in rest]))


@rules("padimages cropimages")
def _images(call: Call) -> Flow:
    sign, word = (1, "padding") if call.kind.startswith("Pad") else (-1, "cropping")
    pairs = []
    ends = (("top", "bottom", "target_height"), ("left", "right", "target_width"))
    for n, (low, high, target) in zip(call.space, ends, strict=True):
        total = None if call.get(target) is None else sign * (call.get(target) - n)
        low, high = call.get(f"{low}_{word}"), call.get(f"{high}_{word}")
        low = total - high if low is None else low
        pairs.append([sign * low, sign * (total - low if high is None else high)])
    return graph.pad(call.x, call.along(pairs))


@rules("pad padv2")
def _pad(call: Call) -> Flow:
    """Padding of any axes: one width for all, one pair, or a pair for each."""
    widths = call.get("pad_width", "paddings")
    widths = [widths] * 2 if isinstance(widths, int) else widths
    widths = [widths] if isinstance(widths[0], int) else widths
    axes, constant = range(len(call.x.shape)), call.get("mode", default="constant").lower() == "constant"
    margins = dict(zip(axes, widths * len(axes) if len(widths) == 1 else widths, strict=True))
    return graph.pad(call.x, margins, constant_value=constant)


@rules("depthtospace spacetodepth")
def _blocks(call: Call) -> Flow:
    """Pixel shuffle and its inverse."""
    rearrange = graph.depth_to_space if canonical(call.kind).startswith("depth") else graph.space_to_depth
    first = call.get("data_format") != "channels_first"
    if not first:
        call.graph.note(f"{call.kind} with channels first is taken as on JAX and PyTorch; on TensorFlow it is another")
    factors = [call.get("block_size")] * 2
    return rearrange(call.x, factors, channels_last=call.channels_last, blocks_first=first)
