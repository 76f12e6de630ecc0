import dataclasses
import itertools
import math
import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import CASES, kernels, with_dead_kernels
from scipy.stats import kstest, pearson3

import sicjax.sdr as sdr
from sicjax.sdr._coupling import _pearson
from sicjax.sdr._pairings import central_moments, invariants


def crossed(seed: int, m: int = 40, strength: float = 0.5) -> sdr.Cascade:
    """Where a channel's first kernels are smooth along one axis its second kernels are smooth along the other."""
    rng = np.random.default_rng(seed)
    lean = strength * rng.normal(size=m)
    first, second = rng.normal(size=(3, 3, 8, m)), rng.normal(size=(3, 3, m, 6))
    first += lean * np.roll(first, 1, axis=0)
    second += (lean[:, None]) * np.roll(second, 1, axis=1)
    return sdr.Cascade(first, second)


def features(pair: sdr.Cascade) -> tuple[np.ndarray, np.ndarray]:
    """Both sides' means in float64, from autocorrelations written out; channels without a pathway left out."""
    first, second = (np.asarray(kernel, np.float64) for kernel in pair.aligned())

    def at(kernel, lags):
        taps = np.moveaxis(kernel, (-2, -1), (0, 1))
        padded = np.pad(taps, [(0, 0), (0, 0), *((k, k) for k in taps.shape[2:])])
        axes = tuple(range(2, taps.ndim))
        energy = (taps**2).sum(axes)
        shifted = [(padded * np.roll(padded, lag, axes)).sum(axes) for lag in lags]
        with np.errstate(invalid="ignore"):
            return np.stack(shifted) / energy

    with warnings.catch_warnings(action="ignore", category=RuntimeWarning):  # a mean of nothing is NaN
        x = np.nanmean(at(first, [lag for lag, _ in pair.lags]), 1)
        y = np.nanmean(at(second, [lag for _, lag in pair.lags]), 2)
    there = np.isfinite(x).all(0) & np.isfinite(y).all(0)
    x, y = x[:, there], y[:, there]
    return (x - x.mean(1, keepdims=True)).T, (y - y.mean(1, keepdims=True)).T


@pytest.mark.parametrize("rows", range(3, 8))
def test_moments_of_a_random_pairing_are_those_of_all_orders(rows):
    rng = np.random.default_rng(rows)
    x, y = rng.normal(size=(rows, 3)) ** 3, rng.normal(size=(rows, 4)) * rng.gamma(1, size=(rows, 1))
    x, y = x - x.mean(0), y - y.mean(0)
    a, b = x @ x.T, y @ y.T
    orders = [list(order) for order in itertools.permutations(range(rows))]
    t = np.array([(a * b[order][:, order]).sum() for order in orders])
    (x2, x3), (y2, y3) = (map(np.float64, invariants(jnp.asarray(side, jnp.float32))) for side in (x, y))
    second, third = central_moments(9)
    assert t.mean() == pytest.approx(np.trace(a) * np.trace(b) / (rows - 1))
    assert t.var() == pytest.approx(x2 @ second[rows] @ y2, rel=1e-3)
    assert ((t - t.mean()) ** 3).mean() == pytest.approx(x3 @ third[rows] @ y3, rel=1e-3)


@pytest.mark.parametrize(
    "case", ["turning by 2 and 3", "plain 3x3", "groups in both", "3-D, generative", "1-D, 63 lags of 512 and 64 taps"]
)
def test_rv_is_its_definition(case):
    pair = CASES[case]
    x, y = features(pair)
    scatter = lambda u, v: np.linalg.norm(u.T @ v) ** 2
    rv = scatter(x, y) / math.sqrt(scatter(x, x) * scatter(y, y))
    chance = (x**2).sum() * (y**2).sum() / (len(x) - 1) / math.sqrt(scatter(x, x) * scatter(y, y))
    found = sdr.coupling(pair)
    np.testing.assert_allclose(found.rv, rv, atol=1e-5)
    np.testing.assert_allclose(found.coupling, (rv - chance) / (1 - chance), atol=1e-4)


@pytest.mark.parametrize("seed, strength", [(0, 0.0), (1, 0.5), (2, 1.0)])
def test_z_and_p_are_those_of_permutations(seed, strength):
    pair = crossed(seed, strength=strength)
    found = sdr.coupling(pair)
    x, y = features(pair)
    rng = np.random.default_rng(0)
    real, others = [
        np.array([np.linalg.norm(x.T @ y[order]) ** 2 for order in orders])
        for orders in ([np.arange(len(x))], (rng.permutation(len(x)) for _ in range(4000)))
    ]
    np.testing.assert_allclose(found.z, (real[0] - others.mean()) / others.std(), rtol=0.05, atol=0.05)
    share = (others >= real[0]).mean()
    np.testing.assert_allclose(found.p, share, rtol=0.05, atol=4 * math.sqrt((share + 1e-3) / 4000))
    sampled = sdr.coupling(pair, jax.random.key(0), draws=4000)
    np.testing.assert_allclose(sampled.p, share, rtol=0.05, atol=6 * math.sqrt((share + 1e-3) / 4000))
    assert sampled[:3] == found[:3]


@pytest.mark.parametrize("skewness", [-0.6, -0.12, -0.02, 0.0, 0.003, 0.03, 0.06, 0.09, 0.11, 0.3, 1.0, 2.4])
def test_the_tail_is_that_of_pearson_iii(skewness):
    z = np.array([-2, -1, -0.3, 0, 0.5, 1.5, 3, 4])
    found = [float(_pearson(jnp.float32(at), jnp.float32(skewness))) for at in z]
    np.testing.assert_allclose(found, pearson3.sf(z, skewness), rtol=5e-3, atol=1e-4)


def test_p_counts_the_real_pairing_among_the_draws():
    assert sdr.coupling(crossed(2, strength=1.0), jax.random.key(0), draws=99).p == pytest.approx(1 / 100)


def test_what_cancels_in_adaptation_is_seen():
    pair = crossed(2, m=80, strength=1.0)
    assert abs(sdr.decompose(pair).z) < 3 and sdr.coupling(pair).z > 10 and sdr.coupling(pair).p < 1e-4


def test_p_is_uniform_over_independent_layers_and_coupling_is_0_on_average():
    pairs = [sdr.generative(*kernels((4, 4), (4, 4), (8, 16, 6), seed=s), stride=2) for s in range(300)]
    found = jax.vmap(sdr.coupling)(jax.tree.map(lambda *k: jnp.stack(k), *pairs))
    assert kstest(np.asarray(found.p), "uniform").pvalue > 1e-3
    assert abs(found.coupling.mean()) < 4 * found.coupling.std() / math.sqrt(300)
    assert abs(found.energy.mean()) < 4 / math.sqrt(300 * 15)


def test_channels_without_a_pathway_are_left_out():
    dead = with_dead_kernels()
    x, y = features(dead)
    assert len(x) == 4  # of 7
    rv = np.linalg.norm(x.T @ y) ** 2 / np.linalg.norm(x.T @ x) / np.linalg.norm(y.T @ y)
    np.testing.assert_allclose(sdr.coupling(dead).rv, rv, atol=1e-5)
    whole = crossed(1)
    wider = sdr.Cascade(
        np.pad(whole.first, [(0, 0), (0, 0), (0, 2), (3, 5)]), np.pad(whole.second, [(0, 0), (0, 0), (3, 5), (0, 2)])
    )
    np.testing.assert_allclose(sdr.coupling(wider), sdr.coupling(whole), rtol=1e-4)
    sampled = [sdr.coupling(pair, jax.random.key(1), draws=2000).p for pair in (whole, wider)]
    np.testing.assert_allclose(*sampled, atol=0.03)


def test_energies_that_differ_by_rounding_have_no_correlation():
    rng = np.random.default_rng(5)
    first, second = rng.normal(size=(2, 3, 3, 32, 32)).astype(np.float32)
    first /= np.sqrt((first.astype(np.float64) ** 2).sum((0, 1, 2))).astype(np.float32)
    assert np.isnan(sdr.energy(sdr.Cascade(first, second))) and np.isnan(
        sdr.coupling(sdr.Cascade(first, second)).energy
    )
    assert np.isnan(sdr.energy(sdr.Cascade(np.swapaxes(second, 2, 3), np.swapaxes(first, 2, 3))))
    first[..., 0] *= 1.001
    assert np.isfinite(sdr.energy(sdr.Cascade(first, second)))


def test_scale_of_a_channel_is_seen_by_energy_alone():
    pair = crossed(3, strength=0.0)
    scales = np.exp(np.random.default_rng(0).normal(size=40))
    scaled = dataclasses.replace(pair, first=pair.first * scales, second=pair.second * (1e-20 * scales)[:, None])
    before, after = sdr.coupling(pair), sdr.coupling(scaled)
    np.testing.assert_allclose(before[:4], after[:4], rtol=1e-3)
    energies = [
        np.log((np.asarray(k, np.float64) ** 2).sum(a))
        for k, a in zip(scaled.aligned(), [(0, 1, 2), (0, 1, 3)], strict=True)
    ]
    np.testing.assert_allclose(after.energy, np.corrcoef(*energies)[0, 1], atol=1e-5)
    assert after.energy > 0.9 and abs(before.energy) < 0.5


@pytest.mark.parametrize(
    "pair",
    [
        CASES["no shared lag: 1x1"],
        sdr.Cascade(kernels((3, 3), (3, 3), (2, 5, 4))[0] * [1, 0, 0, 0, 1], kernels((3, 3), (3, 3), (2, 5, 4))[1]),
        sdr.Cascade(np.ones((3, 3, 2, 5)), kernels((3, 3), (3, 3), (2, 5, 4))[1]),
        sdr.Cascade(np.zeros((3, 3, 2, 5)), np.zeros((3, 3, 5, 4))),
    ],
    ids=["no shared lag", "two channels", "all channels alike", "no energy"],
)
def test_nothing_to_compare_is_nan_and_no_penalty(pair):
    found = sdr.coupling(pair)
    assert np.isnan(found[:4]).all() and np.isnan(sdr.coupling(pair, jax.random.key(0)).p)
    value, slope = jax.value_and_grad(lambda pair: sdr.penalty(pair, kind="coupling"))(pair)
    assert value == 0 and all(not np.asarray(leaf).any() for leaf in jax.tree.leaves(slope))


def test_penalty_is_the_square_and_falls_along_its_gradient():
    pair = crossed(2, strength=1.0)
    penalty = jax.jit(lambda pair: sdr.penalty(pair, kind="coupling"))
    np.testing.assert_allclose(penalty(pair), sdr.coupling(pair).coupling ** 2, rtol=1e-5)
    slope = jax.grad(penalty)(pair)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(slope))
    size = sum((leaf**2).sum() for leaf in jax.tree.leaves(slope))
    step = 1e-3 / jnp.sqrt(size)
    ahead, back = (jax.tree.map(lambda k, g, s=sign: k + s * step * g, pair, slope) for sign in (1, -1))
    np.testing.assert_allclose((penalty(ahead) - penalty(back)) / (2 * step), size, rtol=0.02)
    rising = jax.grad(lambda pair: sdr.coupling(pair).z)(pair)
    assert all(np.isfinite(leaf).all() and leaf.any() for leaf in jax.tree.leaves(rising))


def test_under_jit_vmap_and_on_a_mesh():
    pairs = [crossed(seed) for seed in range(3)]
    one_by_one = np.array([sdr.coupling(pair) for pair in pairs]).T
    stacked = jax.tree.map(lambda *k: jnp.stack(k), *pairs)
    np.testing.assert_allclose(jax.jit(jax.vmap(sdr.coupling))(stacked), one_by_one, rtol=1e-3, atol=1e-5)
    mesh = jax.make_mesh((4,), ("channels",))
    np.testing.assert_allclose(sdr.coupling(pairs[0], mesh=mesh), one_by_one[:, 0], rtol=1e-3, atol=1e-5)


def test_what_is_asked_wrongly_is_said():
    pair = crossed(0)
    with pytest.raises(ValueError, match="draws need a key"):
        sdr.coupling(pair, draws=10)
    with pytest.raises(ValueError, match="at least 1, got 0"):
        sdr.coupling(pair, jax.random.key(0), draws=0)
    with pytest.raises(ValueError, match="k must be at least 1"):
        sdr.coinertia(pair, 0)


def test_coinertia_names_the_lags_and_the_channels_that_meet():
    pair = crossed(2, strength=1.0)
    x, y = features(pair)
    found = sdr.coinertia(pair, 2)
    strengths = np.linalg.svd(x.T @ y)[1]
    np.testing.assert_allclose(found.share, strengths[:2] ** 2 / (strengths**2).sum(), atol=1e-4)
    along, across = pair.lags.index(((1, 0), (1, 0))), pair.lags.index(((0, 1), (0, 1)))
    assert np.abs(found.first[:, 0]).argmax() == along and np.abs(found.second[:, 0]).argmax() == across
    assert found.first[along, 0] > 0.7 and found.share[0] > 0.7
    np.testing.assert_allclose(np.abs(found.first_scores), np.abs(x @ np.asarray(found.first)), atol=1e-4)
    moved = (found.first_scores[:, 0] * found.second_scores[:, 0]).sum()
    np.testing.assert_allclose(moved, strengths[0], rtol=1e-3)
