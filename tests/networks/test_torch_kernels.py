"""Kernels that a module computes of its parameters: as PyTorch computes them, in memory and from a traced file."""

import numpy as np
import pytest
from of_torch import OF_TORCH

from sicjax import networks

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

pytestmark = [*OF_TORCH, pytest.mark.filterwarnings("ignore")]
OTHERS = (1, 2, 3)


def standardised(w):
    """As in timm."""
    return functional.batch_norm(w.reshape(1, w.shape[0], -1), None, None, training=True, momentum=0.0).reshape_as(w)


def scaled(w):
    gain, mean, variance = w.amax(OTHERS), w.detach().mean(OTHERS), w.detach().var(OTHERS)
    flat = w.reshape(1, w.shape[0], -1)
    return functional.batch_norm(flat, mean, variance, gain, gain, training=False, eps=1e-3).view_as(w)


def by_hand(w):
    w = w - w.mean(dim=1, keepdim=True).mean(dim=2, keepdim=True).mean(dim=3, keepdim=True)
    return w / (w.view(w.size(0), -1).std(dim=1).view(-1, 1, 1, 1) + 1e-5).expand_as(w)


def std_mean(w):
    std, mean = torch.std_mean(w, dim=OTHERS, keepdim=True, unbiased=False)
    return (w - mean) / (std + 1e-6)


def var_mean(w):
    var, mean = torch.var_mean(w, dim=OTHERS, keepdim=True)
    return (w - mean) * torch.rsqrt(var + 1e-6)


MADE = {
    "standardised by a batch norm": standardised,
    "a batch norm that is known": scaled,
    "standardised by hand": by_hand,
    "std_mean": std_mean,
    "var_mean": var_mean,
    "var, nothing else given": lambda w: w / w.var(OTHERS, keepdim=True),
    "layer_norm": lambda w: functional.layer_norm(w, w.shape[1:]),
    "on the sphere": lambda w: w / (torch.linalg.vector_norm(w, dim=OTHERS, keepdim=True) + 1e-4),
    "normalize": lambda w: functional.normalize(w.flatten(1), dim=1).view_as(w),
    "masked": lambda w: w * torch.where(w.abs() > 0.05, 1.0, 0.0) * torch.ones_like(w),
    "kept small": lambda w: torch.clamp(w, -0.1, 0.1) + w.clamp(max=0.0),
    "signs": lambda w: torch.sign(w) * w.abs().mean(),
    "halves": lambda w: torch.cat([w[:2], w[:2].flip(2)]),
}


class Made(nn.Conv2d):
    def __init__(self, make, inputs):
        super().__init__(inputs, 4, 3)
        self.make = make

    def forward(self, x):
        return functional.conv2d(x, self.make(self.weight), self.bias)


@pytest.mark.parametrize("door", ["export", "trace"])
@pytest.mark.parametrize("name", MADE)
def test_a_kernel_is_what_pytorch_computes(tmp_path, name, door):
    torch.manual_seed(0)
    module, x = nn.Sequential(Made(MADE[name], 3), nn.ReLU(), Made(MADE[name], 4)).eval(), torch.zeros(1, 3, 8, 8)
    if door == "export":
        net = networks.from_torch(module, x)
    else:
        torch.jit.trace(module, x).save(str(tmp_path / "net.pt"))
        net = networks.from_file(tmp_path / "net.pt")
    assert list(net.cascades) == ["0 to 2"] and not net.skipped
    for layer, part in zip(net.layers, (module[0], module[2]), strict=True):
        expected = np.moveaxis(part.make(part.weight).detach().numpy(), (0, 1), (-1, -2))
        np.testing.assert_allclose(layer.kernel, expected, rtol=1e-5, atol=1e-6)


def test_one_that_is_not_computed_is_named():
    module = nn.Sequential(nn.Conv2d(3, 3, 3), Made(lambda w: torch.fft.ifft2(torch.fft.fft2(w)).real, 3))
    net = networks.from_torch(module, torch.zeros(1, 3, 8, 8))
    assert (
        not net.pairs and "a convolution whose kernel is computed from fft_fft2 of 1.weight" in dict(net.skipped)["1"]
    )
