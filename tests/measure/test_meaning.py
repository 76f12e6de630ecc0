import itertools
import math

import numpy as np
import pytest
from scipy.stats import rankdata, spearmanr

from sicjax.measure import COLUMNS, Row, rank_test
from sicjax.measure._meaning import reading

NAMED = {"structural": False, "channels": 64, "coupling": 0.1, "coupling_p": 0.5, "rank": 0.1, "energy_p": 0.4}


@pytest.mark.parametrize(
    "numbers, words",
    [
        ({}, "as random pairing"),
        ({"coupling_p": 0.01}, "coupled"),
        ({"coupling_p": 0.0, "coupling": 0.5}, "strongly coupled"),
        ({"coupling": 0.5}, "as random pairing"),
        ({"rank": 0.5, "energy_p": 0.01}, "as random pairing, energies matched"),
        ({"rank": -0.5, "energy_p": 0.001, "coupling_p": 0.001}, "coupled, energies opposed"),
        ({"rank": 0.5, "energy_p": 0.02, "channels": 9}, "as random pairing"),
        ({"rank": 0.999, "energy_p": 1e-4, "channels": 7}, "too few channels"),
        ({"coupling_p": math.nan, "coupling": math.nan}, "too few channels"),
        (
            {"structural": True, "coupling_p": math.nan, "rank": 0.9, "energy_p": 1e-9},
            "no shared lag, energies matched",
        ),
        ({"rank": math.nan, "energy_p": math.nan}, "as random pairing"),
    ],
)
def test_numbers_in_words(numbers, words):
    assert reading(**{**NAMED, **numbers}) == words


@pytest.mark.parametrize("n", [4, 6, 9, 40])
def test_ranks_of_energies_are_tested_as_elsewhere(n):
    rng = np.random.default_rng(n)
    for _ in range(5):
        energies = rng.lognormal(size=(2, n))
        energies[1] += energies[0]
        found = rank_test(np.log(energies))
        expected = spearmanr(*energies)
        assert found.rank == pytest.approx(expected[0])
        if n > 24:
            assert found.p == pytest.approx(expected[1])
        elif n > 8:
            assert found.p == pytest.approx(expected[1], abs=0.02)
        else:
            x, y = (rankdata(side) for side in energies)
            every = [np.corrcoef(x[list(order)], y)[0, 1] for order in itertools.permutations(range(n))]
            assert found.p == pytest.approx(np.mean(np.abs(every) >= abs(found.rank) - 1e-9))
        with_none = np.concatenate([np.log(energies), [[-np.inf], [0.0]]], 1)
        assert rank_test(with_none) == found


@pytest.mark.parametrize("n", [6, 12])
def test_energies_that_are_equal_share_their_ranks(n):
    energies = np.random.default_rng(n).integers(1, 4, (2, n)).astype(float)
    found, (x, y) = rank_test(np.log(energies)), (rankdata(side) for side in energies)
    assert found.rank == pytest.approx(spearmanr(*energies)[0])
    rng = np.random.default_rng(0)
    orders = itertools.permutations(range(n)) if n == 6 else (rng.permutation(n) for _ in range(20_000))
    every = [np.corrcoef(x[list(order)], y)[0, 1] for order in orders]
    assert found.p == pytest.approx(np.mean(np.abs(every) >= abs(found.rank) - 1e-9), abs=0 if n == 6 else 0.015)


def test_no_rank_without_channels_that_differ():
    for energies in (np.ones((2, 5)), np.zeros((2, 0)), np.array([[1.0, 2], [1, 2]]), np.full((2, 9), -np.inf)):
        assert all(math.isnan(value) for value in rank_test(energies))


def test_every_column_is_explained():
    assert list(COLUMNS) == list(Row._fields)
