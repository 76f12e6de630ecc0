import dataclasses

import numpy as np
import pytest
from helpers import CASES, kernels, with_dead_kernels

import sicjax.sdr as sdr


def permuted(pair: sdr.Cascade, permutations: int) -> np.ndarray:
    """Mean departures with the second layer's kernels at other channels, from the ratios of all M x M pairings."""
    rng = np.random.default_rng(0)
    m = pair.shape[1]
    total, count = np.zeros((m, m)), np.zeros((m, m))
    for shift in range(m):
        rolled = dataclasses.replace(pair, second=np.roll(pair.second, -shift, axis=-2))
        rho = np.asarray(sdr.ratios(rolled), np.float64)
        for channel in range(m):
            there = (channel + shift) % m
            total[channel, there] = np.nansum(rho[:, channel] - 1)
            count[channel, there] = np.isfinite(rho[:, channel]).sum()
    orders = [rng.permutation(m) for _ in range(permutations)]
    return np.array([total[range(m), p].sum() / count[range(m), p].sum() for p in orders])


def adapted(seed: int, m: int = 40, strength: float = 0.5) -> sdr.Cascade:
    """Kernels of either layer that lean the same way in the same channel."""
    rng = np.random.default_rng(seed)
    lean = rng.normal(size=(4, 4, 1, m)) * strength
    first = rng.normal(size=(4, 4, 8, m)) + lean
    second = rng.normal(size=(4, 4, m, 6)) + np.moveaxis(lean, -2, -1)
    return sdr.Cascade(first, second)


@pytest.mark.parametrize(
    "case",
    ["turning by 2 and 3", "plain 3x3", "groups in both", "no shared lag: 1x1", "1-D, 63 lags of 512 and 64 taps"],
)
def test_the_parts_are_the_whole(case):
    parts = sdr.decompose(CASES[case])
    np.testing.assert_allclose(parts.total, sdr.reference.ratios(CASES[case]).mean() - 1, atol=1e-6)
    np.testing.assert_allclose(parts.marginal + parts.adaptation, parts.total, atol=1e-7)


@pytest.mark.parametrize("seed, strength", [(0, 0.0), (1, 0.5), (2, 1.0)])
def test_z_is_that_of_three_thousand_permutations(seed, strength):
    pair = adapted(seed, strength=strength)
    parts, others = sdr.decompose(pair), permuted(pair, 3000)
    np.testing.assert_allclose(parts.marginal, others.mean(), atol=4 * others.std() / np.sqrt(3000))
    expected = (float(parts.total) - float(parts.marginal)) / others.std()
    np.testing.assert_allclose(parts.z, expected, rtol=0.05)


def test_with_dead_kernels_the_split_stays_exact():
    parts = sdr.decompose(with_dead_kernels())
    np.testing.assert_allclose(parts.total, np.nanmean(sdr.reference.ratios(with_dead_kernels())) - 1, atol=1e-6)


def test_with_dead_kernels_z_is_that_of_permutations_of_what_lives():
    rng = np.random.default_rng(5)
    pair = adapted(3)
    first, second = np.array(pair.first), np.array(pair.second)
    first[..., rng.random(first.shape[-2:]) < 0.2] = 0
    second[..., rng.random(second.shape[-2:]) < 0.2] = 0
    pair = sdr.Cascade(first, second)
    parts, others = sdr.decompose(pair), permuted(pair, 3000)
    expected = (float(parts.total) - float(parts.marginal)) / others.std()
    np.testing.assert_allclose(parts.z, expected, rtol=0.1)
    np.testing.assert_allclose(parts.marginal, others.mean(), atol=0.05 * others.std())


def test_independent_layers_show_no_adaptation_and_adapted_ones_do():
    z = np.array(
        [sdr.decompose(sdr.generative(*kernels((4, 4), (4, 4), (8, 40, 6), seed=s), stride=2)).z for s in range(40)]
    )
    assert abs(z.mean()) < 3 / np.sqrt(40) and 0.7 < z.std() < 1.3
    assert sdr.decompose(adapted(0, strength=1.0)).z > 10


def test_one_channel_has_no_z():
    parts = sdr.decompose(sdr.generative(*kernels((4, 4), (4, 4), (3, 1, 2)), stride=2))
    assert abs(parts.adaptation) < 1e-8 and np.isnan(parts.z) and np.isfinite(parts.total)
