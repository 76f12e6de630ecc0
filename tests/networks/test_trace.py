"""Traced networks: that the pairs found are those there are, and what is said of the rest."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from trace_net import LENGTH, RNG, conv, kernel

import sicjax.sdr as sdr
from sicjax import networks
from sicjax._errors import InputError

X = jnp.zeros((1, 32, 32, 3))


def names(apply, params, *inputs):
    return list(networks.from_function(apply, params, *inputs).cascades)


def test_of_two_paths_between_two_layers_the_one_that_ended_is_told():
    params = {"a": kernel(3, 3, 3, 4), "b": kernel(3, 3, 4, 4), "dense": jnp.ones((4, 4)), "all": jnp.ones((144, 144))}

    def beside(p, x):
        x = conv(x, p["a"])
        return conv(x + (x.reshape(1, -1) @ p["all"]).reshape(x.shape), p["b"])

    def gated(p, x):
        x = conv(x, p["a"])
        return conv(x * jax.nn.sigmoid(x.mean((1, 2)) @ p["dense"])[:, None, None], p["b"])

    net = networks.from_function(beside, params, X[:, :4, :4])
    assert list(net.cascades) == ["a to b"] and net.skipped == ()
    assert net.notes == ("a path beside the pairs ends: a dense layer (all), after a",)
    net = networks.from_function(gated, params, X)
    assert list(net.cascades) == ["a to b"] and net.notes == ()


def test_residual_sums_give_a_pair_for_each_way():
    params = {n: kernel(3, 3, 3 if n == "stem" else 8, 8) for n in ("stem", "a", "b", "c")}

    def apply(p, x):
        x = jax.nn.relu(conv(x, p["stem"]))
        y = jnp.pad(conv(jax.nn.relu(conv(x, p["a"])), p["b"]), ((0, 0),) * 4)
        return conv(jax.nn.silu(x + y[:, 2:-2, 2:-2]), p["c"])

    assert names(apply, params, X) == ["stem to a", "a to b", "stem to c", "b to c"]


def test_concatenation_keeps_the_channel_ranges():
    params = {"a": kernel(3, 3, 3, 4), "b": kernel(3, 3, 4, 6), "c": kernel(3, 3, 10, 5)}

    def apply(p, x):
        a = conv(x, p["a"])
        b = conv(a, p["b"])[:, 1:-1, 1:-1]
        return conv(jnp.concatenate([b, a], axis=-1), p["c"])

    net = networks.from_function(apply, params, X)
    assert list(net.cascades) == ["a to b", "b to c", "a to c"]
    np.testing.assert_array_equal(net.cascades["a to c"].second, params["c"][:, :, 6:])
    np.testing.assert_array_equal(net.cascades["b to c"].second, params["c"][:, :, :6])


def test_kernels_are_followed_to_their_parameters():
    """Through casts, weight normalisation, transposition, sharing and what jit, remat and custom rules wrap."""
    params = {"v": kernel(8, 3, 3, 3), "g": kernel(8), "shared": kernel(3, 3, 8, 8), "half": kernel(3, 3, 8, 4)}
    params["half"] = params["half"].astype(jnp.bfloat16)

    @jax.custom_vjp
    def through(x, k):
        return conv(x, k)

    through.defvjp(lambda x, k: (conv(x, k), None), lambda _, g: (g, None))

    def apply(p, x):
        norm = jnp.sqrt((p["v"] ** 2).sum((1, 2, 3), keepdims=True))
        x = conv(x, jnp.transpose(p["v"] * p["g"][:, None, None, None] / norm, (2, 3, 1, 0)))
        x = jax.checkpoint(lambda x: jax.nn.gelu(conv(x, p["shared"])))(x)
        x = jax.jit(lambda x: through(x, p["shared"]))(x)
        return conv(x, p["half"].astype(jnp.float32))

    net = networks.from_function(apply, params, X)
    assert list(net.cascades) == ["v to shared", "shared to shared#2", "shared#2 to half"]
    expected = np.transpose(params["v"] * params["g"][:, None, None, None], (2, 3, 1, 0))
    norm = np.sqrt((np.asarray(params["v"]) ** 2).sum((1, 2, 3)))
    np.testing.assert_allclose(net.cascades["v to shared"].first, expected / norm, rtol=1e-5)
    other = jax.tree.map(lambda leaf: 2 * leaf, params)
    assert jax.jit(lambda p: sdr.moments(net.bind(p)["shared to shared#2"]).mean)(other) > 0
    np.testing.assert_array_equal(net.bind(other)["shared#2 to half"].first, 2 * params["shared"])


def test_an_ensemble_under_vmap_is_one_layer_in_groups():
    params = {"a": kernel(2, 3, 3, 3, 4), "b": kernel(2, 3, 3, 4, 5)}
    apply = lambda p, x: jax.vmap(lambda p: conv(conv(x, p["a"]), p["b"]))(p)
    net = networks.from_function(apply, params, X)
    assert net.cascades["a to b"].shape == (3, 8, 5)
    expected = [sdr.ratios(sdr.Cascade(params["a"][e], params["b"][e])) for e in range(2)]
    np.testing.assert_allclose(sdr.ratios(net.cascades["a to b"]), np.concatenate(expected, axis=1), atol=1e-6)


def test_what_ends_a_chain_is_said():
    params = {"a": kernel(3, 3, 3, 4), "d": kernel(4, 6), "b": kernel(3, 3, 6, 5), "s": kernel(3, 3, 5, 5)}

    def apply(p, x):
        x = conv(conv(x, p["a"]) @ p["d"], p["b"])
        return jax.lax.fori_loop(0, 2, lambda _, x: conv(x, p["s"])[:, 1:-1, 1:-1], x)

    net = networks.from_function(apply, params, X)
    assert not net.pairs and [layer.path for layer in net.layers] == ["a", "b"]
    reasons = dict(net.skipped)
    assert "a dense layer (d)" in reasons["a"] and "a dense layer (d)" in reasons["b"]
    assert any("is inside" in reason and "(3, 3, 5, 5)" in layer for layer, reason in net.skipped)


def test_a_kernel_that_depends_on_the_input_is_said():
    apply = lambda p, x: conv(conv(x, p), jnp.mean(x) * jnp.ones((3, 3, 4, 2)))
    net = networks.from_function(apply, kernel(3, 3, 3, 4), X)
    assert not net.pairs and "whose kernel is computed from the input" in str(net.skipped)


def test_max_pooling_is_its_stride_and_said():
    apply = lambda p, x: conv(
        jax.lax.reduce_window(conv(x, p[0]), -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID"), p[1]
    )
    net = networks.from_function(apply, (kernel(3, 3, 3, 4), kernel(3, 3, 4, 4)), X)
    assert net.cascades["0 to 1"].down == (2, 2) and "its stride alone" in net.notes[0]


def test_bad_input():
    with pytest.raises(InputError, match="no parameters"):
        networks.from_function(lambda p, x: x, {}, X)
    with pytest.raises(InputError, match="a .first. and b .second.: the second kernel has 108 weights that are NaN"):
        bad = {"a": kernel(3, 3, 3, 4), "b": jnp.full((3, 3, 4, 3), jnp.nan)}
        networks.from_function(lambda p, x: conv(conv(x, p["a"]), p["b"]), bad, X)
    net = networks.from_function(lambda p, x: conv(x, p[0]), [kernel(3, 3, 3, 4)], X)
    with pytest.raises(InputError, match="another structure"):
        net.bind({"other": 1})


def test_nothing_is_executed():
    """The trace of a network far too large to run takes no memory for its activations."""
    apply = lambda p, x: conv(conv(x, p[0]), p[1])
    huge = jax.ShapeDtypeStruct((10**6, 1024, 1024, 3), jnp.float32)
    assert len(networks.from_function(apply, (kernel(3, 3, 3, 4), kernel(3, 3, 4, 4)), huge).pairs) == 1


def test_layers_state_their_strides_in_both_directions():
    def apply(params, x):
        x = conv(x, params["down"], stride=3, dilation=2)
        return conv(x, params["up"], up=2)

    params = {"down": kernel(3, 2, 4), "up": kernel(4, 4, 2)}
    down, up = networks.from_function(apply, params, jnp.zeros((1, LENGTH, 2))).layers
    assert (down.path, down.stride, down.dilation, down.transposed) == ("down", (3,), (2,), False)
    assert (up.path, up.stride, up.dilation, up.transposed) == ("up", (2,), (1,), True)


def test_a_network_of_too_many_pairs_is_refused(monkeypatch):
    from sicjax.networks.graph import _graph

    def apply(params, x):
        for k in params:
            x = x + conv(x, k)[:, 1:-1]
        return x

    params = [kernel(3, 2, 2) for _ in range(5)]
    assert len(networks.from_function(apply, params, jnp.zeros((1, LENGTH, 2))).pairs) == 10
    monkeypatch.setattr(_graph, "MOST_PAIRS", 9)
    with pytest.raises(InputError, match="more than 9 pairs"):
        networks.from_function(apply, params, jnp.zeros((1, LENGTH, 2)))


def test_channels_of_a_sum_are_those_of_the_axis_they_stand_on():
    """Four channels of `a` meet four of four of `c`, each of them four times."""

    def apply(p, x):
        n, length, _ = x.shape
        whole = conv(x, p["c"]).reshape(n, length + 2, 4, 4)
        return conv((conv(x, p["a"])[..., None] + whole).reshape(n, length + 2, 16), p["b"])

    params = {"a": kernel(3, 4, 4), "c": kernel(3, 4, 16), "b": kernel(3, 16, 2)}
    cascades = networks.from_function(apply, params, jnp.zeros((1, LENGTH, 4))).cascades
    np.testing.assert_array_equal(cascades["a to b"].first, np.repeat(params["a"], 4, -1))
    np.testing.assert_array_equal(cascades["c to b"].first, params["c"])


def test_copies_that_are_made_to_differ_are_no_upsampling():
    mask = jnp.array([1.0, 0.0])

    def apply(params, x):
        x = conv(x, params[0])
        n, length, c = x.shape
        return conv((jnp.repeat(x[:, :, None], 2, 2) * mask[:, None]).reshape(n, 2 * length, c), params[1])

    net = networks.from_function(apply, (kernel(4, 4, 4), kernel(4, 4, 4)), jnp.zeros((1, LENGTH, 4)))
    assert not net.pairs and "mixes space" in str(net.skipped)


def test_values_in_one_batch_go_on_together_and_end_where_they_are_taken_apart():
    def apply(p, x):
        both = jnp.concatenate([conv(x, p["a"]), conv(x, p["b"])])
        first, second = jnp.split(both, 2)
        return conv(both, p["c"]), conv(first, p["d"]), conv(second, p["e"])

    params = {name: kernel(3, 4, 4) for name in "abcde"}
    net = networks.from_function(apply, params, jnp.zeros((1, LENGTH, 4)))
    assert list(net.cascades) == ["a to c", "b to c"]
    assert all("put together in one batch" in dict(net.skipped)[name] for name in "de")


def test_what_adds_nothing_to_a_batch_joins_nothing():
    """As NumPy's way of padding does along the axes that are not padded."""

    def apply(p, x):
        x = conv(x, p["a"])
        return conv(jnp.concatenate([jnp.zeros((0, *x.shape[1:])), x])[:1], p["b"])

    params = {name: kernel(3, 4, 4) for name in "ab"}
    assert names(apply, params, jnp.zeros((2, LENGTH, 4))) == ["a to b"]


def test_one_channel_weighted_to_many():
    weights = jnp.asarray(RNG.normal(size=4), jnp.float32)
    apply = lambda params, x: conv(conv(x, params[0]) * weights, params[1])
    (pair,) = networks.from_function(apply, (kernel(4, 4, 1), kernel(4, 4, 2)), jnp.zeros((1, LENGTH, 4))).pairs
    assert pair.cascade.shape == (4, 4, 2)


def test_places_of_several_axes_are_chosen_each_by_its_own():
    """As JAX before 0.9 writes strides, and as one indexes with two arrays."""
    params = {"a": kernel(3, 3, 3, 4), "b": kernel(3, 3, 4, 4)}
    between = lambda *at: networks.from_function(lambda p, x: conv(conv(x, p["a"])[:, *at], p["b"]), params, X)
    even, odd = jnp.arange(0, 30, 2), jnp.arange(1, 30, 2)
    (pair,) = between(even[:, None], odd).pairs
    assert pair.cascade.down == (2, 2) and pair.cascade.up == (1, 1)
    (_, reason), _ = between(even[:, None] + jnp.arange(2), odd[:2]).skipped  # a row has places of its own
    assert "places of several axes together" in reason
