"""The kernels of a program: each made once for all convolutions that take it; those that none took are named."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from sicjax._limits import make
from sicjax.networks.graph import COMPUTED, Flow, Graph, Unreachable
from sicjax.networks.torch.aten._values import Parameter
from sicjax.weights import is_kernel, layer_name, to_flax

# What to do where a parametrization stands before a kernel.
PARAMETRIZED = "a kernel is computed: save the module with its kernels as they are, without a parametrization"


class Kernels:
    """Kernels by their parameters.

    Attributes:
        made: from the origin of a value that is computed, in words, to the name of the parameter it is made of.
    """

    def __init__(self) -> None:
        self.made: dict[str, str] = {}
        self._met: set[str] = set()
        self._kernels: dict[tuple, tuple[np.ndarray, np.ndarray]] = {}

    def take(self, weight: Parameter, *, transposed: bool, groups: int) -> np.ndarray:
        """A kernel as `(*k, in / groups, out)` in at least single precision.

        Raises:
            ValueError: an array that is no kernel, or does not divide into the groups.
        """
        key = (id(weight.array), transposed, groups)
        if key not in self._kernels:
            array = weight.array
            if array.dtype.kind not in "fV" or type(groups) is not int:
                raise ValueError(f"a kernel of {array.dtype} in {groups!r:.20} groups")
            make(4 * array.size, weight.name)
            single = array.astype(np.float32) if array.dtype.itemsize < 4 else array
            self._kernels[key] = array, to_flax(single, "IOHW" if transposed else "OIHW", groups)
        return self._kernels[key][1]

    def layer(self, weight: Any) -> str:
        """The layer that a convolution's weight belongs to; empty where it is computed from the input."""
        name = weight.name if isinstance(weight, Parameter) else self._made_of(weight)
        self._met.add(name)
        return layer_name(name)

    def unfollowed(self, values: Iterable[Parameter]) -> str:
        """The layer of the first kernel among what an unknown operator takes; empty where there is no new one."""
        for name, array in values:
            if name not in self._met and is_kernel(name, array):
                self._met.add(name)
                return layer_name(name)
        return ""

    def why_computed(self, graph: Graph, weight: Any) -> Unreachable:
        """Why a kernel which is no parameter is not followed; a note says what to do."""
        if not self._made_of(weight):
            return Unreachable(COMPUTED)
        graph.note(PARAMETRIZED)
        computed = f"a convolution whose kernel is computed from {weight.origin}"
        return Unreachable(computed, kind=computed.partition(" of ")[0] + " of its weight")

    def _made_of(self, weight: Any) -> str:
        return self.made.get(weight.origin, "") if isinstance(weight, Flow) and not weight.sources else ""

    def name_others(self, graph: Graph, kernels: Iterable[Parameter]) -> None:
        """Tells the user of the kernels that no convolution took."""
        for name, array in kernels:
            if name not in self._met and is_kernel(name, array):
                graph.skip(layer_name(name), "no convolution that was followed takes it")
