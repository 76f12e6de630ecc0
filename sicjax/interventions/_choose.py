"""Which of the numbers are the lowest or highest."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from jaxtyping import Bool, Float
from numpy.typing import ArrayLike

End: TypeAlias = Literal["lowest", "highest"]


def choose(
    values: Float[np.ndarray, "*n"],
    *,
    remove: End | None = None,
    count: int | None = None,
    below: float | None = None,
    above: float | None = None,
    indices: ArrayLike | None = None,
) -> Bool[np.ndarray, "*n"]:
    """The `count` lowest or highest numbers, or all below or above a threshold, never one that is NaN; or given ones.

    Of equal numbers those that come first are taken first.

    Raises:
        ValueError: not exactly one of `count`, `below`, `above` and `indices`, a `count` without a `remove` or beyond
            the numbers there are, indices that are not whole numbers, of other axes, outside or given twice.

    >>> choose(np.array([3.0, 1.0, np.nan, 2.0]), remove="lowest", count=2)
    array([False,  True, False,  True])
    """
    rules = {"count": count, "below": below, "above": above, "indices": indices}
    given = [name for name, rule in rules.items() if rule is not None]
    if len(given) != 1:
        raise ValueError(f"give exactly one of count, below, above and indices, got {', '.join(given) or 'none'}")
    if remove not in (None, "lowest", "highest"):
        raise ValueError(f"remove must be 'lowest' or 'highest', got {remove!r}")
    if indices is not None:
        if remove is not None:
            raise ValueError(f"indices state themselves what goes: leave out remove={remove!r}")
        return _at(indices, values.shape)
    if count is None:
        if remove == ("highest" if above is None else "lowest"):
            raise ValueError(f"a threshold states the end itself: leave out remove={remove!r}")
        return values < below if above is None else values > above
    defined = int(np.isfinite(values).sum())
    if remove is None:
        raise ValueError("a count needs remove='lowest' or 'highest'")
    if not 0 <= count <= defined:
        raise ValueError(f"count must be between 0 and the {defined} that are defined, got {count}")
    # NaN comes last in a sort of either sign.
    order = np.argsort((values if remove == "lowest" else -values).ravel(), kind="stable")
    chosen = np.zeros(values.size, bool)
    chosen[order[:count]] = True
    return chosen.reshape(values.shape)


def _at(indices: ArrayLike, shape: tuple[int, ...]) -> Bool[np.ndarray, "*n"]:
    """True at the indices alone."""
    places = np.asarray(indices)
    if places.size == 0:
        return np.zeros(shape, bool)
    if places.ndim == 1 and len(shape) == 1:
        places = places[:, None]
    if places.ndim != 2 or places.shape[1] != len(shape) or not np.issubdtype(places.dtype, np.integer):
        raise ValueError(
            f"indices must be whole numbers of shape (n, {len(shape)}), got {places.dtype} of shape {places.shape}"
        )
    outside = places[((places < 0) | (places >= shape)).any(1)]
    if len(outside):
        raise ValueError(f"indices must lie within {shape}, got {tuple(outside[0].tolist())}")
    chosen = np.zeros(shape, bool)
    chosen[tuple(places.T)] = True
    if chosen.sum() != len(places):
        raise ValueError(f"indices must differ, got {len(places)} of which {chosen.sum()} are different")
    return chosen
