"""The figure of distributions: whatever is given is drawn once, labelled, and within the panel."""

import io

import numpy as np
import pytest
from PIL import Image

from sicjax import figures, sdr
from sicjax.figures import Level

EDGES = np.linspace(0, 4, 401)


def level(name="net.a to net.b", centre=1.0, marginal=0.1, adaptation=-0.05):
    values = np.random.default_rng(0).normal(centre, 0.1, 4000)
    histogram = sdr.Histogram(np.histogram(values, EDGES)[0], EDGES, 0, 0, 0)
    return Level(name, histogram, histogram, marginal, adaptation)


def texts(axes):
    return " ".join(text.get_text() for text in axes.texts)


def shown(part):
    """Panels of ratios that are seen, row by row."""
    return [axes for axes in part.axes if axes.get_visible() and axes.get_xlabel() == "spectral dependency ratio"]


def labels(part):
    return [text.get_text() for legend in part.legends for text in legend.get_texts()]


def test_networks_of_one_label_in_several_files_are_all_drawn():
    (part,) = figures.distributions({"net": [[level()]]}, {"net": [[level(centre=1.3)]]}).subfigs
    assert labels(part) == ["net", "net", "taps shuffled (null)", "marginal", "adaptation"]
    (panel,) = shown(part)
    peaks = [
        np.asarray(line.get_xdata())[np.argmax(line.get_ydata())] for line in panel.lines if line.get_linestyle() != ":"
    ]
    assert {round(peak, 1) for peak in peaks[1:]} == {1.0, 1.3}


def test_many_networks_get_panels_of_their_own():
    groups = [{f"net {k}": [[level()]]} for k in range(3)] + [{f"chain {k}": [[level()]] for k in range(5)}]
    parts = figures.distributions(*groups).subfigs
    drawn = [labels(part)[:-3] for part in parts]
    assert drawn == [["net 0"], ["net 1"], ["net 2"], [f"chain {k}" for k in range(4)], ["chain 4"]]


def test_of_more_levels_than_asked_for_the_furthest_from_the_null_are_drawn_and_it_is_said():
    near, far = level(), level(centre=1.3)
    run = [
        (far if k in (2, 5) else near)._replace(name=f"net.{k} to net.{k + 1}", shuffled=near.ratios) for k in range(7)
    ]
    (part,) = figures.distributions({"net": [run]}, most=2).subfigs
    panels = shown(part)
    assert [panel.get_title() for panel in panels] == ["level 3", "level 6"]
    assert "net.5 to net.6, 4,000" in texts(panels[1])
    (legend,) = part.legends
    assert legend.get_title().get_text().startswith("2 of 7 pairs: those")
    for most in (7, None):
        (part,) = figures.distributions({"net": [run]}, most=most).subfigs
        assert len(shown(part)) == 7 and not part.legends[0].get_title().get_text()


def test_levels_beyond_the_width_of_a_page_go_on_below():
    run = [level(f"net.{k} to net.{k + 1}") for k in range(6)]
    (part,) = figures.distributions({"net": [run, run]}).subfigs
    panels = shown(part)
    assert [panel.get_title() for panel in panels] == [
        "finest level",
        *(f"level {k}" for k in range(2, 6)),
        "coarsest level",
    ]
    assert "net.5 to net.6, 2 × 4,000" in texts(panels[-1])
    rows = {round(panel.get_position().y0, 3) for panel in panels}
    assert len(rows) == 2


def test_long_names_keep_what_tells_layers_apart():
    (part,) = figures.distributions(
        {"net": [[level("module.features.stage1.conv1 to module.features.stage1.conv2")] * 4]}
    ).subfigs
    assert texts(shown(part)[0]) == "conv1 to conv2, 4,000"
    (part,) = figures.distributions(
        {"net": [[level("/a/very/long/name/of/onnx/conv1 to /a/very/long/name/conv2")] * 4]}
    ).subfigs
    assert texts(shown(part)[0]).startswith("…") and "conv2, 4,000" in texts(shown(part)[0])


@pytest.mark.parametrize("centre", [0.3, 1.0, 3.0])
def test_every_distribution_is_within_its_panel(centre):
    (part,) = figures.distributions({"net": [[level(centre=centre), level()]]}).subfigs
    for panel in shown(part):
        low, high = panel.get_xlim()
        assert low <= min(centre - 0.3, 0.95) + 0.1 and high >= max(centre + 0.2, 1)


def test_long_tails_are_cut_and_undefined_numbers_left_out():
    counts = np.zeros(400, int)
    counts[90:110], counts[399] = 100, 60
    tail = level()._replace(ratios=sdr.Histogram(counts, EDGES, 0, 40, 0), marginal=float("nan"))
    (part,) = figures.distributions({"net": [[tail]]}).subfigs
    assert shown(part)[0].get_xlim()[1] < 1.5
    empty = sdr.Histogram(np.zeros(400, int), EDGES, 0, 0, 5)
    (part,) = figures.distributions({"net": [[Level("a to b", empty, empty, np.nan, np.nan)]]}).subfigs
    assert "a to b, 0" in texts(shown(part)[0])


def test_no_pair_is_said(tmp_path):
    for figure in (figures.distributions(), figures.distributions({"net": [[]]})):
        (part,) = figure.subfigs
        assert shown(part)[0].get_title() == "no pair of layers"
        assert figures.save(figure, tmp_path / "none", [".png"]) == [tmp_path / "none.png"]


def test_changes_have_a_marker_for_each_version_where_there_is_a_number():
    pair = figures.Change("a to b", {"mean": [1.0, 1.2, np.nan], "distance": [np.nan, 0.1, np.nan]})
    layers = [figures.Change(name, {"cosine": [np.nan, 0.5, 1.0]}) for name in ("a", "b")]
    above, below = figures.changes(["one", "two", "three"], [pair], layers).subfigs
    assert [panel.get_xlabel() for panel in above.axes] == ["mean", "distance"]
    drawn = [np.asarray(line.get_xdata()) for line in above.axes[0].lines]
    np.testing.assert_array_equal([x[0] for x in drawn if len(x) == 1], [1.0, 1.2, np.nan])
    assert labels(above) == ["one", "two", "three"]
    assert [text.get_text() for text in below.axes[0].get_yticklabels()] == ["a", "b"]
    (alone,) = figures.changes(["one", "two"], [], layers).subfigs
    assert labels(alone) == ["one", "two"]


def test_courses_add_up():
    course = figures.Course([0, 10], [0.1, 0.2], [0.0, -0.1])
    figure = figures.courses({f"{k} to {k + 1}": {"run": course, "other": course} for k in range(4)})
    seen = [panel for panel in figure.axes if panel.lines]
    assert [panel.get_title() for panel in seen] == [f"{k} to {k + 1}" for k in range(4)]
    lines = [np.asarray(line.get_ydata()) for line in seen[0].lines[1:]]
    np.testing.assert_allclose(lines, [[0.1, 0.1], [0.1, 0.2], [0.0, -0.1]] * 2)


def test_a_notebook_shows_a_figure_by_itself():
    """Also where nobody has loaded pyplot or set a backend."""
    pair = sdr.generative(*(np.random.default_rng(0).normal(size=(2, 2, 3, 3)) for _ in range(2)), stride=2)
    figure = figures.pathway(pair, 0, 0, 0)
    with Image.open(io.BytesIO(figure._repr_png_())) as image:
        assert image.format == "PNG" and image.size[0] > 500 and np.ptp(np.asarray(image.convert("L"))) > 200


def test_an_interval_that_leaves_out_the_reference_is_a_full_dot():
    figure = figures.intervals(
        {"one": {"a": (0.7, 0.6, 0.8), "b": (0.5, 0.4, 0.6)}, "two": {"b": (0.9, None, None), "a": (None, None, None)}},
        label="AUROC",
        reference=0.5,
    )
    one, two = figure.axes
    assert [part.get_title() for part in (one, two)] == ["one", "two"]
    assert [text.get_text() for text in one.get_yticklabels()] == ["a", "b"]
    dots = lambda part: [line for line in part.lines if line.get_marker() == "o"]
    assert [dot.get_markerfacecolor() == "white" for dot in dots(one)] == [False, True]
    assert [(*dot.get_xdata(), *dot.get_ydata()) for dot in dots(two)] == [(0.9, 1)]
