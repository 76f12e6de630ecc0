"""What a ratio must not depend on (design: every one a property)."""

import jax
import numpy as np
import pytest
from helpers import kernels
from hypothesis import given
from hypothesis import strategies as st

import sicjax.sdr as sdr

seeds = st.integers(0, 10**6)


def ratios(first, second, **settings):
    return np.asarray(sdr.ratios(sdr.Cascade(first, second, **settings)))


def same(x, y):
    np.testing.assert_allclose(x, y, rtol=0, atol=2e-6)


@given(seeds, st.floats(-30, 30))
def test_scaling_any_kernel(seed, power):
    first, second = kernels((4, 4), (4, 4), seed=seed)
    scaled = first.copy()
    scaled[..., 1, 2] *= 10.0**power
    same(ratios(scaled, second, up=2), ratios(first, second, up=2))


@given(seeds)
def test_flipping_all_axes_of_a_kernel(seed):
    first, second = kernels((4, 4), (4, 4), seed=seed)
    same(ratios(first[::-1, ::-1], second, up=2), ratios(first, second, up=2))
    same(ratios(first, second[::-1, ::-1], up=2), ratios(first, second, up=2))


@given(seeds)
def test_folding_in_the_scales_of_a_batch_norm(seed):
    first, second = kernels((4, 4), (4, 4), seed=seed)
    scales = np.random.default_rng(seed).normal(size=4)
    same(ratios(first * scales, second, up=2), ratios(first, second, up=2))
    same(ratios(first, second * scales[:, None], up=2), ratios(first, second, up=2))


@given(seeds)
def test_permuting_channels(seed):
    first, second = kernels((4, 4), (4, 4), seed=seed)
    rng = np.random.default_rng(seed)
    i, m, o = (rng.permutation(n) for n in (3, 4, 2))
    moved = ratios(first[..., i, :][..., m], second[..., m, :][..., o], up=2)
    same(moved, ratios(first, second, up=2)[i][:, m][:, :, o])


@given(seeds)
def test_swapping_the_roles(seed):
    first, second = kernels((4, 4), (4, 4), seed=seed)
    swapped = ratios(np.swapaxes(second, -1, -2), np.swapaxes(first, -1, -2), down=2)
    same(np.transpose(swapped, (2, 1, 0)), ratios(first, second, up=2))


@given(seeds, st.integers(0, 2), st.integers(0, 2))
def test_moving_a_kernel_in_a_larger_frame(seed, x, y):
    first, second = kernels((4, 4), (4, 4), seed=seed)
    framed = np.zeros((6, 6, 3, 4))
    framed[x : x + 4, y : y + 4] = first
    same(ratios(framed, second, up=2), ratios(first, second, up=2))


@given(seeds)
def test_a_ratio_is_never_negative_and_a_lone_tap_is_independent(seed):
    first, second = kernels((4, 4), (4, 4), seed=seed)
    assert ratios(first, second, down=2).min() >= 0
    lone = np.zeros_like(first)
    lone[2, 1] = first[2, 1]
    same(ratios(lone, second, up=2), 1)


@pytest.mark.slow
def test_the_numbers_are_those_without_compiling():
    """Of whole files: `benchmarks/numerics.py --no-jit`."""
    pair = sdr.Cascade(*kernels((3, 3), (3, 3), seed=0), up=2)
    numbers = lambda: np.array([*sdr.decompose(pair), *sdr.coupling(pair)])
    compiled = numbers()
    with jax.disable_jit():
        np.testing.assert_allclose(numbers(), compiled, rtol=1e-6, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("blocks", [1, 2, 3])
def test_ratios_are_counted_without_compiling(blocks, monkeypatch):
    """However many blocks of them there are."""
    monkeypatch.setattr("sicjax.sdr._histogram.BLOCK", 1)
    first, second = kernels((3, 3), (3, 3), seed=0)
    channels = np.arange(4 * blocks) % second.shape[-2]
    pair = sdr.Cascade(first[..., channels], second[..., channels, :])
    with jax.disable_jit():
        assert sdr.histogram(pair).defined == np.prod(pair.shape)
