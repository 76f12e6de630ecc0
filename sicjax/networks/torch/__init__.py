"""PyTorch: programs that it saves, TorchScript and `torch.export`, and live modules."""

from sicjax.networks.torch._file import from_program
from sicjax.networks.torch._module import from_torch

__all__ = ["from_program", "from_torch"]
