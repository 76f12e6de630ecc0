"""The successive layers of networks: from files, from any JAX function, from Flax modules."""

from sicjax.networks._files import from_file
from sicjax.networks._formats import FORMATS, Format
from sicjax.networks.graph import Layer, Network, Pair, Skipped
from sicjax.networks.trace import from_function, from_module

__all__ = [
    "FORMATS",
    "Format",
    "Layer",
    "Network",
    "Pair",
    "Skipped",
    "from_file",
    "from_function",
    "from_module",
]
