"""Weights files to named arrays, safely: nothing in a file can run. What their names and layouts mean."""

from sicjax.weights._content import Content, look, program_in
from sicjax.weights._formats import FORMATS, Format
from sicjax.weights._hub import fetch, on_hub
from sicjax.weights._keras import open_keras
from sicjax.weights._keras_layers import KerasPlace, KerasWeights, keras_name
from sicjax.weights._layouts import LAYOUTS, Layout, mask_as, to_flax
from sicjax.weights._names import is_dense, is_flax, is_kernel, is_low_rank, layer_name
from sicjax.weights._onnx import files_of_onnx, onnx_array, onnx_sparse_array, read_onnx
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
    "KerasPlace",
    "KerasWeights",
    "Layout",
    "Script",
    "Sidecar",
    "Tensor",
    "Tensors",
    "config_of",
    "fetch",
    "files_of_onnx",
    "find_sidecar",
    "is_convolution",
    "is_dense",
    "is_flax",
    "is_kernel",
    "is_low_rank",
    "keras_name",
    "layer_name",
    "look",
    "mask_as",
    "on_hub",
    "onnx_array",
    "onnx_sparse_array",
    "open_keras",
    "program_in",
    "read",
    "read_exported",
    "read_onnx",
    "read_script",
    "shards_of",
    "sidecar_path",
    "to_flax",
]
