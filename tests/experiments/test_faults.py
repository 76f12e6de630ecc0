"""Planted faults: what each does to a kernel, what the score of a detector is, and all of it on networks made up."""

import json
import sys
import types
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from sicjax import experiments, sdr
from sicjax.experiments import _aurocs as aurocs
from sicjax.experiments import checkpoints, faults, rescaling
from sicjax.experiments._aurocs import auroc, interval
from sicjax.experiments._detectors import DETECTORS, alphas, detect, entropy
from sicjax.experiments._planting import FAULTS, Planted, faulty, quantised
from sicjax.experiments._statistics import as_json

RNG = np.random.default_rng(0)
DOCS = Path(__file__).parents[2] / "docs"


def scores(layers):
    return aurocs.scores(layers, FAULTS, DETECTORS)


def by_counting(healthy, changed):
    """The definition: every healthy value against every faulty one."""
    won = sum(1.0 if b > a else 0.5 if b == a else 0.0 for a in healthy for b in changed)
    return won / (len(healthy) * len(changed))


def test_auroc_counts_pairs_and_ties_half():
    for _ in range(20):
        healthy, changed = RNG.integers(0, 6, RNG.integers(1, 9)), RNG.integers(2, 8, RNG.integers(1, 9))
        found = auroc(healthy.astype(float), changed.astype(float))
        assert found == pytest.approx(by_counting(healthy, changed))


def layer(family, healthy, changed):
    """A layer whose every detector is the same number, and the number with its channels permuted."""
    return {"family": family, "values": {"healthy": [healthy] * 8, "permuted": [changed] * 8}}


def test_families_count_alike_however_many_layers_they_have():
    drawn = {"a": RNG.normal(size=(9, 2)), "b": RNG.normal(size=(2, 2)), "c": RNG.normal(size=(1, 2))}
    layers = [layer(name, *map(float, values)) for name, rows in drawn.items() for values in rows]
    undefined = [layer("a", None, 1.0), layer("d", 1.0, None)]
    (found,) = scores(layers + undefined).values()
    for detector, sign in DETECTORS.items():
        between = [
            [by_counting(sign * one[:, 0], sign * other[:, 1]) for other in drawn.values()] for one in drawn.values()
        ]
        score = found[detector]
        assert score.auroc == pytest.approx(np.mean(between))
        assert score.within == pytest.approx(np.mean(np.diagonal(between)))
        assert (score.families, score.layers, score.undefined) == (3, 12, 2)
        assert score.low is not None and score.high is not None
        assert np.min(between) <= score.low <= score.auroc <= score.high <= np.max(between)
    assert found["entropy"].auroc == pytest.approx(1 - found["ratio"].auroc)


def test_two_detectors_are_compared_over_the_same_families():
    """A number that tells the fault against one that does not, and against itself."""
    tells = lambda family, k: {
        "family": family,
        "values": {
            "healthy": [1.0 + k, 5.0 + k, 0, 5.0 + k, 1.0, *[0] * 3],
            "permuted": [1.0 + k, k, 0, k, 2.0, *[0] * 3],
        },
    }
    layers = [tells(family, k / 9) for family in "abcdefgh" for k in range(3)]
    gone = [{**layers[0], "values": {"healthy": layers[0]["values"]["healthy"], "permuted": [None] * 8}}]
    found = {(each.one, each.other): each for each in faults.comparisons(layers + gone)["permuted"]}
    assert len(found) == 6 and list(faults.comparisons(layers)) == ["permuted"]
    better = found["ratio", "adaptation z"]
    assert better.difference == pytest.approx(-0.5) and better.low == pytest.approx(-0.5) == better.high
    assert better.p == pytest.approx(2 / 10_001) and better.corrected == pytest.approx(6 * better.p)
    same = found["adaptation z", "coupling z"]
    assert (same.difference, same.low, same.high, same.p, same.corrected) == (0, 0, 0, 1, 1)
    worse = found["coupling z", "|energy|"]
    assert worse.difference == pytest.approx(1)
    (one,) = aurocs.compared([(layers[:3], "permuted", "ratio", "coupling z")], DETECTORS)
    assert (one.difference, one.low, one.high, one.p) == (pytest.approx(-0.5), None, None, 1)


def test_one_family_has_no_interval_and_equal_families_one_of_no_width():
    (found,) = scores([layer("a", 1.0, 0.0), layer("a", 2.0, 0.0)]).values()
    assert (found["ratio"].auroc, found["ratio"].low, found["ratio"].high) == (1.0, None, None)
    assert interval(np.full((4, 4), 0.7)) == pytest.approx((0.7, 0.7))


def test_faults_do_what_they_are_called():
    kernel = RNG.normal(size=(3, 3, 8, 5)).astype(np.float32)
    found = faulty(kernel, RNG, kernel + 1)
    assert list(found) == list(FAULTS)
    order = [int(np.argmin([np.abs(row - kernel[:, :, m]).max() for m in range(8)])) for row in
             np.moveaxis(found["permuted"], 2, 0)]  # fmt: skip
    assert sorted(order) == list(range(8)) != order
    np.testing.assert_array_equal(found["permuted"], kernel[:, :, order])
    np.testing.assert_array_equal(found["transposed"], np.transpose(kernel, (1, 0, 2, 3)))
    np.testing.assert_array_equal(found["flipped"], kernel[::-1])
    assert len(np.unique(found["int4"])) <= 15 and np.abs(found["int4"]).max() == pytest.approx(np.abs(kernel).max())
    assert np.abs(found["int8"] - kernel).max() <= np.abs(kernel).max() / 127 / 2 * 1.001
    assert not quantised(np.zeros_like(kernel), 8).any()
    # No fault is claimed of what it would not change, or does not have.
    assert list(faulty(kernel[0], RNG, None)) == ["permuted", "redrawn", "int8", "int4"]
    assert "transposed" not in faulty(kernel[:2], RNG, None)


def test_what_no_coupling_can_see():
    """Transposed or flipped taps put one side's lags in another order, which no RV depends on; adaptation does."""
    first, second = RNG.normal(size=(2, 3, 3, 16, 16)).astype(np.float32)
    pair = sdr.Cascade(first, second)
    at = list(DETECTORS).index
    changed = {"healthy": second, **faulty(second, RNG, None), "both": second[::-1, ::-1]}
    found = detect(Planted("a", "0 to 1", pair, changed))
    for fault in ("transposed", "flipped"):
        for name in ("coupling", "coupling z", "|energy|", "entropy", "norm"):
            assert found[fault][at(name)] == pytest.approx(found["healthy"][at(name)], rel=2e-3)
        assert found[fault][at("adaptation z")] != pytest.approx(found["healthy"][at("adaptation z")], rel=0.05)
    assert found["both"][:7] == pytest.approx(found["healthy"][:7], rel=2e-3)


def test_entropy_is_that_of_the_power_spectrum():
    impulse = np.zeros((3, 3, 1, 2))
    impulse[1, 1, 0, 0] = 5.0
    assert entropy(impulse) == pytest.approx(1)  # white; the other has no energy and does not count
    kernel = RNG.normal(size=(3, 1, 1))
    power = np.array(
        [abs(sum(kernel[t, 0, 0] * np.exp(-2j * np.pi * f * t / 6) for t in range(3))) ** 2 for f in range(6)]
    )
    power /= power.sum()
    assert entropy(kernel) == pytest.approx(-(power * np.log(power)).sum() / np.log(6))


def test_alpha_is_what_weightwatcher_says_of_kernels_as_they_are_stored(monkeypatch):
    """With a stand-in that says the number of inputs, and that it failed where there are four."""
    asked = {}

    class Watcher:
        def __init__(self, model):
            asked.update({name: weight.shape for name, weight in model.items()})

        def analyze(self):
            names = [name.removesuffix(".weight") for name in asked]
            return {"longname": names, "alpha": [-1 if asked[f"{name}.weight"][1] == 4 else 2.5 for name in names]}

    monkeypatch.setitem(sys.modules, "torch", types.SimpleNamespace(from_numpy=lambda array: array))
    monkeypatch.setitem(sys.modules, "weightwatcher", types.SimpleNamespace(WeightWatcher=Watcher))
    kernels = {"healthy": np.ones((3, 5, 7, 2)), "failed": np.ones((3, 3, 4, 2)), "1-D": np.ones((9, 7, 2))}
    assert alphas(kernels) == {"healthy": 2.5, "failed": pytest.approx(np.nan, nan_ok=True)}
    assert asked == {"healthy.weight": (2, 7, 3, 5), "failed.weight": (2, 4, 3, 3)}
    assert alphas({"1-D": np.ones((9, 7, 2))}) == {}


@pytest.mark.filterwarnings("ignore")  # WeightWatcher's own
def test_alpha_sees_noise_and_no_order():
    """WeightWatcher itself."""
    pytest.importorskip("weightwatcher")
    # a heavy tail, as of trained weights
    kernel = (RNG.normal(size=(3, 3, 24, 24)) @ np.diag(RNG.pareto(1.5, 24))).astype(np.float32)
    found = alphas({"healthy": kernel, **faulty(kernel, RNG, None)})
    for fault in ("permuted", "transposed", "flipped"):
        assert found[fault] == pytest.approx(found["healthy"], rel=1e-3)
    assert found["redrawn"] > found["healthy"] + 1


def test_a_layer_of_another_checkpoint_is_that_of_its_step():
    kernels = {step: RNG.normal(size=(2, 3, 3, 6, 6)) for step in (0, 1, 4, 8)}
    course = {step: {"0 to 1": sdr.Cascade(*both)} for step, both in kernels.items()}
    others = {"0 to 1": sdr.Cascade(*RNG.normal(size=(2, 3, 3, 6, 6)))}
    (found,) = checkpoints.planted("VAE 0", course, others)
    assert list(found.versions) == ["healthy", "half", "eighth", "first", "permuted", "transplanted", "redrawn"]
    for version, step in (("healthy", 8), ("half", 4), ("eighth", 1), ("first", 0)):
        np.testing.assert_allclose(found.versions[version], kernels[step][1], rtol=1e-6)
    np.testing.assert_allclose(found.pair.first, kernels[8][0], rtol=1e-6)
    np.testing.assert_allclose(found.versions["transplanted"], others["0 to 1"].second, rtol=1e-6)
    narrow = {8: {"0 to 1": sdr.Cascade(*np.ones((2, 3, 3, 2, 2)))}}
    assert list(checkpoints.planted("VAE 0", narrow, {})) == []
    assert checkpoints.wanted(4) == {4: "healthy", 2: "half", 0: "first"}


def write_network(folder, name, rng):
    """Two layers whose kernels have, in each channel between them, the same shape on both sides."""
    shapes = rng.normal(size=(3, 3, 16))
    first = shapes[:, :, None] * rng.uniform(1, 2, size=(1, 1, 4, 16))
    second = shapes[..., None] * rng.uniform(1, 2, size=(1, 1, 16, 4))
    kernels = {"0.weight": first, "1.weight": second}
    arrays = {key: np.moveaxis(kernel, (-1, -2), (0, 1)).astype(np.float32) for key, kernel in kernels.items()}
    save_file({key: np.ascontiguousarray(array) for key, array in arrays.items()}, folder / f"{name}.safetensors")
    layers = [{"type": "conv", "weight": key, "layout": "OIHW", "stride": 1} for key in arrays]
    (folder / f"{name}.json").write_text(json.dumps({"networks": {"net": layers}}))


def test_coupled_networks_give_permuted_channels_away(tmp_path):
    public = tmp_path / "weights"
    public.mkdir()
    rng = np.random.default_rng(1)
    for name in ("a_one", "a_two", "b_one"):
        write_network(public, name, rng)
    lab = experiments.open_lab(tmp_path / "out", experiments.PRESETS["tiny"], weights=public)
    files = experiments.carry_out(lab, *experiments.chosen(["faults"]))
    assert [file.name for file in files] == ["faults.png", "faults.pdf"]
    result = experiments.results_in(tmp_path / "out")["faults"]
    healthy, permuted = (
        [layer["values"][version] for layer in result["layers"]] for version in ("healthy", "permuted")
    )
    assert [layer["family"] for layer in result["layers"]] == ["a", "a", "b"]
    coupling = list(DETECTORS).index("coupling")
    assert min(values[coupling] for values in healthy) > 0.95 > 0.5 > max(values[coupling] for values in permuted)
    found = result["scores"]
    assert found["permuted"]["coupling z"] == {
        "auroc": 1.0, "low": 1.0, "high": 1.0, "within": 1.0, "families": 2, "layers": 3, "undefined": 0
    }  # fmt: skip
    # The layer alone is the same layer; and b has no sister to take a kernel from.
    assert found["permuted"]["norm"]["auroc"] == found["permuted"]["entropy"]["auroc"] == pytest.approx(0.5)
    assert found["transplanted"]["coupling z"] | {"auroc": 1.0} == {
        "auroc": 1.0, "low": None, "high": None, "within": 1.0, "families": 1, "layers": 2, "undefined": 0
    }  # fmt: skip
    experiments.carry_out(lab, *experiments.chosen(["rescaling"]))
    again = experiments.results_in(tmp_path / "out")["rescaling"]
    for layer, before in zip(again["layers"], result["layers"], strict=True):
        for version, (energy, _) in layer["ways"]["as it is"].items():
            assert energy == pytest.approx(before["values"][version][list(DETECTORS).index("|energy|")], abs=1e-4)
    assert again["scores"]["permuted"]["coupling z"]["as it is"]["auroc"] == 1.0
    assert again["scores"]["permuted"]["|energy|"]["normalised"] == {
        "auroc": 0.5, "low": None, "high": None, "layers": 0
    }  # fmt: skip
    page = experiments.write_report([tmp_path / "out"], tmp_path / "page.md").read_text()
    assert "## Planted faults\n" in page and "## Planted faults, written down otherwise" in page
    assert "**1.00 [1.00, 1.00]**" in page and "| transplanted | 1 / 2 |" in page


def test_the_page_has_the_scores_of_its_layers():
    result = json.loads((DOCS / "faults" / "faults.json").read_text())
    assert as_json(scores(result["layers"])) == {
        fault: {name: pytest.approx(score, abs=1e-9) for name, score in found.items()}
        for fault, found in result["scores"].items()
    }
    assert as_json(faults.comparisons(result["layers"])) == {
        fault: [pytest.approx(each, abs=1e-9) for each in found] for fault, found in result["comparisons"].items()
    }
    page = (DOCS / "faults.md").read_text()
    assert all(table in page for table in list(aurocs.told_by(result["scores"], "family", "families"))[::2])
    assert all(table in page for table in faults._better(result["comparisons"]))
    later = json.loads((DOCS / "faults" / "checkpoints.json").read_text())
    again = as_json(aurocs.scores(later["layers"], checkpoints.FAULTS, DETECTORS))
    assert list(aurocs.told_by(again, "run", "runs")) == list(aurocs.told_by(later["scores"], "run", "runs"))
    assert all(table in page for table in list(aurocs.told_by(again, "run", "runs"))[::2])
    written = json.loads((DOCS / "faults" / "rescaling.json").read_text())
    assert as_json(rescaling.scores(written["layers"])) == {
        fault: {name: {way: pytest.approx(score, abs=1e-9) for way, score in ways.items()} for name, ways in of.items()}
        for fault, of in written["scores"].items()
    }
    assert all(table in page for table in rescaling._tables(written))


def test_ways_of_writing_a_network_down_move_energies_as_they_say():
    x = RNG.normal(size=4000)
    second = {"healthy": RNG.normal(size=4000)}
    second["permuted"] = RNG.permutation(second["healthy"])
    second["transplanted"] = RNG.normal(size=4000)
    found = {way: rescaling.correlations(x, second, *how, RNG) for way, how in rescaling.WAYS.items()}
    # Logs of energies are twice those of the factors: variance 4 s^2 beside 1 on either side.
    assert found["inverse, 1"]["healthy"] == pytest.approx([4 / 5, 0.786], abs=0.03)
    for way in ("as it is", "one side, 1", "two sides, 1"):
        assert max(found[way]["healthy"]) < 0.06
    for way in list(found)[:-1]:
        assert max(found[way]["permuted"]) < 0.06 and max(found[way]["transplanted"]) < 0.06, way
    assert found["normalised"]["healthy"] == [None, None]
    # What meets as it is stays met under nothing, and is washed out by factors of one side.
    alike = {version: x if version == "healthy" else RNG.permutation(x) for version in second}
    met = {way: rescaling.correlations(x, alike, *how, RNG)["healthy"][0] for way, how in rescaling.WAYS.items()}
    assert met["as it is"] == pytest.approx(1)
    assert met["one side, 1"] == pytest.approx(1 / np.sqrt(5), abs=0.05)
    assert met["two sides, 1"] == pytest.approx(1 / 5, abs=0.05)
