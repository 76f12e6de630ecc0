"""The images of a step: each used as often as the others, the same wherever one starts, the same from a stream."""

import dataclasses
import itertools
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sicjax import data


@pytest.fixture(scope="module")
def images():
    pixels = np.random.default_rng(0).integers(0, 256, (23, 8, 8, 3), dtype=np.uint8)
    return data.Images("random", pixels, tuple(map(str, range(23))))


@given(n=st.integers(1, 40), batch=st.integers(1, 90), steps=st.integers(1, 12), seed=st.integers(0, 5))
def test_no_image_is_ahead_of_another(n, batch, steps, seed):
    chosen = np.concatenate([data.indices(step, n, batch, seed) for step in range(steps)])
    assert chosen.shape == (steps * batch,) and chosen.dtype == np.int64
    counts = np.bincount(chosen, minlength=n)
    assert len(counts) == n and counts.max() - counts.min() <= 1
    for start in range(0, steps * batch - n + 1, n):
        assert sorted(chosen[start : start + n]) == list(range(n))


def test_a_step_is_a_function_of_its_number():
    there = [data.indices(step, 1000, 64, seed=7) for step in range(40)]
    back = [data.indices(step, 1000, 64, seed=7) for step in reversed(range(40))]
    np.testing.assert_array_equal(there, back[::-1])
    # Runs are resumed years later: the order is part of the format.
    assert data.indices(0, 1000, 6, seed=7).tolist() == [614, 37, 865, 114, 6, 680]
    far = data.indices(10**9, 202_599, 128, seed=0)
    assert len(set(far.tolist())) >= 127 and far.max() < 202_599


def test_epochs_and_seeds_have_different_orders():
    orders = [data.indices(epoch, 100, 100, seed) for epoch in range(3) for seed in range(3)]
    for one, other in itertools.combinations(orders, 2):
        assert (one == other).mean() < 0.1
    # Where an image stands has nothing to do with its number.
    assert abs(np.corrcoef(np.concatenate(orders), np.tile(np.arange(100), 9))[0, 1]) < 0.15


def test_what_indices_gives_is_the_callers_own():
    first = data.indices(0, 10, 10, seed=0)
    first[:] = 0
    assert sorted(data.indices(0, 10, 10, seed=0)) == list(range(10))


@pytest.mark.parametrize("bad", [{"step": -1}, {"n": 0}, {"batch": 0}, {"seed": -1}])
def test_numbers_out_of_range(bad):
    with pytest.raises(ValueError, match="expected step >= 0"):
        data.indices(**{"step": 0, "n": 5, "batch": 2, "seed": 0} | bad)


def test_a_stream_gives_the_batches_of_the_array(images):
    pytest.importorskip("grain", reason="streaming needs the extra train")
    for start in (0, 5):
        batches = list(data.stream(images, 4, seed=3, start=start, stop=20))
        assert len(batches) == 20 - start
        for step, batch in enumerate(batches, start):
            np.testing.assert_array_equal(batch, images.pixels[data.indices(step, len(images), 4, seed=3)])
    endless = data.stream(images, 50, seed=1, start=10**6)
    for step in range(10**6, 10**6 + 3):
        np.testing.assert_array_equal(next(endless), images.pixels[data.indices(step, 23, 50, seed=1)])
    # Another source of images by number.
    np.testing.assert_array_equal(next(data.stream(list(images), 4, seed=3)), next(data.stream(images, 4, seed=3)))


def test_grain_takes_images_as_a_source(images):
    grain = pytest.importorskip("grain", reason="streaming needs the extra train")
    batches = list(grain.MapDataset.source(images).batch(10).to_iter_dataset())
    np.testing.assert_array_equal(np.concatenate(batches), images.pixels)
    again = pickle.loads(pickle.dumps(images))
    np.testing.assert_array_equal(again.pixels, images.pixels)
    assert repr(again) == repr(images) == "Images('random': 23 of 8 x 8)"


def test_the_first_images_keep_their_names_and_factors(images):
    drawn = dataclasses.replace(images, factors={"smile": np.arange(23, dtype=np.float32)}).first(5)
    assert len(drawn) == 5 and drawn.names == tuple("01234") and drawn.factors["smile"].tolist() == [0, 1, 2, 3, 4]
    np.testing.assert_array_equal(drawn.pixels, images.pixels[:5])
