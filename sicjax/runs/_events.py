"""TensorBoard events beside the logs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sicjax._errors import missing_package
from sicjax.runs._places import Places


class Events:
    """Scalars for TensorBoard; those of an earlier run after the step it goes on from are hidden."""

    def __init__(self, places: Places, step: int) -> None:
        self._writer = summary_writer()(str(places.tensorboard), purge_step=step + 1)

    def add(self, name: str, step: int, values: Mapping[str, Any]) -> None:
        for key, value in _flat(values):
            self._writer.add_scalar(f"{name}/{key}", value, step)

    def close(self) -> None:
        self._writer.close()


def summary_writer() -> Any:
    """The class that writes events.

    Raises:
        InputError: tensorboardX is not installed.
    """
    try:
        from tensorboardX import SummaryWriter
    except ImportError as error:
        raise missing_package("tensorboardX", "tensorboard", "TensorBoard events") from error
    return SummaryWriter


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}/")
        elif value is not None:
            yield prefix + key, value
