"""The successive layers of networks: from files, any JAX function, Flax and PyTorch modules."""

from sicjax._limits import Limit
from sicjax.networks._draft import sidecar_draft
from sicjax.networks._files import files_of, from_file, takes_module, takes_stride
from sicjax.networks._formats import FORMATS, SAVED_MODEL, Format
from sicjax.networks._orbax import is_orbax
from sicjax.networks._where import is_saved_model
from sicjax.networks.graph import Layer, Network, Pair, Skipped, skipped_lines
from sicjax.networks.torch import from_torch
from sicjax.networks.trace import from_function, from_module

__all__ = [
    "FORMATS",
    "SAVED_MODEL",
    "Format",
    "Layer",
    "Limit",
    "Network",
    "Pair",
    "Skipped",
    "files_of",
    "from_file",
    "from_function",
    "from_module",
    "from_torch",
    "is_orbax",
    "is_saved_model",
    "sidecar_draft",
    "skipped_lines",
    "takes_module",
    "takes_stride",
]
