"""Weights without a graph whose architecture is known by its names: followed as the library that wrote them does."""

from sicjax.networks.known._known import KNOWN, Architecture, from_known

__all__ = ["KNOWN", "Architecture", "from_known"]
