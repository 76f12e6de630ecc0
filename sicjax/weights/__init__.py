"""Weights files to named arrays, safely: nothing in a file can run."""

from sicjax.weights._content import Content, look, program_in
from sicjax.weights._formats import FORMATS, Format
from sicjax.weights._read import read
from sicjax.weights._sidecar import Sidecar, find_sidecar, is_convolution
from sicjax.weights._tensors import Tensors

__all__ = [
    "FORMATS",
    "Content",
    "Format",
    "Sidecar",
    "Tensors",
    "find_sidecar",
    "is_convolution",
    "look",
    "program_in",
    "read",
]
