"""Operators of PyTorch, followed through a graph, for TorchScript and `torch.export` alike.

A value is a `Flow`, or a `Parameter` that no input changes, or a number, a text, a list of values, or `UNKNOWN`: what
depends on sizes that the file does not state. A `Flow` of shape `()` that no convolution reaches may have any shape,
since TorchScript does not state that of the inputs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from sicjax._errors import InputError
from sicjax.networks import _spatial
from sicjax.networks._flow import BATCH, CHANNEL, Flow
from sicjax.networks._graph import Graph
from sicjax.weights import is_kernel, layer_name, to_flax

Rule = Callable[..., Any]
# Values computed from parameters, values made of nothing, channels of a value, convolutions: real networks come
# nowhere near, and a few bytes of a program can ask for any number.
_LARGEST = 2**26
_LARGEST_MADE = 2**20
_MOST_COMPUTED = 2**32
_MOST_KEPT = 2**30
MOST_CHANNELS = 2**18
_MOST_LAYERS = 20_000


class Parameter(NamedTuple):
    """A value that no input changes, with the name of what it is made of."""

    name: str
    array: np.ndarray


class _Unknown:
    def __repr__(self) -> str:
        return "a value that is not known"


UNKNOWN = _Unknown()


class Aten:
    """Follows operators through a graph.

    Attributes:
        learned: shapes of the network's inputs, as the convolutions that take them have them.
        here: the module that is being followed, to name what has no other name.
    """

    def __init__(self, rules: dict[str, Rule], on_parameters: dict[str, Rule]) -> None:
        self.graph = Graph()
        self.learned: dict[str, tuple[int, ...]] = {}
        self.here = ""
        self._rules, self._on_parameters = rules, on_parameters
        self._met: set[str] = set()
        self._made: dict[str, str] = {}
        self._kernels: dict[tuple, tuple[np.ndarray, np.ndarray]] = {}
        self._computed = self._kept = 0

    def call(self, operator: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """What an operator gives, such as `aten::relu_`; the end of the chain for one that is not known."""
        name = plain_name(operator)
        values = [*args, *kwargs.values()]
        rule = self._rules.get(name)
        if not any(True for _ in flows(values)) and not (rule and "conv" in name):
            return self._of_parameters(name, args, kwargs)
        if rule is None:
            return self.missed(values, f"the operator {name} is not known")
        try:
            return rule(self, name, *args, **{_ARGUMENTS.get(key, key): value for key, value in kwargs.items()})
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, StopIteration) as error:
            return self.missed(values, f"{name} cannot be followed: {str(error) or type(error).__name__:.100}")

    def end(self, values: Any, reason: str, shape: tuple[int, ...] | None = None) -> Flow:
        xs = list(flows(values))
        return self.graph.end(xs, (xs[0].shape if xs else ()) if shape is None else shape, reason)

    def missed(self, values: Any, reason: str) -> Flow:
        """The end of the chain at what is not followed; a kernel that it takes is named with the reason."""
        for kernel in parameters(values):
            if kernel.name not in self._met and is_kernel(kernel.name, kernel.array):
                self._met.add(kernel.name)
                self.graph.skip(layer_name(kernel.name), reason)
        return self.end(values, reason)

    def skip_computed(self, name: str, kernel: Any) -> str:
        """Names a convolution whose kernel is no parameter, and gives the reason."""
        origin = kernel.origin if isinstance(kernel, Flow) and not kernel.sources else ""
        held = self._made.get(origin, "")
        self._met.add(held)
        reason = f"its kernel is computed from {origin or 'the input'}"
        if held:
            reason += ": save the module with the kernel as it is, without its parametrization"
        self.graph.skip(layer_name(held) if held else f"{self.here} ({name})" if self.here else f"a {name}", reason)
        return f"a convolution whose kernel is computed from {origin or 'the input'}"

    def kernel(self, weight: Parameter, transposed: bool, groups: int) -> np.ndarray:
        """A kernel as `(*k, in / groups, out)` in at least single precision, made once for all that take it."""
        key = (id(weight.array), transposed, groups)
        if key not in self._kernels:
            array = weight.array
            self._kept += array.size
            if self._kept > _MOST_KEPT and weight.name in self._met:
                raise InputError(f"its convolutions take more than {_MOST_KEPT:,} weights that it computes anew")
            single = array.astype(np.float32) if array.dtype.itemsize < 4 else array
            self._kernels[key] = array, to_flax(single, "IOHW" if transposed else "OIHW", groups)
        return self._kernels[key][1]

    def take(self, x: Flow, weight: Parameter, axes: int, channels: int) -> None:
        """Remembers that a convolution takes a kernel, and the shape that it gives an input."""
        if len(self.graph.layers) >= _MOST_LAYERS:
            raise InputError(f"it has more than {_MOST_LAYERS:,} convolutions")
        self._met.add(weight.name)
        if not x.sources and not x.shape and x.origin:
            self.learned.setdefault(x.origin, (1, channels, *_spatial.OPEN_SIZES[:axes]))

    def never_met(self, kernels: Iterable[Parameter]) -> None:
        """Names the kernels that no convolution took."""
        for name, array in kernels:
            if name not in self._met and is_kernel(name, array):
                self.graph.skip(layer_name(name), "no convolution that was followed takes it")

    def elementwise(self, values: Any, name: str = "") -> Flow:
        """Sums, products, activations. Sizes that are not known exactly are taken to be equal, unless one is 1."""
        xs = [*flows(values), *(Flow(p.array.shape, (BATCH,) * p.array.ndim) for p in parameters(values))]
        lead = max((x for x in xs if x.sources), key=lambda x: (len(x.shape), math.prod(x.shape)), default=None)
        if lead is None:
            known = max((x for x in xs if x.origin), key=lambda x: len(x.shape), default=xs[0])
            return Flow(known.shape, (BATCH,) * len(known.shape), origin=known.origin)
        shape = list(lead.shape)
        for x in xs:
            for k in range(1, min(len(x.shape), len(shape)) + 1):
                shape[-k] = x.shape[-k] if shape[-k] == 1 else shape[-k]
        if math.prod(n for n, role in zip(shape, lead.axes, strict=True) if role == CHANNEL) > MOST_CHANNELS:
            raise ValueError(f"more than {MOST_CHANNELS:,} channels")
        fitted = []
        for x in xs:
            if x.sources and len(x.shape) == len(shape):
                sizes = zip(x.shape, shape, x.axes, strict=True)
                x = x._replace(shape=tuple(n if n == 1 or role < 0 else m for n, m, role in sizes))
            fitted.append(x)
        return self.graph.elementwise(fitted, shape, name or "a sum or product")

    def _of_parameters(self, name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """An operator that no input reaches, computed if it is one that scales or shapes kernels."""
        held = list(parameters([*args, *kwargs.values()]))
        rule = self._on_parameters.get(name)
        largest = max(held, key=lambda p: p.array.size, default=None)
        given = [*args, *(v for k, v in kwargs.items() if k not in _STORAGE)]
        try:
            size = largest.array.size if largest else 0
            bound = math.prod(np.broadcast_shapes(*(p.array.shape for p in held))) if len(held) > 1 else size
            self._computed += bound
            if rule is None or UNKNOWN in given or bound > max(_LARGEST, size) or self._computed > _MOST_COMPUTED:
                raise ValueError
            with np.errstate(all="ignore"):
                found = rule(*_arrays(given))
            if np.size(found) > max(_LARGEST, size):
                raise ValueError
        except (ValueError, TypeError, KeyError, IndexError, OverflowError, AttributeError, MemoryError):
            if largest is None:
                return UNKNOWN
            origin = f"{name} of {largest.name}"
            self._made[origin] = largest.name
            return self.graph.input((), origin)
        if not isinstance(found, (np.ndarray, np.generic)):
            return found
        found = np.asarray(found)
        if largest is None and found.size > _LARGEST_MADE:
            return UNKNOWN
        return Parameter(largest.name if largest else "a constant", found)


# Arguments that say how a value is kept, not what it is.
_STORAGE = ("dtype", "memory_format", "layout", "device", "pin_memory")
# Names of the first argument in PyTorch's declarations, which differ from operator to operator.
_ARGUMENTS = {"self": "x", "input": "x", "inputs": "x", "tensors": "x"}


def plain_name(operator: str) -> str:
    """An operator's name without its library, its overload, and what says that it changes its operand."""
    name = operator.split("::")[-1].split(".")[0]
    return name if name.startswith("__") else name.strip("_")


def flows(value: Any) -> Iterator[Flow]:
    """Every `Flow` among values, in order."""
    yield from (part for part in _parts(value) if isinstance(part, Flow))


def parameters(value: Any) -> Iterator[Parameter]:
    """Every `Parameter` among values, in order."""
    yield from (part for part in _parts(value) if isinstance(part, Parameter))


def _parts(value: Any) -> Iterator[Any]:
    """What nested lists hold, each list once, so that lists of lists of the same list do not multiply."""
    stack, seen = [value], set()
    while stack:
        part = stack.pop()
        if type(part) not in (list, tuple, dict):
            yield part
        elif id(part) not in seen:
            seen.add(id(part))
            stack.extend(reversed(list(part.values()) if isinstance(part, dict) else part))


def _arrays(values: list[Any]) -> list[Any]:
    """Parameters as their arrays, those in a list too."""
    of = lambda v: v.array if isinstance(v, Parameter) else v
    return [[of(part) for part in v] if type(v) is list else of(v) for v in values]
