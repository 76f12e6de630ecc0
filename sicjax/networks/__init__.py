"""The successive layers of networks: from files, from any JAX function, from Flax modules."""

from sicjax.networks._files import from_file
from sicjax.networks._flax import from_module
from sicjax.networks._formats import FORMATS, Format
from sicjax.networks._jaxpr import from_function
from sicjax.networks._network import Layer, Network, Pair, Skipped

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
