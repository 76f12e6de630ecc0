"""Traced networks: that a pair means what it says, by the power of the network's output under white noise."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.signal
from trace_net import LENGTH, RNG, average_pool, conv, kernel, resize

import sicjax.sdr as sdr
from sicjax import networks


def split_and_swap(x):
    a, b = jnp.split(x, 2, axis=-1)
    return jnp.concatenate([b, a], axis=-1)


def shuffle(x):
    n, length, c = x.shape
    return x.reshape(n, length, 2, c // 2).transpose(0, 1, 3, 2).reshape(n, length, c)


BETWEEN = {
    "nothing": lambda x: x,
    "average pooling": average_pool,
    "nearest by 2": resize("nearest", 2),
    "repeat by 3": lambda x: jnp.repeat(x, 3, axis=1),
    "linear by 2": resize("linear", 2),
    "linear by 3": resize("linear", 3),
    "cubic by 2": resize("cubic", 2),
    "zeros between": lambda x: jax.lax.pad(x, 0.0, ((0, 0, 0), (0, 0, 2), (0, 0, 0))),
    "every third": lambda x: x[:, ::3],
    "zeros between, then every second": lambda x: jax.lax.pad(x, 0.0, ((0, 0, 0), (0, 0, 3), (0, 0, 0)))[:, ::2],
    "channels in another order": lambda x: x[..., jnp.array([3, 1, 0, 2])],
    "channels swapped": split_and_swap,
    "channels shuffled": shuffle,
    "channels turned round": lambda x: x[..., ::-1],
    "channels rolled": lambda x: jnp.roll(x, 1, axis=-1),
    "channels repeated": lambda x: jnp.repeat(x, 2, axis=-1)[..., 1::2],
    "channels tiled": lambda x: jnp.tile(x, (1, 1, 2))[..., 3:7],
    "channels stacked": lambda x: jnp.stack([x, x], axis=-1).reshape(*x.shape[:2], 8)[..., 1::2],
    "no gradient": jax.lax.stop_gradient,
    "some channels": lambda x: jnp.pad(x[..., 1:3], ((0, 0), (0, 0), (1, 1))),
    "in another layout": lambda x: jnp.moveaxis(-jnp.moveaxis(x, 1, 2), 2, 1),
    "a window": lambda x: x[:, 3:-2],
    "nothing put beside it": lambda x: jnp.pad(x, ((0, 0), (2, 3), (0, 0)), mode="edge")[:, 2:-3],
}
LAYERS = {
    "plain": ({}, {}),
    "extractive": ({"stride": 2}, {}),
    "generative": ({}, {"up": 2}),
    "turning": ({"stride": 2}, {"up": 2}),
    "turning by 3 and 2": ({"stride": 3}, {"up": 2}),
    "turning by 2 and 3": ({"stride": 2}, {"up": 3}),
    "extractive by 3": ({"stride": 3}, {}),
    "generative by 3": ({}, {"up": 3}),
    "outer strides do not count": ({"up": 2}, {}),
}
DILATIONS = {"": (1, 1), "first dilated": (2, 1), "second dilated": (1, 2), "both dilated": (2, 3)}
GROUPS = {"": (1, 1), "groups": (2, 2), "groups, then none": (2, 1), "depthwise, then pointwise": (4, 1)}
GROUPS |= {"pointwise, then depthwise": (1, 4), "depthwise twice": (4, 4)}
SETTINGS = [(layers, dilations, "") for layers in LAYERS for dilations in DILATIONS]
SETTINGS += [(layers, "both dilated", groups) for layers in list(LAYERS)[:4] for groups in GROUPS]


def responses(apply, i, o):
    """What every output place gets from every input place, from input channel `i` to output channel `o`."""
    impulses = jnp.zeros((LENGTH, LENGTH, 4)).at[jnp.arange(LENGTH), jnp.arange(LENGTH), i].set(1)
    return np.asarray(apply(impulses)[:, :, o], np.float64).T


def composite(pair, a, b):
    """The filter that the two kernels of a pathway make together."""
    grow = lambda taps, step: np.ravel([[t] + [0] * (step - 1) for t in taps])[: (len(taps) - 1) * step + 1]
    a = grow(grow(a, pair.first_dilation[0]), pair.up[0])
    b = grow(grow(b, pair.second_dilation[0]), pair.down[0])
    return np.convolve(a, b)


def assert_pair_means_what_it_says(apply, pair, i, o, expanded=1):
    """`rho` of a pair predicts the power of the linear network's output under white noise, every direction.

    Where the pair has a composite filter, the network's response to an impulse is that filter. `expanded`: by the
    stride of a transposed first layer, which belongs to no pair.
    """
    response = responses(apply, i, o)
    first, second = (np.asarray(k, np.float64) for k in (pair.first, pair.second))
    alone = [m for m in range(first.shape[-1]) if np.any(first[..., m])]
    assert len(alone) == 1, "one intermediate channel at a time"
    m = alone[0]
    a, b = first[:, i % first.shape[-2], m], second[:, m, o % second.shape[-1]]
    power = (response**2).sum(1)
    period = int(np.lcm(pair.up[0], 6))
    middle = len(power) // 2 // period * period
    rho = sdr.reference.ratios(sdr.Cascade(a[:, None, None], b[:, None, None], *_settings(pair))).item()
    predicted = rho * (a**2).sum() * (b**2).sum() / (pair.up[0] * expanded)
    np.testing.assert_allclose(power[middle : middle + period].mean(), predicted, rtol=1e-4)
    if pair.direction != "turning":
        line = response[middle] if pair.down[0] > 1 else response[:, LENGTH // 2]
        shape = lambda x: np.trim_zeros(np.where(np.abs(x) < 1e-6, 0, x))
        found, expected = shape(line), shape(composite(pair, a, b))
        assert min(np.abs(found - s * e).max() for e in (expected, expected[::-1]) for s in (1, -1)) < 1e-4


def _settings(pair):
    return pair.down, pair.up, pair.first_dilation, pair.second_dilation


def one_channel(k1, m):
    return jnp.where(jnp.arange(k1.shape[-1]) == m, k1, 0)


@pytest.mark.parametrize("layers, dilations, groups", dict.fromkeys(SETTINGS))
def test_every_direction_stride_dilation_and_group(layers, dilations, groups):
    settings = [
        setting | {"dilation": dilation, "groups": group}
        for setting, dilation, group in zip(LAYERS[layers], DILATIONS[dilations], GROUPS[groups], strict=True)
    ]
    first, second = settings
    k1, k2 = kernel(5, 4 // first["groups"], 4), kernel(4, 4 // second["groups"], 4)
    apply = lambda params, x: conv(conv(x, params[0], **first), params[1], **second)
    # The last channel of each group is reached from within that group alone.
    i, m, o = 3, 3, 3
    params = one_channel(k1, m), k2
    (pair,) = networks.from_function(apply, params, jnp.zeros((1, LENGTH, 4))).pairs
    assert pair.cascade.shape == (4 // first["groups"], 4, 4 // second["groups"])
    assert (pair.first.groups, pair.second.groups) == (first["groups"], second["groups"])
    expanded = first.get("up", 1)
    assert_pair_means_what_it_says(lambda x: apply(params, x), pair.cascade, i, o, expanded)


def test_groups_have_the_ratios_of_their_parts():
    k1, k2 = kernel(5, 2, 4), kernel(4, 2, 4)
    apply = lambda params, x: conv(conv(x, params[0], groups=2), params[1], groups=2)
    rho = sdr.ratios(networks.from_function(apply, (k1, k2), jnp.zeros((1, LENGTH, 4))).pairs[0].cascade)
    parts = [sdr.ratios(sdr.Cascade(k1[..., half], k2[..., half])) for half in (slice(0, 2), slice(2, 4))]
    np.testing.assert_allclose(rho, np.concatenate(parts, axis=1), atol=1e-6)


@pytest.mark.parametrize("layers", ["plain", "extractive", "generative"])
@pytest.mark.parametrize("between", BETWEEN)
def test_what_lies_between_is_folded_in(between, layers):
    if between == "channels stacked" and jax.__version_info__ < (0, 9):
        pytest.skip("JAX before 0.9 writes a stack as copies put side by side, where the chain ends, with a reason")
    first, second = LAYERS[layers]
    k1, k2 = kernel(4, 4, 4), kernel(4, 4, 4)
    apply = lambda params, x: conv(BETWEEN[between](conv(x, params[0], **first)), params[1], **second)
    for m in (1, 2):
        params = one_channel(k1, m), k2
        (pair,) = networks.from_function(apply, params, jnp.zeros((1, LENGTH, 4))).pairs
        assert_pair_means_what_it_says(lambda x, p=params: apply(p, x), pair.cascade, 3, 0)


@pytest.mark.parametrize("dilation", [1, 2])
def test_a_pixel_shuffle_makes_a_transposed_convolution(dilation):
    k1, k2 = kernel(5, 4, 8), kernel(4, 4, 4)

    def apply(params, x):
        x = conv(x, params[0], dilation=dilation)
        n, length, c = x.shape
        x = x.reshape(n, length, c // 2, 2).transpose(0, 1, 3, 2).reshape(n, 2 * length, c // 2)
        return conv(x, params[1])

    for m in (1, 2):
        params = jnp.where(jnp.arange(8) // 2 == m, k1, 0), k2
        (pair,) = networks.from_function(apply, params, jnp.zeros((1, LENGTH, 4))).pairs
        assert pair.cascade.shape == (4, 4, 4)
        assert_pair_means_what_it_says(lambda x, p=params: apply(p, x), pair.cascade, 3, 0, expanded=2)


@pytest.mark.parametrize(
    "between, settings",
    [
        (lambda x: x, {"stride": 2}),
        (lambda x: x, {"groups": 2}),
        (average_pool, {}),
        (resize("nearest", 2), {}),
        (lambda x: jnp.pad(x[..., 1:], ((0, 0), (0, 0), (0, 1))), {}),
    ],
    ids=["a stride", "groups", "pooling", "upsampling", "channels of zeros"],
)
def test_a_pixel_shuffle_of_what_is_no_plain_layer_ends_the_chain(between, settings):
    """Its channels as places would be no one filter of the layer's input."""
    k1 = kernel(3, 4 // settings.get("groups", 1), 8)

    def apply(params, x):
        x = between(conv(x, params[0], **settings))
        n, length, c = x.shape
        x = x.reshape(n, length, c // 2, 2).transpose(0, 1, 3, 2).reshape(n, 2 * length, c // 2)
        return conv(x, params[1])

    net = networks.from_function(apply, (k1, kernel(4, 4, 2)), jnp.zeros((1, LENGTH, 4)))
    assert not net.pairs and "a reshape that mixes space and channels" in str(net.skipped)


def test_a_pixel_shuffle_in_two_dimensions_is_as_its_transposed_convolution():
    k1, k2 = kernel(3, 3, 2, 12), kernel(3, 3, 3, 2)
    shuffled = lambda x: x.reshape(1, 10, 10, 3, 2, 2).transpose(0, 1, 4, 2, 5, 3).reshape(1, 20, 20, 3)
    pool = lambda x: jax.lax.reduce_window(x, 0.0, jax.lax.add, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
    # A kernel's tap t gives place p of a block as the tap 2 t - p of the transposed convolution.
    parts = k1.reshape(3, 3, 2, 3, 2, 2)[..., ::-1, ::-1]
    whole = parts.transpose(0, 4, 1, 5, 2, 3).reshape(6, 6, 2, 3)
    x = jnp.asarray(RNG.normal(size=(1, 8, 8, 2)), jnp.float32)
    same = conv(x, whole, up=2)
    np.testing.assert_allclose(shuffled(conv(x, k1)), same[:, : 2 * 10, : 2 * 10], atol=1e-4)
    for then in (lambda x: x, pool, lambda x: jnp.repeat(x, 2, axis=1)):
        one = lambda p, x, then=then: conv(then(shuffled(conv(x, p[0]))), p[1])
        two = lambda p, x, then=then: conv(then(conv(x, p[0], up=2)), p[1])
        pairs = [networks.from_function(f, (k, k2), x).pairs[0].cascade for f, k in ((one, k1), (two, whole))]
        np.testing.assert_allclose(*map(sdr.ratios, pairs), atol=1e-6)


def test_two_dimensions():
    k1, k2 = kernel(3, 4, 1, 1), kernel(4, 3, 1, 1)

    def apply(params, x):
        x = jax.lax.reduce_window(conv(x, params[0], stride=2), 0.0, jax.lax.add, (1, 2, 2, 1), (1, 1, 1, 1), "VALID")
        return conv(x, params[1])

    (pair,) = networks.from_function(apply, (k1, k2), jnp.zeros((1, 30, 30, 1))).pairs
    line = jax.grad(lambda x: apply((k1, k2), x)[0, 8, 8, 0])(jnp.zeros((1, 30, 30, 1)))[0, :, :, 0]
    first, second = (np.asarray(k, float)[..., 0, 0] for k in (pair.cascade.first, pair.cascade.second))
    wide = np.zeros((7, 5))
    wide[::2, ::2] = second
    expected = scipy.signal.convolve2d(first, wide)
    rows, columns = np.flatnonzero(np.abs(line).sum(1) > 1e-6), np.flatnonzero(np.abs(line).sum(0) > 1e-6)
    found = np.asarray(line)[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    np.testing.assert_allclose(np.sort(found, axis=None)[-10:], np.sort(expected, axis=None)[-10:], atol=1e-4)
    np.testing.assert_allclose(found, expected, atol=1e-4)
