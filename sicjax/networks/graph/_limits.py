"""Sizes beyond those of all real networks: a file can ask for any in a few bytes, which would only take memory."""

from __future__ import annotations

from sicjax._errors import InputError

# Strides, dilations, sizes of a window, factors of a resize.
LONGEST = 4096
# Taps of one fixed filter, those of all filters between two layers, and weights of a layer that they are folded into.
MOST_TAPS = 2**12
FARTHEST = 2**20
MOST_FOLDED = 2**28
# Places along an axis, channels of a value, parts that it is cut into, branches that a reduction adds up.
MOST_PLACES = 2**24
MOST_CHANNELS = 2**18
MOST_PARTS = 10_000
MOST_BRANCHES = 64
# Convolutions of a network, and pairs of them: beyond, it is refused rather than measured for hours.
MOST_LAYERS = 20_000
MOST_PAIRS = 100_000


def check_count(count: int, most: int, what: str) -> None:
    """Refuses a network of more layers or pairs than anyone measures."""
    if count > most:
        raise InputError(f"the network has more than {most:,} {what}")
