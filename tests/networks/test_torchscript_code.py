"""What the code of TorchScript programs has besides operators, a few lines of it at a time."""

import numpy as np
import pytest
from torch_net import Module, Tensor, conv, exported, node, pickled, program, script

from sicjax import networks
from sicjax._errors import InputError
from sicjax._limits import OutOfTime
from sicjax.networks.torch.script import _interpreter

ACT = "def act(y: Tensor) -> Tensor:\n  return torch.relu(y)\ndef nothing(y: Tensor) -> NoneType:\n  pass\n"
PAIR = "class Both(NamedTuple):\n  left : Tensor\n  right : Tensor\n"
REFUSES = "def refuses(y: Tensor) -> Tensor:\n  ops.prim.RaiseException('no')\n  return y\n"
HOLDS = "torch.gt(torch.len([1]), 0)"
Y, B, C = f"y = {conv('x', 'a')}", conv("y", "b"), conv("z", "c")
AB, BC, AC = ("a", "b"), ("b", "c"), ("a", "c")
UNKNOWN = "torch.gt(torch.sum(x), 0)"
GIVES_UP = f"if {UNKNOWN}:\n    ops.prim.RaiseException('1')\n  else:\n    ops.prim.RaiseException('2')\n"

# The statements after the first convolution, the classes and functions beside, the pairs, and what is said.
CODE = {
    "a choice": (f"z = {B} if {UNKNOWN} else y\nreturn {C}", "", {AB, BC, AC}, ""),
    "a choice that is made": (f"z = y if {HOLDS} else {B}\nreturn {C}", "", {AC}, ""),
    "an expression that is not known": (
        "return torch.conv2d(y, self.b.weight, None, [1, 1], [1 + 2, self.nothing])", "", {AB}, ""
    ),
    "a type": (f"if isinstance(y, Tensor):\n  z = {B}\nelse:\n  z = y\nreturn {C}", "", {AB, BC, AC}, ""),
    "a function": (f"w = __torch__.nothing(y, )\ny = __torch__.act(y, )\nreturn {B}", ACT, {AB}, ""),
    "a function that is not there": (f"y = __torch__.gone(y, )\nreturn {B}", "", set(), "(__torch__.gone)"),
    "a builtin": (f"y = sorted(y, )\nreturn {B}", "", set(), "(sorted)"),
    "a method that is not there": (f"y = (self).gone(y, )\nreturn {B}", "", set(), "(self.gone)"),
    "a tuple with names": (
        f"both = __torch__.Both(y, x)\nz = both.left\nleft, right = both\ny = left\nw = {B}\nreturn {C}",
        PAIR, {AB, AC}, "",
    ),
    "a class that is no tuple": (f"z = __torch__.Net(y)\nreturn {C}", "", set(), "(__torch__.Net)"),
    "a dictionary": (f"d = torch.dict()\ntorch._set_item(d, 'k', y)\nz = d['k']\nreturn {C}", "", {AC}, ""),
    "a place of a list": (f"l = [x]\ntorch._set_item(l, 0, y)\nz = l[0]\nreturn {C}", "", {AC}, ""),
    "a choice of dictionaries": (
        f"if {UNKNOWN}:\n  d = {{'k': y}}\nelse:\n  d = {{'k': {B}}}\nz = d['k']\nreturn {C}", "", {AB, BC, AC}, ""
    ),
    "a number that both give": (
        f"if {UNKNOWN}:\n  k = 0.5\nelse:\n  k = 0.5\nz = torch.leaky_relu(y, k)\nreturn {C}", "", {AC}, ""
    ),
    "a choice of modules": (
        f"if {UNKNOWN}:\n  m = self.b\nelse:\n  m = self.b\ny = torch.conv2d(y, m.weight)\nreturn y", "", {AB}, ""
    ),
    "a choice of kernels": (
        f"if {UNKNOWN}:\n  w = self.b.weight\nelse:\n  w = self.c.weight\nreturn torch.conv2d(y, w)",
        "", set(), "is computed",
    ),
    "a call that gives up": (f"y = __torch__.refuses(y, )\nreturn {B}", REFUSES, set(), "gives up (refuses"),
    "a branch that gives up, further in": (f"if {UNKNOWN}:\n  {GIVES_UP}else:\n  pass\nreturn {B}", "", {AB}, ""),
    "another branch that does": (f"if {UNKNOWN}:\n  pass\nelse:\n  {GIVES_UP}return {B}", "", {AB}, ""),
    "a loop until something is so": (
        f"while {UNKNOWN}:\n  y = {B}\nreturn {C.replace('z', 'y')}", "", set(), "a loop whose length is not known"
    ),
    "a list that a loop fills": (
        f"l = [y]\nfor i in range(n):\n  torch.append(l, x)\nz = l[0]\nreturn {C}", "", set(), "a loop whose length"
    ),
    "a part of what is not known": (f"z = (torch.mystery(y))[0]\nreturn {C}", "", set(), "not known (mystery)"),
    "a kernel in what is not known": (f"z = torch.mystery(y, self.b.weight)\nreturn {C}", "", set(), "(mystery)"),
    "lists in lists, and no number": (
        "l = torch.add([[1]], [[2]])\nk = torch.floordiv(1, 0)\nreturn torch.conv2d(y, self.b.weight, None, l, k)",
        "", set(), "",
    ),
    "a constant": ("return torch.conv2d(self.b.weight, self.c.weight)", "", set(), ""),
    "groups that are no number": (
        "return torch.conv2d(y, self.b.weight, None, [1, 1], [0, 0], [1, 1], 1.5)", "", set(), "do not fit together"
    ),
}  # fmt: skip
# An operator, as what comes between `y` and `z`, the pairs, and what is said.
PLACES, FITS = "places that are computed", "do not fit together"
OPERATORS = {
    "z = (torch.native_batch_norm(y, None, None, None, None, False, 0.1, 0.1))[0]": ({AC}, ""),
    "z = torch.add(y, torch.zeros_like(y))": ({AC}, ""),
    "z = torch.conv2d(y, torch.reshape(self.b.weight, [7]))": (set(), "computed from reshape of b.weight"),
    "z = torch.conv2d(y, torch.dequantize_per_channel(self.b.weight, torch.ones([4]), None, 0))": ({AB, BC}, ""),
    "z = torch.conv2d(y, torch.div(self.b.weight, torch.norm(self.b.weight, 1e400)))": ({AB, BC}, ""),
    "z = torch.conv2d(y, torch.squeeze(torch.unsqueeze(self.b.weight, 0), 0))": ({AB, BC}, ""),
    "z = torch.slice(y, 2, 0, torch.size(x, 2))": ({AC}, ""),
    "z = torch.index(y, [None, torch.tensor([0]), None, torch.tensor([0])])": (set(), PLACES),
    "z = torch.gather(y, 1, torch.tensor([[[[0]]]]))": (set(), PLACES),
    "u = torch.tensor_split(x, 2, 1)\nz = torch.cat(torch.tensor_split(y, 3, 1), 1)": ({AC}, ""),
    "z = torch.cat(torch.tensor_split(y, [1, 3], 1), 1)": ({AC}, ""),
    "z = (torch.chunk(y, 0, 1))[0]": (set(), FITS),
    "z = torch.mul(y, (torch.max(y, 2, True))[0])": ({AC}, ""),
    "z = torch.sub(y, (torch.var_mean(y, [2, 3], 1, True))[1])": ({AC}, ""),
    "z = torch.sub(y, (torch.var_mean(x, [1, 2, 3], 1, True))[1])": ({AC}, ""),
    "z = torch.conv2d(y, torch.tensor([[[[1]]]]))": (set(), FITS),
    "z = torch.upsample_nearest2d(torch.flatten(y), [4, 4])": (set(), FITS),
}


@pytest.mark.parametrize("body, told", OPERATORS.items(), ids=[body.partition(" = ")[2] for body in OPERATORS])
def test_an_operator(tmp_path, body, told):
    test_code(tmp_path, f"{body}\nreturn {C}", "", *told)


@pytest.mark.parametrize("body, more, pairs, says", CODE.values(), ids=CODE.keys())
def test_code(tmp_path, body, more, pairs, says):
    net = networks.from_file(program(tmp_path / "net.pt", f"{Y}\n{body}", more))
    assert {tuple(pair.name.split(" to ")) for pair in net.pairs} == pairs
    assert not says or any(says in text for skipped in net.skipped for text in skipped), net.skipped


def test_a_kernel_of_whole_numbers_with_a_scale_for_each_filter(tmp_path):
    settings = "torch.tensor([1., 2., 3., 4.]), torch.tensor([4., 3., 2., 1.]), 0"
    kernel = f"torch.dequantize_per_channel(self.b.weight, {settings})"
    net = networks.from_file(program(tmp_path / "net.pt", f"{Y}\nreturn torch.conv2d(y, {kernel})"))
    whole = Tensor("1", (4, 4, 3, 3)).array.transpose(2, 3, 1, 0)
    np.testing.assert_allclose(net.layers[1].kernel, (whole - np.arange(4, 0, -1)) * np.arange(1, 5), rtol=1e-6)


def test_a_program_that_does_not_end_with_the_size_it_tells_is_the_first(tmp_path, monkeypatch):
    monkeypatch.setattr("sicjax.networks.torch.script._expressions.MOST_STEPS", 5000)
    body = f"{Y}\nwhile torch.gt(torch.dim(x), 2):\n  k = torch.add(1, 2)\nreturn {B}"
    path = program(tmp_path / "net.pt", body)
    assert [pair.name for pair in networks.from_file(path).pairs] == ["a to b"]
    followed, calls = _interpreter._followed, []

    def late(*given):
        calls.append(given)
        if len(calls) == 2:
            raise OutOfTime("late")
        return followed(*given)

    monkeypatch.setattr(_interpreter, "_followed", late)
    with pytest.raises(InputError, match="late"):
        networks.from_file(path)


def test_functions_that_call_each_other_without_end(tmp_path, monkeypatch):
    monkeypatch.setattr(_interpreter, "_DEEPEST", 10)
    with pytest.raises(InputError, match="more than 10 deep"):
        networks.from_file(program(tmp_path / "net.pt", "return (self).forward(x, )"))


def test_a_module_without_forward(tmp_path):
    with pytest.raises(InputError, match="has no forward"):
        networks.from_file(script(tmp_path / "net.pt", Module("Net", a=1), "class Net(Module):\n  pass\n"))


def test_a_module_with_two_names_is_one(tmp_path):
    weight = Tensor("0", (4, 4, 3, 3))
    first = pickled(Module("Conv", weight=weight)) + b"q\x05"
    code = "class Net(Module):\n  def forward(self: __torch__.Net, x: Tensor) -> Tensor:\n    return x\n"
    module = Module("Net", a=first, again=b"h\x05", kept=weight)
    net = networks.from_file(script(tmp_path / "net.pt", module, code))
    assert [layer for layer, _ in net.skipped] == ["again"]
    code = code.replace("return x", f"return {conv(conv('x', 'a'), 'again')}")
    net = networks.from_file(script(tmp_path / "net.pt", module, code))
    assert [pair.name for pair in net.pairs] == ["a to a#2"]


def test_a_tensor_that_may_be_left_out(tmp_path):
    target, maybe = "torch.ops.aten.conv2d.default", {"as_optional_tensor": {"as_tensor": {"name": "a"}}}
    first, last = node(target, "y", ("input", "x")), node(target, "z", ("input", "y"), ("weight", "b"))
    none = {"name": "bias", "arg": {"as_optional_tensor": {"as_none": True}}}
    first["inputs"] += [{"name": "weight", "arg": maybe}, none]
    shapes = {"x": (1, 3, 8, 8), "y": (1, 4, 6, 6), "z": (1, 2, 4, 4)}
    assert [pair.name for pair in networks.from_file(exported(tmp_path / "net.pt2", [first, last], shapes)).pairs] == [
        "a to b"
    ]
