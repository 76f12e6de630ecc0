"""Intervals and verdicts, and the claims on results made up to hold, to fail or to say nothing."""

import dataclasses
import json

import numpy as np
import pytest
from scipy import stats

from sicjax import sdr
from sicjax.experiments import PRESETS
from sicjax.experiments._measured import EDGES, _coarse, histogram_of, mode
from sicjax.experiments._readings import READINGS, ratios
from sicjax.experiments._statistics import as_json, by_interval, estimate, judged
from sicjax.experiments.gan_levels import c1, c2
from sicjax.experiments.public import judged_one_by_one
from sicjax.experiments.vae_levels import c3, c4

RNG = np.random.default_rng(0)


def test_intervals_are_those_of_scipy_and_hold_the_mean_as_often_as_they_say():
    values = RNG.normal(2, 3, size=5)
    found = estimate(values)
    low, high = stats.t.interval(0.95, 4, loc=values.mean(), scale=stats.sem(values))
    np.testing.assert_allclose([found.mean, found.low, found.high], [values.mean(), low, high])
    held = [abs(estimate(row).mean) < estimate(row).high - estimate(row).mean for row in RNG.normal(size=(2000, 3))]
    assert abs(np.mean(held) - 0.95) < 0.02


@pytest.mark.parametrize(
    "values, rule, bound, verdict, point",
    [
        ([1.0, 1.1, 0.9], "above", 0, "holds", True),
        ([1.0, 1.1, 0.9], "below", 0, "fails", False),
        ([1.0, -1.1, 0.9], "above", 0, "undecided", True),
        ([1.0], "above", 0, "undecided", True),
        ([1.01, 1.02, 0.99], "within", 0.1, "holds", True),
        ([1.31, 1.32, 1.29], "within", 0.1, "fails", False),
    ],
)
def test_a_verdict_needs_the_whole_interval(values, rule, bound, verdict, point):
    found = by_interval("number", values, rule, bound, centre=1.0 if rule == "within" else 0.0)
    assert (found.verdict, found.point) == (verdict, point)


def test_a_claim_holds_if_every_part_does_and_fails_if_one_fails():
    good, bad = by_interval("good", [1, 1.1, 0.9], "above"), by_interval("bad", [-1, -1.1, -0.9], "above")
    open_ = by_interval("open", [1, -1, 0], "above")
    for parts, verdict in (([good], "holds"), ([good, open_], "undecided"), ([good, open_, bad], "fails")):
        assert judged("ratio", "", parts).verdict == verdict


def test_many_tests_widen_the_interval():
    one, many = (by_interval("number", [1.0, 1.3, 0.9], "above", tests=n) for n in (1, 5))
    assert one.verdict == "holds" and many.verdict == "undecided"


def level(**changes):
    """A level as the experiments keep it, near independence."""
    numbers = {
        "structural": False, "mean": 1.0, "std": 0.1, "median": 1.0, "mode": 1.0, "near_one": 0.7, "below": 0.15,
        "above": 0.15, "marginal": 0.0, "adaptation": 0.0, "z": 0.0,
    }  # fmt: skip
    nulls = {f"null_{key}": value for key, value in numbers.items()} | {"null_near_one": 0.6}
    return numbers | nulls | changes


def seeds(*levels_):
    """Three seeds that differ a little."""
    shaken = lambda given, k: {
        key: value + 1e-4 * k if isinstance(value, float) else value for key, value in given.items()
    }
    return [[shaken(given, k) for given in levels_] for k in range(3)]


def test_c1_to_c4_follow_the_ratios():
    near, broad = seeds(level(), level()), seeds(level(std=0.4, below=0.4), level(std=0.2))
    assert [each.verdict for each in c1(near)] == ["holds", "holds"]
    assert c1(seeds(level(median=1.3)))[0].verdict == "fails"
    assert c2(near, broad)[0].verdict == "holds" and c2(broad, near)[0].verdict == "fails"
    assert c4(broad, near)[0].verdict == "holds"
    encoder = seeds(level(mode=0.8, median=0.9, adaptation=-0.1))
    assert [each.verdict for each in c3(encoder, near)] == ["holds", "holds"]
    assert c3(seeds(level(mode=1.2, median=1.2)), near)[0].verdict == "fails"


def test_levels_that_depend_on_no_weight_are_left_out():
    (ratio, _) = c1(seeds(level(structural=True, median=9.0), level()))
    assert ratio.verdict == "holds" and all("finest" not in each.what for each in ratio.parts)


def test_histograms_are_kept_whole_and_give_the_same_shares():
    counts = RNG.integers(0, 50, size=4000)
    for top in (4, 8):
        fine = sdr.Histogram(counts, np.linspace(0, top, 4001), 0, 3, 7)
        kept = histogram_of(json.loads(json.dumps(as_json(_coarse(fine)))))
        assert (kept.defined, kept.undefined) == (fine.defined, 7)
        assert kept.share(0.9, 1.1) == pytest.approx(fine.share(0.9, 1.1), abs=1e-9)
        assert np.array_equal(kept.edges, EDGES)


def test_the_mode_is_where_the_density_is_highest():
    values = np.concatenate([RNG.normal(0.8, 0.05, 100_000), RNG.normal(1.5, 0.3, 50_000)])
    counts, edges = np.histogram(values, np.linspace(0, 4, 4001))
    assert mode(sdr.Histogram(counts, edges, 0, 0, 0)) == pytest.approx(0.8, abs=0.01)


@pytest.mark.parametrize("settings", [{"up": 2}, {"down": 2}, {}])
def test_the_exact_reading_is_the_measure(settings):
    pair = sdr.Cascade(RNG.normal(size=(4, 4, 3, 5)), RNG.normal(size=(5, 5, 5, 2)), **settings)
    np.testing.assert_allclose(ratios(pair, READINGS[0]), sdr.ratios(pair), atol=1e-5)


def test_readings_of_an_encoder_differ_as_they_say():
    pair = sdr.Cascade(RNG.normal(size=(4, 4, 3, 5)), RNG.normal(size=(4, 4, 5, 2)), down=2)
    by = {reading.name: ratios(pair, reading) for reading in READINGS}
    exact = by["coarse kernel stretched (exact; Fig. 3a)"]
    np.testing.assert_allclose(by["energy of one pixel, decimation in the encoder a loss"], exact / 4)
    # The two directions' ratios multiply to at most 1.
    assert (by["encoder by the anticausal ratio of section 2.3"] * exact <= 1 + 1e-9).all()


def test_presets_are_sized_as_they_say():
    for name, preset in PRESETS.items():
        assert preset.name == name and preset.gan.measure_every * 10 <= preset.gan.steps + preset.gan.measure_every
    shorter = PRESETS["pilot"].changed(seeds=5, gan_steps=100, data="folder:x")
    assert (len(shorter.seeds), shorter.gan.steps, shorter.gan.measure_every) == (5, 100, 10)
    assert shorter.vae.data == shorter.gan.data == "folder:x"
    assert dataclasses.replace(PRESETS["cpu"]).changed() == PRESETS["cpu"]


def test_public_networks_meet_in_the_claims_that_need_two():
    def file(name, source, **networks):
        return {"file": name, "source": source, "networks": networks, "readings": None}

    files = [
        file("g", "place one generator.pt", generator=[level()]),
        file("d", "place one discriminator.pt", discriminator=[level(std=0.3, below=0.4)]),
        file("other", "place two discriminator.pt", discriminator=[level()]),
        file("vae", "place three", encoder=[level()], decoder=[level(std=0.2)]),
    ]
    found = {(claim, name): both for claim, name, both in judged_one_by_one({"public": {"files": files}})}
    assert set(found) == {("C1", "g"), ("C1", "vae"), ("C2", "g and d"), ("C3", "vae"), ("C4", "vae and g")}
    assert all(each.point for each in found["C2", "g and d"][0].parts)
