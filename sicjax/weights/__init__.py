"""Weights files to named arrays, safely: nothing in a file can run."""

from sicjax.weights._read import read
from sicjax.weights._sidecar import Sidecar, find_sidecar, is_convolution
from sicjax.weights._tensors import Tensors

__all__ = ["Sidecar", "Tensors", "find_sidecar", "is_convolution", "read"]
