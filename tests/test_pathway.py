"""The figure of one pathway: the mean of the product that is drawn is the pathway's ratio."""

import numpy as np
import pytest
from helpers import CASES, kernels, with_dead_kernels

import sicjax.sdr as sdr
from sicjax import figures, networks
from sicjax._errors import InputError

pytest.importorskip("matplotlib")

DRAWN = {name: pair for name, pair in CASES.items() if pair.first.ndim <= 4}


def drawn(figure):
    """The two spectra and the product as they are drawn."""
    below = [axes for axes in figure.axes if axes.get_xlabel().startswith("cycles")]
    return [np.asarray(axes.images[0].get_array() if axes.images else axes.lines[-1].get_ydata()) for axes in below]


@pytest.mark.parametrize("name", DRAWN)
def test_the_mean_of_what_is_drawn_is_the_ratio(name):
    pair = DRAWN[name]
    i, m, o = (n - 1 for n in pair.shape)
    first, second, product = drawn(figures.pathway(pair, i, m, o))
    assert first.mean() == pytest.approx(1) and second.mean() == pytest.approx(1)
    np.testing.assert_allclose(product, first * second)
    assert product.mean() == pytest.approx(float(sdr.ratios(pair)[i, m, o]), abs=1e-6)


def test_the_coarse_spectrum_is_that_of_the_kernel_stretched_by_the_stride():
    first, second = kernels((4,), (4,), (1, 1, 1))
    up, down = (drawn(figures.pathway(pair, 0, 0, 0)) for pair in (
        sdr.generative(first, second, stride=2), sdr.extractive(first, second, stride=2)
    ))  # fmt: skip
    at = np.arange(len(up[0])) - len(up[0]) // 2
    for spectrum, kernel, stretch in ((up[0], first, 2), (up[1], second, 1), (down[0], first, 1), (down[1], second, 2)):
        waves = np.exp(-2j * np.pi * stretch * np.outer(at, np.arange(4)) / len(at))
        power = np.abs(waves @ kernel[:, 0, 0]) ** 2
        np.testing.assert_allclose(spectrum, power / power.mean(), atol=1e-6)


def test_what_cannot_be_drawn_is_said():
    with pytest.raises(ValueError, match="3 spatial axes"):
        figures.pathway(CASES["3-D, generative"], 0, 0, 0)
    with pytest.raises(ValueError, match="all zero"):
        figures.pathway(with_dead_kernels(), 1, 2, 0)


def test_a_pair_of_a_network_shows_its_highest_pathway(chain):
    (pair, _) = networks.from_file(chain[0], stride=2).pairs
    highest = sdr.extremes(pair.cascade, 1).highest[0]
    assert drawn(pair.show())[2].mean() == pytest.approx(highest, abs=1e-6)
    figure = pair.show(*(np.int32(k) for k in range(3)))  # as a table has them
    assert [axes.get_title() for axes in figure.axes[:2]] == [f"{pair.first.path} [0, 1]", f"{pair.second.path} [1, 2]"]
    with pytest.raises(InputError, match=r"net.0 to net.3 has 4 channels m, 0 to 3: there is no 4"):
        pair.show(0, 4, 0)
    assert drawn(pair.show(0, 1, 2))[2].mean() == pytest.approx(float(sdr.ratios(pair.cascade)[0, 1, 2]), abs=1e-6)
    titles = [axes.get_title() for axes in pair.show(0, 1, 2).axes]
    assert f"{pair.first.path} [0, 1]" in titles and f"{pair.second.path} [1, 2]" in titles
    dead = pair._replace(cascade=sdr.Cascade(0 * pair.cascade.first, pair.cascade.second))
    with pytest.raises(InputError, match="no pathway"):
        dead.show()
