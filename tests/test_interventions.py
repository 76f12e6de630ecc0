"""Filters removed from networks of every kind: which ones, how many, and nothing else changed."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import CASES, TOLERANCE
from safetensors import safe_open

from sicjax import interventions, networks, sdr, weights
from sicjax._errors import InputError
from sicjax.interventions import remove_filters

RNG = np.random.default_rng(0)
FIRST, SECOND = RNG.normal(size=(4, 4, 5, 6)).astype(np.float32), RNG.normal(size=(4, 4, 6, 3)).astype(np.float32)
PAIR = sdr.generative(FIRST, SECOND, stride=2)
PARAMS = {"params": {"up1": {"kernel": FIRST, "bias": np.ones(6)}, "up2": {"kernel": SECOND}}}


def with_dead_filters(pair: sdr.Cascade) -> sdr.Cascade:
    first, second = np.array(pair.first), np.array(pair.second)
    first[..., RNG.random(first.shape[-2:]) < 0.3] = 0
    second[..., RNG.random(second.shape[-2:]) < 0.3] = 0
    first[..., 0, 0] = second[..., 0, 0] = 1
    return sdr.Cascade(first, second, up=pair.up, down=pair.down)


@pytest.mark.parametrize("case", ["turning by 2 and 3", "plain 3x3", "groups in both", "no shared lag: 1x1"])
def test_the_shares_of_all_filters_sum_to_adaptation(case):
    shares = interventions.adaptation_shares(CASES[case])
    assert shares.shape == CASES[case].shape[:2]
    np.testing.assert_allclose(shares.sum(), sdr.decompose(CASES[case]).adaptation, atol=TOLERANCE["float32"])


def test_shares_are_the_formula_from_the_ratios_of_every_pairing():
    # sum over n of a[n, i, m] bbar[n, m'] is half of what filter (i, m) would depart by with the kernels of m'.
    i, m, _ = PAIR.shape
    departure = np.empty((i, m, m))
    for shift in range(m):
        rolled = sdr.generative(FIRST, np.roll(SECOND, -shift, axis=-2), stride=2)
        departure[:, np.arange(m), (np.arange(m) + shift) % m] = np.asarray(sdr.filter_ratios(rolled)) - 1
    centred = departure - departure.mean((0, 1)) - departure.mean(2, keepdims=True) + departure.mean()
    expected = np.diagonal(centred, axis1=1, axis2=2) / (i * m)
    np.testing.assert_allclose(interventions.adaptation_shares(PAIR), expected, atol=1e-7)


def test_with_dead_filters_the_shares_still_sum_to_adaptation():
    for case in ("plain 3x3", "turning by 2 and 3"):
        for _ in range(5):
            pair = with_dead_filters(CASES[case])
            shares = interventions.adaptation_shares(pair)
            assert np.isnan(shares[(np.asarray(pair.first) == 0).all((0, 1))]).all()
            np.testing.assert_allclose(np.nansum(shares), sdr.decompose(pair).adaptation, atol=TOLERANCE["float32"])


@pytest.mark.parametrize("case", ["turning by 2 and 3", "extractive 5x5 by 2", "groups in both"])
def test_output_energy_is_that_of_every_pathway(case):
    pair = CASES[case]
    first, second = (np.square(np.asarray(kernel, np.float64)).sum((0, 1)) for kernel in pair.aligned())
    expected = (first[..., None] * second * sdr.reference.ratios(pair)).mean(2)
    np.testing.assert_allclose(interventions.output_energy(pair), expected, rtol=1e-5)


@pytest.mark.parametrize("by", ["energy", "output_energy", "ratio", "adaptation"])
@pytest.mark.parametrize("remove", ["lowest", "highest"])
def test_the_lowest_or_highest_are_removed_and_nothing_else_changes(by, remove):
    kernel = FIRST.copy()
    edited, removed = remove_filters(PARAMS, "up1", pair=PAIR, by=by, remove=remove, count=7)
    gone = (edited["params"]["up1"]["kernel"] == 0).all((0, 1))
    assert gone.sum() == removed.count == 7 and removed.remaining == 23 and removed.total == 30
    np.testing.assert_array_equal(np.argwhere(gone), removed.indices)
    np.testing.assert_array_equal(removed.criterion[gone], removed.values)
    inside, outside = removed.criterion[gone], removed.criterion[~gone]
    assert inside.max() < outside.min() if remove == "lowest" else inside.min() > outside.max()
    np.testing.assert_array_equal(edited["params"]["up1"]["kernel"][..., ~gone], FIRST[..., ~gone])
    assert edited["params"]["up2"]["kernel"] is SECOND and edited["params"]["up1"]["bias"].all()
    np.testing.assert_array_equal(FIRST, kernel)


def test_thresholds_and_a_second_removal_that_adds_to_the_first():
    ratios = np.asarray(sdr.filter_ratios(PAIR))
    lower, higher = np.quantile(ratios, [0.25, 0.7])
    once, removed = remove_filters(PARAMS, "up1", pair=PAIR, by="ratio", below=lower)
    assert removed.count == (ratios < lower).sum() and removed.values.max() < lower
    twice, more = remove_filters(once, "up1", pair=PAIR, by="ratio", above=higher)
    assert more.count == (ratios > higher).sum() and more.remaining == 30 - removed.count - more.count
    assert not set(map(tuple, removed.indices)) & set(map(tuple, more.indices))
    _, again = remove_filters(twice, "up1", remove="lowest", count=more.remaining)
    assert again.remaining == 0
    with pytest.raises(ValueError, match=f"between 0 and the {more.remaining} that are defined"):
        remove_filters(twice, "up1", remove="lowest", count=more.remaining + 1)


def test_filters_by_their_indices():
    places = [[4, 5], [0, 2], [3, 0]]
    edited, removed = remove_filters(PARAMS, "up1", indices=places)
    expected = FIRST.copy()
    for i, m in places:
        expected[..., i, m] = 0
    np.testing.assert_array_equal(edited["params"]["up1"]["kernel"], expected)
    assert removed.indices.tolist() == sorted(places) and (removed.count, removed.remaining) == (3, 27)
    energy = np.square(FIRST, dtype=np.float64).sum((0, 1))
    np.testing.assert_allclose(removed.values, [energy[i, m] for i, m in sorted(places)], rtol=1e-6)
    # What one removal returns does the same in another copy, also where the filters are gone already.
    chosen = remove_filters(PARAMS, "up1", pair=PAIR, by="ratio", remove="highest", count=7)
    for network in (PARAMS, chosen.network):
        again = remove_filters(network, "up1", indices=chosen.removed.indices)
        np.testing.assert_array_equal(
            again.network["params"]["up1"]["kernel"], chosen.network["params"]["up1"]["kernel"]
        )
    assert remove_filters(PARAMS, "up1", indices=[]).removed.count == 0


def test_channels_by_their_indices():
    edited, removed = remove_filters(PARAMS, "up1", indices=np.array([5, 1]), unit="channel", next_layer="up2")
    gone = np.array([False, True, False, False, False, True])
    np.testing.assert_array_equal((edited["params"]["up1"]["kernel"] == 0).all((0, 1, 2)), gone)
    np.testing.assert_array_equal((edited["params"]["up2"]["kernel"] == 0).all((0, 1, 3)), gone)
    assert removed.indices.tolist() == [[1], [5]]
    same, _ = remove_filters(PARAMS, "up1", indices=removed.indices, unit="channel")
    np.testing.assert_array_equal(same["params"]["up1"]["kernel"], edited["params"]["up1"]["kernel"])


@pytest.mark.parametrize("by, expected", [("energy", "sum"), ("ratio", "mean"), ("adaptation", "sum")])
def test_whole_channels(by, expected):
    edited, removed = remove_filters(
        PARAMS, "up1", pair=PAIR, by=by, remove="highest", count=2, unit="channel", next_layer="up2"
    )
    of_filters = interventions.criterion(FIRST, by=by, pair=PAIR)
    np.testing.assert_allclose(removed.criterion, getattr(of_filters, expected)(0), rtol=1e-6)
    (channels,) = removed.indices.T
    assert set(channels) == set(np.argsort(removed.criterion)[-2:]) and (removed.total, removed.remaining) == (6, 4)
    after = sdr.generative(edited["params"]["up1"]["kernel"], edited["params"]["up2"]["kernel"], stride=2)
    for kernel, axis in ((after.first, 3), (after.second, 2)):
        gone = (kernel == 0).all(tuple({0, 1, 2, 3} - {axis}))
        np.testing.assert_array_equal(np.flatnonzero(gone), np.sort(channels))


def test_grouped_layers_in_the_layouts_of_pytorch():
    pair = CASES["groups in both"]
    first, second = np.asarray(pair.first), np.asarray(pair.second)
    oihw = np.moveaxis(second, (-1, -2), (0, 1))
    inputs, groups, outputs = first.shape[-2], 2, first.shape[-1] // 2
    iohw = np.moveaxis(first, (-2, -1), (0, 1)).reshape(inputs, groups, outputs, 3, 3)
    iohw = iohw.swapaxes(0, 1).reshape(groups * inputs, outputs, 3, 3)
    edited, removed = remove_filters(
        {"a.weight": iohw, "b.weight": oihw}, "a", pair=pair, remove="lowest", count=1, unit="channel", next_layer="b"
    )
    (channel,) = removed.indices[0]
    expected, expected_next = first.copy(), second.copy()
    expected[..., channel] = 0
    expected_next[..., channel % 2, 3 * (channel // 2) : 3 * (channel // 2) + 3] = 0
    kept = np.moveaxis(edited["a.weight"].reshape(groups, inputs, outputs, 3, 3), (1, 0, 2), (-3, -2, -1))
    np.testing.assert_array_equal(kept.reshape(3, 3, inputs, groups * outputs), expected)
    np.testing.assert_array_equal(np.moveaxis(edited["b.weight"], (0, 1), (-1, -2)), expected_next)


def test_a_pair_with_a_fixed_filter_folded_into_the_kernel():
    twice = lambda kernel, axis: np.repeat(kernel, 2, axis=axis)
    folded = sdr.Cascade(twice(twice(FIRST, 0), 1), SECOND, down=2)
    edited, removed = remove_filters(PARAMS, "up1", pair=folded, by="ratio", remove="highest", count=4)
    expected = np.argwhere(sdr.filter_ratios(folded) >= np.sort(np.ravel(sdr.filter_ratios(folded)))[-4])
    np.testing.assert_array_equal(removed.indices, expected)
    np.testing.assert_array_equal(np.argwhere((edited["params"]["up1"]["kernel"] == 0).all((0, 1))), expected)


def test_nnx_modules_are_copied():
    nnx = pytest.importorskip("flax.nnx")

    class Chain(nnx.Module):
        def __init__(self, rngs):
            self.conv1 = nnx.Conv(3, 6, (3, 3), rngs=rngs)
            self.norm = nnx.BatchNorm(6, use_running_average=True, rngs=rngs)
            self.conv2 = nnx.Conv(6, 2, (3, 3), rngs=rngs)

        def __call__(self, x):
            return self.conv2(jax.nn.relu(self.norm(self.conv1(x))))

    model, x = Chain(nnx.Rngs(0)), jax.random.normal(jax.random.key(0), (1, 8, 8, 3))
    before, kernel = model(x), np.array(model.conv1.kernel[...])
    pair = networks.from_module(model, x).cascades["conv1 to conv2"]
    edited, removed = remove_filters(
        model, "conv1", by="ratio", pair=pair, remove="lowest", count=3, unit="channel", next_layer="conv2"
    )
    assert isinstance(edited, Chain) and edited.norm.use_running_average and removed.layer == "conv1.kernel"
    np.testing.assert_array_equal(np.flatnonzero((edited.conv1.kernel[...] == 0).all((0, 1, 2))), removed.indices[:, 0])
    assert not jnp.array_equal(edited(x), before)
    edited.conv1.kernel[...] = jnp.zeros_like(edited.conv1.kernel[...])
    np.testing.assert_array_equal(model.conv1.kernel[...], kernel)
    np.testing.assert_array_equal(model(x), before)


def generator_pair(folder):
    return networks.from_file(folder / "digiface_dcgan_g64.safetensors").cascades["main.9 to main.12"]


def test_the_third_layer_of_the_public_generator(public_weights):
    path, pair = public_weights / "digiface_dcgan_g64.safetensors", generator_pair(public_weights)
    few, removed = remove_filters(path, "main.9", pair=pair, remove="lowest", count=8192 - 4260)
    assert (removed.total, removed.remaining) == (8192, 4260)
    _, low = remove_filters(few, "main.9", pair=pair, by="ratio", below=0.9)
    _, high = remove_filters(few, "main.9", pair=pair, by="ratio", above=1.45)
    assert (low.remaining, high.remaining) == (3399, 3401)
    np.testing.assert_allclose(interventions.adaptation_shares(pair).sum(), -0.0482, atol=5e-5)


def test_edited_weights_are_written_as_they_were_read(public_weights, tmp_path):
    path, pair = public_weights / "digiface_dcgan_g64.tar", generator_pair(public_weights)
    edited, removed = remove_filters(path, "main.9", pair=pair, by="ratio", remove="highest", count=600)
    written = interventions.save(edited, tmp_path / "new" / "edited.safetensors", source=path)
    original = weights.read(public_weights / "digiface_dcgan_g64.safetensors").arrays
    with safe_open(written, framework="np") as file:
        assert set(original) <= set(file.keys())
        for name, array in original.items():
            found = file.get_tensor(name)
            assert found.shape == array.shape and found.dtype == array.dtype
            if name != "main.9.weight":
                np.testing.assert_array_equal(found, array)
        gone = (file.get_tensor("main.9.weight") == 0).all((2, 3))
    np.testing.assert_array_equal(np.argwhere(gone), removed.indices)
    again = networks.from_file(written).cascades["main.9 to main.12"]
    np.testing.assert_array_equal(np.isnan(sdr.filter_ratios(again)), gone)


@pytest.mark.torch
def test_pytorch_loads_what_was_written(tmp_path):
    torch = pytest.importorskip("torch")
    from safetensors.torch import load_file

    torch.manual_seed(0)
    make = lambda: torch.nn.Sequential(
        torch.nn.ConvTranspose2d(4, 6, 4, 2, 1), torch.nn.BatchNorm2d(6), torch.nn.ConvTranspose2d(6, 3, 4, 2, 1)
    )
    model, other = make(), make()
    torch.save({"netG": model.state_dict(), "epoch": 3}, tmp_path / "g.pth")
    edited, removed = remove_filters(tmp_path / "g.pth", "0", remove="lowest", count=5, layout="IOHW")
    other.load_state_dict(load_file(interventions.save(edited, tmp_path / "edited.safetensors")))
    with torch.no_grad():
        for i, m in removed.indices:
            model[0].weight[i, m] = 0
        z = torch.randn(2, 4, 4, 4)
        assert torch.equal(model(z), other(z))


def test_small_dtypes_and_scalars_survive_the_file(tmp_path):
    arrays = {"a.weight": np.asarray(jnp.ones((2, 3, 4, 4), jnp.bfloat16)), "a.steps": np.array(7)}
    edited, _ = remove_filters(arrays, "a", remove="highest", count=1, layout="OIHW")
    found = weights.read(interventions.save(edited, tmp_path / "a.safetensors")).arrays
    assert found["a.weight"].dtype == arrays["a.weight"].dtype and found["a.steps"].shape == ()
    np.testing.assert_array_equal(found["a.weight"], edited["a.weight"])
    assert (found["a.weight"] == 0).sum() == 16


SQUARE = np.ones((4, 4, 3, 3), np.float32)
BY_PLACE = {"count": None, "remove": None}


@pytest.mark.parametrize(
    "network, layer, settings, message",
    [
        (PARAMS, "up3", {}, "there is no layer up3 with a kernel; there are: params.up1, params.up2"),
        ({"a.conv.weight": SQUARE, "b.conv.weight": SQUARE}, "conv", {}, "conv may be a.conv.weight or b.conv.weight"),
        ({"a.weight_v": SQUARE}, "a", {}, "kept as a.weight_v"),
        ({"a.weight": SQUARE}, "a", {}, "pass pair=, or give layout="),
        ({"a.weight": SQUARE}, "a", {"layout": "HWOI"}, "layout must be one of HWIO, OIHW, IOHW"),
        ({"a.weight": SQUARE}, "a", {"pair": PAIR}, "is not the pair's kernel"),
        ({"a.weight": SQUARE}, "a", {"pair": sdr.Cascade(np.ones((3, 3, 4, 4)), SECOND[..., :4, :])}, "more layouts"),
        (PARAMS, "up1", {"by": "size"}, "by must be one of energy"),
        (PARAMS, "up1", {"by": "ratio"}, "by='ratio' needs pair="),
        (PARAMS, "up1", {"unit": "layer"}, "unit must be 'filter' or 'channel'"),
        (PARAMS, "up1", {"next_layer": "up2"}, "next_layer goes with unit='channel'"),
        (PARAMS, "up1", {"unit": "channel", "next_layer": "up1"}, "reads 5 channels, not the 6"),
        (PARAMS, "up1", {"remove": "most"}, "remove must be 'lowest' or 'highest'"),
        (PARAMS, "up1", {"remove": None}, "a count needs remove="),
        (PARAMS, "up1", {"below": 1}, "exactly one of count, below, above and indices, got count, below"),
        (PARAMS, "up1", {"count": None, "remove": None}, "exactly one of count, below, above and indices, got none"),
        (PARAMS, "up1", {"indices": [[0, 0]]}, "exactly one of count, below, above and indices, got count, indices"),
        (PARAMS, "up1", {"count": None, "indices": [[0, 0]]}, "indices state themselves what goes: leave out remove="),
        (PARAMS, "up1", BY_PLACE | {"indices": [[0, 6]]}, r"indices must lie within \(5, 6\), got \(0, 6\)"),
        (PARAMS, "up1", BY_PLACE | {"indices": [[-1, 0]]}, r"indices must lie within \(5, 6\), got \(-1, 0\)"),
        (PARAMS, "up1", BY_PLACE | {"indices": [3, 4]}, r"whole numbers of shape \(n, 2\), got int64 of shape \(2,\)"),
        (PARAMS, "up1", BY_PLACE | {"indices": [[0.5, 1]]}, r"whole numbers of shape \(n, 2\), got float64"),
        (
            PARAMS,
            "up1",
            BY_PLACE | {"indices": [[0, 1], [0, 1]]},
            "indices must differ, got 2 of which 1 are different",
        ),
        (PARAMS, "up1", BY_PLACE | {"indices": [[0, 1]], "unit": "channel"}, r"whole numbers of shape \(n, 1\)"),
        (PARAMS, "up1", {"count": None, "below": 1, "remove": "highest"}, "leave out remove='highest'"),
        ("no.safetensors", "up1", {}, "cannot read no.safetensors"),
    ],
)
def test_bad_input(network, layer, settings, message, without_type_checks):
    with pytest.raises(ValueError, match=message):
        remove_filters(network, layer, **{"remove": "lowest", "count": 1} | settings)


def test_bad_paths_to_write(tmp_path, without_type_checks):
    path = interventions.save({"a": SQUARE}, tmp_path / "a.safetensors")
    with pytest.raises(InputError, match="is the source itself"):
        interventions.save({"a": SQUARE}, path, source=path)
    with pytest.raises(InputError, match="only arrays by name"):
        interventions.save(PARAMS, tmp_path / "b.safetensors")
    with pytest.raises(InputError, match="written as .safetensors"):
        interventions.save({"a": SQUARE}, tmp_path / "a.pth")
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot write"):
        interventions.save({"a": SQUARE}, tmp_path / "file" / "a.safetensors")
