"""ONNX as PyTorch exports it."""

import warnings

import pytest

from sicjax import networks

pytest.importorskip("onnx")


def modules():
    """Networks of PyTorch, an input, and their pairs with down and up, written by hand."""
    import torch
    from torch import nn
    from torch.nn import functional

    def conv(i, o, k=3, s=1, **settings):
        return nn.Conv2d(i, o, k, s, (k - 1) // 2, bias=False, **settings)

    class Residual(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem, self.norm = conv(3, 8, 7, 2), nn.GroupNorm(2, 8)
            self.a, self.b, self.side = conv(8, 16, 3, 2), conv(16, 16), conv(8, 16, 1, 2)
            self.c, self.fc = conv(16, 16), nn.Linear(16, 5)

        def forward(self, x):
            x = functional.max_pool2d(functional.silu(self.norm(self.stem(x))), 3, 2, 1)
            x = functional.relu(self.b(functional.relu(self.a(x))) + self.side(x))
            return self.fc(functional.adaptive_avg_pool2d(self.c(x), 1).flatten(1))

    class Unet(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.down, self.b = conv(3, 8), conv(8, 16, 4, 2), conv(16, 16)
            self.up, self.c, self.out = nn.ConvTranspose2d(16, 8, 2, 2), conv(16, 8), conv(8, 1)

        def forward(self, x):
            fine = functional.gelu(self.a(x))
            x = self.up(functional.gelu(self.b(functional.mish(self.down(fine)))))
            x = functional.pad(x, [0, fine.shape[3] - x.shape[3], 0, fine.shape[2] - x.shape[2]])
            x = functional.interpolate(self.c(torch.cat([fine, x], 1)), scale_factor=2, mode="bilinear")
            return self.out(x)

    class Mobile(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem, self.wide = conv(3, 8, 3, 2), conv(8, 24, 1)
            self.deep, self.narrow, self.head = conv(24, 24, 5, 2, groups=24), conv(24, 8, 1), conv(8, 16, 1)
            self.reduce, self.expand = conv(24, 6, 1), conv(6, 24, 1)

        def forward(self, x):
            x = functional.hardswish(self.stem(x))
            x = functional.relu6(self.deep(functional.relu6(self.wide(x))))
            gate = functional.relu(self.reduce(functional.adaptive_avg_pool2d(x, 1)))
            return self.head(self.narrow(x * functional.hardsigmoid(self.expand(gate)))).mean((2, 3))

    class Dense(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem, self.a, self.b = conv(3, 8), conv(8, 4), conv(12, 4)
            self.squeeze, self.last = conv(16, 8, 1), conv(8, 4)

        def forward(self, x):
            x = self.stem(x)
            for layer in (self.a, self.b):
                x = torch.cat([x, layer(functional.relu(x))], 1)
            return self.last(functional.avg_pool2d(self.squeeze(functional.relu(x)), 2))

    generator = nn.Sequential(nn.ConvTranspose2d(9, 8, 4), nn.BatchNorm2d(8), nn.ReLU())
    generator.extend([nn.ConvTranspose2d(8, 6, 4, 2, 1, bias=False), nn.ReLU()])
    generator.extend([nn.ConvTranspose2d(6, 3, 4, 2, 1, bias=False), nn.Tanh()])
    critic = nn.Sequential(nn.Conv2d(3, 6, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(6, 8, 4, 2, 1, bias=False))
    critic.extend([nn.BatchNorm2d(8), nn.LeakyReLU(0.2), nn.Conv2d(8, 1, 4), nn.Sigmoid()])
    image = torch.zeros(1, 3, 36, 36)
    residual = ["stem a 4 1", "a b 2 1", "stem side 4 1", "b c 1 1", "side c 2 1"]
    unet = ["a down 1 1", "down b 2 1", "b up 1 2", "a c 1 1", "up c 1 1", "c out 1 2"]
    mobile = ["stem wide 2 1", "wide deep 1 1", "reduce expand 1 1", "deep narrow 2 1", "narrow head 1 1"]
    dense = ["stem a 1 1", "stem b 1 1", "a b 1 1", "stem squeeze 1 1", "a squeeze 1 1", "b squeeze 1 1"]
    return {
        "residual": (Residual(), image, residual),
        "u-net": (Unet(), torch.zeros(1, 3, 33, 37), unet),
        "mobile": (Mobile(), image, mobile),
        "dense": (Dense(), image, [*dense, "squeeze last 2 1"]),
        "generator": (generator, torch.zeros(1, 9, 1, 1), ["0 3 1 2", "3 5 1 2"]),
        "critic": (critic, image, ["0 2 2 1", "2 5 2 1"]),
    }


@pytest.mark.torch
@pytest.mark.parametrize("dynamo", [False, True], ids=["torchscript", "dynamo"])
@pytest.mark.parametrize("which", ["residual", "u-net", "mobile", "dense", "generator", "critic"])
def test_exports_of_pytorch(tmp_path, which, dynamo):
    torch = pytest.importorskip("torch")
    if dynamo:
        pytest.importorskip("onnxscript")
    module, x, expected = modules()[which]
    with warnings.catch_warnings():
        # The exporters warn of themselves.
        warnings.simplefilter("ignore")
        torch.onnx.export(module.eval(), (x,), str(tmp_path / "net.onnx"), dynamo=dynamo, verbose=False)
    net = networks.from_file(tmp_path / "net.onnx")
    # Where a batch norm was folded in, only the node's name is left.
    short = lambda layer: layer.path.strip("/").removesuffix("/Conv").removesuffix("/ConvTranspose")
    found = [(short(p.first), short(p.second), str(p.cascade.down[0]), str(p.cascade.up[0])) for p in net.pairs]
    assert sorted(map(" ".join, found)) == sorted(expected)
