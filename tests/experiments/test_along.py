"""When a number has appeared, rank correlations given others, and what the page says of the numbers beside it."""

import itertools
import json
import math
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import pearsonr, rankdata, spearmanr

from sicjax.experiments import along, overfitting
from sicjax.experiments._looks import looks
from sicjax.experiments._ranks import holm, partial, spearman
from sicjax.experiments._statistics import as_json

DOCS = Path(__file__).parents[2] / "docs"
RNG = np.random.default_rng(0)


def test_a_run_is_looked_at_whenever_its_steps_have_doubled():
    assert looks(3072) == (0, 12, 24, 48, 96, 192, 384, 768, 1536, 3072)
    assert looks(5) == (0, 1, 2, 5)


def test_a_number_has_appeared_when_it_stays_on_one_side():
    chance, steps = along.Chance(0.0, -1.0, 1.0), [0, 1, 2, 4]
    at = lambda *values: along.appeared(values, chance, steps)
    assert at(0, 2, 2, 2) == 1 and at(2, 2, 2, 2) == 0 and at(0, 0, 0, -2) == 4
    assert at(0, -2, 2, 2) == 2, "the other side is not the same departure"
    assert at(2, 2, 2, 1) == math.inf, "the end of the range is inside"
    runs = [{"coupling": [0, 0, 2, 3], "first moved": far, "second moved": far} for far in ([0, 1, 2, 3], [0, 3, 2, 1])]
    found = along._level(runs, "coupling", chance, steps)
    assert found == along.Rise(last=3.0, appeared=2, runs=2, step=2.0, follows=0.0)
    never = along._level([{**runs[0], "coupling": [0, 0, 0, 0.5]}, *runs], "coupling", chance, steps)
    assert (never.appeared, never.step) == (2, 2.0)


def test_what_ranks_have_in_common_given_others():
    one, other, third = RNG.normal(size=(3, 12)).tolist()
    ranks = [rankdata(each) for each in (one, other, third)]
    r, s, t = (float(np.corrcoef(*both)[0, 1]) for both in itertools.combinations(ranks, 2))
    assert spearman(one, other) == pytest.approx(spearmanr(one, other)[0]) == pytest.approx(r)
    found = partial(one, other, [third], permutations=2000)
    assert found.rho == pytest.approx((r - s * t) / math.sqrt((1 - s**2) * (1 - t**2)))
    # Nothing is left of what is explained.
    assert math.isnan(partial(one, other, [one], permutations=9).p)


def test_units_of_one_group_alone_are_exchanged():
    groups, one, other = [7] * 3 + [9] * 4, *RNG.normal(size=(2, 7)).tolist()
    centred = lambda ranks: ranks - np.repeat([ranks[:3].mean(), ranks[3:].mean()], [3, 4])
    x, y = centred(rankdata(one)), centred(rankdata(other))
    orders = [a + b for a in itertools.permutations(range(3)) for b in itertools.permutations(range(3, 7))]
    every = np.array([pearsonr(x[list(order)], y)[0] for order in orders])
    found = partial(one, other, [], permutations=20_000, groups=groups)
    assert found.rho == pytest.approx(pearsonr(x, y)[0])
    assert found.p == pytest.approx(np.mean(np.abs(every) >= abs(found.rho) - 1e-9), abs=0.015)


def test_where_nothing_is_to_be_found_one_in_ten_is_below_a_tenth():
    given = RNG.normal(size=(2, 15))
    drawn = [RNG.normal(size=(2, 15)) + given[0] for _ in range(400)]
    p = [partial(*map(list, both), given.tolist(), permutations=199).p for both in drawn]
    assert 0.06 < np.mean(np.array(p) <= 0.1) < 0.145


def test_holm():
    assert holm([0.04, 0.01, 0.03, 0.5]) == pytest.approx([0.09, 0.04, 0.09, 0.5])
    assert holm([0.02, math.nan])[0] == 0.04


def a_run(amount, adaptation, far):
    pairs = {"decoder.a": (adaptation, far), "decoder.b": ([0.0, 0.0, 0.0], far), "encoder.a": (adaptation, far)}
    keys = ("first moved", "second moved")
    return {
        "amount": amount,
        "pairs": {name: {**dict.fromkeys(keys, moved), **dict.fromkeys(overfitting.EXPECTED, values)} for
                  name, (values, moved) in pairs.items()},
    }  # fmt: skip


def test_runs_are_compared_where_they_are_equally_far():
    few = [a_run(5, [0.0, 1.0, 0.5], [0.0, 1.0, 3.0 + k]) for k in range(3)]
    many = [a_run(50, [0.0, 2.0, 4.0], [0.0, 1.0, 2.0]) for _ in range(3)]
    found = overfitting.apart(few + many)
    # The finest pair of the decoder is left out, and so is the encoder.
    assert list(found) == [
        "marginal of decoder.a", "adaptation of decoder.a", "coupling of decoder.a",
        "adaptation of decoder.a, last over largest",
    ]  # fmt: skip
    of = found["coupling of decoder.a"]
    assert of.few == pytest.approx([0.75, 1 - 0.5 / 3, 1 - 0.5 / 4]) and of.many == (4.0, 4.0, 4.0)
    assert of.p == pytest.approx(1 / 20) and of.corrected == pytest.approx(4 / 20)
    assert found["adaptation of decoder.a, last over largest"].few == (0.5, 0.5, 0.5)


def kept(name):
    return json.loads((DOCS / "along" / f"{name}.json").read_text())


def test_the_page_has_the_numbers_of_its_runs(monkeypatch):
    monkeypatch.setattr(overfitting, "PERMUTATIONS", 200)
    page, result = (DOCS / "along.md").read_text(), kept("overfitting")
    for pair, found in as_json(overfitting.relations(result["runs"])).items():
        for number, relation in found.items():
            of = result["relations"][pair][number]
            assert relation["alone"] == pytest.approx(of["alone"])
            for part in ("given", "within"):
                assert relation[part]["rho"] == pytest.approx(of[part]["rho"])
                assert relation[part]["p"] == pytest.approx(of[part]["p"], abs=0.15)
    assert as_json(overfitting.apart(result["fresh"])) == as_json(result["confirmed"])
    assert all(table in page for table in overfitting._tables(result) if table.startswith("|"))
    result = kept("along")
    for kind in along.KINDS:
        of = result[kind]
        chances = {
            pair: {number: along.Chance(**chance) for number, chance in numbers.items()}
            for pair, numbers in of["untrained"].items()
        }
        assert as_json(along.levels(of["runs"], chances, of["steps"])) == of["levels"]
    assert all(table in page for table in along._tables(result))
