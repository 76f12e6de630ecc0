import math

import numpy as np
import pytest
from scipy.stats import pearsonr

from sicjax.measure import COLUMNS, Row
from sicjax.measure._meaning import reading

NAMED = {"structural": False, "channels": 64, "coupling": 0.1, "coupling_p": 0.5, "energy": 0.0}


@pytest.mark.parametrize(
    "numbers, words",
    [
        ({}, "as random pairing"),
        ({"coupling_p": 0.01}, "coupled"),
        ({"coupling_p": 0.0, "coupling": 0.5}, "strongly coupled"),
        ({"coupling": 0.5}, "as random pairing"),
        ({"energy": 0.5}, "as random pairing, energies matched"),
        ({"energy": -0.5, "coupling_p": 0.001}, "coupled, energies opposed"),
        ({"energy": 0.5, "channels": 9}, "as random pairing"),
        ({"energy": 0.999, "channels": 7}, "too few channels"),
        ({"coupling_p": math.nan, "coupling": math.nan}, "too few channels"),
        ({"structural": True, "coupling_p": math.nan, "energy": 0.9}, "no shared lag, energies matched"),
        ({"energy": math.nan}, "as random pairing"),
        ({"energy": 1.0}, "as random pairing, energies matched"),
    ],
)
def test_numbers_in_words(numbers, words):
    assert reading(**{**NAMED, **numbers}) == words


def test_energies_are_matched_where_a_correlation_is_met_once_in_a_hundred():
    rng = np.random.default_rng(0)
    seen = set()
    for channels in (8, 20, 200):
        for pull in np.linspace(0, 1, 30):
            x = rng.normal(size=channels)
            y = pull * x + rng.normal(size=channels)
            r, p = map(float, pearsonr(x, y))
            said = reading(**{**NAMED, "channels": channels, "energy": float(r)}) != "as random pairing"
            assert said == (p <= 0.01)
            seen.add(said)
    assert seen == {True, False}


def test_every_column_is_explained():
    assert list(COLUMNS) == list(Row._fields)
