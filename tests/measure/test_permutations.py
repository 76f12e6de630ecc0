"""Coupling's p-value from random pairings: what it is a share of, and the same wherever it is asked for."""

import itertools
import math

import jax
import jsonschema
import numpy as np
import pytest

from sicjax import measure, networks, sdr
from sicjax.measure._compile import filled
from sicjax.measure._permutations import permuted

RNG = np.random.default_rng(0)
DRAWS = 20_000


def pair(inputs, channels, outputs, side=3):
    return sdr.Cascade(
        RNG.normal(size=(side, side, inputs, channels)), RNG.normal(size=(side, side, channels, outputs)), up=2
    )


def test_it_is_the_share_of_all_orders():
    small = pair(3, 6, 4)
    f = sdr.features(small)
    x, y = (np.asarray(each, np.float64) for each in (f.a.mean(1).T, f.b.mean(2).T))
    x, y = x - x.mean(0), y - y.mean(0)
    coupled = [np.square(x.T @ y[list(order)]).sum() for order in itertools.permutations(range(6))]
    share = np.mean(np.array(coupled) >= coupled[0] * (1 - 1e-9))
    assert 0.01 < share < 0.99
    assert permuted(f, DRAWS) == pytest.approx(share, abs=4 * math.sqrt(share * (1 - share) / DRAWS))


def test_the_real_pairing_counts_among_them():
    kernels = RNG.normal(size=(3, 3, 1, 12))
    matched = sdr.Cascade(kernels, np.moveaxis(kernels, -2, -1), up=1)
    assert permuted(sdr.features(matched), 99) == 0.01


def test_channels_of_no_energy_change_nothing():
    small = pair(3, 9, 4)
    f = sdr.features(small)
    assert permuted(sdr.features(filled(small, (5, 16, 8))), 500) == permuted(f, 500) == permuted(f, 500)


def test_two_channels_have_no_order_to_compare():
    assert math.isnan(permuted(sdr.features(pair(3, 2, 4)), 10))
    assert math.isnan(permuted(sdr.features(filled(pair(3, 2, 4), (4, 8, 4))), 10))


def test_nothing_but_p_is_of_permutations(chain):
    file = chain[0]
    (plain,), (found,) = (measure.measure([file], stride=2, permutations=n) for n in (None, 99))
    for a, b in zip(plain.rows, found.rows, strict=True):
        assert b.coupling_p != a.coupling_p and 100 * b.coupling_p == pytest.approx(round(100 * b.coupling_p))
        assert b._replace(coupling_p=a.coupling_p, reading=a.reading) == a
    record = measure.as_json(found)
    jsonschema.validate(record, measure.schema())
    assert record["settings"]["permutations"] == 99 and found.identity.key != plain.identity.key
    (alone,) = measure.measure_many(measure.find([file]), stride=2, permutations=99)
    assert alone.record["cascades"] == record["cascades"] and alone.key == found.identity.key
    (memory,) = measure.measure([networks.from_file(file, stride=2)], permutations=99)
    assert [row.coupling_p for row in memory.rows] == [row.coupling_p for row in found.rows]


@pytest.mark.slow
def test_on_real_pairs_it_is_within_its_error_of_other_permutations(public_weights):
    """Of 20 pairs of 18 authors: chance puts five or more beyond 1.96 standard errors three times in 1,000."""
    authors: dict[str, list[sdr.Cascade]] = {}
    for file in sorted(public_weights.glob("*.safetensors")):
        of = authors.setdefault(file.stem.partition("_")[0], [])
        cascades = (each.cascade for each in networks.from_file(file).pairs) if len(of) < 2 else ()
        of += [c for c in cascades if c.first_groups == c.second_groups == 1 and 8 <= c.shape[1] <= 128]
    # The first of each author, then the second.
    chosen = [(author, of[k]) for k in (0, 1) for author, of in authors.items() if len(of) > k][:20]
    assert len({author for author, _ in chosen}) == 18
    beyond = []
    for author, cascade in chosen:
        p, q = permuted(sdr.features(cascade), DRAWS), float(sdr.coupling(cascade, jax.random.key(1), draws=DRAWS).p)
        error = math.sqrt((p * (1 - p) + q * (1 - q)) / DRAWS + 2 / DRAWS**2)
        beyond += [author] if abs(p - q) > 1.96 * error else []
        print(author, cascade.shape, p, q, float(sdr.coupling(cascade).p))
    assert len(beyond) <= 4
