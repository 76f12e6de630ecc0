"""The networks of the paper, in Flax NNX: images are `(n, size, size, 3)` in [-1, 1], kernels `(k, k, in, out)`."""

from sicjax._extras import require

require("train", "sicjax.models", "flax")

from sicjax.models._build import build, load
from sicjax.models._convolutions import conv, conv_transpose
from sicjax.models._dcgan import Discriminator, Generator
from sicjax.models._published import load_generator
from sicjax.models._vae import Decoder, Encoder

__all__ = [
    "Decoder",
    "Discriminator",
    "Encoder",
    "Generator",
    "build",
    "conv",
    "conv_transpose",
    "load",
    "load_generator",
]
