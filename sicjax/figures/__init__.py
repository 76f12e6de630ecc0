"""Results to matplotlib figures."""

from sicjax.figures._levels import Level, levels
from sicjax.figures._network import Edge, network_dot, network_tree

__all__ = ["Edge", "Level", "levels", "network_dot", "network_tree"]
