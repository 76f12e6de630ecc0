"""Any JAX function and Flax module to a network, through its trace."""

from sicjax.networks.trace._flax import from_module
from sicjax.networks.trace._function import from_function

__all__ = ["from_function", "from_module"]
