"""TorchScript programs."""

from sicjax.networks.torch.script._learned import from_script

__all__ = ["from_script"]
