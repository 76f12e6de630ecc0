"""TorchScript programs."""

from sicjax.networks.torch.script._interpreter import from_script

__all__ = ["from_script"]
