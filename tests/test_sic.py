"""The ratio of two time series against theory and against simulated systems whose direction is known."""

import numpy as np
import pytest
from scipy.signal import freqz, lfilter, welch

from sicjax import sic

LENGTH = 2**15


def spectrum(b, a=(1.0,)):
    return np.abs(freqz(b, a, worN=2048, whole=True)[1]) ** 2


def white(seed, length=LENGTH):
    return np.random.default_rng(seed).normal(size=length)


def test_forward_times_backward_is_one_over_the_means_of_gain_and_inverse_gain():
    rng = np.random.default_rng(0)
    for _ in range(50):
        power_x, gain = spectrum(rng.normal(size=5)), spectrum(rng.normal(size=4))
        there, back = sic.ratio_of_spectra(power_x, gain * power_x)
        np.testing.assert_allclose(there, (power_x * gain).mean() / power_x.mean() / gain.mean(), rtol=1e-12)
        np.testing.assert_allclose(there * back, 1 / gain.mean() / (1 / gain).mean(), rtol=1e-12)
        assert there * back <= 1


def test_a_white_input_has_ratio_one_and_its_inverse_the_closed_form():
    # The gain 1 + c^2 + 2 c cos has mean 1 + c^2, its inverse 1 / (1 - c^2).
    c = 0.5
    there, back = sic.ratio_of_spectra(np.ones(2048), spectrum([1, c]))
    np.testing.assert_allclose([there, back], [1, (1 - c**2) / (1 + c**2)], rtol=1e-12)


@pytest.mark.parametrize("system", [([1, 0.6, 0.2], [1]), ([1, -0.4], [1, 0.5, 0.3]), ([1], [1, -0.8])])
@pytest.mark.parametrize("source", [([1], [1]), ([1], [1, -0.7]), ([1, 0.5], [1, 0.3])])
def test_ratios_of_simulated_systems_are_those_of_their_exact_spectra(source, system):
    x = lfilter(*source, white(1))
    expected = sic.ratio_of_spectra(spectrum(*source), spectrum(*source) * spectrum(*system))
    np.testing.assert_allclose(sic.ratio(x, lfilter(*system, x), segment=512), expected, rtol=0.05)


def test_spectra_are_welchs():
    x, y = white(2, 4096), white(3, 4096)
    _, (power_x, power_y) = welch(np.stack([x, y]), nperseg=128, detrend=False, return_onesided=False)
    np.testing.assert_allclose(sic.ratio(x, y, segment=128), sic.ratio_of_spectra(power_x, power_y), rtol=0.01)


def test_swapping_scaling_and_shifting_the_series():
    x = white(4)
    y = np.asarray(lfilter([1, 0.9], [1], x))
    there, back = sic.ratio(x, y)
    np.testing.assert_allclose(sic.ratio(y, x), (back, there))
    np.testing.assert_allclose(sic.ratio(3e-200 * x, 1e150 * y + 1e150), (there, back), rtol=1e-6)
    answer = sic.direction(x, y)
    assert answer.direction == "x->y" and sic.direction(y, x).direction == "y->x"
    assert answer.ratios == (there, back)
    np.testing.assert_allclose(answer.score, np.log(there / back))


@pytest.mark.parametrize("rule", ["larger", "closer"])
def test_a_white_cause_is_found_whatever_the_filter(rule):
    rng = np.random.default_rng(5)
    answers = []
    for seed in range(20):
        x = white(seed, 8192)
        answers.append(sic.direction(x, lfilter(rng.normal(size=8), [1], x), rule=rule).direction)
    assert answers.count("x->y") == 20


def test_the_rules_differ_where_a_ratio_is_well_above_one():
    x = lfilter([1], [1, -0.7], white(6))
    y = lfilter([1], [1, -0.7], x)
    there, back = sic.ratio(x, y)
    assert there - 1 > 1 - back > 0
    assert sic.direction(x, y).direction == "x->y"
    assert sic.direction(x, y, rule="closer").direction == "y->x"


def test_ties_are_undecided_as_often_as_the_confidence_says():
    # The spectrum of y is that of x mirrored at a quarter of the sampling rate: neither direction is favoured.
    scores = []
    for seed in range(60):
        e = white(100 + seed, 4096)
        tie = sic.direction(lfilter([1, 0.6], [1], e), lfilter([1, -0.6], [1], e))
        scores.append((tie.direction == "undecided", tie.score, tie.standard_error))
    undecided, score, error = np.array(scores).T
    assert 52 <= undecided.sum() < 60
    assert abs(score.mean()) < 3 * score.std() / np.sqrt(60)
    assert 0.7 < np.sqrt((error**2).mean()) / score.std() < 1.4


def test_an_amplifier_and_a_delay_are_undecided():
    x = white(7)
    assert sic.direction(x, -2 * x).direction == "undecided"
    assert sic.direction(x[5:], x[:-5]).direction == "undecided"
    assert sic.direction(x, lfilter([1, 0.02], [1], x), confidence=0.0).direction == "x->y"


@pytest.mark.parametrize(
    "x, y, settings, message",
    [
        (white(0, 300), white(1, 299), {}, "two series of one length, got shapes"),
        (white(0, 300)[None], white(1, 300)[None], {}, "two series of one length"),
        (white(0, 255), white(1, 255), {}, "segments of 32 samples need .* got 255"),
        (white(0, 300), white(1, 300), {"segment": 64}, "segments of 64 samples"),
        (np.ones(300), white(1, 300), {}, "x is constant"),
        (white(0, 300), np.full(300, np.nan), {}, "y has values that are NaN"),
        (white(0, 300), white(1, 300), {"rule": "bigger"}, "rule must be 'larger' or 'closer'"),
        (white(0, 300), white(1, 300), {"confidence": 1}, "confidence must be"),
    ],
)
def test_bad_input(x, y, settings, message, without_type_checks):
    with pytest.raises(ValueError, match=message):
        sic.direction(x, y, **settings)


def test_a_frequency_without_power_has_no_filter(without_type_checks):
    with pytest.raises(ValueError, match="y has no power at some frequencies"):
        sic.ratio_of_spectra(np.ones(4), np.array([1, 0, 1, 1]))
    with pytest.raises(ValueError, match="expected two spectra"):
        sic.ratio_of_spectra(np.ones(4), np.ones(5))
