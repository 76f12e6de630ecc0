"""What is computed without visiting the pathways, against the same computed from every one of them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import CASES, kernels, with_dead_kernels

import sicjax.sdr as sdr

TAKEN = ("generative 4x4 by 2", "turning by 2 and 3", "plain 3x3", "1-D, large, from an FFT", "3-D, generative")
TAKEN += ("no shared lag: 1x1", "groups in both", "1-D, 63 lags of 512 and 64 taps")
PAIRS = {case: CASES[case] for case in TAKEN} | {"dead kernels": with_dead_kernels()}


@pytest.mark.parametrize("case", PAIRS)
def test_moments_penalty_and_filter_ratios(case):
    pair = PAIRS[case]
    rho = sdr.reference.ratios(pair)
    count, undefined, mean, std = sdr.moments(pair)
    assert (count, undefined) == (np.isfinite(rho).sum(), np.isnan(rho).sum())
    np.testing.assert_allclose([mean, std], [np.nanmean(rho), np.nanstd(rho)], rtol=0, atol=1e-6)
    np.testing.assert_allclose(sdr.penalty(pair), np.nanmean((rho - 1) ** 2), rtol=1e-5, atol=1e-9)
    found = np.asarray(sdr.filter_ratios(pair))
    outputs = np.isfinite(rho).sum(2)
    expected = np.where(outputs > 0, np.nansum(rho, 2) / np.maximum(outputs, 1), np.nan)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


def test_moments_from_many_lags_take_either_way():
    """Of 24 lags: products of lags where there are many pathways, every pathway where there are few."""
    for size, channels in [((4, 4), (60, 3, 50)), ((4, 4), (3, 4, 5))]:
        pair = sdr.Cascade(*kernels(size, size, channels))
        rho = np.asarray(sdr.ratios(pair, method="fft"), np.float64)
        found = sdr.moments(pair)
        np.testing.assert_allclose([found.mean, found.std], [rho.mean(), rho.std()], rtol=0, atol=1e-6)


def test_a_small_spread_about_a_large_mean_is_not_lost():
    rng = np.random.default_rng(0)
    smooth = np.outer([1, 2, 3, 2], [1, 3, 3, 1])[:, :, None, None]
    first, second = (smooth * (1 + 1e-4 * rng.normal(size=(4, 4, 6, 6))) for _ in range(2))
    pair = sdr.generative(first, second, stride=2)
    np.testing.assert_allclose(sdr.moments(pair).std, sdr.reference.ratios(pair).std(), rtol=2e-2)


@pytest.mark.parametrize("edges", [np.linspace(0, 4, 201), np.linspace(0.2, 3, 4001), np.array([0.3, 0.9, 1.1, 2])])
@pytest.mark.parametrize(
    "case", ["generative 4x4 by 2", "groups in both", "dead kernels", "no shared lag: 1x1", TAKEN[-1]]
)
def test_histogram_counts_every_pathway(case, edges):
    pair = PAIRS[case]
    rho = np.asarray(sdr.ratios(pair))
    defined = rho[np.isfinite(rho)]
    found = sdr.histogram(pair, edges=edges)
    np.testing.assert_array_equal(found.counts, np.histogram(defined, edges)[0])
    assert found.below == (defined < edges[0]).sum() and found.above == (defined >= edges[-1]).sum()
    assert found.undefined == np.isnan(rho).sum() and found.defined == defined.size


def test_histogram_of_many_channels_in_parts_and_blocks(monkeypatch):
    from sicjax.sdr import _histogram

    pair = sdr.generative(*kernels((4, 4), (4, 4), (10, 13, 7)), stride=2)
    expected = sdr.histogram(pair)
    monkeypatch.setattr(_histogram, "PART", 21)
    monkeypatch.setattr(_histogram, "BLOCK", 60)
    parts = sdr.histogram(pair)
    assert parts.defined == 910
    np.testing.assert_array_equal(parts.counts, expected.counts)


def test_default_edges_reach_far_enough_for_the_quantiles():
    wide = np.ones((9, 9, 4, 4)) + 0.5 * np.random.default_rng(0).normal(size=(9, 9, 4, 4))
    pair = sdr.Cascade(wide, wide)
    rho = np.asarray(sdr.ratios(pair))
    found = sdr.histogram(pair)
    assert rho.mean() > 4
    for q in (0.05, 0.5, 0.95):
        assert abs(found.quantile(q) - np.quantile(rho, q)) < 0.4


def test_quantiles_shares_and_merging():
    counts = sdr.Histogram(np.array([2, 0, 6]), np.array([0.0, 1, 2, 3]), below=1, above=1, undefined=5)
    assert counts.defined == 10
    assert counts.quantile(0.2) == 0.5 and counts.quantile(0.6) == 2.5
    assert counts.quantile(0.05) == -np.inf and counts.quantile(1.0) == np.inf
    assert counts.share(0.0, 3.0) == 0.8 and counts.share(2.5, 10.0) == pytest.approx(0.3)
    both = counts.merge(counts)
    assert both.defined == 20 and both.undefined == 10
    with pytest.raises(ValueError, match="same edges"):
        counts.merge(counts._replace(edges=np.array([0.0, 1, 2, 4])))
    with pytest.raises(ValueError, match="between 0 and 1"):
        counts.quantile(2.0)
    nothing = counts._replace(counts=np.zeros(3, int), below=0, above=0)
    assert np.isnan(nothing.quantile(0.5)) and np.isnan(nothing.share(0.0, 1.0))


@pytest.mark.parametrize("case", ["generative 4x4 by 2", "dead kernels", "no shared lag: 1x1"])
def test_spread_over_devices_the_numbers_are_the_same(case):
    mesh = jax.make_mesh((4,), ("channels",))
    one, four = sdr.moments(PAIRS[case]), sdr.moments(PAIRS[case], mesh=mesh)
    np.testing.assert_allclose(four, one, rtol=0, atol=1e-6)
    one, four = sdr.histogram(PAIRS[case]), sdr.histogram(PAIRS[case], mesh=mesh)
    np.testing.assert_array_equal(four.counts, one.counts)
    assert four[2:] == one[2:]


# Of many taps fewer shuffles will do: the ratios of each lie ten times closer together.
SHUFFLED = {"generative 4x4 by 2": (4000, 0.004), "plain 3x3": (4000, 0.004), "dead kernels": (4000, 0.004)}
SHUFFLED |= {TAKEN[-1]: (400, 0.002)}


@pytest.mark.parametrize("case", SHUFFLED)
def test_exact_null_is_the_mean_of_many_shuffles(case):
    pair, (draws, near) = PAIRS[case], SHUFFLED[case]
    exact, sampled = sdr.null(pair), sdr.null(pair, jax.random.key(0), draws=draws)
    assert (exact.count, exact.undefined) == sdr.moments(pair)[:2]
    np.testing.assert_allclose(exact[2:], sampled[2:], atol=near)


def test_exact_null_over_all_orders_of_three_taps():
    import itertools

    pair = sdr.Cascade(*kernels((3,), (3,), (2, 2, 2)))
    orders = list(itertools.permutations(range(3)))
    rho = np.concatenate(
        [
            np.ravel(sdr.reference.ratios(sdr.Cascade(pair.first[np.array(p)], pair.second[np.array(q)])))
            for p in orders
            for q in orders
        ]
    )
    found = sdr.null(pair)
    np.testing.assert_allclose([found.mean, found.std], [rho.mean(), rho.std()], atol=1e-6)


def test_gradients_pass_by_kernels_without_energy():
    pair = with_dead_kernels()
    for kind in ("departure", "adaptation"):
        slope = jax.grad(lambda pair, kind=kind: sdr.penalty(pair, kind=kind))(pair)
        assert jnp.isfinite(slope.first).all() and jnp.abs(slope.first).max() > 0
    dead = jax.tree.map(jnp.zeros_like, pair)
    assert sdr.penalty(dead) == 0 and jnp.isnan(sdr.moments(dead).mean)


def test_penalty_falls_along_its_gradient():
    pair = CASES["generative 4x4 by 2"]
    for kind in ("departure", "adaptation"):
        value, slope = jax.value_and_grad(lambda pair, kind=kind: sdr.penalty(pair, kind=kind))(pair)
        step = 0.1 * value / sum(jnp.vdot(s, s) for s in jax.tree.leaves(slope))
        assert sdr.penalty(jax.tree.map(lambda x, s, step=step: x - step * s, pair, slope), kind=kind) < value


def test_closed_forms_of_many_pairs_at_once_are_those_of_each():
    pairs = [sdr.extractive(*kernels((4, 4), (4, 4), seed=seed), stride=2) for seed in range(3)]
    stacked = jax.tree.map(lambda *x: jnp.stack(x), *pairs)
    for closed_form in (sdr.moments, sdr.decompose, sdr.null):
        for name, found in jax.vmap(closed_form)(stacked)._asdict().items():
            expected = np.stack([getattr(closed_form(pair), name) for pair in pairs])
            np.testing.assert_allclose(found, expected, rtol=1e-5, err_msg=f"{closed_form.__name__}: {name}")
