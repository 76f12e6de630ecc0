import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.signal
from helpers import CASES, METHODS, TOLERANCE, kernels

import sicjax.sdr as sdr


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("case", CASES)
def test_every_method_agrees_with_the_literal_equation(case, method):
    found = METHODS[method](CASES[case])
    assert found.shape == CASES[case].shape and found.dtype == jnp.float32
    np.testing.assert_allclose(found, sdr.reference.ratios(CASES[case]), rtol=0, atol=TOLERANCE["float32"])


@pytest.mark.parametrize("scale", [1e-30, 1e30])
@pytest.mark.parametrize("method", METHODS)
def test_tiny_and_huge_weights(method, scale):
    first, second = kernels((4, 4), (4, 4))
    pair = sdr.generative((scale * first).astype(np.float32), (scale * second).astype(np.float32), stride=2)
    expected = sdr.reference.ratios(sdr.generative(first, second, stride=2))
    np.testing.assert_allclose(METHODS[method](pair), expected, rtol=0, atol=TOLERANCE["float32"])


@pytest.mark.parametrize("up, down", [(1, 1), (2, 1), (1, 2), (3, 1)])
def test_the_reference_is_the_energy_of_the_composite_filter(up, down):
    """Unless the pair turns there is a composite filter: rho is its energy over the product of the two energies."""
    first, second = kernels((4, 3), (3, 5))
    pair = sdr.Cascade(first, second, up=up, down=down)

    def stretched(kernel, step):
        grown = np.zeros([(k - 1) * step + 1 for k in kernel.shape])
        grown[::step, ::step] = kernel
        return grown

    for i, m, o in np.ndindex(*pair.shape):
        a, b = np.asarray(pair.first[..., i, m], float), np.asarray(pair.second[..., m, o], float)
        composite = scipy.signal.convolve2d(stretched(a, up), stretched(b, down))
        expected = (composite**2).sum() / ((a**2).sum() * (b**2).sum())
        np.testing.assert_allclose(sdr.reference.ratios(pair)[i, m, o], expected, rtol=1e-12)


def test_the_reference_of_a_turning_pair_is_its_power_under_white_noise():
    first, second = kernels((4,), (3,), (1, 1, 1))
    pair = sdr.Cascade(first, second, down=2, up=2)
    noise = np.random.default_rng(0).normal(size=1_000_000)
    coarse = np.convolve(noise, first[:, 0, 0], "valid")[::2]
    fine = np.zeros(2 * len(coarse))
    fine[::2] = coarse
    power = np.mean(np.convolve(fine, second[:, 0, 0], "valid") ** 2)
    expected = power / (0.5 * (first**2).sum() * (second**2).sum())
    np.testing.assert_allclose(sdr.reference.ratios(pair).item(), expected, rtol=0.01)


def test_float64_where_jax_runs_with_64_bits():
    with jax.enable_x64(True):
        pair = sdr.generative(*kernels((4, 4), (4, 4)), stride=2)
        for method in ("lags", "fft"):
            found = sdr.ratios(pair, method=method)
            assert found.dtype == jnp.float64
            np.testing.assert_allclose(found, sdr.reference.ratios(pair), rtol=0, atol=TOLERANCE["float64"])


def test_batches_under_vmap_and_a_pytree_of_pairs():
    first, second = zip(*(kernels((4, 4), (4, 4), seed=seed) for seed in range(3)), strict=True)
    pairs = [sdr.generative(a, b, stride=2) for a, b in zip(first, second, strict=True)]
    expected = np.stack([sdr.reference.ratios(pair) for pair in pairs])
    stacked = jax.tree.map(lambda *x: jnp.stack(x), *pairs)
    np.testing.assert_allclose(jax.vmap(sdr.ratios)(stacked), expected, rtol=0, atol=1e-6)
    made_inside = jax.vmap(lambda a, b: sdr.ratios(sdr.generative(a, b, stride=2)))(np.stack(first), np.stack(second))
    np.testing.assert_allclose(made_inside, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("method", ["lags", "fft"])
def test_the_gradient_is_that_of_finite_differences(method):
    with jax.enable_x64(True):
        first, second = kernels((4, 4), (4, 4))
        weigh = np.random.default_rng(1).normal(size=(3, 4, 2))
        value = jax.jit(lambda a: (weigh * sdr.ratios(sdr.generative(a, second, stride=2), method=method)).sum())
        step = np.random.default_rng(2).normal(size=first.shape)
        slope = (value(first + 1e-5 * step) - value(first - 1e-5 * step)) / 2e-5
        np.testing.assert_allclose(jnp.vdot(jax.grad(value)(first), step), slope, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_weights_are_computed_in_float32(dtype):
    first, second = (jnp.asarray(kernel, dtype) for kernel in kernels((4, 4), (4, 4)))
    pair = sdr.generative(first, second, stride=2)
    assert pair.first.dtype == jnp.float32
    np.testing.assert_allclose(sdr.ratios(pair), sdr.reference.ratios(pair), rtol=0, atol=1e-6)
