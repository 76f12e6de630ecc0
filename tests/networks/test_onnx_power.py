"""Operators of ONNX: that a pair means what the graph computes."""

import numpy as np
import pytest
from onnx_net import Net, kernel, shuffled

import sicjax.sdr as sdr

LENGTH = 36


def resize(mode, factor, place="half_pixel", **settings):
    def between(net, x):
        settings["coordinate_transformation_mode"] = place
        return net.op("Resize", x, "", net.floats(1, 1, factor), mode=mode, **settings)

    return between


def of_all_places(mode):
    """A mean as a sum, as below."""
    return lambda net, x: net.op("Mul", resize(mode, 0.5, antialias=1)(net, x), net.floats(2))


def pooled(size, **settings):
    """Average pooling as a sum, which is the filter that is folded in."""
    return lambda net, x: net.op("Mul", net.op("AveragePool", x, kernel_shape=[size], **settings), net.floats(size))


def swapped(net, x):
    a, b = net.op("Split", x, net.ints(2, 2), outputs=2, axis=1)
    return net.op("Concat", b, a, axis=1)


def some_channels(net, x):
    x = net.op("Slice", x, net.ints(1), net.ints(3), net.ints(1))
    return net.op("Pad", x, net.ints(0, 1, 0, 0, 1, 0))


def turned_channels(net, x):
    return net.op("Slice", x, net.ints(-1), net.ints(-9), net.ints(-2), net.ints(-1))


def padded_along_one_axis(net, x):
    return net.op("Pad", x, net.ints(3, 2), "", net.ints(-1), mode="reflect")


def moved(net, x):
    return net.op("Transpose", net.op("Neg", net.op("Transpose", x, perm=[0, 2, 1])), perm=[0, 2, 1])


def repeated(net, x):
    x = net.op("Expand", net.op("Unsqueeze", x, net.ints(3)), net.ints(1, 1, 1, 2))
    return net.op("Reshape", x, net.ints(0, 0, -1))


BETWEEN = {
    "nothing": lambda net, x: x,
    "average pooling": pooled(2, strides=[2]),
    "average pooling in place": pooled(3, pads=[1, 1]),
    "nearest by 2": resize("nearest", 2, "asymmetric"),
    "linear by 2": resize("linear", 2),
    "linear by 3": resize("linear", 3),
    "linear from the first place": resize("linear", 2, "asymmetric"),
    "nearest by a half": resize("nearest", 0.5, "asymmetric"),
    "linear by a half": resize("linear", 0.5),
    "linear by a half of all places": of_all_places("linear"),
    "linear by a third": resize("linear", 1 / 3),
    "cubic by 2": resize("cubic", 2),
    "cubic by 2 with another coefficient": resize("cubic", 2, "pytorch_half_pixel", cubic_coeff_a=-0.5),
    "cubic by a half": resize("cubic", 0.5),
    "cubic by a half of all places": of_all_places("cubic"),
    "repeated": repeated,
    "every third": lambda net, x: net.op("Slice", x, net.ints(0), net.ints(1000), net.ints(2), net.ints(3)),
    "channels swapped": swapped,
    "channels shuffled": shuffled,
    "channels turned round": turned_channels,
    "channels gathered": lambda net, x: net.op("Gather", x, net.ints(3, 1, 0, 2), axis=1),
    "some channels": some_channels,
    "in another layout": moved,
    "a window": lambda net, x: net.op("Slice", x, net.ints(3), net.ints(-2), net.ints(2)),
    "padded along one axis": padded_along_one_axis,
    "padding": lambda net, x: net.op("Pad", x, net.ints(0, 0, 2, 0, 0, 1)),
}
LAYERS = {
    "plain": ({}, {}),
    "extractive, dilated": ({"strides": [2]}, {"dilations": [2]}),
    "generative, dilated": ({"dilations": [2]}, {"up": 2, "dilations": [2]}),
    "turning": ({"strides": [2]}, {"up": 2}),
}
CASES = [(between, "plain") for between in BETWEEN]
CASES += [(between, layers) for between in ("nothing", "average pooling", "nearest by 2") for layers in LAYERS]


def layer(net, x, weight, path, up=0, **attributes):
    """A convolution with room on both sides; `weight` is `OIW`."""
    reach = (weight.shape[2] - 1) * attributes.get("dilations", [1])[0]
    if not up:
        return net.conv(x, weight, path, pads=[reach, reach], **attributes)
    return net.conv(x, np.swapaxes(weight, 0, 1), path, "ConvTranspose", strides=[up], **attributes)


def check_power(folder, net, out, *, size, period=None):
    """White noise in; ONNX's reference implementation says what comes out, summed over all places that it came from.

    Arguments:
        size: of the input, along each axis.
        period: after how many places out the power repeats; by default the cascade's expansion.
    """
    from onnx.reference import ReferenceEvaluator

    model = net.model(out)
    pair = net.read(folder, out).pairs[0].cascade
    axes = len(pair.up)
    i, o = 3, 1
    impulses = np.zeros((size**axes, 4, *[size] * axes), np.float32)
    impulses[:, i] = np.eye(size**axes).reshape(-1, *[size] * axes)
    (response,) = ReferenceEvaluator(model).run(None, {"x": impulses})
    power = (np.asarray(response, np.float64)[:, o] ** 2).sum(0)
    for axis, n in enumerate(period or pair.up):
        middle = (power.shape[axis] - n) // 2
        power = power.take(range(middle, middle + n), axis)
    a, b = (np.asarray(k, np.float64) for k in (pair.first, pair.second))
    (alone,) = np.flatnonzero(np.any(a, axis=tuple(range(axes + 1))))
    rho = sdr.reference.ratios(pair)[i, alone, o]
    predicted = rho * (a[..., i, alone] ** 2).sum() * (b[..., alone, o] ** 2).sum() / power.size
    np.testing.assert_allclose(power.mean(), predicted, rtol=1e-4)


@pytest.mark.parametrize("between, layers", dict.fromkeys(CASES))
def test_a_pair_predicts_the_power_that_the_graph_puts_out(tmp_path, between, layers):
    first, second = LAYERS[layers]
    k1, k2 = kernel(4, 4, 5), kernel(4, 4, 4)
    k1[np.arange(4) != 2] = 0
    net = Net(("n", 4, "w"))
    out = layer(net, BETWEEN[between](net, layer(net, "x", k1, "a", **first)), k2, "b", **second)
    check_power(tmp_path, net, out, size=LENGTH)


@pytest.mark.parametrize("mode, of_channel", [("DCR", slice(1, None, 2)), ("CRD", slice(4, None))])
def test_a_pixel_shuffle_predicts_the_power_too(tmp_path, mode, of_channel):
    """Eight channels become two, of which one is left."""
    weight = kernel(8, 4, 3, 3)
    kept = weight[of_channel].copy()
    weight[:] = 0
    weight[of_channel] = kept
    net = Net(("n", 4, "h", "w"))
    x = net.op("DepthToSpace", net.conv("x", weight, "a", pads=[1] * 4), blocksize=2, mode=mode)
    check_power(tmp_path, net, net.conv(x, kernel(3, 2, 3, 3), "b", pads=[1] * 4), size=8, period=(2, 2))
