"""Both convolutions are XLA's, with their gradients."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from sicjax import models

THEIRS = {
    models.conv: lambda x, k, s: lax.conv_general_dilated(
        x, k, (s, s), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
    ),
    models.conv_transpose: lambda x, k, s: lax.conv_transpose(x, k, (s, s), "SAME"),
}


@pytest.mark.parametrize("function", THEIRS, ids=lambda f: getattr(f, "__name__", "conv"))
@pytest.mark.parametrize(("kernel", "stride"), [(4, 2), (5, 2), (5, 1), (3, 2), (2, 2), (3, 3), (5, 3), (1, 1)])
@pytest.mark.parametrize("side", [18, 6, 3])
def test_values_and_gradients_are_those_of_xla(function, kernel, stride, side):
    if side % stride:
        pytest.skip("the convolution takes sides that its stride divides")
    keys = jax.random.split(jax.random.key(kernel), 3)
    x, k = jax.random.normal(keys[0], (2, side, side, 5)), jax.random.normal(keys[1], (kernel, kernel, 5, 7))
    far = side * stride if function is models.conv_transpose else side // stride
    g = jax.random.normal(keys[2], (2, far, far, 7))
    ours, *our_gradients = _with_gradients(function, stride, x, k, g)
    theirs, *their_gradients = _with_gradients(THEIRS[function], stride, x, k, g)
    np.testing.assert_allclose(ours, theirs, atol=2e-4)
    for mine, other in zip(our_gradients, their_gradients, strict=True):
        np.testing.assert_allclose(mine, other, atol=5e-4)


@partial(jax.jit, static_argnums=(0, 1))
def _with_gradients(function, stride, x, k, g):
    value, pull = jax.vjp(lambda x, k: function(x, k, stride), x, k)
    return value, *pull(g)


@pytest.mark.parametrize("function", THEIRS, ids=lambda f: getattr(f, "__name__", "conv"))
def test_gradients_of_gradients_are_those_of_xla(function):
    x, k = jax.random.normal(jax.random.key(0), (2, 4, 4, 3)), jax.random.normal(jax.random.key(1), (5, 5, 3, 2))

    def norm_of_gradient(form, k):
        return (jax.grad(lambda x: jnp.sum(jnp.tanh(form(x, k, 2))))(x) ** 2).sum()

    gradient = jax.jit(jax.grad(norm_of_gradient, argnums=1), static_argnums=0)
    ours, theirs = (gradient(form, k) for form in (function, THEIRS[function]))
    np.testing.assert_allclose(ours, theirs, atol=1e-3)


def test_half_precision_stays_half_precision():
    x, k = jnp.ones((1, 8, 8, 3), jnp.bfloat16), jnp.ones((4, 4, 3, 2), jnp.bfloat16)
    for function in THEIRS:
        y, pull = jax.vjp(lambda x, k, f=function: f(x, k, 2), x, k)
        assert jnp.asarray(y).dtype == jnp.bfloat16
        assert {g.dtype for g in pull(y)} == {jnp.dtype(jnp.bfloat16)}
