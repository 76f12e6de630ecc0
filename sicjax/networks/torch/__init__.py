"""Programs that PyTorch saves, TorchScript and `torch.export`, to a network."""

from sicjax.networks.torch._file import from_program

__all__ = ["from_program"]
