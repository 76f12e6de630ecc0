"""Keras files to networks."""

from sicjax.networks.keras._walk import from_keras

__all__ = ["from_keras"]
