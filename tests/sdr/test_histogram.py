"""How far apart two histograms are, and what a notebook shows of them."""

import numpy as np
import pytest
from helpers import CASES
from scipy.stats import wasserstein_distance

import sicjax.sdr as sdr

EDGES = np.linspace(0, 4, 4001)


def counted(values, edges=EDGES):
    below, above = int((values < edges[0]).sum()), int((values >= edges[-1]).sum())
    return sdr.Histogram(np.histogram(values[values < edges[-1]], edges)[0], edges, below, above, 0)


@pytest.mark.parametrize("shift, scale", [(0.0, 1.0), (0.3, 1.0), (0.0, 2.0), (0.1, 0.5)])
@pytest.mark.parametrize("edges", [EDGES, np.linspace(0, 8, 4001), np.linspace(-0.0007, 5, 3000)])
def test_distance_is_the_wasserstein_distance(shift, scale, edges):
    one = np.random.default_rng(0).normal(1.5, 0.2, 20_000)
    other = 1.5 + shift + scale * (np.random.default_rng(1).normal(1.5, 0.2, 9_000) - 1.5)
    found = counted(one).distance(counted(other, edges))
    assert found == pytest.approx(wasserstein_distance(one, other), abs=0.002)
    assert found == pytest.approx(counted(other, edges).distance(counted(one)), abs=1e-12)


def test_distance_of_what_is_equal_outside_or_nothing():
    one = counted(np.random.default_rng(0).normal(1.5, 0.2, 1000))
    assert one.distance(one) == 0
    # A third lies above the edges, and counts as lying at their end.
    inside = sdr.Histogram(np.array([3, 0]), np.array([0.0, 1, 2]), 0, 0, 0)
    assert inside.distance(inside._replace(counts=np.array([2, 0]), above=1)) == pytest.approx(1.5 / 3)
    assert np.isnan(one.distance(one._replace(counts=np.zeros(4000, int))))


def test_distance_where_the_shares_cross_within_a_bin():
    edges = np.array([0.0, 1, 2, 3])
    one, other = (sdr.Histogram(np.array(counts), edges, 0, 0, 0) for counts in ([1, 3, 0], [0, 4, 0]))
    crossing = sdr.Histogram(np.array([0, 4, 0]), edges, 0, 0, 0), sdr.Histogram(np.array([1, 2, 1]), edges, 0, 0, 0)
    grid = np.linspace(0, 3, 300_001)
    for a, b in [(one, other), crossing]:
        cdfs = [np.interp(grid, edges, np.concatenate([[0], np.cumsum(h.counts)]) / 4) for h in (a, b)]
        assert a.distance(b) == pytest.approx(np.trapezoid(np.abs(cdfs[0] - cdfs[1]), grid), abs=1e-6)


def test_a_notebook_shows_facts_and_no_arrays():
    shown = counted(np.array([0.5, 1.0, 1.5, 9.0]))._repr_html_()
    assert "0.500, 1.001, inf" in shown and "above the edges</th><td>1<" in shown and "undefined" not in shown
    pair = CASES["groups in both"]
    shown = pair._repr_html_()
    assert "generative pair" in shown and "2 x 6 x 3 = 36" in shown and "second_groups</th><td>3<" in shown
    assert "down" not in shown and "array" not in shown and len(shown) < 800
    assert "every ratio is 1" in CASES["no shared lag: 1x1"]._repr_html_()
