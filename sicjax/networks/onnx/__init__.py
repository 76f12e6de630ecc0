"""ONNX files to networks."""

from sicjax.networks.onnx._beside import files_of_onnx
from sicjax.networks.onnx._file import from_onnx

__all__ = ["files_of_onnx", "from_onnx"]
