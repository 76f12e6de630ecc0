"""TorchScript and torch.export programs written by hand, so that PyTorch is not needed: control flow, hostile files."""

import zipfile

import numpy as np
import pytest
from torch_net import Module, Tensor, conv, exported, node, program, script

from sicjax import networks
from sicjax._errors import InputError


def network(tmp_path, body, more="", **options):
    return networks.from_file(program(tmp_path / "net.pt", body, more, **options))


def names(net):
    return {tuple(pair.name.split(" to ")) for pair in net.pairs}


@pytest.mark.parametrize("options", [{}, {"compression": zipfile.ZIP_DEFLATED}], ids=["stored", "deflated"])
def test_a_chain(tmp_path, options):
    net = network(tmp_path, f"y = {conv('x', 'a')}\ny0 = torch.relu_(y)\nreturn {conv('y0', 'b')}", **options)
    (pair,) = net.pairs
    assert pair.name == "a to b" and dict(net.skipped)["c"] == "no convolution that was followed takes it"
    np.testing.assert_array_equal(pair.first.kernel, Tensor("0", (4, 3, 3, 3)).array.transpose(2, 3, 1, 0))


def test_both_ways_of_a_branch_that_cannot_be_decided(tmp_path):
    y, left, right = conv("x", "a"), conv("y", "b"), conv("z", "c")
    body = f"y = {y}\nif bool(torch.gt(torch.sum(x), 0)):\n  z = {left}\nelse:\n  z = y\nreturn {right}"
    net = network(tmp_path, body)
    assert names(net) == {("a", "b"), ("b", "c"), ("a", "c")}
    assert any("both branches are followed" in note for note in net.notes)


@pytest.mark.parametrize("way", ["then", "else"])
def test_what_a_branch_changes_does_not_reach_the_other(tmp_path, way):
    kept = "parts = annotate(List[Tensor], [])\n"
    append = {"then": f"  _0 = torch.append(parts, {conv('x', 'a')})\nelse:\n  pass", "else": "  pass"}[way]
    append += f"\nelse:\n  _0 = torch.append(parts, {conv('x', 'a')})" if way == "else" else ""
    body = f"{kept}if torch.gt(n, 3):\n{append}\nreturn {conv('parts[0]', 'b')}"
    net = network(tmp_path, body)
    assert not net.pairs and {layer.path for layer in net.layers} >= {"a"}
    assert any("different kinds" in text for skipped in net.skipped for text in skipped)


def test_branches_that_are_decided(tmp_path):
    body = f"y = {conv('x', 'a')}\nif torch.gt((torch.size(y))[1], 3):\n  z = {conv('y', 'b')}\nelse:\n"
    net = network(tmp_path, f"{body}  z = {conv('y', 'c')}\nreturn z")
    assert names(net) == {("a", "b")} and not net.notes


def test_the_convolutions_of_a_loop_of_unknown_length(tmp_path):
    body = f"y = {conv('x', 'a')}\nfor i in range(n):\n  y = {conv(conv('y', 'b'), 'c')}\nreturn y"
    net = network(tmp_path, body)
    assert names(net) == {("b", "c")}
    assert "a loop whose length is not known" in dict(net.skipped)["a"]


def test_what_the_program_keeps_in_its_modules(tmp_path):
    net = network(
        tmp_path, f"self.kept = {conv('x', 'a')}\nwith torch.no_grad():\n  y = {conv('self.kept', 'b')}\nreturn y"
    )
    assert names(net) == {("a", "b")}


def test_a_guess_of_the_input_that_the_program_refuses_does_not_count(tmp_path):
    give_up = 'ops.prim.RaiseException("two axes only")'
    check = f"if torch.gt(torch.dim(x), 2):\n  {give_up}\nelse:\n  pass\n"
    body = check + "x0 = torch.unsqueeze(x, 1)\n" + f"y = {conv('x0', 'a')}\nreturn {conv('y', 'b')}"
    assert names(network(tmp_path, body)) == {("a", "b")}


def test_a_kernel_that_is_computed(tmp_path):
    body = f"w = torch.mul(self.b.weight, 2)\nv = torch.linalg_qr(self.c.weight)\ny = {conv('x', 'a')}\n"
    body += "z = torch.conv2d(y, w)\nreturn torch.conv2d(z, v)"
    net = network(tmp_path, body)
    assert names(net) == {("a", "b")}
    np.testing.assert_array_equal(net.layers[1].kernel, 2 * Tensor("1", (4, 4, 3, 3)).array.transpose(2, 3, 1, 0))
    assert dict(net.skipped)["c"] == "a convolution whose kernel is computed from linalg_qr of c.weight (c)"
    assert net.notes == (
        "a kernel is computed: save the module with its kernels as they are, without a parametrization",
    )


BIG = "[4294967296, 4294967296, 4294967296, 4294967296]"
HOSTILE = {
    "loop": "while True:\n  z = torch.add(1, 2)\nreturn y",
    "layers": f"for i in range(300000):\n  z = {conv('x', 'a')}\nreturn z",
    "lists": "z = [y]\n" + "z = [z, z]\n" * 200 + "return torch.cat(z, 1)",
    "branches": "z = [y]\n" + "if torch.gt(n, 3):\n  z = [z, z]\nelse:\n  z = [z, z]\n" * 100 + "return y",
    "long lists": "z = [0, 1]\n" + "z = torch.add(z, z)\n" * 60 + "return y",
    "text": "s = 'a'\n" + "s = torch.add(s, s)\n" * 200 + "return y",
    "numbers": "k = 2\n" + "k = torch.mul(k, k)\n" * 200 + "return torch.reshape(y, [k, k])",
    "channels": "z = y\n" + "z = torch.cat([z, z], 1)\n" * 60 + "return z",
    "copies": "return torch.repeat(y, [1, 1000000000, 1, 1])",
    "spread": "return torch.add(torch.slice(y, 1, 0, 1), torch.expand(torch.zeros([1]), [1, 1000000000, 1, 1]))",
    "space": f"z = torch.pad(y, {BIG})\nreturn torch.conv2d((torch.chunk(z, 2, 3))[0], self.b.weight)",
    "parts": f"z = torch.pad(y, {BIG})\nreturn torch.split(z, 1, 3)",
    "made": "return torch.conv2d(y, torch.zeros([1000000, 1000000, 3, 3]))",
    "wide": "return torch.conv2d(y, torch.add(torch.expand(self.b.weight, [1000000, 4, 4, 3, 3]), self.b.weight))",
    "calls": "return (self).forward(x, )",
    "format": "return torch.remainder('%999999999d', 1)",
    "brackets": "return " + "(" * 5000 + "x" + ")" * 5000,
    "dots": "return x" + ".a" * 50000,
    "import": "import os",
    "window": "return torch.avg_pool2d(y, [99999999, 99999999])",
    "zoom": "return torch.upsample_nearest2d(y, None, [1e12, 1e12])",
    "far": "z = torch.max_pool2d(y, 4096, 4096)\nreturn torch.conv2d(torch.avg_pool2d(z, 60, 1), self.b.weight)",
    "dilation": "z = torch.avg_pool2d(torch.conv2d(x, self.a.weight, None, [1, 1], [0, 0], [4096, 4096]), 3)\n"
    "return torch.conv2d(z, self.b.weight)",
    "syntax": "return (\n",
}


@pytest.mark.parametrize("code", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_code_ends(tmp_path, monkeypatch, code):
    monkeypatch.setattr("sicjax.networks.torch.script._expressions.MOST_STEPS", 10_000)
    try:
        net = network(tmp_path, f"y = {conv('x', 'a')}\n{code}")
    except InputError as error:
        assert "\n" not in str(error) and len(str(error)) < 500 and "net.pt" in str(error)
    else:
        assert net.layers[0].path == "a" and len(net.layers) < 4


def test_a_list_longer_than_any_real_one_is_refused(tmp_path):
    with pytest.raises(InputError, match="a list of over 100,000"):
        network(tmp_path, f"l = [{'0, ' * 60_000}]\nm = torch.add(l, l)\nreturn {conv('x', 'a')}")


def test_archives_that_unpack_to_far_more_than_they_take(tmp_path):
    module = Module("Net", weight=Tensor("0", (1, 1, 3, 3)))
    path = script(tmp_path / "net.pt", module, "class Net(Module):\n  pass\n" + "a = b\n" * 2**21)
    with pytest.raises(InputError, match="__torch__.py: with its .* bytes the file takes more"):
        networks.from_file(path)
    with zipfile.ZipFile(tmp_path / "bomb.pt", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("net/data.pkl", bytes(2**27))
    with pytest.raises(InputError, match="data.pkl: with its .* bytes the file takes more"):
        networks.from_file(tmp_path / "bomb.pt")


def test_an_exported_graph(tmp_path):
    conv = "torch.ops.aten.conv2d.default"
    shapes = {"x": (1, 3, 8, 8), "y": (1, 4, 6, 6), "z": (1, 4, 6, 6), "out": (1, 2, 4, 4)}
    first, last = node(conv, "y", ("input", "x"), ("weight", "a")), node(conv, "out", ("input", "z"), ("weight", "b"))
    between = node("torch.ops.aten.relu.default", "z", ("self", "y"))
    net = networks.from_file(exported(tmp_path / "net.pt2", [first, between, last], shapes))
    assert names(net) == {("a", "b")} and not net.skipped
    between = node("torch.ops.mine.thing.default", "z", ("self", "y"))
    net = networks.from_file(exported(tmp_path / "net.pt2", [first, between, last], shapes))
    assert not net.pairs and "an operation that is not known (thing)" in dict(net.skipped)["a"]
    with pytest.raises(InputError, match="damaged"):
        networks.from_file(exported(tmp_path / "net.pt2", [{"target": 3}], shapes))


def test_a_program_of_before_archives_is_explained(tmp_path):
    with zipfile.ZipFile(tmp_path / "old.pt2", "w") as archive:
        archive.writestr("serialized_exported_program.json", "{}")
    with pytest.raises(InputError, match="before PyTorch 2.8: save it again"):
        networks.from_file(tmp_path / "old.pt2")
