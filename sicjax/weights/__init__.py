"""Weights files to named arrays, safely: nothing in a file can run. What their names and layouts mean."""

from sicjax.weights._content import Content, look, program_in
from sicjax.weights._formats import FORMATS, Format
from sicjax.weights._keras import open_keras
from sicjax.weights._keras_layers import KerasPlace, KerasWeights, keras_name
from sicjax.weights._layouts import LAYOUTS, Layout, mask_as, to_flax
from sicjax.weights._names import is_dense, is_flax, is_kernel, layer_name
from sicjax.weights._onnx import files_of_onnx, onnx_array, onnx_sparse_array, read_onnx
from sicjax.weights._programs import Exported, Script, read_exported, read_script
from sicjax.weights._read import read
from sicjax.weights._sidecar import Sidecar, find_sidecar, is_convolution
from sicjax.weights._tensors import Tensors
from sicjax.weights._unpickler import Inert, Tensor

__all__ = [
    "FORMATS",
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
    "files_of_onnx",
    "find_sidecar",
    "is_convolution",
    "is_dense",
    "is_flax",
    "is_kernel",
    "keras_name",
    "layer_name",
    "look",
    "mask_as",
    "onnx_array",
    "onnx_sparse_array",
    "open_keras",
    "program_in",
    "read",
    "read_exported",
    "read_onnx",
    "read_script",
    "to_flax",
]
