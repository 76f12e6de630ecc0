"""One number of a claim against what the claim says of it, with p-values for both, and several of them together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from scipy.special import stdtr, stdtrit

from sicjax.experiments._ranks import holm

ALPHA = 0.025

Rule = Literal["above", "below", "within"]
Verdict = Literal["holds", "fails", "undecided"]
On = Literal["ratio", "adaptation", "coupling"]


class Tested(NamedTuple):
    """A number of a claim.

    Attributes:
        what: in words.
        values: one a seed, or a seed's difference.
        against: without seeds in common the other side's values, which the mean of `values` is compared with.
        rule: where the claim says that the number is.
        bound: of the rule; of `within` the largest distance from `centre`.
        centre: of `within`.
        mean: of the number.
        low: of its 95 % interval; None of a single value.
        high: of the same.
        p_there: for being where the claim says, one-sided.
        p_elsewhere: for not being there.
        verdict: after Holm's correction over the parts of a judgement; see `judged`.
    """

    what: str
    values: tuple[float, ...]
    against: tuple[float, ...]
    rule: Rule
    bound: float
    centre: float
    mean: float
    low: float | None
    high: float | None
    p_there: float
    p_elsewhere: float
    verdict: Verdict = "undecided"

    @property
    def there(self) -> bool:
        """Whether the mean is where the claim says, whatever its interval."""
        lower, upper = _limits(self.rule, self.bound, self.centre)
        return lower < self.mean < upper


def by_test(
    what: str,
    values: Sequence[float],
    rule: Rule,
    bound: float = 0.0,
    *,
    centre: float = 0.0,
    against: Sequence[float] = (),
) -> Tested:
    """A number tested against a rule by Student's t, or Welch's where there is another side.

    >>> found = by_test("mean", [1.0, 1.1, 0.9], "above")
    >>> found.p_there < 0.01 < found.p_elsewhere
    True
    """
    mean, error, freedom = _mean(values, against)
    lower, upper = _limits(rule, bound, centre)
    over_lower, under_upper = _over(mean - lower, error, freedom), _over(upper - mean, error, freedom)
    half = float(stdtrit(freedom, 1 - ALPHA)) * error if freedom else math.inf
    known = math.isfinite(half)
    return Tested(
        what,
        tuple(map(float, values)),
        tuple(map(float, against)),
        rule,
        float(bound),
        float(centre),
        mean,
        mean - half if known else None,
        mean + half if known else None,
        max(over_lower, under_upper),
        min(_over(lower - mean, error, freedom), _over(mean - upper, error, freedom)),
    )


def _limits(rule: Rule, bound: float, centre: float) -> tuple[float, float]:
    if rule == "within":
        return centre - bound, centre + bound
    return (bound, math.inf) if rule == "above" else (-math.inf, bound)


def _mean(values: Sequence[float], against: Sequence[float]) -> tuple[float, float, float]:
    """Mean, its standard error, and degrees of freedom; none of one value, nor of values that are all the same.

    A mode is read off bins: two seeds that share one are not known more precisely than others.
    """
    mean = float(np.mean(values)) - (float(np.mean(against)) if len(against) else 0.0)
    sides = [side for side in (values, against) if len(side)]
    if any(len(side) < 2 for side in sides):
        return mean, math.inf, 0.0
    squares = [float(np.var(side, ddof=1)) / len(side) for side in sides]
    total = sum(squares)
    if total == 0:
        return mean, math.inf, 0.0
    freedom = total**2 / sum(square**2 / (len(side) - 1) for square, side in zip(squares, sides, strict=True))
    return mean, math.sqrt(total), freedom


def _over(distance: float, error: float, freedom: float) -> float:
    """p-value for the true distance being above 0."""
    if math.isinf(distance):
        return 0.0 if distance > 0 else 1.0
    if not freedom:
        return 1.0
    return float(stdtr(freedom, -distance / error))


class Judgement(NamedTuple):
    """A claim on one quantity.

    Attributes:
        on: the quantity.
        says: the claim in its terms.
        parts: what it is judged by.
        verdict: holds if every part does, fails if one fails.
        lacks: what keeps it from being judged: runs that are not done, measures that none passed.
    """

    on: On
    says: str
    parts: tuple[Tested, ...]
    verdict: Verdict
    lacks: tuple[str, ...] = ()


def judged(on: On, says: str, parts: Sequence[Tested], lacks: Sequence[str] = ()) -> Judgement:
    """The verdict of all parts, Holm's correction over them; of what lacks something it can still be that it fails."""
    there, elsewhere = (holm([getattr(each, key) for each in parts]) for key in ("p_there", "p_elsewhere"))
    told = [
        each._replace(verdict="holds" if yes < ALPHA else "fails" if no < ALPHA else "undecided")
        for each, yes, no in zip(parts, there, elsewhere, strict=True)
    ]
    verdicts = {each.verdict for each in told}
    verdict: Verdict = "fails" if "fails" in verdicts else "undecided"
    if verdicts == {"holds"} and not lacks:
        verdict = "holds"
    return Judgement(on, says, tuple(told), verdict, tuple(dict.fromkeys(lacks)))
