import dataclasses

import numpy as np
import pytest
from helpers import CASES, kernels, with_dead_kernels
from test_decompose import adapted

import sicjax.sdr as sdr


def in_other_orders(pair: sdr.Cascade, orders: int) -> np.ndarray:
    """Mean squares of `rho - 1` with the second layer's kernels at other channels."""
    rng = np.random.default_rng(0)
    m = pair.shape[1]
    squares = np.zeros((m, m))
    for shift in range(m):
        rolled = dataclasses.replace(pair, second=np.roll(pair.second, -shift, axis=-2))
        squares[range(m), (np.arange(m) + shift) % m] = ((np.asarray(sdr.ratios(rolled)) - 1.0) ** 2).mean((0, 2))
    return np.array([squares[range(m), rng.permutation(m)].mean() for _ in range(orders)])


@pytest.mark.parametrize("case", ["generative 4x4 by 2", "plain 3x3", "groups in both", "no shared lag: 1x1"])
def test_the_parts_are_the_variance_of_the_ratios(case):
    found = sdr.spread(CASES[case])
    np.testing.assert_allclose(found.variance, sdr.reference.ratios(CASES[case]).var(), rtol=1e-4, atol=1e-9)
    np.testing.assert_allclose(found.marginal + found.pairing, found.variance, rtol=1e-5, atol=1e-9)


def test_with_dead_kernels_too():
    np.testing.assert_allclose(
        sdr.spread(with_dead_kernels()).variance, np.nanvar(sdr.reference.ratios(with_dead_kernels())), rtol=1e-4
    )


def test_marginal_and_z_are_those_of_permutations():
    pair = adapted(1)
    found, others = sdr.spread(pair), in_other_orders(pair, 3000)
    real = ((np.asarray(sdr.ratios(pair)) - 1.0) ** 2).mean()
    np.testing.assert_allclose(found.z, (real - others.mean()) / others.std(), rtol=0.05, atol=0.05)
    expected = others.mean() - float(sdr.decompose(pair).marginal) ** 2
    np.testing.assert_allclose(found.marginal, expected, atol=4 * others.std() / np.sqrt(3000))


def test_independent_layers_add_nothing_and_adapted_ones_do():
    z = [sdr.spread(sdr.generative(*kernels((4, 4), (4, 4), (8, 40, 6), seed=s), stride=2)).z for s in range(30)]
    assert abs(np.mean(z)) < 4 / np.sqrt(30) and 0.6 < np.std(z) < 1.4
    assert sdr.spread(adapted(0, strength=1.0)).z > 5
