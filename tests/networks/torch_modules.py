"""The networks of `doors.py` that are written in PyTorch by hand, as people write them."""

import torch
from torch import nn
from torch.nn import functional as F


def chain():
    return nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 5, 3, 2, dilation=2), nn.ReLU(), nn.Conv2d(5, 2, 1)
    )


def generator():
    layers = [nn.ConvTranspose2d(7, 6, 4, bias=False), nn.BatchNorm2d(6), nn.ReLU()]
    layers += [nn.ConvTranspose2d(6, 4, 4, 2, 1, bias=False), nn.BatchNorm2d(4), nn.ReLU()]
    return nn.Sequential(*layers, nn.ConvTranspose2d(4, 3, 4, 2, 1, bias=False), nn.Tanh())


def discriminator():
    layers = [nn.Conv2d(3, 4, 4, 2, 1, bias=False), nn.LeakyReLU(0.1)]
    layers += [nn.Conv2d(4, 6, 4, 2, 1, bias=False), nn.BatchNorm2d(6), nn.LeakyReLU(0.1)]
    return nn.Sequential(*layers, nn.Conv2d(6, 1, 4))


def volume():
    layers = [nn.Conv3d(1, 3, 3, padding=1), nn.BatchNorm3d(3), nn.MaxPool3d(2), nn.Conv3d(3, 4, 3)]
    layers += [nn.ConvTranspose3d(4, 3, 2, 2), nn.Upsample(scale_factor=2), nn.Conv3d(3, 1, 1)]
    return nn.Sequential(*layers)


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.e1, self.e2 = nn.Conv2d(3, 4, 4, 2, 1), nn.Conv2d(4, 6, 4, 2, 1)
        self.mean, self.dense = nn.Linear(96, 5), nn.Linear(5, 96)
        self.d1, self.d2 = nn.ConvTranspose2d(6, 4, 4, 2, 1), nn.ConvTranspose2d(4, 3, 4, 2, 1)

    def forward(self, x):
        h = self.mean(F.relu(self.e2(F.relu(self.e1(x)))).flatten(1))
        return torch.sigmoid(self.d2(F.relu(self.d1(self.dense(h).view(-1, 6, 4, 4)))))


class Block(nn.Module):
    def __init__(self, i, o, stride):
        super().__init__()
        self.a, self.na = nn.Conv2d(i, o, 3, stride, 1, bias=False), nn.BatchNorm2d(o)
        self.b, self.nb = nn.Conv2d(o, o, 3, 1, 1, bias=False), nn.BatchNorm2d(o)
        self.side = nn.Conv2d(i, o, 1, stride, bias=False) if stride > 1 else None

    def forward(self, x):
        out = self.nb(self.b(F.relu(self.na(self.a(x)))))
        return torch.relu(out + (x if self.side is None else self.side(x)))


class ResNet(nn.Module):
    """The stem and blocks of a ResNet-18, two stages of two blocks."""

    def __init__(self):
        super().__init__()
        self.stem, self.norm = nn.Conv2d(3, 4, 7, 2, 3, bias=False), nn.BatchNorm2d(4)
        self.layers = nn.Sequential(Block(4, 4, 1), Block(4, 4, 1), Block(4, 6, 2), Block(6, 6, 1))
        self.fc = nn.Linear(6, 2)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.norm(self.stem(x))), 3, 2, 1)
        return self.fc(self.layers(x).mean((2, 3)))


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Conv2d(3, 4, 3, 1, 1), nn.Conv2d(4, 6, 3, 1, 1), nn.Conv2d(6, 8, 3, 1, 1)
        self.up1, self.d = nn.ConvTranspose2d(8, 6, 2, 2), nn.Conv2d(12, 6, 3, 1, 1)
        self.up2, self.e, self.out = nn.ConvTranspose2d(6, 4, 2, 2), nn.Conv2d(8, 4, 3, 1, 1), nn.Conv2d(4, 2, 1)

    def forward(self, x):
        a = F.relu(self.a(x))
        b = F.relu(self.b(F.max_pool2d(a, 2)))
        c = F.relu(self.c(F.max_pool2d(b, 2)))
        d = F.relu(self.d(torch.cat([self.up1(c), b], 1)))
        return self.out(F.relu(self.e(torch.cat([self.up2(d), a], 1))))


class Mobile(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, self.n0 = nn.Conv2d(3, 4, 3, 2, 1, bias=False), nn.BatchNorm2d(4)
        self.wide, self.n1 = nn.Conv2d(4, 8, 1, bias=False), nn.BatchNorm2d(8)
        self.deep, self.n2 = nn.Conv2d(8, 8, 3, 1, 1, groups=8, bias=False), nn.BatchNorm2d(8)
        self.narrow, self.n3 = nn.Conv2d(8, 4, 1, bias=False), nn.BatchNorm2d(4)
        self.deep2, self.last = nn.Conv2d(4, 4, 5, 2, 2, groups=4, bias=False), nn.Conv2d(4, 6, 1)

    def forward(self, x):
        x = F.relu6(self.n0(self.stem(x)))
        h = F.relu6(self.n2(self.deep(F.relu6(self.n1(self.wide(x))))))
        x = x + self.n3(self.narrow(h))
        return self.last(F.hardswish(self.deep2(x))).mean((2, 3))


class Dense(nn.Module):
    """Layers that see all before them, then branches side by side as in Inception."""

    def __init__(self):
        super().__init__()
        self.stem, self.a, self.b = nn.Conv2d(3, 4, 3, 1, 1), nn.Conv2d(4, 2, 3, 1, 1), nn.Conv2d(6, 2, 3, 1, 1)
        self.squeeze, self.one = nn.Conv2d(8, 4, 1), nn.Conv2d(4, 2, 1)
        self.wide, self.side, self.last = nn.Conv2d(4, 3, 5, 1, 2), nn.Conv2d(4, 2, 1), nn.Conv2d(7, 2, 3)

    def forward(self, x):
        x = self.stem(x)
        x = torch.cat([x, self.a(F.relu(x))], 1)
        x = torch.cat([x, self.b(F.relu(x))], 1)
        x = F.avg_pool2d(self.squeeze(F.relu(x)), 2)
        x = torch.cat([self.one(x), self.wide(x), self.side(F.avg_pool2d(x, 3, 1, 1))], 1)
        return self.last(F.relu(x))


class Resized(nn.Module):
    def __init__(self):
        super().__init__()
        self.dense, self.a, self.b = nn.Linear(8, 64), nn.Conv2d(4, 5, 3, 1, 1), nn.Conv2d(5, 4, 3, 1, 1)
        self.c = nn.Conv2d(4, 3, 3, 1, 1)

    def forward(self, z):
        x = self.dense(z).reshape(-1, 4, 4, 4)
        x = F.relu(self.a(F.interpolate(x, scale_factor=2.0)))
        x = F.relu(self.b(F.interpolate(x, scale_factor=2.0)))
        return torch.tanh(self.c(F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)))


class WaveNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.start, self.end = nn.Conv1d(1, 4, 1), nn.Conv1d(3, 2, 1)
        self.gates = nn.ModuleList(nn.Conv1d(4, 8, 2, dilation=2**k) for k in range(2))
        self.mixes = nn.ModuleList(nn.Conv1d(4, 7, 1) for _ in range(2))

    def forward(self, x):
        x = self.start(x)
        skips = torch.jit.annotate(list[torch.Tensor], [])
        for gate, mix in zip(self.gates, self.mixes, strict=True):
            a, b = torch.chunk(gate(x), 2, dim=1)
            x0, skip = torch.split(mix(torch.tanh(a) * torch.sigmoid(b)), [4, 3], dim=1)
            x = x0 + x[:, :, -x0.size(2) :]
            skips.append(skip)
        return self.end(F.relu(skips[0][:, :, -x.size(2) :] + skips[1]))


class HiFi(nn.Module):
    def __init__(self):
        super().__init__()
        self.pre, self.post = nn.Conv1d(5, 4, 7, 1, 3), nn.Conv1d(2, 1, 7, 1, 3)
        self.up = nn.ConvTranspose1d(4, 2, 8, 4, 2)
        self.blocks = nn.ModuleList(nn.Conv1d(2, 2, 3, 1, d, dilation=d) for d in (1, 3))

    def forward(self, x):
        x = self.up(F.leaky_relu(self.pre(x), 0.1))
        a, b = self.blocks[0](F.leaky_relu(x, 0.1)) + x, self.blocks[1](F.leaky_relu(x, 0.1)) + x
        return torch.tanh(self.post(F.leaky_relu((a + b) / 2, 0.1)))


# By the names of the list.
MODULES = {
    "chain": chain,
    "generator": generator,
    "discriminator": discriminator,
    "vae": VAE,
    "resnet": ResNet,
    "unet": UNet,
    "mobile": Mobile,
    "dense": Dense,
    "resized": Resized,
    "wavenet": WaveNet,
    "hifi": HiFi,
    "volume": volume,
}
