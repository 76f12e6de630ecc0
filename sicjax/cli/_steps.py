"""The steps of a training run on the bar."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sicjax._progress import bar


@contextmanager
def steps_shown() -> Iterator[Callable[[int, int, dict[str, float]], Any]]:
    """A bar on a terminal, a line at every log elsewhere; yields what a run reports to."""
    with bar("step", note="compiling", stays=True, lines=True) as report:
        yield lambda step, steps, metrics: report(step, steps, in_words(metrics))


def in_words(metrics: dict[str, float]) -> str:
    """Metrics on one line, short; nothing of none.

    >>> in_words({"generator_loss": 0.69315, "images_per_second": 512.2})
    'G loss 0.693, 512 images/s'
    """
    numbers = dict(metrics)
    rate = numbers.pop("images_per_second", None)
    short = lambda name: name.replace("discriminator", "D").replace("generator", "G").replace("_", " ")
    parts = [f"{short(name)} {value:.3g}" for name, value in numbers.items()]
    return ", ".join(parts + ([f"{rate:.0f} images/s"] if rate else []))
