"""PyTorch: programs that it saves, TorchScript and `torch.export`, and live modules."""

from sicjax.networks.torch._export import from_exported
from sicjax.networks.torch._module import from_torch
from sicjax.networks.torch.script import from_script

__all__ = ["from_exported", "from_script", "from_torch"]
