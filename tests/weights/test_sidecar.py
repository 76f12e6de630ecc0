"""The JSON file beside a weights file."""

import json

import pytest

from sicjax import weights
from sicjax._errors import InputError

CONV = {"type": "conv", "weight": "0.weight", "layout": "OIHW", "stride": 2}
TURNED = {"type": "conv_transpose", "weight": "3.weight", "layout": "IOHW (torch)", "stride": [2, 1], "groups": 2}


@pytest.fixture
def state(tmp_path):
    """Writes a sidecar and gives the path of its weights file."""

    def write(stated):
        content = stated if isinstance(stated, bytes) else json.dumps(stated, ensure_ascii=False).encode()
        (tmp_path / "net.json").write_bytes(content)
        return tmp_path / "net.safetensors"

    return write


def test_layers_are_given_as_stated(state):
    networks = {"encoder": [CONV, {"type": "dense"}], "décodeur": [TURNED | {"post": ["relu"]}]}
    path = state({"name": "net", "networks": networks})
    sidecar = weights.find_sidecar(path)
    assert sidecar == weights.Sidecar(path.with_suffix(".json"), networks)
    assert [weights.is_convolution(layer) for layer in networks["encoder"]] == [True, False]
    assert weights.is_convolution(networks["décodeur"][0])


def test_no_sidecar_is_none(state, tmp_path):
    assert weights.find_sidecar(tmp_path / "other.pt") is None
    (tmp_path / "folder.json").mkdir()
    assert weights.find_sidecar(tmp_path / "folder.pt") is None
    for other in ({"name": "net"}, {"networks": None}, {}, [], [1, "networks"], "networks", 3, None):
        assert weights.find_sidecar(state(other)) is None


@pytest.mark.parametrize(
    "stated, expected",
    [
        (b"", "cannot be read"),
        (b"{", "cannot be read"),
        (b'{"networks": {"g": [}}', "cannot be read"),
        (b'{"networks": "\xff"}', "cannot be read"),
        (b"[" * 200_000, "cannot be read"),
        (b"1" * 10_000, "cannot be read"),
        ({"networks": []}, "networks must be a list of layers"),
        ({"networks": "g"}, "networks must be a list of layers"),
        ({"networks": {"g": {}}}, "g must be a list of layers"),
        ({"networks": {"g": None}}, "g must be a list of layers"),
        ({"networks": {"e": [CONV], "g": ["conv"]}}, "g must be a list of layers, each with a type"),
        ({"networks": {"g": [["type"]]}}, "g must be a list of layers, each with a type"),
        ({"networks": {"g": [3]}}, "g must be a list of layers, each with a type"),
        ({"networks": {"g": [CONV, {"weight": "w"}]}}, "g must be a list of layers, each with a type"),
        ({"networks": {"g": [{"type": "conv", "stride": 1}]}}, "a conv of g lacks layout, weight"),
        ({"networks": {"g": [TURNED | {"weight": 3}]}}, "a conv_transpose of g: expected weight as text"),
        ({"networks": {"g": [CONV | {"post": "relu"}]}}, "post as a list"),
        ({"networks": {"g": [CONV | {"groups": 0}]}}, "groups as a positive integer"),
        ({"networks": {"g": [CONV | {"groups": "2"}]}}, "groups as a positive integer"),
        ({"networks": {"g": [CONV | {"groups": True}]}}, "groups as a positive integer"),
    ],
)
def test_a_wrong_sidecar_is_refused_in_one_line(state, stated, expected):
    path = state(stated)
    with pytest.raises(InputError) as caught:
        weights.find_sidecar(path)
    message = str(caught.value)
    assert expected in message and str(path.with_suffix(".json")) in message and "\n" not in message


@pytest.mark.parametrize("key", ["weight", "layout", "stride"])
@pytest.mark.parametrize("layer", [CONV, TURNED])
def test_a_convolution_needs_each_key(state, layer, key):
    short = {kept: value for kept, value in layer.items() if kept != key}
    with pytest.raises(InputError, match=f"lacks {key}$"):
        weights.find_sidecar(state({"networks": {"g": [layer, short]}}))


def test_other_layers_need_no_keys(state):
    networks = {"g": [{"type": "dense"}, {"type": "upsample", "weight": None}, {"type": None}], "empty": []}
    assert weights.find_sidecar(state({"networks": networks})).networks == networks


def test_null_is_to_be_filled_in_where_it_is_read_and_an_answer_elsewhere(state):
    assert weights.find_sidecar(state({"networks": {"net": [CONV | {"bias": None}]}}))
    with pytest.raises(InputError, match="fill in layout, stride of 3.weight, as 1 more layers"):
        layers = [CONV, TURNED | {"layout": None, "stride": None, "bias": None}, CONV | {"type": None}]
        weights.find_sidecar(state({"networks": {"net": layers}}))


def test_the_public_sidecars_are_valid(public_weights):
    paths = sorted(public_weights.glob("*.safetensors"))
    assert paths and all(weights.find_sidecar(path).networks for path in paths)
