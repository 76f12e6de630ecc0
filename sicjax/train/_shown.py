"""The steps of a training run on the bar."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sicjax._progress import bar

# As short as they are told.
_SHORT = {
    "generator_loss": "G",
    "discriminator_loss": "D",
    "real_right": "real",
    "fake_right": "fake",
}


@contextmanager
def shown(*, every: float = 0.0, stays: bool = True) -> Iterator[Callable[[int, int, dict[str, float]], Any]]:
    """A bar on a terminal, lines elsewhere, as in a notebook; yields what a run, or several one by one, report to.

    `with train.shown() as progress: train.vae(config, "runs/vae", progress=progress)`

    Arguments:
        every: seconds between lines at least.
        stays: leave the bar on the terminal at the end.
    """
    with bar("step", note="compiling", stays=stays, lines=True, every=every) as report:
        yield lambda step, steps, metrics: report(step, steps, in_words(metrics))


def in_words(metrics: dict[str, float]) -> str:
    """Metrics on one line, short; nothing of none.

    >>> in_words({"generator_loss": 0.69315, "real_right": 0.5, "images_per_second": 512.2})
    'G 0.693, real 0.5, 512 images/s'
    """
    numbers = dict(metrics)
    rate = numbers.pop("images_per_second", None)
    parts = [f"{_SHORT.get(name, name.replace('_', ' '))} {value:.3g}" for name, value in numbers.items()]
    return ", ".join(parts + ([f"{rate:.0f} images/s"] if rate else []))
