"""Files without a graph: what settles order, stride and direction, and what has to be asked."""

import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from sicjax import networks
from sicjax._errors import InputError

RNG = np.random.default_rng(0)


def kernel(*shape):
    return RNG.normal(size=shape).astype(np.float32)


def npz(path, **arrays):
    np.savez(path / "net.npz", **{name.replace("__", "."): array for name, array in arrays.items()})
    return path / "net.npz"


def names(net):
    return [pair.name for pair in net.pairs]


def test_channel_counts_settle_convolution(tmp_path):
    file = npz(tmp_path, a__weight=kernel(8, 3, 4, 4), b__weight=kernel(16, 8, 4, 4), c__weight=kernel(16, 16, 4, 4))
    net = networks.from_file(file, stride=2)
    assert names(net) == ["a to b", "b to c"]
    assert [pair.cascade.direction for pair in net.pairs] == ["extractive"] * 2
    assert net.pairs[0].cascade.shape == (3, 8, 16) and not any(layer.transposed for layer in net.layers)


@pytest.mark.parametrize("stride", [0, True, 1.5, "2", (), [2, -1]], ids=repr)
def test_strides_are_positive_whole_numbers(tmp_path, stride, without_type_checks):
    file = npz(tmp_path, a__weight=kernel(8, 3, 4, 4), b__weight=kernel(16, 8, 4, 4))
    with pytest.raises(InputError, match="a stride is a positive integer, or one for each convolution, got "):
        networks.from_file(file, stride=stride)
    assert networks.from_file(file, stride=np.int64(2)).layers[0].stride == (2, 2)


def test_channel_counts_settle_transposed_convolution_and_the_layout(tmp_path):
    first, second = kernel(9, 8, 4, 4), kernel(8, 3, 5, 5)
    net = networks.from_file(npz(tmp_path, a__weight=first, b__weight=second), stride=2)
    cascade = net.cascades["a to b"]
    assert cascade.direction == "generative" and cascade.shape == (9, 8, 3)
    np.testing.assert_array_equal(cascade.first[:, :, 4, 5], first[4, 5])
    np.testing.assert_array_equal(cascade.second[:, :, 5, 2], second[5, 2])


def test_what_a_plain_chain_leaves_out_is_said(tmp_path):
    plain = npz(tmp_path, a__weight=kernel(8, 3, 4, 4), b__weight=kernel(16, 8, 4, 4))
    assert networks.from_file(plain, stride=2).notes == ()
    names = {"layer1__0__conv1__weight": kernel(8, 3, 3, 3), "layer1__0__conv2__weight": kernel(8, 8, 3, 3)}
    (note,) = networks.from_file(npz(tmp_path, **names), stride=1).notes
    assert "branches and pooling are not in the file; for the exact graph give the network itself" in note
    misfit = npz(tmp_path, a__weight=kernel(8, 3, 4, 4), b__weight=kernel(16, 9, 4, 4))
    assert "branches and pooling are not in the file" in networks.from_file(misfit, stride=2).notes[0]


def test_a_stride_that_does_not_go_with_the_kernel_is_said(tmp_path):
    up = npz(tmp_path, a__weight=kernel(9, 8, 4, 4), b__weight=kernel(8, 3, 4, 4))
    assert networks.from_file(up, stride=2).notes == ()
    (note,) = networks.from_file(up, stride=3).notes
    assert note == "a stride that does not go with the kernel: a 3 of 4x4 taps, b 3 of 4x4 taps"


def test_an_autoencoder_in_one_chain_turns(tmp_path):
    file = npz(
        tmp_path,
        a__weight=kernel(8, 3, 4, 4),
        b__weight=kernel(16, 8, 4, 4),
        c__weight=kernel(16, 8, 4, 4),
        d__weight=kernel(8, 3, 4, 4),
    )
    net = networks.from_file(file, stride=2)
    assert [pair.cascade.direction for pair in net.pairs] == ["extractive", "turning", "generative"]


def test_where_the_counts_fit_both_ways_it_asks(tmp_path):
    file = npz(tmp_path, a__weight=kernel(8, 8, 4, 4), b__weight=kernel(8, 8, 4, 4))
    with pytest.raises(
        InputError, match="does not say whether a .* give --transposed, --no-transposed or --transposed-in"
    ):
        networks.from_file(file, stride=2)
    for transposed, direction in [(True, "generative"), (False, "extractive")]:
        net = networks.from_file(file, stride=2, transposed=transposed)
        assert net.pairs[0].cascade.direction == direction


def test_heads_side_by_side_are_no_chain(tmp_path):
    file = npz(tmp_path, a__weight=kernel(8, 3, 3, 3), h1__weight=kernel(2, 8, 1, 1), h2__weight=kernel(4, 8, 1, 1))
    net = networks.from_file(file, stride=1)
    assert names(net) == ["a to h1"] and "h2 takes 8 channels, h1 gives 2" in dict(net.skipped)["h2"]


def test_flax_kernels_never_tell_their_direction(tmp_path):
    file = npz(tmp_path, a__kernel=kernel(4, 4, 3, 8), b__kernel=kernel(4, 4, 8, 5))
    with pytest.raises(InputError, match="convolution or a transposed one"):
        networks.from_file(file, stride=2)
    assert networks.from_file(file, stride=2, transposed=True).pairs[0].cascade.shape == (3, 8, 5)
    assert networks.from_file(file, stride=1).pairs[0].cascade.direction == "plain"


def test_dense_layers_end_a_chain_and_every_lone_layer_is_named(tmp_path):
    file = npz(
        tmp_path,
        a__weight=kernel(8, 3, 4, 4),
        b__weight=kernel(16, 8, 4, 4),
        fc__weight=kernel(16, 16),
        c__weight=kernel(12, 16, 3, 3),
        pos=kernel(1, 7, 9),
    )
    net = networks.from_file(file, stride=(2, 2, 1))
    assert names(net) == ["a to b"]
    reasons = dict(net.skipped)
    assert "a dense layer (fc)" in reasons["c"] and "not named weight or kernel" in reasons["pos"]


def test_arrays_that_are_not_named_as_kernels_are_told_what_to_be_called(tmp_path):
    file = npz(tmp_path, first=kernel(3, 3, 4, 8), second=kernel(3, 3, 8, 4))
    with pytest.raises(InputError, match="first is shaped like a kernel, but not named weight or kernel: call kernels"):
        networks.from_file(file, stride=1)


def test_a_mismatch_is_explained(tmp_path):
    file = npz(tmp_path, a__weight=kernel(8, 3, 3, 3), b__weight=kernel(9, 8, 3, 3), c__weight=kernel(7, 5, 3, 3))
    net = networks.from_file(file, stride=1)
    assert names(net) == ["a to b"]
    assert "c takes 5 channels, b gives 9" in dict(net.skipped)["c"]


def test_numbers_order_a_format_that_keeps_no_order(tmp_path):
    layers = {f"conv{k}.weight": kernel(k + 1, k, 3, 3) for k in range(1, 12)}
    save_file(layers, tmp_path / "net.safetensors")
    net = networks.from_file(tmp_path / "net.safetensors", stride=1)
    assert names(net)[:2] == ["conv1 to conv2", "conv2 to conv3"] and names(net)[-1] == "conv10 to conv11"
    assert any("keeps no order" in note for note in net.notes)
    save_file({"enc.weight": kernel(4, 3, 3, 3), "mid.weight": kernel(5, 4, 3, 3)}, tmp_path / "net.safetensors")
    with pytest.raises(InputError, match="do not tell it: state the layers in order in a sidecar net.json"):
        networks.from_file(tmp_path / "net.safetensors", stride=1)


def test_numbers_order_modules_within_modules_and_strides_follow_them(tmp_path):
    held = {
        "features.0.0.weight": kernel(8, 3, 3, 3),
        "features.2.conv.0.weight": kernel(8, 8, 1, 1),
        "features.10.conv.0.0.weight": kernel(6, 8, 3, 3),
        "features.10.conv.1.weight": kernel(5, 6, 3, 3),
    }
    save_file(held, tmp_path / "net.safetensors")
    net = networks.from_file(tmp_path / "net.safetensors", stride=(1, 2, 3, 4), transposed=False)
    assert [layer.path for layer in net.layers] == [name.removesuffix(".weight") for name in held]
    assert [layer.stride[0] for layer in net.layers] == [1, 2, 3, 4] and len(net.pairs) == 3
    save_file(held | {"features.2.side.0.weight": kernel(8, 8, 1, 1)}, tmp_path / "net.safetensors")
    with pytest.raises(InputError, match=r"features.2.conv.0.weight and features.2.side.0.weight do not tell it"):
        networks.from_file(tmp_path / "net.safetensors", stride=1)


def mobile(**first):
    """Two inverted residual blocks of a MobileNet, as PyTorch keeps them; a norm after every layer."""
    shapes = [(8, 3, 3, 3), (8, 1, 3, 3), (4, 8, 1, 1), (24, 4, 1, 1), (24, 1, 5, 5), (6, 24, 1, 1)]
    arrays = {}
    for k, shape in enumerate(shapes):
        arrays[f"features__{k}__0__weight"] = kernel(*shape)
        arrays[f"features__{k}__1__weight"] = arrays[f"features__{k}__1__running_mean"] = kernel(shape[0])
    return first | arrays


@pytest.mark.parametrize("format", ["npz", "safetensors"])
def test_channel_counts_settle_depthwise_layers(tmp_path, format):
    file = npz(tmp_path, **mobile())
    if format == "safetensors":
        save_file(
            {name.replace("__", "."): array for name, array in mobile().items()}, file.with_suffix(".safetensors")
        )
        file = file.with_suffix(".safetensors")
    net = networks.from_file(file, stride=1)
    assert [layer.groups for layer in net.layers] == [1, 8, 1, 1, 24, 1]
    assert [pair.cascade.shape[-1] for pair in net.pairs] == [1, 4, 24, 1, 6] and not net.skipped
    assert "groups inferred from the channel counts: features.1.0 8, features.4.0 24" in net.notes
    depthwise = net.layers[1]
    assert depthwise.kernel.shape == (3, 3, 1, 8) and depthwise.inputs == 8 and not depthwise.transposed


def test_what_a_depthwise_layer_could_be_besides(tmp_path):
    grey = npz(tmp_path, a__weight=kernel(8, 1, 3, 3), b__weight=kernel(8, 1, 3, 3), c__weight=kernel(5, 8, 3, 3))
    net = networks.from_file(grey, stride=1)
    # Another branch from the grey image has the same shape.
    assert names(net) == ["b to c"]
    assert "b takes 1 channels, a gives 8 (if it is in groups, a sidecar can state them)" in dict(net.skipped)["a"]
    ends = {"a__weight": kernel(8, 8, 4, 4), "b__weight": kernel(8, 1, 4, 4)}
    with pytest.raises(
        InputError, match=r"a \(8, 8, 4, 4\) is .* give --transposed, --no-transposed or --transposed-in"
    ):
        networks.from_file(npz(tmp_path, **ends), stride=2)
    for transposed, shape in [(True, (8, 8, 1)), (False, (8, 8, 1))]:
        (pair,) = networks.from_file(npz(tmp_path, **ends), stride=2, transposed=transposed).pairs
        assert pair.cascade.shape == shape and pair.second.groups == (1 if transposed else 8)
    (pair,) = networks.from_file(npz(tmp_path, **ends, b__bias=kernel(1)), stride=2).pairs
    assert pair.first.transposed and pair.second.transposed and pair.second.groups == 1


def test_groups_are_inferred_only_from_a_norm_before_and_where_no_branch_fits(tmp_path):
    shapes = {"a": (64, 3, 3, 3), "b": (32, 64, 1, 1), "c": (32, 4, 3, 3), "d": (64, 32, 1, 1)}
    bare = {f"{name}__weight": kernel(*shape) for name, shape in shapes.items()}
    net = networks.from_file(npz(tmp_path, **bare), stride=1)
    assert names(net) == ["a to b", "c to d"] and "c takes 4 channels, b gives 32" in str(net.skipped)
    norms = {}
    for name in shapes:
        norms |= {f"{name}__weight": bare[f"{name}__weight"]}
        norms |= {f"{name}_norm__running_mean": kernel(shapes[name][0])}
    net = networks.from_file(npz(tmp_path, **norms), stride=1)
    assert names(net) == ["a to b", "b to c", "c to d"] and net.layers[2].groups == 8
    assert net.cascades["b to c"].shape == (64, 32, 4)
    # The shortcut of a residual block takes what an earlier layer gives, half of what the layer before it gives.
    norms |= {"short__weight": kernel(128, 32, 1, 1), "short_norm__running_mean": kernel(128)}
    net = networks.from_file(npz(tmp_path, **norms), stride=1)
    assert net.layers[-1].groups == 1 and "short takes 32 channels, d gives 64" in dict(net.skipped)["short"]


def test_a_bias_and_a_norm_tell_the_direction(tmp_path):
    square = {"a__weight": kernel(8, 8, 4, 4), "b__weight": kernel(8, 8, 4, 4), "c__weight": kernel(8, 3, 4, 4)}
    assert all(layer.transposed for layer in networks.from_file(npz(tmp_path, **square), stride=2).layers)
    one = {"a__weight": kernel(8, 3, 4, 4), "a__bias": kernel(3), "b__weight": kernel(3, 8, 4, 4), "b__bias": kernel(8)}
    assert all(layer.transposed for layer in networks.from_file(npz(tmp_path, **one), stride=2).layers)
    one |= {"a__bias": kernel(8), "b__bias": kernel(3)}
    assert not any(layer.transposed for layer in networks.from_file(npz(tmp_path, **one), stride=2).layers)


def test_one_dimension_and_three(tmp_path):
    file = npz(tmp_path, a__weight=kernel(8, 3, 5), b__weight=kernel(4, 8, 5))
    assert networks.from_file(file, stride=2).pairs[0].cascade.down == (2,)
    file = npz(tmp_path, a__weight=kernel(8, 3, 3, 3, 3), b__weight=kernel(4, 8, 3, 3, 3))
    assert networks.from_file(file, stride=2).pairs[0].cascade.down == (2, 2, 2)


def test_a_sidecar_states_everything(tmp_path):
    file = npz(tmp_path, z__weight=kernel(8, 3, 4, 4), y__weight=kernel(8, 6, 4, 2), x__weight=kernel(5, 6, 3, 3))
    layers = [
        {"type": "conv", "weight": "z.weight", "layout": "OIHW", "stride": 2, "post": ["relu", "batchnorm:bn"]},
        {"type": "conv_transpose", "weight": "y.weight", "layout": "IOHW", "stride": [2, 1], "dilation": 2},
        {"type": "flatten"},
    ]
    (tmp_path / "net.json").write_text(json.dumps({"networks": {"all": layers}}))
    net = networks.from_file(file)
    (pair,) = net.pairs
    assert (pair.name, pair.network) == ("z to y", "all")
    assert pair.cascade.down == (2, 2) and pair.cascade.up == (2, 1) and pair.cascade.second_dilation == (2, 2)
    ended = "the chain ends after it: a flatten layer"
    assert dict(net.skipped) == {"x": "not named in the sidecar net.json", "y": ended}
    assert networks.from_file(file, stride=3).pairs[0].cascade.down == (3, 3)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"weight": "q.weight"}, "no array named q.weight, which the sidecar"),
        ({"layout": "WHIO"}, "layout 'WHIO'; expected"),
        ({"stride": "two"}, "stride or dilation"),
        ({"post": ["maxpool(2)"]}, None),
    ],
)
def test_a_wrong_sidecar_is_explained(tmp_path, change, message):
    file = npz(tmp_path, z__weight=kernel(8, 3, 4, 4), y__weight=kernel(6, 8, 4, 4))
    first = {"type": "conv", "weight": "z.weight", "layout": "OIHW", "stride": 2} | change
    second = {"type": "conv", "weight": "y.weight", "layout": "OIHW", "stride": 2}
    (tmp_path / "net.json").write_text(json.dumps({"networks": {"all": [first, second]}}))
    if message is None:
        net = networks.from_file(file)
        assert not net.pairs and "before it: maxpool(2), which is not elementwise" in dict(net.skipped)["y"]
    else:
        with pytest.raises(InputError, match=message):
            networks.from_file(file)


def test_grouped_transposed_kernels_from_pytorch_keep_their_groups(tmp_path):
    torch = pytest.importorskip("torch")
    weight = kernel(6, 2, 3, 3)
    file = npz(tmp_path, a__weight=kernel(6, 4, 3, 3), b__weight=weight)
    layers = [
        {"type": "conv", "weight": "a.weight", "layout": "OIHW", "stride": 1},
        {"type": "conv_transpose", "weight": "b.weight", "layout": "IOHW", "stride": 1, "groups": 3},
    ]
    (tmp_path / "net.json").write_text(json.dumps({"networks": {"all": layers}}))
    flax = networks.from_file(file).layers[1].kernel
    x = torch.from_numpy(kernel(1, 6, 1, 1))
    given = torch.nn.functional.conv_transpose2d(x, torch.from_numpy(weight), groups=3)[0].numpy()
    for o in range(6):
        for_o = [flax[:, :, i, o] * x[0, 2 * (o // 2) + i, 0, 0].numpy() for i in range(2)]
        np.testing.assert_allclose(sum(for_o), given[o], rtol=1e-5, atol=1e-6)


def test_reasons_that_differ_by_a_name_are_one(tmp_path):
    file = npz(tmp_path, **{f"{name}__weight": kernel(4, 4, 3, 3) for name in "abcdefgh"})
    dense = lambda name: {"type": "linear", "weight": f"{name}.weight"}
    conv = lambda name: {"type": "conv", "weight": f"{name}.weight", "layout": "OIHW", "stride": 1}
    nets = {name: [*map(conv, name), dense(f"fc_{name}")] for name in ("ab", "cd", "ef")}
    (tmp_path / "net.json").write_text(json.dumps({"networks": nets}))
    net = networks.from_file(file)
    reason = "the chain ends after it: a linear layer"
    unnamed = "not named in the sidecar net.json"
    assert dict(net.skipped) == {"b": reason, "d": reason, "f": reason, "g": unnamed, "h": unnamed}
    assert networks.skipped_lines(net.skipped) == [
        f"3 layers, first b: {reason}", "skipped 2 layers, first g: not named in the sidecar net.json",
    ]  # fmt: skip
    (tmp_path / "net.json").write_text(json.dumps({"networks": {"ab": nets["ab"]}}))
    assert dict(networks.from_file(file).skipped)["b"] == f"{reason} (fc_ab)"


def test_neither_network_of_a_gan_continues_the_other(tmp_path):
    arrays = {"netG__0__weight": kernel(4, 3, 4, 4), "netG__1__weight": kernel(3, 4, 4, 4)}
    arrays |= {"netD__0__weight": kernel(5, 3, 4, 4), "netD__1__weight": kernel(6, 5, 4, 4)}
    net = networks.from_file(npz(tmp_path, **arrays), stride=2)
    assert names(net) == ["netG.0 to netG.1", "netD.0 to netD.1"]
    assert dict(net.skipped)["netG.1"] == "the chain ends after it: another network begins (netD.0)"
    alone = {name.replace("netG", "enc"): array for name, array in arrays.items()}
    assert names(networks.from_file(npz(tmp_path, **alone), stride=2))[1] == "enc.1 to netD.0"


LOW_RANK = {
    "kohya": ["lora_unet_down_0_conv.lora_down.weight", "lora_unet_down_0_conv.lora_up.weight"],
    "PEFT": ["base_model.model.conv.lora_A.default.weight", "base_model.model.conv.lora_B.default.weight"],
    "diffusers": ["unet.down.0.attn.processor.to_q_lora.down.weight", "unet.down.0.attn.processor.to_q_lora.up.weight"],
    "LyCORIS": ["lora_unet_conv.hada_w1_a", "lora_unet_conv.lokr_w2_b"],
}


@pytest.mark.parametrize("who", LOW_RANK)
def test_low_rank_changes_are_no_network(tmp_path, who):
    down, up = LOW_RANK[who]
    changes = {down: kernel(4, 8, 3, 3), up: kernel(8, 4, 1, 1)}
    save_file(changes, tmp_path / "lora.safetensors")
    with pytest.raises(InputError, match="lora.safetensors is a LoRA file, a low-rank change of another network"):
        networks.from_file(tmp_path / "lora.safetensors", stride=1)
    np.savez(tmp_path / "both.npz", **{"a.weight": kernel(4, 3, 3, 3), "b.weight": kernel(5, 4, 3, 3)}, **changes)
    net = networks.from_file(tmp_path / "both.npz", stride=1)
    assert names(net) == ["a to b"] and "and 1 more: a low-rank change" in dict(net.skipped)[down]


def test_the_settings_of_a_lightning_checkpoint_are_no_network(tmp_path):
    torch = pytest.importorskip("torch")
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU(), torch.nn.Conv2d(4, 5, 3))
    state = {f"model.{name}": tensor for name, tensor in module.state_dict().items()}
    held = {"hyper_parameters": {"net": module, "lr": 0.1}, "state_dict": state, "pytorch-lightning_version": "2.5.0"}
    torch.save(held, tmp_path / "last.ckpt")
    net = networks.from_file(tmp_path / "last.ckpt", stride=1)
    assert names(net) == ["model.0 to model.2"]
    assert dict(net.skipped)["hyper_parameters/net.0.weight"] == "and 1 more: settings of a Lightning checkpoint"
