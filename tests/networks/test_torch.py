"""TorchScript and torch.export programs: the pairs and ratios of lists written by hand, from every way of saving."""

import io
import json
import pickle
import zipfile

import numpy as np
import pytest
from of_torch import OF_TORCH

from sicjax import networks, sdr
from sicjax._errors import InputError
from sicjax.networks.graph import BOTH

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402

pytestmark = OF_TORCH
WAYS = ["script", "trace", "export"]


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, 2, 1)
        self.body = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU())
        self.head = nn.Conv2d(4, 2, 3)

    def forward(self, x):
        x = torch.relu(self.stem(x))
        out = self.body(x)
        out += x
        return self.head(out)


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Conv2d(3, 4, 3, padding=1)
        self.mid = nn.Conv2d(4, 6, 3, padding=1)
        self.up = nn.ConvTranspose2d(6, 5, 2, 2)
        self.out = nn.Conv2d(9, 2, 3, padding=1)

    def forward(self, x):
        skip = F.leaky_relu(self.down(x), 0.2)
        y = self.up(self.mid(F.max_pool2d(skip, 2)))
        y = self.out(torch.cat([y, skip], 1))
        return F.interpolate(y, size=x.shape[-2:])


class Concat(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Conv2d(3, 4, 1)
        self.b = nn.Conv2d(3, 5, 3, padding=1)
        self.c = nn.Conv2d(9, 6, 3)
        self.d = nn.Conv2d(3, 2, 3)

    def forward(self, x):
        y = self.c(torch.cat((self.a(x), self.b(x)), dim=1))
        left, right = y.chunk(2, dim=1)
        return self.d(left * torch.sigmoid(right))


class Named(nn.Module):
    """Keeps values by name, gives up on sizes that do not fit, loops over what it is told."""

    def __init__(self):
        super().__init__()
        self.a = nn.Conv2d(3, 4, 3, padding=1)
        self.b = nn.Conv2d(4, 4, 3, padding=1)
        self.keep = {"a": "low"}

    def forward(self, x):
        if x.shape[-1] != 16:
            raise ValueError("16 x 16 images only")
        kept: dict[str, torch.Tensor] = {}
        y = self.a(x)
        if "a" in self.keep:
            kept[self.keep["a"]] = y
        for _ in range(2):
            y = self.b(torch.relu(y)) + kept["low"]
        return y


class Shuffle(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Conv2d(3, 6, 3)
        self.b = nn.Conv2d(6, 2, 3)

    def forward(self, x):
        y = self.a(x)
        n, c, h, w = y.shape
        y = y.view(n, 2, c // 2, h, w).transpose(1, 2).contiguous().view(n, c, h, w)
        return self.b(y)


def chain():
    return nn.Sequential(
        nn.Conv2d(3, 8, 4, 2, 1), nn.LeakyReLU(0.2, inplace=True), nn.Conv2d(8, 6, 3, dilation=2), nn.Conv2d(6, 5, 3)
    )


def dcgan():
    layers = [nn.ConvTranspose2d(7, 6, 4), nn.BatchNorm2d(6), nn.ReLU(), nn.ConvTranspose2d(6, 4, 4, 2, 1)]
    return nn.Sequential(*layers, nn.BatchNorm2d(4), nn.ReLU(), nn.ConvTranspose2d(4, 3, 4, 2, 1), nn.Tanh())


def depthwise():
    return nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU6(), nn.Conv2d(4, 8, 3, 2, groups=4), nn.Conv2d(8, 5, 1))


def resize(mode):
    up = nn.Upsample(scale_factor=2, mode=mode)
    return nn.Sequential(nn.Conv2d(3, 4, 3), up, nn.ReflectionPad2d(1), nn.Conv2d(4, 2, 3))


def pooled():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.AvgPool2d(2), nn.Conv2d(4, 2, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())


def one_dimension():
    return nn.Sequential(nn.Conv1d(3, 4, 5, 3), nn.ConvTranspose1d(4, 2, 4, 2))


def three_dimensions():
    return nn.Sequential(nn.Conv3d(3, 4, 3, 2), nn.Conv3d(4, 2, 3))


# A network, the shape of an input, and each pair with its down and up.
CASES = {
    "chain": (chain, (1, 3, 32, 32), [("0", "2", 2, 1), ("2", "3", 1, 1)]),
    "generator": (dcgan, (1, 7, 1, 1), [("0", "3", 1, 2), ("3", "6", 1, 2)]),
    "residual": (
        Residual,
        (1, 3, 32, 32),
        [("stem", "body.0", 2, 1), ("body.0", "head", 1, 1), ("stem", "head", 2, 1)],
    ),
    "u-net": (
        UNet,
        (1, 3, 32, 32),
        [("down", "mid", 2, 1), ("mid", "up", 1, 2), ("up", "out", 1, 1), ("down", "out", 1, 1)],
    ),
    "depthwise": (depthwise, (1, 3, 32, 32), [("0", "2", 1, 1), ("2", "3", 2, 1)]),
    "concatenated": (Concat, (1, 3, 32, 32), [("a", "c", 1, 1), ("b", "c", 1, 1), ("c", "d", 1, 1), ("c", "d", 1, 1)]),
    "nearest": (lambda: resize("nearest"), (1, 3, 16, 16), [("0", "3", 1, 2)]),
    "bilinear": (lambda: resize("bilinear"), (1, 3, 16, 16), [("0", "3", 1, 2)]),
    "named": (
        Named,
        (1, 3, 16, 16),
        [("a", "b", 1, 1), ("b", "b#2", 1, 1), ("a", "b#2", 1, 1)],
    ),
    "shuffle": (Shuffle, (1, 3, 16, 16), [("a", "b", 1, 1)]),
    "pooled": (pooled, (1, 3, 16, 16), [("0", "2", 2, 1)]),
    "1-D": (one_dimension, (1, 3, 50), [("0", "1", 3, 2)]),
    "3-D": (three_dimensions, (1, 3, 9, 9, 9), [("0", "1", 2, 1)]),
}


@pytest.fixture(scope="module")
def modules():
    torch.manual_seed(0)
    return {name: make().eval() for name, (make, _, _) in CASES.items()}


def save(path, module, shape, way):
    x = torch.zeros(shape)
    with torch.no_grad():
        if way == "export":
            torch.export.save(torch.export.export(module, (x,)), path / "net.pt2")
            return path / "net.pt2"
        program = torch.jit.script(module) if way == "script" else torch.jit.trace(module, x)
    program.save(str(path / "net.pt"))
    return path / "net.pt"


def flax(module):
    """A layer's kernel as (*k, in / groups, out), written apart from what the package does."""
    weight = module.weight.detach().numpy()
    space = tuple(range(2, weight.ndim))
    if not isinstance(module, nn.modules.conv._ConvTransposeNd):
        return weight.transpose(*space, 1, 0)
    assert module.groups == 1
    return weight.transpose(*space, 0, 1)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", CASES)
def test_pairs(tmp_path, modules, name, way):
    _, shape, expected = CASES[name]
    module = modules[name]
    net = networks.from_file(save(tmp_path, module, shape, way))
    axes = len(shape) - 2
    assert [(p.first.path, p.second.path) for p in net.pairs] == [(a, b) for a, b, _, _ in expected]
    convolutions = {k: m for k, m in module.named_modules() if isinstance(m, nn.modules.conv._ConvNd)}
    assert {layer.path.partition("#")[0] for layer in net.layers} == set(convolutions)
    for pair, (a, b, down, up) in zip(net.pairs, expected, strict=True):
        first, second = (convolutions[name.partition("#")[0]] for name in (a, b))
        assert pair.cascade.down == (down,) * axes and pair.cascade.up == (up,) * axes
        assert pair.first.stride == first.stride and pair.second.dilation == second.dilation
        np.testing.assert_array_equal(pair.first.kernel, flax(first))
        np.testing.assert_array_equal(pair.second.kernel, flax(second))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["chain", "generator"])
def test_a_program_and_its_state_dict_give_the_same_ratios(tmp_path, modules, name, way):
    module, (_, shape, _) = modules[name], CASES[name]
    program = networks.from_file(save(tmp_path, module, shape, way))
    torch.save(module.state_dict(), tmp_path / "weights.pt")
    layers = [m for m in module if isinstance(m, nn.modules.conv._ConvNd)]
    strides = [m.stride[0] for m in layers]
    states = networks.from_file(tmp_path / "weights.pt", stride=strides)
    assert program.cascades.keys() == states.cascades.keys()
    for key, cascade in program.cascades.items():
        if name == "generator":
            np.testing.assert_allclose(sdr.ratios(cascade), sdr.ratios(states.cascades[key]), atol=1e-6)
        first, second = (
            layers[[str(k) for k, m in enumerate(module) if m in layers].index(n)] for n in key.split(" to ")
        )
        by_hand = sdr.Cascade(
            flax(first),
            flax(second),
            down=1 if name == "generator" else first.stride,
            up=second.stride if name == "generator" else 1,
            first_dilation=first.dilation,
            second_dilation=second.dilation,
        )
        np.testing.assert_allclose(sdr.ratios(cascade), sdr.ratios(by_hand), atol=1e-6)


@pytest.mark.parametrize("way", WAYS)
def test_what_lies_between_is_folded_and_channels_keep_their_places(tmp_path, modules, way):
    at = lambda name: networks.from_file(save(tmp_path, modules[name], CASES[name][1], way)).pairs
    first, second = (flax(m) for m in (modules["bilinear"][0], modules["bilinear"][3]))
    (pair,) = at("bilinear")
    wide = np.zeros((6, 6, 4, 2), np.float32)
    for i, j in np.ndindex(4, 4):
        wide[i : i + 3, j : j + 3] += [1, 3, 3, 1][i] * [1, 3, 3, 1][j] * second
    np.testing.assert_allclose(sdr.ratios(pair.cascade), sdr.ratios(sdr.generative(first, wide, stride=2)), atol=1e-5)

    skip = at("u-net")[3].cascade
    np.testing.assert_array_equal(skip.second, flax(modules["u-net"].out)[..., 5:, :])
    halves = at("concatenated")[2:]
    assert sorted(float(p.cascade.first[0, 0, 0, 0]) for p in halves) == sorted(
        float(flax(modules["concatenated"].c)[0, 0, 0, k]) for k in (0, 3)
    )
    (shuffled,) = at("shuffle")
    np.testing.assert_array_equal(shuffled.cascade.first, flax(modules["shuffle"].a)[..., [0, 3, 1, 4, 2, 5]])


class Ends(nn.Module):
    def __init__(self, between):
        super().__init__()
        self.a = nn.Conv2d(3, 4, 3, padding=1)
        self.between = between
        self.b = nn.Conv2d(4, 2, 3, padding=1)

    def forward(self, x):
        return self.b(self.between(self.a(x)))


class Cumulated(nn.Module):
    def forward(self, x):
        return torch.cumsum(x, 1)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "between, reason",
    [
        (
            nn.Sequential(nn.PixelShuffle(2), nn.PixelUnshuffle(2)),
            "a reshape that mixes space and channels (pixel_unshuffle)",
        ),
        (nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.Unflatten(1, (4, 4, 4))), "a dense layer (between.1)"),
        (Cumulated(), "an operation that is not known (cumsum)"),
        (nn.Upsample(scale_factor=1.5), "not by a whole factor"),
        (nn.AdaptiveAvgPool2d(1), "global pooling (adaptive_avg_pool2d)"),
    ],
)
def test_what_ends_a_chain_is_named(tmp_path, between, reason, way):
    net = networks.from_file(save(tmp_path, Ends(between).eval(), (1, 3, 4, 4), way))
    assert not net.pairs and len(net.layers) == 2
    assert reason in dict(net.skipped)["a"] and "before it" in dict(net.skipped)["b"]


class Unused(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Conv2d(3, 4, 3)
        self.never = nn.Conv2d(4, 4, 3)
        self.scale = nn.Conv2d(3, 27, 1)

    def forward(self, x):
        kernel = self.scale(x).mean((0, 2, 3)).view(1, 3, 3, 3)
        return self.a(x), F.conv2d(x, kernel)


@pytest.mark.parametrize("way", WAYS)
def test_no_convolution_is_dropped_in_silence(tmp_path, way):
    net = networks.from_file(save(tmp_path, Unused().eval(), (1, 3, 8, 8), way))
    assert {layer.path for layer in net.layers} == {"a", "scale"}
    skipped = dict(net.skipped)
    assert any("whose kernel is computed from the input" in reason for reason in skipped.values())
    # torch.jit.trace and torch.export leave out what is not called.
    assert way != "script" or skipped["never"] == "no convolution that was followed takes it"


@pytest.mark.parametrize("way", ["trace", "export"])
def test_normalised_kernels_are_followed(tmp_path, way):
    module = nn.Sequential(
        nn.utils.parametrizations.weight_norm(nn.Conv2d(3, 4, 3)),
        nn.utils.parametrizations.spectral_norm(nn.Conv2d(4, 2, 3)),
    ).eval()
    plain = sdr.Cascade(*(m.weight.detach().numpy().transpose(2, 3, 1, 0) for m in module))
    net = networks.from_file(save(tmp_path, module, (1, 3, 8, 8), way))
    (pair,) = net.pairs
    assert pair.name == "0 to 1"
    np.testing.assert_allclose(sdr.ratios(pair.cascade), sdr.ratios(plain), atol=1e-6)


class Choice(nn.Module):
    """Takes one of two layers, by what the input is."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = (nn.Conv2d(i, o, 3, padding=1) for i, o in ((3, 4), (3, 4), (4, 2)))

    def forward(self, x):
        return self.c(torch.cond(x.sum() > 0, lambda x: self.a(x), lambda x: self.b(x), (x,)))


def test_both_ways_of_an_exported_condition_are_followed(tmp_path):
    net = networks.from_file(save(tmp_path, Choice().eval(), (1, 3, 8, 8), "export"))
    assert {pair.name for pair in net.pairs} == {"a to c", "b to c"}
    assert BOTH in net.notes


def test_grouped_transposed_layers(tmp_path):
    module = nn.Sequential(nn.Conv2d(3, 6, 3), nn.ConvTranspose2d(6, 4, 4, 2, groups=2)).eval()
    paths = [save(tmp_path, module, (1, 3, 8, 8), way) for way in ("script", "export")]
    weight = module[1].weight.detach().numpy()
    for path in paths:
        kernel = networks.from_file(path).layers[1].kernel
        for o in range(4):
            np.testing.assert_array_equal(
                kernel[..., o], weight[3 * (o // 2) : 3 * (o // 2) + 3, o % 2].transpose(1, 2, 0)
            )


def test_open_sizes_in_an_exported_program(tmp_path):
    module = CASES["shuffle"][0]().eval()
    size = torch.export.Dim("size", min=8, max=64)
    program = torch.export.export(module, (torch.zeros(2, 3, 16, 16),), dynamic_shapes=({2: size},))
    torch.export.save(program, tmp_path / "net.pt2")
    assert [pair.name for pair in networks.from_file(tmp_path / "net.pt2").pairs] == ["a to b"]


def test_strides_are_not_asked_of_the_user(tmp_path, modules):
    for way in ("script", "export"):
        file = save(tmp_path, modules["chain"], CASES["chain"][1], way)
        with pytest.raises(InputError, match="states its strides and directions itself"):
            networks.from_file(file, stride=2)


def rewritten(path, change):
    """The archive with entries changed; `change` gives the new bytes of an entry, or None to leave it out."""
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    target = path.with_stem("changed")
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in entries.items():
            data = change(name, data)
            if data is not None:
                archive.writestr(name, data)
    return target


class Restored(nn.Module):
    """`torch.jit.load` runs `__setstate__`, which can write any file."""

    def __init__(self, path: str):
        super().__init__()
        self.a = nn.Conv2d(3, 4, 3)
        self.path = path

    @torch.jit.export
    def __getstate__(self):
        return (self.a.weight, self.path)

    @torch.jit.export
    def __setstate__(self, state: tuple[torch.Tensor, str]):
        torch.save(state[0], state[1])

    def forward(self, x):
        return self.a(x)


def test_code_that_restores_a_module_is_not_run(tmp_path):
    module = torch.jit.script(Restored(str(tmp_path / "bomb")))
    module.save(str(tmp_path / "net.pt"))
    skipped = networks.from_file(tmp_path / "net.pt").skipped
    assert any("which is not run" in reason for _, reason in skipped) and not (tmp_path / "bomb").exists()


def test_nothing_in_a_file_is_run(tmp_path, modules):
    class Bomb:
        def __reduce__(self):
            return (open, (str(tmp_path / "bomb"), "w"))

    script = save(tmp_path, modules["chain"], CASES["chain"][1], "script")
    bomb = pickle.dumps(Bomb(), protocol=2)
    with pytest.raises(InputError, match="refused"):
        networks.from_file(rewritten(script, lambda name, data: bomb if name.endswith("data.pkl") else data))

    export = save(tmp_path, modules["chain"], CASES["chain"][1], "export")
    buffer = io.BytesIO()
    torch.save(Bomb(), buffer)

    def armed(name, data):
        if name.endswith("sample_inputs/model.pt"):
            return buffer.getvalue()
        if name.endswith("model.json"):
            program = json.loads(data)
            expression = f"open({str(tmp_path / 'bomb')!r}, 'w')"
            program["graph_module"]["graph"]["sym_int_values"]["s0"] = {
                "as_expr": {"expr_str": expression, "hint": None}
            }
            return json.dumps(program)
        return data

    assert len(networks.from_file(rewritten(export, armed)).pairs) == 2
    assert not (tmp_path / "bomb").exists()


def test_damaged_files_are_explained_in_one_line(tmp_path, modules):
    for way in ("script", "export"):
        whole = save(tmp_path, modules["chain"], CASES["chain"][1], way)
        data = whole.read_bytes()
        cut = tmp_path / f"cut{whole.suffix}"
        cut.write_bytes(data[: len(data) // 2])
        gone = rewritten(whole, lambda name, data: None if "/data/0" in name or "weight_0" in name else data)
        empty = tmp_path / "empty.pt2"
        empty.write_bytes(b"")
        for path in (cut, gone, empty, tmp_path / "absent.pt2"):
            with pytest.raises(InputError) as caught:
                networks.from_file(path)
            assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_pytorch_is_not_needed(tmp_path, modules, monkeypatch):
    import builtins

    paths = [save(tmp_path, modules["chain"], CASES["chain"][1], way) for way in ("script", "export")]
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.split(".")[0] == "torch":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    assert [len(networks.from_file(path).pairs) for path in paths] == [2, 2]
