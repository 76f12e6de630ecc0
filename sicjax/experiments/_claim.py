"""A claim of the paper: its words and its judge, which stand together in the experiment that it is judged from."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sicjax.experiments._statistics import Judged

Result: TypeAlias = Mapping[str, Any]
# On the ratio, as the paper judges, and on adaptation, which it did not know.
Verdicts: TypeAlias = tuple[Judged, Judged]


@dataclass(frozen=True)
class Claim:
    """A claim, called like its judge.

    Attributes:
        name: C1, C2, ...
        says: the claim in a sentence.
        judge: of the numbers that the claim is about.
        of: those numbers, what the judge is called with, from the experiment's result and from those of `also`.
        also: names of other experiments without which there is no judging.
        note: below the table of verdicts, what a reader of this one has to know.
    """

    name: str
    says: str
    judge: Callable[..., Verdicts]
    of: Callable[..., Sequence[Any]]
    also: tuple[str, ...] = ()
    note: str = ""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"C[1-9]\d*", self.name):
            raise ValueError(f"a claim is called C1, C2, ..., got {self.name!r}")
        if not self.says.strip():
            raise ValueError(f"claim {self.name} does not say anything: give it a sentence")
        if not callable(self.judge) or not callable(self.of):
            raise ValueError(f"claim {self.name} has no judge")
        try:
            inspect.signature(self.of).bind(None, *self.also)
        except TypeError as error:
            needed = ", ".join(("its own experiment", *self.also))
            raise ValueError(f"claim {self.name}: `of` is called with the results of {needed}: {error}") from error

    def __call__(self, *numbers: Any) -> Verdicts:
        """Judges numbers, wherever they come from."""
        return self.judge(*numbers)


def claim(
    name: str,
    says: str,
    *,
    of: Callable[..., Sequence[Any]] = lambda result: [result],
    also: tuple[str, ...] = (),
    note: str = "",
) -> Callable[[Callable[..., Verdicts]], Claim]:
    """Makes the function below it the judge of a claim; see `Claim`.

    >>> from sicjax.experiments._statistics import judged, by_interval
    >>> @claim("C1", "Ratios are close to 1.", of=lambda result: [result["mean"]])
    ... def near_one(mean):
    ...     parts = [by_interval("mean", mean, "within", 0.1, centre=1)]
    ...     return judged("ratio", "within 0.1 of 1", parts), judged("adaptation", "nothing", [])
    >>> near_one.name, near_one([1.01, 1.02, 0.99])[0].verdict
    ('C1', 'holds')
    """
    return lambda judge: Claim(name, says, judge, of, also, note)
