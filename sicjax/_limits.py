"""What a file may ask for: a few bytes can ask for any size. No real network comes near these limits.

Two totals bound the reading of a file, whatever is in it: the steps that it takes, and the bytes that are made of it.
They are counted, not timed, so that a file is read on every machine or on none. The others bound single settings.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from sicjax._errors import InputError

# Operations that are followed and values that meet in them: half a minute.
MOST_STEPS = 100_000
# Bytes that are made beyond the file's own, and for each of these: kernels of half precision or fewer bits become four
# times as large, and computing what a parametrisation makes of them takes several copies; archives are compressed.
MOST_MADE = 2**29
MADE_EACH = 20
# Bytes that a byte of JSON or of a pickle, a byte of code, and an empty container become in Python.
OF_TEXT, OF_CODE, OF_CONTAINER = 32, 400, 128

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
MOST_PAIRS = 20_000


class OverLimit(InputError):
    """A file that asks for more than any real network; `what` in it does, if known."""

    def __init__(self, reason: str, what: str = "") -> None:
        super().__init__(f"{what:.100}: {reason}" if what else reason)
        self.reason, self.what = reason, what


class _Left:
    """What is left to a network that is read, and the files that it is in."""

    def __init__(self) -> None:
        self.steps, self.made = MOST_STEPS, MOST_MADE
        self.files: set[Path] = set()


_left: ContextVar[_Left | None] = ContextVar("left", default=None)


@contextmanager
def reading(file: Path, size: int) -> Iterator[None]:
    """Bounds what is done inside by what a file of so many bytes may ask for; inside of another, together with it."""
    token = _left.set(_left.get() or _Left())
    try:
        allow(file, size)
        yield
    finally:
        _left.reset(token)


def allow(file: Path, size: int) -> None:
    """Allows for what another file of the network is going to ask for."""
    left = _left.get()
    if left is not None and file not in left.files:
        left.files.add(file)
        left.made += MADE_EACH * size


def spend(steps: int) -> None:
    """Counts steps. Outside of `reading`, as for a user's own module, there is no limit.

    Raises:
        OverLimit: no more are left.
    """
    left = _left.get()
    if left is not None:
        left.steps -= steps
        if left.steps < 0:
            raise OverLimit(f"the network takes more than {MOST_STEPS:,} steps to follow: save a part of it")


def make(size: int, what: str = "") -> None:
    """Counts bytes that are about to be made, as `spend` counts steps.

    Raises:
        OverLimit: no more are left.
    """
    left = _left.get()
    if left is not None:
        left.made -= int(size)
        if left.made < 0:
            raise OverLimit(
                f"with its {min(size, 10**18):,} bytes the file takes more than it may, {MOST_MADE:,} and {MADE_EACH} "
                "times its own size: if you trust it, save its kernels alone, as .safetensors",
                what,
            )


def check_count(count: int, most: int, what: str) -> None:
    """Refuses a network of more layers or pairs than anyone measures."""
    if count > most:
        raise OverLimit(f"the network has more than {most:,} {what}")
