"""Files that hold several networks: only some of the layers, a direction for some of them, a sidecar to be edited."""

import json

import numpy as np
import pytest

from sicjax import cli, networks, weights
from sicjax._errors import InputError
from sicjax.measure import SCHEMA, Settings
from sicjax.measure._identity import identify

RNG = np.random.default_rng(0)


@pytest.fixture
def both(tmp_path):
    """An encoder and a decoder of square kernels, whose channel counts fit either direction."""
    arrays = {}
    for part in ("encoder", "decoder"):
        arrays |= {f"{part}.{k}.weight": RNG.normal(size=(8, 8, 4, 4)).astype(np.float32) for k in range(3)}
        arrays[f"{part}.3.weight"] = RNG.normal(size=(8, 8)).astype(np.float32)
    path = tmp_path / "both.npz"
    np.savez(path, **arrays)
    return path


def directions(network):
    return {layer.path: layer.transposed for layer in network.layers}


def test_a_direction_is_given_for_some_of_the_layers(both):
    with pytest.raises(InputError, match="--transposed-in PREFIX"):
        networks.from_file(both, stride=2)
    found = directions(networks.from_file(both, stride=2, transposed=False, transposed_in="decoder."))
    assert found == {f"{part}.{k}": part == "decoder" for part in ("encoder", "decoder") for k in range(3)}


def test_only_some_of_the_layers_are_read(both):
    net = networks.from_file(both, stride=(1, 2, 2), transposed=True, only="decoder.")
    assert [pair.name for pair in net.pairs] == ["decoder.0 to decoder.1", "decoder.1 to decoder.2"]
    assert [layer.stride[0] for layer in net.layers] == [1, 2, 2]
    assert net.notes[-1] == "only layers that begin with decoder.: 3 others are left out"
    several = networks.from_file(both, stride=2, transposed=True, only=["decoder.0", "decoder.1", "encoder.2"])
    assert {layer.path for layer in several.layers} == {"decoder.0", "decoder.1", "encoder.2"}


@pytest.mark.parametrize("flag, how", [("--only", {"only": "gen."}), ("--transposed-in", {"transposed_in": "gen."})])
def test_names_that_no_layer_begins_with_are_said(both, flag, how):
    with pytest.raises(InputError, match=f"no layer begins with {flag} gen.; they begin with encoder, decoder"):
        networks.from_file(both, stride=2, transposed=True, **how)


def test_a_graph_is_cut_to_some_of_its_layers(both):
    weights.sidecar_path(both).write_text(
        networks.sidecar_draft(both, stride=2, transposed=False, transposed_in="decoder.")
    )
    net = networks.from_file(both, only="encoder.")
    assert directions(net) == {f"encoder.{k}": False for k in range(3)} and len(net.pairs) == 2


def test_what_is_left_out_makes_another_result(both):
    keys = {identify(both, Settings(only=only)).key for only in (None, ("decoder.",), ("encoder.",))}
    assert len(keys) == 3 and SCHEMA == 5


def test_a_draft_of_a_sidecar_is_filled_in_and_read(both, capsys):
    assert cli.main(["sidecar", str(both)]) == 0
    out, said = capsys.readouterr()
    beside = weights.sidecar_path(both)
    assert out.strip() == str(beside) and "fill in what is null (18 places)" in said
    stated = json.loads(beside.read_text())
    (layers,) = stated["networks"].values()
    assert [layer["type"] for layer in layers] == [*[None] * 3, "linear"] * 2
    with pytest.raises(InputError, match=r"fill in type, layout, stride of encoder.0.weight, as 5 more layers"):
        networks.from_file(both)
    assert cli.main(["sidecar", str(both)]) == 1
    assert "is there already" in capsys.readouterr().err
    for layer in layers:
        if layer["type"] is None:
            turned = layer["weight"].startswith("decoder")
            layer |= {"type": "conv_transpose" if turned else "conv", "layout": "IOHW" if turned else "OIHW"}
            layer["stride"] = 2
            layers[layers.index(layer)] = layer
    beside.write_text(json.dumps(stated))
    assert len(networks.from_file(both).pairs) == 4


def test_a_draft_states_what_is_given(both):
    text = networks.sidecar_draft(both, stride=2, transposed=False, transposed_in=("decoder.",))
    assert ": null" not in text
    layers = json.loads(text)["networks"]["network"]
    assert layers[4] == {"type": "conv_transpose", "weight": "decoder.0.weight", "layout": "IOHW", "stride": 2}


def test_what_states_its_layers_needs_no_draft(tmp_path):
    with pytest.raises(InputError, match="needs no sidecar"):
        networks.sidecar_draft(tmp_path)
