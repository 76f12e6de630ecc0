"""ONNX files to networks."""

from sicjax.networks.onnx._walk import from_onnx

__all__ = ["from_onnx"]
