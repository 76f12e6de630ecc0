"""An architecture written down once more, in words, over the kernels of a file."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

import numpy as np

from sicjax.networks.graph import Flow, Graph, Layer, concatenate, elementwise, pool, resize, roles
from sicjax.weights import to_flax

# Places along each axis of the image that is followed; no pair depends on it.
SIZE = 1024
_ROLES = roles(2, channels_last=False)


class Unlike(Exception):
    """The kernels are not those of the architecture."""


class Walk:
    """Follows an architecture; what does not fit it raises `Unlike`.

    Arguments:
        kernels: by the names of their layers, as PyTorch lays them out.
        prefix: of the names in the file.
    """

    def __init__(self, kernels: Mapping[str, np.ndarray], prefix: str) -> None:
        self.graph = Graph()
        self.left = set(kernels)
        self._kernels = kernels
        self._prefix = prefix

    def has(self, name: str) -> bool:
        """Whether there is a convolution of this name."""
        return self._prefix + name in self._kernels

    def taps(self, name: str) -> int:
        """The size of a kernel along each axis; 0 where these differ."""
        size, other = self._kernels[self._prefix + name].shape[2:]
        return size if size == other else 0

    def names(self) -> list[str]:
        """Of all convolutions."""
        return [name.removeprefix(self._prefix) for name in self._kernels]

    def blocks(self, name: str) -> Iterator[str]:
        """`name.0`, `name.1` and so on, as long as there are convolutions in them."""
        for k in itertools.count():
            block = f"{name}.{k}"
            if not any(path.startswith(f"{self._prefix}{block}.") for path in self._kernels):
                return
            yield block

    def image(self, channels: int) -> Flow:
        """What no convolution reaches."""
        return self.graph.input((1, channels, SIZE, SIZE))

    def conv(self, x: Flow | None, name: str, stride: int = 1, *, grouped: bool = False) -> Flow:
        """A convolution that keeps the size, but for its stride; of the network's input, where none is given."""
        path = self._prefix + name
        if path not in self.left:
            raise Unlike(f"{name} is not there, or there twice")
        self.left.remove(path)
        array = self._kernels[path]
        x = self.image(array.shape[1]) if x is None else x
        groups, rest = divmod(x.shape[1], array.shape[1])
        if rest or (groups > 1 and not grouped):
            raise Unlike(f"{name} takes {array.shape[1]} channels, not {x.shape[1]}")
        layer = Layer(path, to_flax(array, "OIHW", groups), (stride, stride), (1, 1), groups, False)
        return self.graph.convolve(x, layer, (1, layer.outputs, *(n // stride for n in x.shape[2:])), _ROLES, _ROLES)

    def add(self, *xs: Flow) -> Flow:
        """A sum."""
        if len({x.shape for x in xs}) > 1:
            raise Unlike("a sum of values of other shapes")
        return self.graph.follow(lambda: elementwise(self.graph, xs, "add"), xs, "add")

    def beside(self, *xs: Flow) -> Flow:
        """Channels side by side."""
        if len({x.shape[2:] for x in xs}) > 1:
            raise Unlike("values side by side of other sizes")
        return self.graph.follow(lambda: concatenate(xs, 1), xs, "concat")

    def max_pool(self, x: Flow, size: int) -> Flow:
        """Every other place, of the largest in a window."""
        shape = (*x.shape[:2], *(n // 2 for n in x.shape[2:]))
        windows = {axis: (size, 2, 1) for axis in (2, 3)}
        return self.graph.follow(lambda: pool(self.graph, x, shape, windows, average=False), [x], "max_pool")

    def nearest(self, x: Flow) -> Flow:
        """Twice the size, each place repeated."""
        shape = (*x.shape[:2], *(2 * n for n in x.shape[2:]))
        return self.graph.follow(lambda: resize(self.graph, x, shape, "nearest"), [x], "resize")

    def end(self, x: Flow, reason: str) -> Flow:
        """Something of the same shape that no pair reaches across."""
        return self.graph.end([x], x.shape, reason)
