"""Programs of `torch.export`."""

from sicjax.networks.torch.export._program import from_exported

__all__ = ["from_exported"]
