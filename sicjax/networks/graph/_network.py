"""A network as the measure sees it: its convolutions, the pairs that follow one another, and what was left out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, SupportsInt

import numpy as np
from jaxtyping import Float

from sicjax import figures, sdr
from sicjax._errors import InputError, missing_package
from sicjax._html import table

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure

# Of a network where it is printed.
LINES = 40
# Begins the reason of a layer that is the second of a pair, and the first of none.
ENDS = "the chain ends"


def _by(values: tuple[int, ...]) -> str:
    return "x".join(map(str, values))


class Layer(NamedTuple):
    """A convolution.

    Attributes:
        path: its name in the network or file.
        kernel: `(*k, in / groups, out)`.
        stride: of the convolution, or of the transposed convolution; one int an axis.
        dilation: one int an axis.
        groups: feature groups.
        transposed: whether it upsamples by its stride rather than downsamples.
    """

    path: str
    kernel: Float[np.ndarray, "*k i o"]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    groups: int
    transposed: bool

    @property
    def inputs(self) -> int:
        return self.kernel.shape[-2] * self.groups

    @property
    def outputs(self) -> int:
        return self.kernel.shape[-1]

    @property
    def taps(self) -> int:
        """How many numbers the kernel has with the zeros of its dilation."""
        return self.kernel.size * math.prod(self.dilation)

    def __repr__(self) -> str:
        """What it is in a line, without the weights."""
        stride = f"stride {_by(self.stride)}{' transposed' * self.transposed}"
        rare = [f", dilation {_by(self.dilation)}"] * (max(self.dilation, default=1) > 1)
        rare += [f", {self.groups} groups"] * (self.groups > 1)
        return f"{self.path}: kernel {_by(self.kernel.shape)}, {stride}{''.join(rare)}"


class Pair(NamedTuple):
    """Two convolutions that follow one another, their cascade, and the name of the network they belong to."""

    name: str
    first: Layer
    second: Layer
    cascade: sdr.Cascade
    network: str

    def __repr__(self) -> str:
        """What it is in a line, without the weights."""
        return f"{self.name}: {self.cascade!r}"

    def extremes(self, k: int = 10) -> pandas.DataFrame:
        """The `k` pathways of the highest ratio, then the `k` of the lowest: end, channels `i`, `m`, `o`, and ratio.

        Without pandas: `sdr.extremes(pair.cascade, k)`, whose arrays these are.

        Raises:
            InputError: pandas is not installed.
        """
        try:
            import pandas
        except ImportError as error:
            raise missing_package("pandas", "notebook", "a table of pandas") from error
        found = sdr.extremes(self.cascade, k)
        ends = [("highest", found.highest_at, found.highest), ("lowest", found.lowest_at, found.lowest)]
        rows = [(end, *at, ratio) for end, ats, ratios in ends for at, ratio in zip(ats, ratios, strict=True)]
        return pandas.DataFrame(rows, columns=["end", "i", "m", "o", "ratio"])

    def show(self, i: SupportsInt | None = None, m: SupportsInt | None = None, o: SupportsInt | None = None) -> Figure:
        """Draws a pathway: two kernels, their spectra, and the product that its ratio is the mean of.

        Without all three channels it is the one of the highest ratio; see `figures.pathway` and `sdr.extremes`.

        Raises:
            InputError: matplotlib is not installed, no pathway is defined, or there is no such channel.
        """
        if i is None or m is None or o is None:
            highest = sdr.extremes(self.cascade, 1).highest_at
            if not len(highest):
                raise InputError(f"no pathway of {self.name} is defined: its kernels are zero")
            i, m, o = highest[0]
        i, m, o = int(i), int(m), int(o)  # as they come from a table
        for name, at, size in zip("imo", (i, m, o), self.cascade.shape, strict=True):
            if not 0 <= at < size:
                raise InputError(f"{self.name} has {size} channels {name}, 0 to {size - 1}: there is no {at}")
        return figures.pathway(self.cascade, i, m, o, names=(self.first.path, self.second.path))


class Skipped(NamedTuple):
    """A layer that is in no pair, or that a chain ends after, and why; its name is not part of the reason."""

    layer: str
    reason: str


def skipped_lines(skipped: Iterable[Skipped]) -> list[str]:
    """One line for all layers with the same reason: how many they are, and the first of them."""
    layers: dict[str, dict[str, None]] = {}
    for layer, reason in skipped:
        layers.setdefault(reason, {})[layer] = None
    return [_line(list(names), reason) for reason, names in layers.items()]


def _line(names: Sequence[str], reason: str) -> str:
    which = names[0] if len(names) == 1 else f"{len(names):,} layers, first {names[0]}"
    return f"{which}: {reason}" if reason.startswith(ENDS) else f"skipped {which}: {reason}"


class Network(NamedTuple):
    """Every convolution of a network, or of the networks in one file, and every pair of successive ones.

    Attributes:
        layers: every convolution, in the order of the data flow.
        pairs: every pair, in the order of the data flow.
        skipped: what is in no pair, with the reason.
        notes: what was decided on the way that a user should know.
        rebuild: for a network of a function or module, from parameters to the named pairs; see `bind`.
        name: what tables and pages call it: of a file its own, of a module its class; `net._replace(name="G")`.
    """

    layers: tuple[Layer, ...]
    pairs: tuple[Pair, ...]
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...] = ()
    rebuild: Callable[[Any], dict[str, sdr.Cascade]] | None = None
    name: str = ""

    @property
    def cascades(self) -> dict[str, sdr.Cascade]:
        """The pairs by name, in the order of the data flow."""
        return {pair.name: pair.cascade for pair in self.pairs}

    def __repr__(self) -> str:
        """What it is in a few lines, without the weights."""
        left = [*skipped_lines(self.skipped), *self.notes]
        lines = [self._title(), *(f"  {pair.name}" for pair in self.pairs), *left]
        more = [f"... and {len(lines) - LINES} lines more"] if len(lines) > LINES else []
        return "\n".join(lines[:LINES] + more)

    def _repr_html_(self) -> str:
        rows = [
            [path, _by(kernel.shape), _by(stride) + " transposed" * transposed, _by(dilation), str(groups)]
            for path, kernel, stride, dilation, groups, transposed in self.layers
        ]
        left = [*skipped_lines(self.skipped), *self.notes]
        return table(self._title(), ["layer", "kernel", "stride", "dilation", "groups"], rows, left)

    def _title(self) -> str:
        pairs = "1 pair" if len(self.pairs) == 1 else f"{len(self.pairs)} pairs"
        return f"{len(self.layers)} convolutions, {pairs} that follow one another"

    def bind(self, parameters: Any) -> dict[str, sdr.Cascade]:
        """The same pairs with other parameters, of a network of a function or module.

        Of one traced in JAX it works under `jit`, `vmap` and `grad`.

        Raises:
            InputError: a network from a file, or parameters of another structure.
        """
        if self.rebuild is None:
            raise InputError("only networks of functions and modules, not of files, can take other parameters")
        return self.rebuild(parameters)
