"""Which measures of images may judge, and what these measures are."""

import itertools

import numpy as np
import pytest

from sicjax import quality
from sicjax.experiments import _scores, ladder
from sicjax.experiments._corruptions import corrupted, shuffled

RNG = np.random.default_rng(0)


def test_corruptions_come_from_weak_to_strong_and_keep_what_they_should():
    images = RNG.uniform(-0.5, 0.5, (40, 16, 16, 3)).astype(np.float32)
    rungs = {
        kind: list(of)
        for kind, of in itertools.groupby(corrupted(images, np.tile(images, (3, 1, 1, 1))), lambda r: r.kind)
    }
    assert {len(of) for of in rungs.values()} == {3} and len(rungs) == 7
    apart = lambda rung: np.abs(rung.images - images).mean()
    for kind in ("blur", "brightness", "colour loss", "checkerboard"):
        assert apart(rungs[kind][0]) < apart(rungs[kind][1]) < apart(rungs[kind][2])
    assert [len(np.unique(r.images, axis=0)) for r in rungs["repeats"]] == [8, 2, 1]
    mixed = shuffled(images, 4, np.random.default_rng(0))
    np.testing.assert_allclose(np.sort(mixed.ravel()), np.sort(images.ravel()))
    assert not np.array_equal(mixed, images)
    block = images[0, :4, :4]
    assert any(np.array_equal(block, mixed[0, y : y + 4, x : x + 4]) for y in range(0, 16, 4) for x in range(0, 16, 4))


def result(rungs, floor=(0.1, 0.2)):
    every = ("blur", "brightness", "shuffled blocks", "repeats", "mode drop", "colour loss", "checkerboard")
    rows = {kind: rungs.get(kind, (0.3, 0.4, 0.5)) for kind in every}
    named = lambda value: dict.fromkeys(_scores.MEASURES, value)
    return {
        "floor": [named(value) for value in floor],
        "rungs": [{"kind": kind, "strength": str(v), "scores": named(v)} for kind, of in rows.items() for v in of],
    }


def test_a_measure_enters_if_it_ranks_what_it_has_to():
    key = "kernel_trained"
    assert ladder.failures(result({"brightness": (0.2, 0.3, 0.4)}), key) == []
    assert ladder.failures(result({"blur": (0.4, 0.3, 0.5), "brightness": (0, 0, 0)}), key) == ["blur"]
    assert ladder.failures(result({"blur": (0.15, 0.3, 0.5), "brightness": (0, 0, 0)}), key) == ["blur"]
    assert "brightness is worse than shuffled blocks" in ladder.failures(result({}), key)
    # Of variety more is better: what falls, ranks; what blur lifts above all real images, does not.
    falling = {"repeats": (0.09, 0.05, 0.01), "mode drop": (0.09, 0.05, 0.01), "blur": (0.1, 0.1, 0.1)}
    still = dict.fromkeys(("shuffled blocks", "checkerboard"), (0.15, 0.15, 0.15))
    assert ladder.failures(result(falling | still), "rank_trained") == []
    lifted = result(falling | still | {"blur": (0.1, 0.1, 0.9)})
    assert ladder.failures(lifted, "rank_trained") == ["blur passes for variety"]


def test_the_frechet_distance_of_few_samples_is_that_of_their_moments():
    x, y = RNG.normal(size=(20, 30)), RNG.normal(0.2, 1.5, size=(15, 30))
    moments = [(z.mean(0), np.cov(z, rowvar=False)) for z in (x, y)]
    expected = quality.frechet_distance_of_moments(*moments[0], *moments[1])
    assert quality.frechet_distance(x, y) == pytest.approx(expected, rel=1e-5)


def test_colours_stand_beside_features_in_equal_parts():
    rng = np.random.default_rng(0)
    images = rng.uniform(-1, 1, (40, 16, 16, 3)).astype(np.float32)
    colours = _scores.colours(images)
    cell = images[3, 4:8, 8:12].mean((0, 1))
    np.testing.assert_allclose(colours.reshape(40, 4, 4, 3)[3, 1, 2], cell - cell @ [0.299, 0.587, 0.114], atol=1e-6)
    np.testing.assert_allclose(_scores.colours(images + 0.1), colours, atol=1e-6)
    given, real = (
        _scores.Looked(part, {"trained": 7 * rng.normal(3, 1, (len(part), 30)), "colours": _scores.colours(part)})
        for part in (images[:15], images[15:])
    )
    x, y = _scores.with_colours(given, real)
    assert x.shape == (15, 78) and y.shape == (25, 78)
    np.testing.assert_allclose(y.mean(0), 0, atol=1e-6)
    np.testing.assert_allclose([y[:, :30].var(0).sum(), y[:, 30:].var(0).sum()], 39, rtol=1e-6)
    # The scale is that of the real images alone.
    other, again = _scores.with_colours(given.of(slice(5)), real)
    np.testing.assert_array_equal(other, x[:5])
    np.testing.assert_array_equal(again, y)


def test_neighbours_tell_what_is_missing_from_what_is_wrong():
    real = RNG.normal(size=(300, 6))
    same, few, off = RNG.normal(size=(300, 6)), np.repeat(RNG.normal(size=(3, 6)), 100, 0), RNG.normal(5, 1, (300, 6))
    good, repeated, wrong = (quality.neighbours(x, real) for x in (same, few, off))
    assert min(good[:2]) > 0.85 and good.density == pytest.approx(1, abs=0.15)
    assert repeated.recall < 0.05 and repeated.coverage < 0.1
    assert wrong.precision == 0 and wrong.density == 0
