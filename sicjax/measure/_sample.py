"""Some channels of a pair for all of them, where every pathway would be too many."""

from __future__ import annotations

import dataclasses
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Int

from sicjax import sdr

Channels: TypeAlias = Int[np.ndarray, " _"]


def sample(cascade: sdr.Cascade, most: int) -> tuple[sdr.Cascade, tuple[Channels, Channels, Channels]]:
    """The pair with up to `most` input, intermediate and output channels, from the first to the last evenly; and which
    these are."""
    first, second = map(np.asarray, cascade.aligned())
    i, m, o = (np.unique(np.linspace(0, n - 1, most).round().astype(int)) for n in cascade.shape)
    kernels: dict[str, Any] = {"first": first[..., i, :][..., m], "second": second[..., m, :][..., o]}
    return dataclasses.replace(cascade, **kernels, first_groups=1, second_groups=1), (i, m, o)
