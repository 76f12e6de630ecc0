"""What a verdict takes: p-values, Holm, and each claim on networks that are as it says and on others."""

import math

import numpy as np
import pytest
from made_up import IMAGES, taken
from scipy import stats

from sicjax.experiments import _judges as judges
from sicjax.experiments._judges import Network, Variant
from sicjax.experiments._net import NUMBERS
from sicjax.experiments._tests import by_test, judged

RNG = np.random.default_rng(0)


def test_p_values_are_those_of_scipy():
    x, y = RNG.normal(0.5, 1, 5).tolist(), RNG.normal(0, 2, 3).tolist()
    assert by_test("", x, "above", 0.1).p_there == pytest.approx(stats.ttest_1samp(x, 0.1, alternative="greater")[1])
    assert by_test("", x, "below", 0.1).p_there == pytest.approx(stats.ttest_1samp(x, 0.1, alternative="less")[1])
    welch = stats.ttest_ind(x, y, equal_var=False, alternative="greater")
    found = by_test("", x, "above", against=y)
    assert found.p_there == pytest.approx(welch[1])
    interval = stats.ttest_ind(x, y, equal_var=False).confidence_interval()
    assert (found.low, found.high) == pytest.approx(tuple(interval))
    both = [stats.ttest_1samp(x, at, alternative=side)[1] for at, side in ((-0.2, "greater"), (1.8, "less"))]
    assert by_test("", x, "within", 1.0, centre=0.8).p_there == pytest.approx(max(both))
    assert by_test("", [1.0], "above").p_there == 1
    # As certain as one value: what is read off bins agrees more often than it is known.
    alike = by_test("", [1.0, 1.0, 1.0], "above")
    assert (alike.p_there, alike.p_elsewhere, alike.low, alike.high) == (1, 1, None, None)


def test_many_parts_need_more_of_each():
    values = [1.0, 1.5, 0.6, 1.2, 0.9]
    p = by_test("", values, "above").p_there
    alone, crowd = (judged("ratio", "", [by_test("", values, "above")] * n) for n in (1, math.ceil(0.03 / p)))
    assert (alone.verdict, crowd.verdict) == ("holds", "undecided")
    assert judged("ratio", "", [by_test("", values, "above"), by_test("", values, "below")]).verdict == "fails"
    assert judged("ratio", "", [by_test("", values, "above")], ["something"]).verdict == "undecided"


NOISE = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def the_same_noise_in_whatever_order():
    NOISE.bit_generator.state = np.random.default_rng(0).bit_generator.state


def network(*levels, seeds=5, sd=0.01):
    """A network whose levels have these numbers, shaken a little from seed to seed."""
    near = {"IQR over that of the null": 1.0, "mode": 1.0}
    made = {
        seed: [
            {name: {**near, **level}.get(name, 0.0) + NOISE.normal(0, 1e-3) for name in NUMBERS} for level in levels
        ]
        for seed in range(seeds)
    }  # fmt: skip
    return Network(made, [dict.fromkeys(NUMBERS, sd)] * len(levels))


def verdicts(found):
    return [each.verdict for each in found]


def test_c1_to_c4_hold_for_one_network_and_fail_for_another():
    plain = network({}, {}, {})
    fitted = {"z of adaptation": 20.0, "z of coupling": 50.0}
    assert verdicts(judges.c1(plain)) == ["holds"] * 3
    assert verdicts(judges.c1(network(fitted | {"IQR over that of the null": 1.5}, {}, {}))) == ["fails"] * 3
    wide = {
        "net std": 0.2,
        "net iqr": 0.2,
        "net below": 0.1,
        "size of adaptation": 0.1,
        "adaptation": -0.1,
        "coupling": 0.3,
    }
    middle = wide | {"net std": 0.1, "net iqr": 0.1}
    broad = network(wide, middle, middle)
    assert verdicts(judges.c2(plain, broad)) == ["holds"] * 3 and verdicts(judges.c2(broad, plain)) == ["fails"] * 3
    assert verdicts(judges.c4(broad, plain)) == ["holds"] * 3 and verdicts(judges.c4(plain, broad)) == ["fails"] * 3
    # A difference of two untrained networks is none, however certain.
    small = network({"net std": 0.02, "net iqr": 0.02}, {}, {})
    assert judges.c4(small, plain)[0].verdict == "fails"
    low = {"mode": 0.8, "net mode": -0.2, "z of adaptation": -9.0, "z of coupling": 9.0}
    assert verdicts(judges.c3(network(low, low), plain)) == ["holds"] * 3
    assert verdicts(judges.c3(plain, network(fitted | {"mode, off 1 in IQRs of the null": 1.0}))) == ["fails"] * 3


def test_c5_asks_for_both_ends_and_that_they_differ():
    right = taken((0.1, 0.7, 0.9), (0.4, 0.9, 0.4), (0.2, 0.9, 0.8))
    assert verdicts(judges.c5(right)) == ["holds"] * 3
    assert verdicts(judges.c5(taken((0.4, 0.9, 0.4), (0.1, 0.7, 0.9), (0.2, 0.9, 0.8)))) == ["fails"] * 3
    # Colour goes with both: not specific.
    assert judges.c5(taken((0.1, 0.7, 0.35), (0.4, 0.9, 0.4), (0.2, 0.9, 0.8)))[0].verdict != "holds"


def scores(**values):
    return {seed: {key: value * NOISE.normal(1, 1e-3) for key, value in values.items()} for seed in range(5)}


def test_c6_to_c9_take_the_measures_that_may_judge_and_no_others():
    more = network({"net mean": 0.1, "net above": 0.1, "adaptation": 0.1, "coupling": 0.3})
    good, bad = scores(kernel_trained=0.01, rank_trained=9.0), scores(kernel_trained=0.05, rank_trained=5.0)
    assert verdicts(judges.c6(more, network({}), (bad, good), IMAGES)) == ["holds"] * 3
    assert verdicts(judges.c6(more, network({}), (good, bad), IMAGES)) == ["fails"] * 3
    none = IMAGES._replace(passed={"quality": [], "variety": []})
    assert verdicts(judges.c6(more, network({}), (bad, good), none)) == ["undecided"] * 3
    narrow = network({}, {key: -0.3 for key in ("net std", "net iqr", "size of adaptation", "coupling")})
    variants = Variant(narrow, narrow, good), Variant(network({}, {}), network({}, {}), bad)
    assert verdicts(judges.c7({"16": variants}, IMAGES)) == ["holds"] * 3
    assert verdicts(judges.c7({"16": variants[::-1]}, IMAGES)) == ["fails"] * 3
    assert verdicts(judges.c8(network({"net std": -0.3, "net iqr": -0.3}), network({}))) == ["holds", "fails", "fails"]
    both = {"departure": (good, bad), "adaptation": (bad, good)}
    assert verdicts(judges.c9(both, IMAGES)) == ["holds", "fails", "undecided"]
