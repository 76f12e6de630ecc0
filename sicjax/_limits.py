"""What a file may ask for: a few bytes can ask for any size. No real network comes near these limits.

Two totals bound the reading of a file, whatever is in it: the steps that it takes, and the bytes that are made of it.
They are counted, not timed, so that a file is read on every machine or on none, unless a user gives a `Limit` instead.
The others bound single settings.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import NamedTuple

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


class OutOfTime(OverLimit):
    """A file that took longer than a user let it."""


class Limit(NamedTuple):
    """What a file may take where a user says so, in place of what is counted.

    Attributes:
        seconds: for reading and measuring it; steps are then not counted. It is looked at between steps and between
            pairs: a step that takes long ends before the reason is told.
        memory: bytes that are made in reading it, whatever its size.
    """

    seconds: float | None = None
    memory: int | None = None


class _Given(NamedTuple):
    """A limit, and when its time is over."""

    limit: Limit
    ends: float | None


class _Left:
    """What is left to a network that is read, and the files that it is in."""

    def __init__(self, limit: Limit) -> None:
        self.steps = MOST_STEPS if limit.seconds is None else None
        self.made = MOST_MADE if limit.memory is None else limit.memory
        self.each = MADE_EACH if limit.memory is None else 0
        self.files: set[Path] = set()


_NONE = _Given(Limit(), None)
_given: ContextVar[_Given] = ContextVar("given", default=_NONE)
_left: ContextVar[_Left | None] = ContextVar("left", default=None)


@contextmanager
def within(limit: Limit | None) -> Iterator[None]:
    """Bounds one file by what a user gave; inside of another limit, by that one."""
    if limit is None or _given.get() is not _NONE:
        yield
        return
    token = _given.set(_Given(limit, None if limit.seconds is None else time.monotonic() + limit.seconds))
    try:
        yield
    finally:
        _given.reset(token)


def in_time(file: str = "", done: str = "") -> None:
    """Looks at the clock.

    Arguments:
        file: to be told, where the caller does not name it.
        done: how far it came, to be told.

    Raises:
        OutOfTime: the time that a user gave is over.
    """
    limit, ends = _given.get()
    if ends is not None and time.monotonic() > ends:
        name, far = f"{file}: " if file else "", f", {done}" if done else ""
        raise OutOfTime(f"{name}it takes more than the {limit.seconds:g} seconds that it was given{far}: give it more")


@contextmanager
def reading(file: Path, size: int) -> Iterator[None]:
    """Bounds what is done inside by what a file of so many bytes may ask for; inside of another, together with it."""
    token = _left.set(_left.get() or _Left(_given.get().limit))
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
        left.made += left.each * size


def spend(steps: int) -> None:
    """Counts steps. Outside of `reading`, as for a user's own module, there is no limit but time.

    Raises:
        OverLimit: no more are left.
    """
    in_time()
    left = _left.get()
    if left is not None and left.steps is not None:
        left.steps -= steps
        if left.steps < 0:
            raise OverLimit(
                f"the network takes more than {MOST_STEPS:,} steps to follow: save a part of it, or give it a limit in "
                "seconds instead"
            )


def make(size: int, what: str = "") -> None:
    """Counts bytes that are about to be made, as `spend` counts steps.

    Raises:
        OverLimit: no more are left.
    """
    in_time()
    left, given = _left.get(), _given.get().limit.memory
    if left is not None:
        left.made -= int(size)
        if left.made < 0:
            may = f"{MOST_MADE:,} and {MADE_EACH} times its own size" if given is None else f"the {given:,} given"
            raise OverLimit(
                f"with its {min(size, 10**18):,} bytes the file takes more than it may, {may}: if you trust it, "
                "give it a higher limit, or save its kernels alone, as .safetensors",
                what,
            )


def check_count(count: int, most: int, what: str) -> None:
    """Refuses a network of more layers or pairs than anyone measures."""
    if count > most:
        raise OverLimit(f"the network has more than {most:,} {what}")
