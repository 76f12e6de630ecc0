"""What the tests of PyTorch's doors have in common: they are optional, and its exporters warn of themselves."""

import pytest

OF_TORCH = [
    pytest.mark.torch,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning"),
    pytest.mark.filterwarnings("ignore:The given buffer is not writable"),
]
