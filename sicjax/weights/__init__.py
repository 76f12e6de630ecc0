"""Weights files to named arrays, safely: nothing in a file can run. What their names and layouts mean."""

from sicjax.weights._content import Content, look, program_in
from sicjax.weights._formats import FORMATS, Format
from sicjax.weights._hub import fetch, on_hub
from sicjax.weights._keras import KerasArrays, open_keras
from sicjax.weights._layouts import LAYOUTS, Layout, mask_as, to_flax
from sicjax.weights._names import is_dense, is_flax, is_kernel, is_low_rank, layer_name
from sicjax.weights._programs import Exported, Script, read_exported, read_script
from sicjax.weights._read import read
from sicjax.weights._shards import INDEX, shards_of
from sicjax.weights._sidecar import Sidecar, config_of, find_sidecar, is_convolution, sidecar_path
from sicjax.weights._tensors import Tensors
from sicjax.weights._unpickler import Inert, Tensor

__all__ = [
    "FORMATS",
    "INDEX",
    "LAYOUTS",
    "Content",
    "Exported",
    "Format",
    "Inert",
    "KerasArrays",
    "Layout",
    "Script",
    "Sidecar",
    "Tensor",
    "Tensors",
    "config_of",
    "fetch",
    "find_sidecar",
    "is_convolution",
    "is_dense",
    "is_flax",
    "is_kernel",
    "is_low_rank",
    "layer_name",
    "look",
    "mask_as",
    "on_hub",
    "open_keras",
    "program_in",
    "read",
    "read_exported",
    "read_script",
    "shards_of",
    "sidecar_path",
    "to_flax",
]
