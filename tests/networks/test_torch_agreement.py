"""What `doors.py` leaves out, saved as TorchScript, by torch.export and as ONNX: every reader finds the same."""

import numpy as np
import pytest
from of_torch import OF_TORCH

from sicjax import networks, sdr

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402

pytestmark = [*OF_TORCH, pytest.mark.filterwarnings("ignore::UserWarning")]


class Block(nn.Module):
    def __init__(self, i, o, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(i, o, 3, stride, 1, bias=False), nn.BatchNorm2d(o)
        self.conv2, self.bn2 = nn.Conv2d(o, o, 3, 1, 1, bias=False), nn.BatchNorm2d(o)
        self.shortcut = nn.Conv2d(i, o, 1, stride) if stride > 1 else None

    def forward(self, x):
        out = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)), inplace=True)))
        out += x if self.shortcut is None else self.shortcut(x)
        return torch.relu(out)


def resnet():
    stem = [nn.Conv2d(3, 4, 5, 2, 2), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)]
    return nn.Sequential(*stem, Block(4, 4, 1), Block(4, 6, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 2))


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 6, 3, padding=1)
        self.up, self.c = nn.ConvTranspose2d(6, 4, 2, 2), nn.Conv2d(8, 4, 3, padding=1)
        self.wide, self.d = nn.Upsample(scale_factor=2, mode="bilinear"), nn.Conv2d(4, 2, 1)

    def forward(self, x):
        a = F.relu(self.a(x))
        y = self.up(F.relu(self.b(F.max_pool2d(a, 2))))
        dy, dx = a.size(2) - y.size(2), a.size(3) - y.size(3)
        y = F.pad(y, [dx // 2, dx - dx // 2, dy // 2, dy - dy // 2])
        return self.d(self.wide(self.c(torch.cat([a, y], dim=1))))


class Mobile(nn.Module):
    """Depthwise layers, a residual and channels that are weighted by what is in them."""

    def __init__(self):
        super().__init__()
        self.expand, self.depth = nn.Conv2d(3, 8, 1), nn.Conv2d(8, 8, 3, padding="same", groups=8, dilation=2)
        self.project, self.down = nn.Conv2d(8, 3, 1), nn.Conv2d(3, 4, 3, 2, 1)
        self.squeeze, self.excite, self.last = nn.Conv2d(4, 2, 1), nn.Conv2d(2, 4, 1), nn.Conv2d(4, 5, 1)

    def forward(self, x):
        x = x + self.project(F.relu6(self.depth(F.hardswish(self.expand(x)))))
        x = self.down(x)
        weight = torch.sigmoid(self.excite(F.relu(self.squeeze(F.adaptive_avg_pool2d(x, 1)))))
        return self.last(x * weight).mean([2, 3])


class Dense(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.layers = nn.ModuleList(nn.Conv2d(4 + 2 * k, 2, 3, padding=1) for k in range(3))
        self.a, self.b = nn.Conv2d(10, 2, (1, 5), padding=(0, 2)), nn.Conv2d(10, 3, 1)
        self.last = nn.Conv2d(15, 2, 3)

    def forward(self, x):
        found = [self.stem(x)]
        for layer in self.layers:
            found.append(layer(F.relu(torch.cat(found, 1))))
        x = F.avg_pool2d(torch.cat(found, 1), 2)
        return self.last(torch.cat([self.a(x), self.b(F.avg_pool2d(x, 3, 1, 1)), F.max_pool2d(x, 3, 1, 1)], 1))


class Resized(nn.Module):
    def __init__(self):
        super().__init__()
        self.dense, self.pad, self.norm = nn.Linear(8, 64), nn.ReflectionPad2d(1), nn.InstanceNorm2d(4, affine=True)
        self.a, self.b = nn.Conv2d(4, 4, 3), nn.Conv2d(4, 4, 3, padding=1, padding_mode="reflect")
        self.c = nn.Conv2d(4, 3, 3)

    def forward(self, z):
        x = self.dense(z).reshape(-1, 4, 4, 4)
        x = F.relu(self.norm(self.a(self.pad(F.interpolate(x, scale_factor=2.0)))))
        x = self.b(F.interpolate(x, scale_factor=2.0, mode="nearest"))
        x = F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
        return torch.tanh(self.c(F.pad(x, [1, 1, 1, 1], mode="replicate")))


class HiFi(nn.Module):
    def __init__(self, norm=lambda layer: layer):
        super().__init__()
        self.pre, self.post = norm(nn.Conv1d(5, 4, 7, 1, 3)), norm(nn.Conv1d(2, 1, 7, 1, 3))
        self.up = norm(nn.ConvTranspose1d(4, 2, 8, 4, 2))
        self.blocks = nn.ModuleList(norm(nn.Conv1d(2, 2, 3, 1, d, dilation=d)) for d in (1, 3))

    def forward(self, x):
        x = self.up(F.leaky_relu(self.pre(x), 0.1))
        found = torch.zeros(1)
        for block in self.blocks:
            found = found + block(F.leaky_relu(x, 0.1)) + x
        return torch.tanh(self.post(F.leaky_relu(found / 2)))


class Mixed(nn.Module):
    """Groups, output padding, channels in another order, branches that are stacked, a layer that is used again."""

    def __init__(self):
        super().__init__()
        self.a, self.g = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1, groups=2)
        self.t = nn.ConvTranspose2d(8, 4, 3, stride=(2, 1), padding=1, output_padding=(1, 0), groups=2)
        self.again, self.norm, self.last = nn.Conv2d(4, 4, 3, padding=1), nn.GroupNorm(2, 8), nn.Conv2d(8, 2, 1)

    def forward(self, x):
        a, b = F.mish(self.g(self.norm(F.silu(self.a(x))))).split([3, 5], 1)
        y = self.t(torch.cat([b, a], 1))
        y = torch.stack([self.again(y), self.again(F.relu(y))], 1)
        return self.last(y.flatten(1, 2)), self.again(y.mean(1))


def weight_normalised():
    return HiFi(nn.utils.parametrizations.weight_norm)


def spectrally_normalised():
    spectral = torch.nn.utils.spectral_norm
    return nn.Sequential(spectral(nn.Conv2d(3, 4, 3)), nn.ReLU(), spectral(nn.Conv2d(4, 2, 3)))


# A network, the shape of an input, the number of pairs. torch.jit.script refuses parametrised layers.
CASES = {
    "dense": (Dense, (1, 3, 8, 8), 20),
    "hifi": (HiFi, (1, 5, 12), 6),
    "mixed": (Mixed, (1, 3, 8, 8), 8),
    "mobile": (Mobile, (1, 3, 8, 8), 5),
    "resized": (Resized, (1, 8), 2),
    "resnet": (resnet, (1, 3, 32, 32), 7),
    "u-net": (UNet, (1, 3, 8, 8), 5),
    "spectrally normalised": (spectrally_normalised, (1, 3, 8, 8), 1),
    "weight normalised": (weight_normalised, (1, 5, 12), 6),
}


@pytest.mark.parametrize("name", CASES)
def test_every_way_of_saving_gives_what_onnx_gives(tmp_path, name):
    torch.manual_seed(0)
    make, shape, count = CASES[name]
    module, x = make().eval(), torch.randn(shape)
    with torch.no_grad():
        torch.onnx.export(module, (x,), str(tmp_path / "net.onnx"), dynamo=False, do_constant_folding=False)
        torch.export.save(torch.export.export(module, (x,)), tmp_path / "export.pt2")
        torch.jit.trace(module, x, check_trace=False).save(str(tmp_path / "trace.pt"))
        if "normalised" not in name:
            torch.jit.script(module).save(str(tmp_path / "script.pt"))
    expected = rows(networks.from_file(tmp_path / "net.onnx"))
    assert len(expected) == count
    for path in tmp_path.glob("*.pt*"):
        found = rows(networks.from_file(path))
        assert [row[:-1] for row in found] == [row[:-1] for row in expected], path.name
        for (*_, cascade), (*_, other) in zip(found, expected, strict=True):
            np.testing.assert_allclose(unit(cascade.first), unit(other.first), atol=1e-6)
            np.testing.assert_allclose(unit(cascade.second), unit(other.second), atol=1e-6)
        np.testing.assert_allclose(sdr.ratios(found[0][-1]), sdr.ratios(expected[0][-1]), atol=1e-6)


def unit(kernel):
    """A kernel up to its scale, on which no ratio depends: the ONNX reader leaves that of normalised ones out."""
    return kernel / np.sqrt(np.sum(np.square(kernel), axis=tuple(range(np.ndim(kernel) - 2)), keepdims=True))


def rows(net):
    """What a pair is, in one order for all files, and its cascade last."""
    layer = lambda p: (p.path, p.transposed, p.stride, p.dilation, p.groups)
    found = [(*layer(p.first), *layer(p.second), p.cascade.down, p.cascade.up, p.cascade) for p in net.pairs]
    return sorted(found, key=lambda row: (str(row[:-1]), float(np.sum(row[-1].first)), float(np.sum(row[-1].second))))
