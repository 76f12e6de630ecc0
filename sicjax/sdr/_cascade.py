"""Two successive convolutions, and what lies between them."""

from __future__ import annotations

import dataclasses
import math
import operator
import warnings
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Float, Num

from sicjax.sdr._geometry import Lag, shared_lags
from sicjax.sdr._html import facts

PerAxis: TypeAlias = int | tuple[int, ...]


@jax.tree_util.register_pytree_with_keys_class
@dataclasses.dataclass(frozen=True, eq=False, init=False)
class Cascade:
    """Two successive convolutions, `first` and then `second`, as a pytree of their two kernels.

    Between them the signal may be decimated by `down` (the stride of a strided `first`) and then expanded
    with zeros by `up` (the stride of a transposed `second`). Every setting is an int for all spatial axes or
    a tuple with one entry an axis.

    Arguments:
        first: kernel of the first layer, `(*k1, i / first_groups, m)`.
        second: kernel of the second layer, `(*k2, m / second_groups, o)`.
        down: decimation between the layers.
        up: expansion between the layers.
        first_dilation: the first layer's own (atrous) dilation.
        second_dilation: the second layer's own (atrous) dilation.
        first_groups: feature groups of the first layer.
        second_groups: feature groups of the second layer.

    With groups only the pathways that exist are kept: the result axes are `i / first_groups` inputs for each
    intermediate channel, the `m` intermediate channels, and `o / second_groups` outputs for each of them.

    Kernels are held in float32 (float64 when JAX runs with 64 bits and gets float64), times a power of two where some
    are so small that they would be taken for zero. Whether every weight is
    finite is checked once, here, for concrete arrays; under `jit`, `vmap` and `grad` it cannot be.

    Raises:
        ValueError: shapes that do not fit together, or weights that are not finite.

    >>> import numpy as np
    >>> pair = Cascade(np.ones((4, 4, 8, 6)), np.ones((4, 4, 6, 3)), up=2)
    >>> pair.shape, pair.pathways, pair.direction
    ((8, 6, 3), 144, 'generative')
    """

    first: Float[Array, "*k1 i m"]
    second: Float[Array, "*k2 mg o"]
    down: tuple[int, ...]
    up: tuple[int, ...]
    first_dilation: tuple[int, ...]
    second_dilation: tuple[int, ...]
    first_groups: int
    second_groups: int

    def __init__(
        self,
        first: Num[Array | np.ndarray, "*k1 i m"],
        second: Num[Array | np.ndarray, "*k2 mg o"],
        down: PerAxis = 1,
        up: PerAxis = 1,
        first_dilation: PerAxis = 1,
        second_dilation: PerAxis = 1,
        first_groups: int = 1,
        second_groups: int = 1,
    ):
        put = lambda name, value: object.__setattr__(self, name, value)
        put("first", _as_kernel(first, "first"))
        put("second", _as_kernel(second, "second"))
        axes = self.first.ndim - 2
        if axes < 1 or self.second.ndim - 2 != axes:
            raise ValueError(
                "both kernels must be (*spatial, in, out) with the same number of spatial axes, at least one; "
                f"got first {self.first.shape} and second {self.second.shape}"
            )
        put("down", _per_axis(down, axes, "down"))
        put("up", _per_axis(up, axes, "up"))
        put("first_dilation", _per_axis(first_dilation, axes, "first_dilation"))
        put("second_dilation", _per_axis(second_dilation, axes, "second_dilation"))
        put("first_groups", _positive_int(first_groups, "first_groups"))
        put("second_groups", _positive_int(second_groups, "second_groups"))
        middle = self.first.shape[-1]
        if self.second.shape[-2] * self.second_groups != middle:
            raise ValueError(
                f"the channels between the layers do not match: first {self.first.shape} gives {middle} channels, "
                f"second {self.second.shape} takes {self.second.shape[-2] * self.second_groups}"
                + (f" in {self.second_groups} groups" if self.second_groups > 1 else "")
            )
        for name, groups, out in (
            ("first", self.first_groups, middle),
            ("second", self.second_groups, self.second.shape[-1]),
        ):
            if out % groups:
                raise ValueError(f"{name} has {out} output channels, not a multiple of its {groups} groups")

    @property
    def shape(self) -> tuple[int, int, int]:
        """`(i, m, o)` of the ratios: inputs of each intermediate channel, intermediate channels, outputs of each."""
        return self.first.shape[-2], self.first.shape[-1], self.second.shape[-1] // self.second_groups

    @property
    def pathways(self) -> int:
        """How many pathways there are."""
        return math.prod(self.shape)

    @property
    def direction(self) -> str:
        """`generative` (second expands), `extractive` (first decimates), `turning` (both) or `plain`."""
        expands, decimates = max(self.up) > 1, max(self.down) > 1
        return {(1, 0): "generative", (0, 1): "extractive", (1, 1): "turning", (0, 0): "plain"}[expands, decimates]

    @property
    def structural(self) -> bool:
        """Whether every ratio is 1 whatever the weights are, because the two kernels share no lag."""
        return not self.lags

    @property
    def lags(self) -> tuple[tuple[Lag, Lag], ...]:
        """The lags that both kernels reach, one of each `{n, -n}`, zero left out: see `shared_lags`."""
        return shared_lags(
            self.first.shape[:-2], self.second.shape[:-2], self.down, self.up, self.first_dilation, self.second_dilation
        )

    def aligned(self) -> tuple[Float[Array, "*k1 i m"], Float[Array, "*k2 m o"]]:
        """The two kernels with `m` as their common axis; differs from the fields for a grouped second layer only."""
        groups = self.second_groups
        if groups == 1:
            return self.first, self.second
        *k, inner, out = self.second.shape
        split = self.second.reshape(*k, inner, groups, out // groups)
        return self.first, jnp.moveaxis(split, -2, -3).reshape(*k, inner * groups, out // groups)

    def __repr__(self) -> str:
        """What it is in a line, without the weights."""
        first, second, *settings = ((field.name, getattr(self, field.name)) for field in dataclasses.fields(self))
        kernels = [f"{name}={getattr(kernel, 'shape', kernel)}" for name, kernel in (first, second)]
        return f"Cascade({', '.join([*kernels, *(f'{name}={value}' for name, value in settings)])})"

    def _repr_html_(self) -> str:
        named = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        stated = {
            "first, second": " and ".join("x".join(map(str, named[name].shape)) for name in ("first", "second")),
            "pathways": f"{' x '.join(map(str, self.shape))} = {self.pathways:,}",
            "shared lags": f"{len(self.lags):,}" if self.lags else "none: every ratio is 1",
        }
        settings = list(named.items())[2:]
        stated |= {name: str(value) for name, value in settings if value not in (1, (1,) * len(self.down))}
        return facts(f"{self.direction} pair of convolutions", stated)

    def tree_flatten_with_keys(self):
        kernels, settings = self.tree_flatten()
        keys = map(jax.tree_util.GetAttrKey, ("first", "second"))
        return list(zip(keys, kernels, strict=True)), settings

    def tree_flatten(self):
        """Without the keys, as JAX asks for it at every call."""
        return (self.first, self.second), _settings(self)

    @classmethod
    def tree_unflatten(cls, settings, kernels):
        """Without the checks: JAX also fills pytrees with batched arrays, shapes and placeholders."""
        pair = object.__new__(cls)
        pair.__dict__.update(zip(_NAMES, (*kernels, *settings), strict=True))
        return pair


_NAMES = tuple(field.name for field in dataclasses.fields(Cascade))
_settings = operator.attrgetter(*_NAMES[2:])


def generative(
    first: Num[Array | np.ndarray, "*k1 i m"],
    second: Num[Array | np.ndarray, "*k2 mg o"],
    *,
    stride: PerAxis,
    **settings: Any,
) -> Cascade:
    """A pair inside a generator or decoder: the second layer is a transposed convolution with this `stride`.

    The coarse `first` is stretched by `stride` before it meets `second` (paper, section 3.2 and equation 4).
    `settings` are the dilations and groups of `Cascade`.

    >>> import numpy as np
    >>> generative(np.ones((4, 4, 8, 6)), np.ones((4, 4, 6, 3)), stride=2).up
    (2, 2)
    """
    _doubt_layout(first, second)
    return Cascade(first, second, up=stride, **settings)


def extractive(
    first: Num[Array | np.ndarray, "*k1 i m"],
    second: Num[Array | np.ndarray, "*k2 mg o"],
    *,
    stride: PerAxis,
    **settings: Any,
) -> Cascade:
    """A pair inside a discriminator or encoder: the first layer is a convolution with this `stride`.

    The coarse `second` is stretched by `stride` (the noble identity; paper, section 3.2 in reverse).
    `settings` are the dilations and groups of `Cascade`.

    >>> import numpy as np
    >>> extractive(np.ones((4, 4, 3, 6)), np.ones((4, 4, 6, 8)), stride=2).down
    (2, 2)
    """
    _doubt_layout(first, second)
    return Cascade(first, second, down=stride, **settings)


def as_cascade(pair: Any) -> Cascade:
    """What a function of this package was given, if it is a cascade.

    Raises:
        TypeError: it is none, such as a pair of a network, which has one.
    """
    if not isinstance(pair, Cascade):
        inside = ": give its cascade, pair.cascade" if hasattr(pair, "cascade") else ""
        raise TypeError(f"expected a sicjax.sdr.Cascade, got {type(pair).__name__}{inside}")
    return pair


def _doubt_layout(first, second) -> None:
    """Warns of kernels that are surely `(out, in, k, k)`, or `(in, out, k, k)`: many places, which fit as channels."""
    first, second = np.shape(first), np.shape(second)
    if len(first) != 4 or len(second) != 4:
        return
    places = (*first[:2], *second[:2])
    square = first[2] == first[3] == second[2] == second[3] <= 15 < max(places)
    if square and (first[0] == second[1] or first[1] == second[0]):
        warnings.warn(
            f"kernels {first} and {second} look as PyTorch has them; expected (*spatial, in, out): "
            "kernel.transpose(2, 3, 1, 0), or (2, 3, 0, 1) of a transposed convolution",
            stacklevel=3,
        )


def _per_axis(value, axes: int, name: str) -> tuple[int, ...]:
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,) * axes
    if len(values) != axes:
        raise ValueError(f"{name} must be an int or one int for each of the {axes} spatial axes, got {value!r}")
    return tuple(_positive_int(v, name) for v in values)


def _positive_int(value, name: str) -> int:
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{name} must be a positive integer, got {value!r}")
    return int(value)


def _as_kernel(kernel, name: str) -> jax.Array:
    """As a float array that keeps every weight: nothing that overflows, vanishes or is not finite gets by."""
    if isinstance(kernel, Tracer):
        return kernel.astype(_wide(kernel.dtype))
    given, numpy = (kernel, jnp) if isinstance(kernel, jax.Array) else (np.asarray(kernel), np)
    with jax.ensure_compile_time_eval():
        return jnp.asarray(_checked(given, name, numpy))


def _checked(given: jax.Array | np.ndarray, name: str, numpy: Any) -> jax.Array | np.ndarray:
    """The same of an array of JAX or of NumPy, computed there."""
    if not jnp.issubdtype(given.dtype, jnp.floating) and not jnp.issubdtype(given.dtype, jnp.integer):
        raise ValueError(f"the {name} kernel must hold real numbers, got dtype {given.dtype}")
    dtype = jax.dtypes.canonicalize_dtype(_wide(given.dtype))
    with np.errstate(over="ignore", under="ignore"):
        held = given.astype(dtype)
    if not numpy.isfinite(held).all():
        bad = int((~np.isfinite(np.asarray(given, np.float64))).sum())
        if bad:
            raise ValueError(f"the {name} kernel has {bad} weights that are NaN or infinite")
        raise ValueError(f"the {name} kernel has weights outside the range of {dtype}: rescale it")
    if given.dtype == np.float64 and dtype != np.float64 and held.ndim > 2:
        spatial = tuple(range(held.ndim - 2))
        lost = int(((np.abs(given).max(spatial) > 0) & (np.abs(held).max(spatial) == 0)).sum())
        if lost:
            raise ValueError(f"{lost} filters of the {name} kernel vanish in {dtype}: rescale it")
    return _raised(held, name)


def _wide(dtype) -> np.dtype:
    """The type that holds numbers of another: float32 or more."""
    small = jnp.issubdtype(dtype, jnp.floating) and dtype.itemsize == 1  # which JAX promotes to nothing by itself
    return np.dtype(np.float32) if small else jnp.promote_types(dtype, jnp.float32)


def _raised(kernel: jax.Array | np.ndarray, name: str) -> jax.Array | np.ndarray:
    """Times a power of two, on which no ratio depends, where a filter is so small that XLA takes its taps for zero."""
    if isinstance(kernel, jax.Array) and not kernel.is_fully_addressable:
        return kernel
    values, info = np.asarray(kernel), jnp.finfo(kernel.dtype)
    least = float(info.smallest_normal) / float(info.eps)
    sizes = np.abs(values).max(tuple(range(values.ndim - 2)), initial=0) if values.ndim > 2 else values[:0]
    if not ((sizes > 0) & (sizes < least)).any():
        return kernel
    # As large as it can be with room for the sum of its taps.
    values = np.ldexp(values, int(info.maxexp) - 28 - int(np.frexp(sizes.max())[1]))
    sizes = np.abs(values).max(tuple(range(values.ndim - 2)))
    lost = int(((sizes > 0) & (sizes < least)).sum())
    if lost:
        raise ValueError(
            f"{lost} filters of the {name} kernel vanish in {values.dtype} beside the others: rescale them"
        )
    return values
