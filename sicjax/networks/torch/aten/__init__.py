"""The operators of PyTorch, which TorchScript and `torch.export` programs are both made of."""

from sicjax.networks.torch.aten import (  # noqa: F401  (they enter their rules)
    _conv,
    _elementwise,
    _ends,
    _indexing,
    _join,
    _pooling,
    _reduce,
    _resize,
    _shapes,
)
from sicjax.networks.torch.aten._aten import Aten, plain_name
from sicjax.networks.torch.aten._either import joined
from sicjax.networks.torch.aten._values import UNKNOWN, Parameter, flows

__all__ = ["UNKNOWN", "Aten", "Parameter", "flows", "joined", "plain_name"]
