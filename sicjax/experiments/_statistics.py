"""Numbers over seeds: mean, interval, and what follows from them for a claim."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from scipy.special import stdtrit

CONFIDENCE = 0.95

Rule = Literal["above", "below", "within"]
Verdict = Literal["holds", "fails", "undecided"]
Quantity = Literal["ratio", "adaptation"]


class Estimate(NamedTuple):
    """A mean over seeds with its interval of Student's t; without one for a single seed.

    Attributes:
        mean: of the values.
        low: lower end of the interval, or None.
        high: upper end, or None.
        n: how many values.
        values: one a seed.
    """

    mean: float
    low: float | None
    high: float | None
    n: int
    values: tuple[float, ...]


def estimate(values: Iterable[float], confidence: float = CONFIDENCE) -> Estimate:
    """The mean of values and its interval.

    >>> found = estimate([1.0, 2.0, 3.0])
    >>> found.mean, round(found.low, 2), round(found.high, 2)
    (2.0, -0.48, 4.48)
    """
    given = tuple(float(value) for value in values)
    n, mean = len(given), float(np.mean(given))
    if n < 2 or not math.isfinite(mean):
        return Estimate(mean, None, None, n, given)
    half = float(stdtrit(n - 1, (1 + confidence) / 2)) * float(np.std(given, ddof=1)) / math.sqrt(n)
    return Estimate(mean, mean - half, mean + half, n, given)


class Part(NamedTuple):
    """One number that a claim is judged by.

    Attributes:
        what: the number, in words.
        found: the number, over seeds.
        null: the same number where the claim says nothing: kernels with shuffled taps, or random pairing.
        rule: where the claim says that the number is.
        bound: the limit of the rule; of `within` the largest distance from `centre`.
        centre: of `within`.
        verdict: whether the whole interval is there, outside, or neither.
        point: whether the mean itself is there.
    """

    what: str
    found: Estimate
    null: float | None
    rule: Rule
    bound: float
    centre: float
    verdict: Verdict
    point: bool


def by_interval(
    what: str,
    values: Sequence[float],
    rule: Rule,
    bound: float = 0.0,
    *,
    centre: float = 0.0,
    null: Sequence[float] | float | None = None,
    tests: int = 1,
) -> Part:
    """A number judged: `above` or `below` a bound, or `within` a distance of a centre.

    `tests` is how many such numbers are looked at for the best one; the interval widens with it (Bonferroni).

    >>> by_interval("mean", [1.0, 1.1, 0.9], "above").verdict, by_interval("mean", [1.0], "above").verdict
    ('holds', 'undecided')
    """
    found = estimate(values, 1 - (1 - CONFIDENCE) / tests)
    lower, upper = {
        "above": (bound, math.inf),
        "below": (-math.inf, bound),
        "within": (centre - bound, centre + bound),
    }[rule]
    verdict: Verdict = "undecided"
    if found.low is not None and found.high is not None:
        if lower < found.low and found.high < upper:
            verdict = "holds"
        elif found.high < lower or found.low > upper:
            verdict = "fails"
    mean_null = None if null is None else float(np.mean(null))
    return Part(what, found, mean_null, rule, bound, centre, verdict, lower < found.mean < upper)


class Judged(NamedTuple):
    """A claim on one quantity: holds if every part does, fails if one fails.

    Attributes:
        on: `ratio`, as the paper judges, or `adaptation`.
        says: the claim in these terms.
        parts: the numbers it is judged by.
        verdict: of all parts together.
    """

    on: Quantity
    says: str
    parts: tuple[Part, ...]
    verdict: Verdict


def judged(on: Quantity, says: str, parts: Sequence[Part]) -> Judged:
    """A claim with the verdict of all its parts."""
    verdicts = {each.verdict for each in parts}
    verdict: Verdict = "fails" if "fails" in verdicts else "holds" if verdicts == {"holds"} else "undecided"
    return Judged(on, says, tuple(parts), verdict)


def as_json(value: Any) -> Any:
    """Tuples with names become dicts, arrays lists, numbers that are not finite None."""
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return as_json(value._asdict())
    if isinstance(value, dict):
        return {str(key): as_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_json(item) for item in value]
    if isinstance(value, np.ndarray):
        return as_json(value.tolist())
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, (np.integer, np.bool_)):
        return value.item()
    return value
