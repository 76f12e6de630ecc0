"""What PyTorch has between two convolutions: that a pair means what it says, and what ends a chain says so."""

import functools

import numpy as np
import pytest
from of_torch import OF_TORCH

from sicjax import networks, sdr

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402

pytestmark = OF_TORCH
SIZE, CHANNELS = 36, 4
# What is further from the middle does not reach it.
MARGIN = 6


class Between(nn.Module):
    """A convolution, what comes between, and another one that takes `inputs` channels."""

    def __init__(self, between, outputs=CHANNELS, inputs=CHANNELS):
        super().__init__()
        self.a, self.b = nn.Conv2d(2, outputs, 3, bias=False), nn.Conv2d(inputs, 2, 3, bias=False)
        self.between = between

    def forward(self, x):
        return self.b(self.between(self.a(x)))


def resized(**how):
    return lambda x: F.interpolate(x, **how)


def listed(x):
    """Nearest-neighbour upsampling as places that are listed for each axis."""
    rows = torch.arange(2 * x.shape[2]) // 2
    return x[:, :, rows[:, None], rows]


def gathered(x):
    order = torch.tensor([2, 0, 3, 1]).reshape(1, 4, 1, 1).expand(x.shape)
    return torch.gather(x, 1, order)


# What comes between, the channels that the first layer gives and the second takes, and the first's that are not zero.
FOLLOWED = {
    "nothing": (nn.Identity(), 4, 4, [1]),
    "pixel shuffle": (nn.PixelShuffle(2), 16, 4, [4, 5, 6, 7]),
    "channel shuffle": (nn.ChannelShuffle(2), 4, 4, [1]),
    "channels rolled": (lambda x: torch.roll(x, 1, 1), 4, 4, [1]),
    "channels rolled twice": (lambda x: torch.roll(torch.roll(x, (1, -2), (1, 1)), -1, 1), 4, 4, [1]),
    "channels flipped": (lambda x: torch.flip(x, [1]), 4, 4, [1]),
    "channels listed": (lambda x: x[:, [3, 1, 0, 2]], 4, 4, [1]),
    "channels selected": (lambda x: torch.index_select(x, 1, torch.tensor([1, 2])), 4, 2, [1]),
    "channels repeated": (lambda x: x.repeat(1, 2, 1, 1), 4, 8, [1]),
    "channels tiled": (lambda x: torch.tile(x, (2, 1, 1)), 4, 8, [1]),
    "each channel repeated": (lambda x: torch.repeat_interleave(x, 2, dim=1), 4, 8, [1]),
    "channels added": (lambda x: F.pad(x, (0, 0, 0, 0, 1, 2)), 4, 7, [1]),
    "channels cut and added": (lambda x: F.pad(x, (0, 0, 0, 0, -1, 2)), 4, 5, [1]),
    "one channel of two": (lambda x: x.unflatten(1, (2, 2))[:, 0], 4, 2, [1]),
    "halves added up": (lambda x: x.reshape(x.shape[0], 2, 2, *x.shape[2:]).sum(1), 4, 2, [1]),
    "halves averaged": (
        lambda x: x.reshape(x.shape[0], 2, 2, *x.shape[2:]).mean(2, keepdim=True).flatten(1, 2),
        4,
        2,
        [1],
    ),
    "unbound and stacked": (lambda x: torch.stack(torch.unbind(x, 1)[::-1], 1), 4, 4, [1]),
    "split": (lambda x: torch.cat(torch.split(x, [3, 1], 1)[::-1], 1), 4, 4, [1]),
    "in parts": (lambda x: torch.cat(torch.tensor_split(x, (1, 2), 1)[::-1], 1), 4, 4, [1]),
    "in another layout": (lambda x: x.movedim(1, -1).neg().permute(0, 3, 1, 2), 4, 4, [1]),
    "turned round": (lambda x: x.transpose(2, 3).flatten(2).unflatten(2, (-1, x.shape[2])).swapaxes(2, 3), 4, 4, [1]),
    "nearest": (resized(scale_factor=2), 4, 4, [1]),
    "nearest, exact": (resized(scale_factor=2, mode="nearest-exact"), 4, 4, [1]),
    "nearest, smaller": (resized(scale_factor=0.5), 4, 4, [1]),
    "nearest, repeated": (lambda x: x.repeat_interleave(2, 2).repeat_interleave(2, 3), 4, 4, [1]),
    "bilinear": (resized(scale_factor=2, mode="bilinear"), 4, 4, [1]),
    "bilinear, smaller": (resized(scale_factor=0.5, mode="bilinear"), 4, 4, [1]),
    "bilinear, smaller and smooth": (resized(scale_factor=0.5, mode="bilinear", antialias=True), 4, 4, [1]),
    "bicubic": (resized(scale_factor=2, mode="bicubic"), 4, 4, [1]),
    "bicubic by 3": (resized(scale_factor=3, mode="bicubic"), 4, 4, [1]),
    "bicubic, smaller": (resized(scale_factor=0.5, mode="bicubic"), 4, 4, [1]),
    "bicubic, smooth": (resized(scale_factor=2, mode="bicubic", antialias=True), 4, 4, [1]),
    "bicubic, smaller and smooth": (resized(scale_factor=0.5, mode="bicubic", antialias=True), 4, 4, [1]),
    "to a size": (lambda x: F.interpolate(x, size=(2 * x.shape[2], 2 * x.shape[3])), 4, 4, [1]),
    "average pooling": (nn.AvgPool2d(2), 4, 4, [1]),
    "average pooling with room": (nn.AvgPool2d((3, 2), (2, 1), (1, 0), ceil_mode=True), 4, 4, [1]),
    "reflected": (nn.ReflectionPad2d(2), 4, 4, [1]),
    "replicated": (nn.ReplicationPad2d(2), 4, 4, [1]),
    "circular": (nn.CircularPad2d(2), 4, 4, [1]),
    "every second": (lambda x: x[:, :, ::2, ::2], 4, 4, [1]),
    "a window": (lambda x: x[:, :, 2:-3].narrow(3, 1, 30), 4, 4, [1]),
}
# Where all sizes are stated, pooling to a size is pooling by a window, and places are computed for them.
EXPORTED = {
    "nearest, listed": (listed, 4, 4, [1]),
    "channels gathered": (gathered, 4, 4, [1]),
    "adaptive average pooling": (nn.AdaptiveAvgPool2d(17), 4, 4, [1]),
    "adaptive pooling of one axis": (nn.AdaptiveAvgPool2d((None, 17)), 4, 4, [1]),
}
CASES = [(name, way) for name in FOLLOWED for way in ("trace", "export")] + [(name, "export") for name in EXPORTED]


def network(path, module, way):
    x = torch.zeros(1, 2, SIZE, SIZE)
    with torch.no_grad():
        if way == "export":
            torch.export.save(torch.export.export(module.eval(), (x,)), path / "net.pt2")
            return networks.from_file(path / "net.pt2")
        program = torch.jit.script(module.eval()) if way == "script" else torch.jit.trace(module.eval(), x)
    program.save(str(path / "net.pt"))
    return networks.from_file(path / "net.pt")


def power(module, i):
    """The power of each output channel in the middle under white noise in an input channel."""
    near = SIZE - 2 * MARGIN
    impulses = F.pad(torch.eye(near**2).reshape(-1, near, near), [MARGIN] * 4)
    impulses = torch.stack([impulses if k == i else torch.zeros_like(impulses) for k in range(2)], 1)
    with torch.no_grad():
        response = module(impulses).double()
    rows, columns = (slice(n // 2 - 3, n // 2 + 3) for n in response.shape[2:])
    return (response[..., rows, columns] ** 2).sum(0).mean((1, 2)).numpy()


@functools.cache
def measured(name):
    """A module with one channel between its layers, and the power of every output for every input."""
    between, outputs, inputs, kept = (FOLLOWED | EXPORTED)[name]
    torch.manual_seed(0)
    module = Between(between, outputs, inputs)
    with torch.no_grad():
        module.a.weight[[k for k in range(outputs) if k not in kept]] = 0
    return module, np.stack([power(module, i) for i in range(2)])


@pytest.mark.parametrize("name, way", CASES)
def test_what_a_pair_means(tmp_path, name, way):
    """`rho` predicts the power of the output of every pathway, up to what one number scales them all by."""
    module, found = measured(name)
    net = network(tmp_path, module, way)
    assert {(pair.first.path, pair.second.path) for pair in net.pairs} == {("a", "b")}
    first, second, settings = np.zeros(0), np.zeros(()), {}
    for cascade in net.cascades.values():
        # Where the channel was copied, what follows adds the copies up.
        for column in np.flatnonzero(np.any(np.asarray(cascade.first), axis=(0, 1, 2))):
            first = np.asarray(cascade.first, np.float64)[..., column]
            second = second + np.asarray(cascade.second, np.float64)[:, :, column]
            settings = {key: getattr(cascade, key) for key in ("down", "up", "first_dilation", "second_dilation")}
    rho = sdr.reference.ratios(sdr.Cascade(first[..., None], second[:, :, None], **settings))[:, 0]
    scale = found / (rho * (first**2).sum((0, 1))[:, None] * (second**2).sum((0, 1)))
    np.testing.assert_allclose(scale, scale.mean(), rtol=1e-4)


def test_gated_halves_give_a_pair_each(tmp_path):
    for way in ("script", "trace", "export"):
        net = network(tmp_path, Between(nn.GLU(1), 4, 2), way)
        assert len(net.pairs) == 2 and {pair.first.path for pair in net.pairs} == {"a"}


def test_a_norm_over_space_is_no_branch(tmp_path):
    for way in ("trace", "export"):
        net = network(tmp_path, Between(lambda x: x / x.norm(dim=(2, 3), keepdim=True)), way)
        assert [pair.name for pair in net.pairs] == ["a to b"]


def test_a_batch_may_be_left_out(tmp_path):
    class Single(Between):
        def forward(self, x):
            return super().forward(x[0])

    net = network(tmp_path, Single(nn.AvgPool2d(2)), "export")
    (pair,) = net.pairs
    assert pair.cascade.down == (2, 2)


def attended(x):
    flat = x.flatten(2)
    return (torch.softmax(flat @ flat.transpose(1, 2), -1) @ flat).view_as(x)


ENDS = {
    "space flipped": (lambda x: torch.flip(x, [2]), "a flip of space (flip)"),
    "space rolled": (lambda x: torch.roll(x, 1, 2), "an operation with no one filter (roll)"),
    "copies of space": (lambda x: x.repeat(1, 1, 1, 2), "copies of space side by side (repeat)"),
    "places that depend on the input": (
        lambda x: torch.gather(x, 2, x.argsort(2)),
        "places that are computed (gather)",
    ),
    "places one by one": (
        lambda x: x[:, :, torch.arange(34), torch.arange(34)].unsqueeze(-1).expand(-1, -1, -1, 34),
        "places that are computed (index)",
    ),
    "channels wrapped round": (
        lambda x: F.pad(x.transpose(1, 2), (0, 0, 1, 1), mode="circular").transpose(1, 2)[:, :4],
        "padding that copies channels",
    ),
    "attention": (attended, "a product of two values that depend on the input, as in attention (matmul)"),
    "dense along space": (nn.Linear(34, 34), "a dense layer (between)"),
    "spread over space": (lambda x: x.amax((2, 3), True).expand_as(x), "global pooling (amax)"),
    "unfolded": (lambda x: F.fold(F.unfold(x, 3), (34, 34), 3), "an operation with no one filter (im2col)"),
    "not by a whole factor": (resized(scale_factor=1.5, mode="bicubic"), "a cubic resize by 1.5x1.5, not by a whole"),
    "corners aligned": (
        resized(scale_factor=0.5, mode="bilinear", align_corners=True),
        "a resize to fewer places with align_corners (upsample_bilinear2d)",
    ),
}


@pytest.mark.parametrize("way", ["trace", "export"])
@pytest.mark.parametrize("name", ENDS)
def test_what_ends_a_chain_is_named(tmp_path, name, way):
    between, reason = ENDS[name]
    net = network(tmp_path, Between(between), way)
    assert not net.pairs and reason in dict(net.skipped)["a"]


@pytest.mark.parametrize("way", ["script", "trace"])
def test_what_sizes_that_are_not_stated_leave_open(tmp_path, way):
    for between, reason in (
        (nn.AdaptiveAvgPool2d(17), "adaptive pooling (adaptive_avg_pool2d)"),
        (nn.Upsample(size=(32, 32)), "a resize to a size that is not known (upsample_nearest2d)"),
        (nn.Upsample(size=(18, 36)), "a resize to a size that is not known (upsample_nearest2d)"),
    ):
        net = network(tmp_path, Between(between), way)
        assert not net.pairs and reason in dict(net.skipped)["a"]


class Squeezed(nn.Module):
    """Channels are weighted by two layers that see the mean of each."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(2, 4, 3), nn.Conv2d(4, 2, 3)
        self.c, self.d = nn.Conv2d(4, 3, 1), nn.Conv2d(3, 4, 1)

    def forward(self, x):
        x = self.a(x)
        return self.b(x * torch.sigmoid(self.d(torch.relu(self.c(x.mean([2, 3], keepdim=True))))))


@pytest.mark.parametrize("way", ["script", "trace", "export"])
def test_a_weight_of_whole_channels_is_no_branch(tmp_path, way):
    net = network(tmp_path, Squeezed(), way)
    assert {pair.name for pair in net.pairs} == {"a to b", "c to d"}
    assert (
        dict(net.skipped)["d"]
        == "the chain ends after it: it weighs or shifts whole channels, as in squeeze-and-excitation (mul)"
    )
