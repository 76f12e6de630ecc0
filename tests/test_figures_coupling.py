import numpy as np
import pytest

import sicjax.sdr as sdr
from sicjax import figures

pytest.importorskip("matplotlib")


def leaning(*sizes, m=60, **settings) -> sdr.Cascade:
    """First kernels smooth along the first axis meet second ones that are smooth along the last."""
    rng = np.random.default_rng(0)
    lean = rng.normal(size=m)
    first, second = rng.normal(size=(*sizes, 6, m)), rng.normal(size=(*sizes, m, 5))
    first += lean * np.roll(first, 1, axis=0)
    second += lean[:, None] * np.roll(second, 1, axis=len(sizes) - 1)
    return sdr.Cascade(first, second, **settings)


def test_the_spectra_that_meet_are_drawn_with_their_channels():
    pair = leaning(4, 4)
    figure = figures.coupling(pair, 2, names=("conv1", "conv2"))
    assert len(figure.axes) == 6 and figure.axes[0].get_title().startswith("conv1: ")
    first, second = (np.asarray(panel.get_images()[0].get_array()) for panel in figure.axes[:2])
    assert np.ptp(first.mean(1)) > 3 * np.ptp(first.mean(0)) and np.ptp(second.mean(0)) > 3 * np.ptp(second.mean(1))
    middle = len(first) // 2
    assert first[middle].mean() > first[0].mean()  # more of low frequencies where the score is positive
    points = np.asarray(figure.axes[2].collections[0].get_offsets())
    assert points.shape == (60, 2) and np.corrcoef(points.T)[0, 1] > 0.5


def test_along_a_single_axis_at_the_rate_between_the_layers():
    pair = leaning(9, up=2, first_dilation=2)
    figure = figures.coupling(pair, 1)
    (line,) = [line for line in figure.axes[0].get_lines() if len(line.get_xdata()) > 2]
    axes = sdr.coinertia(pair, 1).first[:, 0]
    lags = [2 * lag[0] for lag, _ in pair.lags]  # taps of the first kernel are two places apart
    expected = sum(
        2 * a * np.cos(2 * np.pi * np.asarray(line.get_xdata()) * n) for a, n in zip(axes, lags, strict=True)
    )
    np.testing.assert_allclose(line.get_ydata(), expected, atol=1e-5)


def test_what_cannot_be_drawn_is_said():
    with pytest.raises(ValueError, match="3 spatial axes cannot be drawn"):
        figures.coupling(sdr.Cascade(np.ones((2, 2, 2, 3, 4)), np.ones((2, 2, 2, 4, 3))))
    with pytest.raises(ValueError, match="share no lag"):
        figures.coupling(sdr.Cascade(np.ones((1, 1, 3, 4)), np.ones((3, 3, 4, 3))))
