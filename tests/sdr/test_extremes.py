"""The pathways at both ends, against a sort of all ratios."""

import jax
import numpy as np
import pytest
from helpers import CASES, TOLERANCE, kernels
from test_statistics import with_dead_kernels

import sicjax.sdr as sdr

TAKEN = ("generative 4x4 by 2", "1-D, large, from an FFT", "no shared lag: 1x1", "groups in both")
PAIRS = {case: CASES[case] for case in (*TAKEN, "depthwise, then pointwise")} | {"dead kernels": with_dead_kernels()}


def check(pair, k, found):
    """Values are those of a sort, and stand where they are said to stand, each place once."""
    rho = np.asarray(sdr.ratios(pair))
    ordered = np.sort(rho[np.isfinite(rho)])
    for values, at, expected in [
        (found.lowest, found.lowest_at, ordered[:k]),
        (found.highest, found.highest_at, ordered[::-1][:k]),
    ]:
        np.testing.assert_allclose(values, expected, rtol=0, atol=TOLERANCE["float32"])
        np.testing.assert_allclose(rho[tuple(at.T)], values, rtol=0, atol=TOLERANCE["float32"])
        assert len(np.unique(at, axis=0)) == len(at) == len(expected)


@pytest.mark.parametrize("k", [1, 7, 10_000])
@pytest.mark.parametrize("case", PAIRS)
def test_extremes_are_the_ends_of_all_ratios(case, k):
    check(PAIRS[case], k, sdr.extremes(PAIRS[case], k))


def test_inputs_in_parts(monkeypatch):
    from sicjax.sdr import _extremes

    pair = sdr.generative(*kernels((4, 4), (4, 4), (10, 5, 7)), stride=2)
    monkeypatch.setattr(_extremes, "PART", 21)
    check(pair, 12, sdr.extremes(pair, 12))


def test_double_precision_stays():
    with jax.enable_x64(True):
        pair = sdr.generative(*kernels((4, 4), (4, 4)), stride=2)
        found = sdr.extremes(pair, 2)
        rho = sdr.reference.ratios(pair)
        assert found.highest.dtype == np.float64
        np.testing.assert_allclose(found.highest, np.sort(rho.ravel())[::-1][:2], rtol=0, atol=TOLERANCE["float64"])


def test_of_no_defined_pathway_there_is_none():
    pair = sdr.Cascade(np.zeros((3, 3, 2, 2)), np.ones((3, 3, 2, 2)))
    found = sdr.extremes(pair, 3)
    assert found.lowest.shape == found.highest.shape == (0,) and found.lowest_at.shape == (0, 3)


@pytest.mark.parametrize("k", [0, -1, 1.5, True])
def test_how_many_must_be_a_positive_integer(k, without_type_checks):
    with pytest.raises(ValueError, match="k must be a positive integer"):
        sdr.extremes(CASES["plain 3x3"], k)
