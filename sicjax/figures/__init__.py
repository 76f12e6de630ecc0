"""Results to matplotlib figures."""

from sicjax.figures._levels import Level, levels

__all__ = ["Level", "levels"]
