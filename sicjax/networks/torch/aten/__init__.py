"""The operators of PyTorch, which TorchScript and `torch.export` programs are both made of."""

from sicjax.networks.torch.aten import _conv, _elementwise, _rearrange, _space  # noqa: F401  (their rules)
from sicjax.networks.torch.aten._aten import Aten, plain_name
from sicjax.networks.torch.aten._values import UNKNOWN, Parameter, flows, joined

__all__ = ["UNKNOWN", "Aten", "Parameter", "flows", "joined", "plain_name"]
