"""ONNX files to networks."""

from sicjax.networks.onnx._file import from_onnx

__all__ = ["from_onnx"]
