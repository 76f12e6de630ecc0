"""Filters taken out by many rules: the shares, the controls, the areas, the verdicts, and all of it made up."""

import dataclasses
import json
from pathlib import Path

import jax
import numpy as np
import pytest
from helpers import with_dead_kernels
from safetensors.numpy import save_file

from sicjax import data, experiments, interventions, models, sdr
from sicjax.experiments import _cuts, pruning
from sicjax.experiments._classifier import ABOVE, classifier, faces
from sicjax.experiments._images import recalibrated
from sicjax.experiments._statistics import as_json

DOCS = Path(__file__).parents[2] / "docs"
RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    "pair",
    [sdr.generative(*RNG.normal(size=(2, 4, 4, 9, 9)), stride=2), with_dead_kernels()],
    ids=["whole", "dead kernels"],
)
def test_shares_of_coupling_sum_to_it_and_are_its_slope(pair):
    shares, rv = _cuts.coupling_shares(pair), float(sdr.coupling(pair).rv)
    assert np.nansum(shares) == pytest.approx(rv, abs=1e-6)
    f = sdr.features(pair)
    a, b = np.asarray(f.a, np.float64), np.asarray(f.b, np.float64)
    alive, read = np.asarray(f.first_alive), np.asarray(f.second_alive)
    present = alive.any(0) & read.any(1)
    assert np.isnan(shares[:, ~present]).all() and np.isnan(shares[~alive]).all()
    rows = lambda values, counts: (values[:, present] / counts[present]).T
    x, y = rows(a.sum(1), np.maximum(alive.sum(0), 1)), rows(b.sum(2), np.maximum(read.sum(1), 1))
    x, y = x - x.mean(0), y - y.mean(0)

    def squared(weight):
        return np.square(np.einsum("m,mk,ml->kl", weight, x, y)).sum()

    size = np.linalg.norm(x.T @ x) * np.linalg.norm(y.T @ y)
    one = np.eye(len(x))
    slopes = [(squared(1 + 1e-5 * e) - squared(1 - 1e-5 * e)) / 2e-5 for e in one]
    np.testing.assert_allclose(2 * np.nansum(shares[:, present], 0) * size, slopes, rtol=1e-4, atol=1e-7)


def test_a_control_takes_as_many_of_every_group_of_neighbours():
    by, mask = RNG.normal(size=(10, 8)), RNG.random((10, 8)) < 0.4
    groups = by.ravel().argsort().reshape(-1, _cuts.ALIKE)
    taken = [_cuts.like(mask, by, RNG) for _ in range(40)]
    for each in taken:
        np.testing.assert_array_equal(each.ravel()[groups].sum(1), mask.ravel()[groups].sum(1))
    # And at random in them.
    mean = np.mean(taken, 0).ravel()[groups]
    assert np.abs(mean - mask.ravel()[groups].mean(1, keepdims=True)).max() < 0.35 and mean.std(1).max() > 0.01


@pytest.fixture(scope="module")
def generator():
    from flax import nnx

    model = models.Generator(latent=4, channels=(8, 8, 16), strides=(2, 2, 2), size=16, rngs=nnx.Rngs(0))
    for k, norm in enumerate(model.norms):
        assert norm.scale is not None
        norm.scale[...] = np.random.default_rng(k).uniform(0.5, 2, norm.scale.shape)
        norm.var[...] = np.random.default_rng(9 + k).uniform(0.5, 2, norm.var.shape)
    return model


def test_what_goes_by_each_rule(generator):
    layer = pruning.layers(generator)[0]
    assert layer.pair.name == "convs.0 to convs.1" and len(pruning.layers(generator)) == 2
    norm = generator.norms[1]
    np.testing.assert_allclose(layer.scale, norm.scale[...] / np.sqrt(norm.var[...] + 1e-5), rtol=1e-6)
    for unit in _cuts.UNITS:
        masks = _cuts.chosen(layer, unit, np.random.default_rng(0))
        assert list(masks) == pruning.all_rules()
        total = 64 if unit == "filter" else 8
        assert all([mask.sum() for mask in each] == [total // 8, total // 4, total // 2] for each in masks.values())
        assert not (masks["lowest ratio"][2] & masks["highest ratio"][2]).any()
        for rule in ("L1", "lowest coupling"):
            assert all((less <= more).all() for less, more in zip(masks[rule], masks[rule][1:], strict=False))
    found, _ = _cuts.numbers(layer, "filter")
    first, second = (np.asarray(kernel, np.float64) for kernel in layer.pair.cascade.aligned())
    read = np.square(second).sum((0, 1))
    np.testing.assert_allclose(
        found["energies"], np.square(first).sum((0, 1)) * layer.scale**2 * read.mean(1), rtol=1e-6
    )
    # The ratio is all that the output energy has beside the energies.
    ratio = np.asarray(sdr.ratios(layer.pair.cascade))
    np.testing.assert_allclose(
        found["output energy"] / found["energies"], (ratio * read).mean(2) / read.mean(1), rtol=1e-4
    )


@pytest.mark.parametrize("unit", _cuts.UNITS)
def test_what_goes_is_what_interventions_remove(generator, unit):
    from flax import nnx

    layer = pruning.layers(generator)[1]
    z = jax.random.normal(jax.random.key(1), (5, 4))
    gone = RNG.random((8, 16) if unit == "filter" else 16) < 0.4
    names = {"unit": unit, "next_layer": "convs.2" if unit == "channel" else None}
    edited, _ = interventions.remove_filters(generator, "convs.1", indices=np.argwhere(gone), **names)
    expected = nnx.merge(*nnx.split(edited), copy=True)(z, train=True)
    found = recalibrated(generator, z)(_cuts.without(layer, unit, gone))
    np.testing.assert_allclose(found, expected, atol=1e-6)
    kept = recalibrated(generator, z)(_cuts.whole(layer))
    assert np.abs(found - kept).max() > 0.01


def test_nothing_gone_is_no_damage_and_scale_alone_neither(generator):
    subject = pruning._generator(generator, 0)
    layer = subject.layers[0]
    nothing = _cuts.whole(layer)
    assert not subject.damage(nothing).any()
    # Batch norms are taken anew, so a layer's scale is none of the damage.
    louder = [nothing[0] * 3.0, *nothing[1:]]
    assert subject.damage(louder).max() < 1e-2
    less, more = (
        subject.damage(_cuts.without(layer, "filter", mask)).mean()
        for mask in (RNG.random((8, 8)) < 0.1, np.ones((8, 8), bool))
    )
    assert 1e-2 < less < more


def made_up(rule, against, share, p=0.01):
    return {"rule": rule, "against": against, "share": share, "corrected": p}


def test_verdicts_are_those_of_the_rules():
    norms = lambda shares, p: [made_up("lowest coupling", *both, p) for both in zip(pruning.NORMS, shares, strict=True)]
    none = {"beat L1": [], "matter": [], "say more than scale": [], "say the opposite": []}
    one = ["lowest coupling"]
    assert pruning.says(norms((-0.1, -0.04), 0.01), True) == none | {"beat L1": one}
    assert pruning.says(norms((-0.1, -0.06), 0.01), True) == none | {"beat L1": one, "matter": one}
    assert pruning.says(norms((-0.1, -0.06), 0.01), False) == none | {"beat L1": one}
    assert pruning.says(norms((-0.1, 0.06), 0.01), True) == pruning.says(norms((-0.1, -0.06), 0.06), True) == none
    sides = lambda shares: [
        made_up(one[0], _cuts.held_against(one[0], control), share)
        for control, share in zip(_cuts.CONTROLS, shares, strict=True)
    ]
    assert pruning.says(sides((-0.1, -0.1)), True) == none | {"say more than scale": one}
    assert pruning.says(sides((0.1, 0.1)), True) == none | {"say the opposite": one}
    assert pruning.says(sides((0.1, -0.1)), True) == none


def test_tests_are_paired_and_corrected_together():
    areas = {rule: (1 + RNG.normal(size=6) + np.arange(6)).tolist() for rule in pruning.all_rules()}
    areas["output energy"] = (np.array(areas["L1"]) - [0.1, 0.11, 0.12, 0.1, 0.09, 0.1]).tolist()
    found = pruning.tests(areas)
    assert [(each.rule, each.against) for each in found] == pruning.comparisons() and len(found) == 17
    first = found[0]
    assert (first.rule, first.against, first.difference) == ("output energy", "L1", pytest.approx(-0.62 / 6))
    assert first.corrected == pytest.approx(17 * first.p) and first.low is not None and first.low < first.difference
    assert first.share == pytest.approx(first.difference / np.mean(areas["L1"]))
    assert min(each.corrected for each in found[1:]) > 0.05


@pytest.mark.slow
def test_a_classifier_learns_whether_factors_are_above_their_limits():
    pixels, labels = faces(40, 16, 3)
    factors = data.load("faces", size=16, limit=40, seed=3).factors
    assert factors is not None and pixels.min() >= -1 and pixels.max() <= 1
    np.testing.assert_array_equal(labels[:, list(ABOVE).index("smile")], factors["smile"] > 0)
    config = dataclasses.replace(experiments.PRESETS["tiny"].vae, encoder=(8, 16), size=16, steps=60)
    model = classifier(config, 40, 3)
    logits, _ = recalibrated(model, pixels)(_cuts.whole(pruning.layers(model)[0]))
    guessed = np.maximum(labels.mean(0), 1 - labels.mean(0)).mean()
    assert ((logits > 0) == labels).mean() > guessed + 0.1


def test_all_of_it_on_networks_made_up(tmp_path, generator, monkeypatch):
    public = tmp_path / "weights"
    public.mkdir()
    kernels = [np.asarray(generator.dense.kernel[...]).reshape(4, 2, 2, 8).transpose(0, 3, 1, 2)]
    kernels += [np.asarray(conv.kernel[...])[::-1, ::-1].transpose(2, 3, 0, 1) for conv in generator.convs]
    named = {f"main.{3 * k}.weight": np.ascontiguousarray(kernel) for k, kernel in enumerate(kernels)}
    for k, norm in enumerate(generator.norms):
        parts = {"weight": norm.scale, "bias": norm.bias, "running_mean": norm.mean, "running_var": norm.var}
        named |= {f"main.{3 * k + 1}.{name}": np.asarray(part[...]) for name, part in parts.items()}
    save_file(named, public / "toy.safetensors")
    about = {"networks": {"generator": [{"type": "conv_transpose"}] * 4}}
    (public / "toy.json").write_text(json.dumps(about))
    tiny = experiments.PRESETS["tiny"]
    monkeypatch.setattr(pruning, "_decoder", lambda lab, seed: generator)
    monkeypatch.setattr(pruning, "_classifier", lambda lab, seed: pruning._generator(generator, seed))
    lab = experiments.open_lab(tmp_path / "out", tiny, weights=public, devices=jax.devices()[:1])
    files = experiments.carry_out(lab, *experiments.chosen(["pruning"]))
    assert {file.name for file in files} == {"pruning-damage.png", "pruning-damage.pdf", "pruning-tests.png",
                                             "pruning-tests.pdf"}  # fmt: skip
    result = experiments.results_in(tmp_path / "out")["pruning"]
    studies = result["studies"]
    assert list(studies) == ["classifier", "toy", "VAE decoder"]
    assert len(studies["toy"]["areas"]["filter"]["L1"]) == pruning.LATENTS
    assert len(studies["classifier"]["areas"]["channel"]["random"]) == len(tiny.seeds)
    layers = studies["toy"]["curves"][0]
    assert list(layers) == ["convs.0 to convs.1", "convs.1 to convs.2"]
    curve = np.mean([layer["filter"]["random"] for layer in layers.values()], 0)[:, None]
    assert np.mean(studies["toy"]["areas"]["filter"]["random"]) == pytest.approx(_cuts.area(curve))
    assert as_json(pruning.tests(studies["toy"]["areas"]["filter"])) == studies["toy"]["tests"]["filter"]
    page = experiments.write_report([tmp_path / "out"], tmp_path / "page.md").read_text()
    assert "## Which filters may go?" in page and "| lowest coupling - same energy |" in page.replace(
        "others of the ", ""
    )


def test_the_page_has_the_numbers_of_its_runs():
    result = json.loads((DOCS / "pruning" / "pruning.json").read_text())
    for study in result["studies"].values():
        for unit in _cuts.UNITS:
            assert as_json(pruning.tests(study["areas"][unit])) == [
                {key: pytest.approx(value, abs=1e-9) for key, value in each.items()} for each in study["tests"][unit]
            ]
            curves = [layer[unit] for network in study["curves"] for layer in network.values()]
            for rule, areas in study["areas"][unit].items():
                area = _cuts.area(np.mean([each[rule] for each in curves], 0)[:, None])
                assert np.mean(areas) == pytest.approx(area[0])
    page = (DOCS / "pruning.md").read_text()
    assert all(table in page for table in pruning._tables(result))
