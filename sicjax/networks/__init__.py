"""The successive layers of networks: `from_file`, and what it returns."""

from sicjax.networks._files import from_file
from sicjax.networks._network import Layer, Network, Pair, Skipped

__all__ = ["Layer", "Network", "Pair", "Skipped", "from_file"]
