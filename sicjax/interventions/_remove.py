"""Filters of a layer set to zero in a copy of the network."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike

from sicjax import sdr
from sicjax.interventions._arrays import Arrays, find_kernel, open_network
from sicjax.interventions._choose import End, choose
from sicjax.interventions._criteria import Criterion, Unit, criterion
from sicjax.interventions._layout import find_layout
from sicjax.weights import Layout, mask_as, to_flax


class Removed(NamedTuple):
    """What was removed.

    Attributes:
        layer: name of the array that was edited.
        by: the criterion of `values`; what was chosen by, unless it was by indices.
        unit: `filter` or `channel`.
        indices: of each one removed, `(input, intermediate)`, or `(intermediate,)` for channels.
        values: the criterion of each one removed.
        criterion: of all; NaN for what was zero before or is not defined.
        total: filters, or channels, in the layer.
        remaining: those with any weight left.
    """

    layer: str
    by: str
    unit: str
    indices: Int[np.ndarray, "n axes"]
    values: Float[np.ndarray, " n"]
    criterion: Float[np.ndarray, "*filters"]
    total: int
    remaining: int

    @property
    def count(self) -> int:
        """How many were removed."""
        return len(self.values)


class Edited(NamedTuple):
    """The edited network, of the kind that was given (for a file its arrays by name), and what was removed."""

    network: Any
    removed: Removed


def remove_filters(
    network: Any,
    layer: str,
    *,
    by: Criterion = "energy",
    pair: sdr.Cascade | None = None,
    remove: End | None = None,
    count: int | None = None,
    below: float | None = None,
    above: float | None = None,
    indices: ArrayLike | None = None,
    unit: Unit = "filter",
    next_layer: str | None = None,
    layout: Layout | None = None,
) -> Edited:
    """Sets filters of a layer to zero in a new network; the one given is left as it is.

    A filter is one `(input, intermediate)` kernel, as in the paper's Fig. 6 and 10; a layer of 128 inputs and 64
    outputs has 8,192. Those that are zero already are chosen again by indices alone, so that a second removal from an
    edited network adds to the first. Biases and batch norms stay: a channel without filters still has their constant.

    Arguments:
        network: a Flax NNX module, a pytree of parameters (Flax Linen's, or any), arrays by name, or the path of a
            weights file.
        layer: its name, as `networks` shows it or the array's whole name.
        by: `energy` of the filter, `output_energy` (of the filter with the layer that follows, over its outputs),
            `ratio` (its mean over outputs) or `adaptation` (its share); see `criterion`.
        pair: the layer, as `first`, and one that follows it, for all but `energy`: a `Cascade` of
            `networks.from_file(...).cascades`, of the network as given or before an earlier removal. For `adaptation`
            the two differ: a share depends on which other filters there are.
        remove, count: so many of the `lowest` or `highest`.
        below, above: or all beyond a threshold, in the units of the criterion.
        indices: or these, whatever their criterion: `(input, intermediate)` of each filter, shape `(n, 2)`, or
            `(intermediate,)` of each channel, shape `(n, 1)` or `(n,)`; as `Removed.indices`, counted from 0.
        unit: `filter`, or `channel` for all filters of an intermediate channel at once.
        next_layer: with channels, a layer whose kernels that read them become zero too, so that nothing of a bias or
            batch norm is left of them.
        layout: `HWIO`, `OIHW` or `IOHW`; only where neither the name nor the pair tells it.

    Raises:
        ValueError: an unknown criterion, unit or rule, indices that the layer does not have, or a pair that is needed
            and not given.
        InputError: a file that cannot be read in full, no such layer, a layout that cannot be told, a pair of another
            kernel.

    Section 4.2 of the paper.

    >>> kernel = np.arange(6.0).reshape(1, 1, 2, 3)
    >>> edited, removed = remove_filters({"conv": {"kernel": kernel}}, "conv", remove="lowest", count=2)
    >>> edited["conv"]["kernel"].tolist(), removed.indices.tolist(), removed.values.tolist()
    ([[[[0.0, 0.0, 0.0], [3.0, 4.0, 5.0]]]], [[0, 1], [0, 2]], [1.0, 4.0])
    """
    if next_layer is not None and unit != "channel":
        raise ValueError("next_layer goes with unit='channel'")
    arrays = open_network(network)
    name = find_kernel(arrays, layer)
    array = np.asarray(arrays.named[name])
    groups = 1 if pair is None else pair.first_groups
    reference = None if pair is None else np.asarray(pair.first)
    layout_here = find_layout(name, array, layout=layout, reference=reference, groups=groups)
    kernel = to_flax(array, layout_here, groups)

    values = criterion(kernel, by=by, pair=pair, unit=unit)
    chosen = choose(values, remove=remove, count=count, below=below, above=above, indices=indices)
    mask = np.broadcast_to(chosen, kernel.shape[-2:])
    changed = {name: _without(arrays.named[name], mask_as(mask, layout_here, array.ndim - 2, groups))}
    if next_layer is not None:
        changed |= _silence(arrays, next_layer, chosen, pair=pair, layout=layout)
    left = (kernel != 0).any(tuple(range(kernel.ndim - 2))) & ~mask
    remaining = int((left if unit == "filter" else left.any(0)).sum())
    indices = np.argwhere(chosen)
    removed = Removed(name, by, unit, indices, values[chosen], values, values.size, remaining)
    return Edited(arrays.rebuild(changed), removed)


def _silence(
    arrays: Arrays, layer: str, channels: np.ndarray, *, pair: sdr.Cascade | None, layout: Layout | None
) -> dict[str, Any]:
    """The next layer's kernel without what reads these channels."""
    name = find_kernel(arrays, layer)
    array = np.asarray(arrays.named[name])
    groups = 1 if pair is None else pair.second_groups
    reference = None if pair is None else np.asarray(pair.second)
    layout = find_layout(name, array, layout=layout, reference=reference, groups=groups)
    inputs, outputs = to_flax(array, layout, groups).shape[-2:]
    if inputs * groups != len(channels):
        raise ValueError(f"{layer} reads {inputs * groups} channels, not the {len(channels)} of the edited layer")
    mask = np.repeat(channels.reshape(groups, inputs).T, outputs // groups, axis=1)
    return {name: _without(arrays.named[name], mask_as(mask, layout, array.ndim - 2, groups))}


def _without(array: Any, mask: np.ndarray) -> Any:
    if isinstance(array, jax.Array):
        return jnp.where(mask, jnp.zeros((), array.dtype), array)
    return np.where(mask, np.zeros((), array.dtype), array)
