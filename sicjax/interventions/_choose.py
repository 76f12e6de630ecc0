"""Which of the numbers are the lowest or highest."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from jaxtyping import Bool, Float

End: TypeAlias = Literal["lowest", "highest"]


def choose(
    values: Float[np.ndarray, "*n"],
    *,
    remove: End | None = None,
    count: int | None = None,
    below: float | None = None,
    above: float | None = None,
) -> Bool[np.ndarray, "*n"]:
    """The `count` lowest or highest numbers, or all below or above a threshold; never one that is NaN.

    Of equal numbers those that come first are taken first.

    Raises:
        ValueError: not exactly one of `count`, `below` and `above`, a `count` without a `remove` or beyond the numbers
            there are.

    >>> choose(np.array([3.0, 1.0, np.nan, 2.0]), remove="lowest", count=2)
    array([False,  True, False,  True])
    """
    if sum(given is not None for given in (count, below, above)) != 1:
        raise ValueError(f"give exactly one of count, below and above, got {count}, {below} and {above}")
    if remove not in (None, "lowest", "highest"):
        raise ValueError(f"remove must be 'lowest' or 'highest', got {remove!r}")
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
