"""What the numbers of a network say in plain sentences, from the calibrated readings alone."""

from __future__ import annotations

import math
import statistics
from array import array
from collections.abc import Iterable, Sequence

from scipy import special

from sicjax.measure import Row
from sicjax.report._page import short

# How often chance calls one pair coupled, or adapted beyond `BEYOND` standard deviations; see docs/meaning.md.
CHANCE, BEYOND = 0.01, 2.6
# Of a chance below this nobody knows more than that it is small.
CHECKED = 1e-5
# Above this chance of so many pairs being called so, they are said to be no more than chance shows.
SURPRISING = 0.05
# So many pairs are named in a sentence.
FEW = 3
FRAMES = ("no shared lag", "too few channels")


class Counts:
    """What is said of any number of pairs, without holding them.

    Attributes:
        pairs: all.
        structural: whose ratios are 1 whatever the weights.
        narrow: that have too few channels to be read.
        read: the others, of which everything below is.
        coupled: beyond chance.
        strongly: coupled, and at least a third of what there could be.
        raised: whose adaptation is above 0 beyond chance.
        lowered: whose adaptation is below 0 beyond chance.
        adapted: raised or lowered.
        matched: strong kernels meet strong ones.
        opposed: strong kernels meet weak ones.
        named: names of the first that are matched or opposed, `FEW` at most.
        pathways: of all pairs.
        undefined: of these.
    """

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        self.pairs = self.structural = self.narrow = self.read = self.coupled = self.strongly = 0
        self.raised = self.lowered = self.matched = self.opposed = self.pathways = self.undefined = 0
        self.named: list[str] = []
        # The least chance of all, of which less than `CHECKED` is not told apart.
        self.least_coupled = self.least_adapted = 1.0
        # Of the pairs that are not structural; numbers of a hundred thousand pairs are to be held, so not as objects.
        self.means, self.shuffled, self.shares = array("d"), array("d"), array("d")
        for row in rows:
            self.add(row)

    @property
    def adapted(self) -> int:
        return self.raised + self.lowered

    def add(self, row: Row) -> None:
        """One more pair."""
        frame, *energies = row.reading.split(", ")
        self.pairs += 1
        self.pathways += row.pathways
        self.undefined += row.undefined
        self.structural += row.structural
        self.narrow += frame == "too few channels"
        if not row.structural and math.isfinite(row.mean):
            self.means.append(row.mean)
            self.shuffled.append(row.null_mean)
            # Of parts that go opposite ways neither is a share.
            if row.marginal * row.adaptation >= 0 and row.marginal + row.adaptation != 0:
                self.shares.append(row.marginal / (row.marginal + row.adaptation))
        self.matched += energies == ["energies matched"]
        self.opposed += energies == ["energies opposed"]
        if energies and len(self.named) < FEW:
            self.named.append(short(row.name))
        if frame in FRAMES:
            return
        self.read += 1
        self.coupled += frame in ("coupled", "strongly coupled")
        self.strongly += frame == "strongly coupled"
        self.raised += row.z > BEYOND
        self.lowered += row.z < -BEYOND
        if frame in ("coupled", "strongly coupled"):
            self.least_coupled = min(self.least_coupled, max(CHECKED, row.coupling_p))
        if math.isfinite(row.z):
            self.least_adapted = min(self.least_adapted, max(CHECKED, 2 * float(special.ndtr(-abs(row.z)))))


def lead(counts: Counts) -> str:
    """One sentence, after another where most pairs cannot be read."""
    if counts.read and 2 * counts.structural > counts.pairs:
        blind = f"In {counts.structural:,} of {counts.pairs:,} pairs of layers every ratio is 1 whatever the weights: "
        return f"{blind}their kernels share no lag. {_lead(counts)}"
    return _lead(counts)


def _lead(counts: Counts) -> str:
    n = counts.read
    if not counts.pairs:
        return "No two convolutions follow each other here, so there is nothing to measure."
    if not n:
        return "No pair of layers here can be read: they share no lag, or have fewer than 8 channels between them."
    if _surprising(counts.coupled, n, counts.least_coupled):
        return f"{_are(counts.coupled, n)} coupled beyond chance: the kernels that meet in a channel belong together."
    if _surprising(counts.adapted, n, counts.least_adapted):
        none = "none is" if n > 1 else "not"
        return f"{_are(counts.adapted, n)} adapted beyond chance, though {none} coupled beyond it."
    if counts.coupled:
        return f"{_are(counts.coupled, n)} called coupled, which is no more than chance shows."
    if counts.adapted:
        return f"None of {_number(n, 'pair')} is coupled; {counts.adapted:,} adapted, no more than chance shows."
    if n == 1:
        return "The one pair of layers that can be read is neither coupled nor adapted beyond chance."
    return "No two layers here are coupled, or adapted, beyond chance."


def glance(counts: Counts) -> list[tuple[str, str]]:
    """A few numbers to begin with, each under its name."""
    found = [("pairs of layers", f"{counts.pairs:,}"), ("pathways", _large(counts.pathways))]
    if counts.means:
        found.append(("mean ratio" + ", median" * (len(counts.means) > 1), f"{statistics.median(counts.means):.3f}"))
    if counts.read:
        found += [
            ("coupled", f"{counts.coupled:,} of {counts.read:,}"),
            ("adapted", f"{counts.adapted:,} of {counts.read:,}"),
        ]
    return found


def _large(count: int) -> str:
    """A count of at most four digits.

    >>> _large(999), _large(32_006_144), _large(2 * 10**12)
    ('999', '32 million', '2,000 billion')
    """
    for size, name in ((10**9, "billion"), (10**6, "million")):
        if count >= size:
            return f"{count / size:,.3g} {name}" if count < 1000 * size else f"{count / size:,.0f} {name}"
    return f"{count:,}"


def sentences(counts: Counts) -> list[str]:
    """What there is to say, most important first; every number of it is in the table."""
    if not counts.pairs:
        return []
    said = [
        f"{_number(counts.pairs, 'pair')} of convolutions with no other between them, and "
        f"{counts.pathways:,} pathways through them. Each pathway has one ratio, which is 1 on average if its two "
        "kernels have nothing to do with each other."
    ]
    if counts.means:
        said.append(_ratios(counts))
    if counts.read:
        said += [_coupling(counts), _adaptation(counts)]
    if counts.matched or counts.opposed:
        matched = _number(counts.matched, "pair") if counts.matched else "no pair"
        named = f" ({', '.join(counts.named)})" * (counts.matched + counts.opposed == len(counts.named))
        said.append(
            f"How strong the kernels are: in {matched} strong ones meet strong ones (energies matched), in "
            f"{counts.opposed or 'none'} strong ones meet weak ones (opposed){named}. Chance alone calls one pair in a "
            f"hundred so{_here(counts.pairs - counts.narrow)}. No ratio sees this, and a batch norm between the layers "
            "may undo it."
        )
    return said + _left_out(counts)


def _ratios(counts: Counts) -> str:
    low, middle, high = _range(counts.means)
    above = sum(mean > null for mean, null in zip(counts.means, counts.shuffled, strict=True))
    said = (
        f"The mean ratio is {middle:.3f}; with the taps of every kernel shuffled it would be {counts.shuffled[0]:.3f}."
        if len(counts.means) == 1
        else f"The mean ratios lie between {low:.3f} and {high:.3f} (median {middle:.3f}); with the taps of every "
        f"kernel shuffled they would lie at {_span(counts.shuffled)}, and {above:,} of {len(counts.means):,} lie above "
        "theirs."
    )
    if counts.shares:
        share, several, all_of_them = _range(counts.shares)[1], len(counts.means) > 1, len(counts.means)
        of = f" of the {_number(len(counts.shares), 'pair')} in which both parts go the same way"
        said += (
            f" Of the departure from 1, {share:.0%} is marginal{' in the median' * several}"
            f"{of * (len(counts.shares) < all_of_them)}: each layer's own preference for some frequencies, which any "
            "pairing of its kernels would show."
        )
    return said


def _coupling(counts: Counts) -> str:
    n, strongly = counts.read, "" if not counts.strongly else f", {counts.strongly:,} of them strongly"
    if counts.strongly == counts.coupled > 0:
        strongly = ", strongly"
    said = f"{_are(counts.coupled, n)} coupled{strongly} (kernels that meet in a channel go together in some way). "
    said += f"Chance alone calls one pair in a hundred so{_here(n)}."
    if not _surprising(counts.coupled, n, counts.least_coupled):
        said += (
            " That is not the same as untrained: nearly half of 318 pairs of trained public networks look like this, "
            "those of 32 channels and fewer most often."
        )
    return said


def _adaptation(counts: Counts) -> str:
    n, pairing = counts.read, "the real pairing of the kernels"
    if not counts.adapted:
        said = f"In that pair {pairing} does not move" if n == 1 else f"In none of {n:,} pairs does {pairing} move"
        return f"{said} the mean ratio beyond chance (adaptation, |z| above 2.6)."
    if n == 1:
        does, which = ("raises", "the same") if counts.raised else ("lowers", "other")
        said = (
            f"In that pair {pairing} {does} the mean ratio beyond chance (kernels that meet pass {which} frequencies)."
        )
    else:
        said = (
            f"In {counts.raised:,} of {n:,} pairs {pairing} raises the mean ratio beyond chance (kernels that meet "
            f"pass the same frequencies), in {counts.lowered:,} it lowers it (they pass other ones)."
        )
    more = "" if _surprising(counts.adapted, n, counts.least_adapted) else ": so many are no more than it shows"
    return f"{said} Chance alone does either in one pair of a hundred{_here(n)}{more}."


def _left_out(counts: Counts) -> list[str]:
    said = []
    if counts.structural:
        said.append(
            f"{_number(counts.structural, 'pair')} can show nothing but energies: the kernels share no lag (1 x 1, or "
            "not larger than the stride), so every ratio is 1 whatever the weights."
        )
    if counts.narrow:
        said.append(f"{_number(counts.narrow, 'pair')} with fewer than 8 channels between the layers are not read.")
    if counts.undefined:
        said.append(f"{_number(counts.undefined, 'pathway')} have a kernel that is all zero, and are in no number.")
    return said


def _surprising(count: int, of: int, least: float) -> bool:
    """Whether chance would rarely call so many so, or any of so many as clearly (Bonferroni)."""
    if not count:
        return False
    return min(float(special.bdtrc(count - 1, of, CHANCE)), of * least) <= SURPRISING


def _are(count: int, n: int) -> str:
    """How many of so many pairs, with the verb.

    >>> _are(1, 4), _are(4, 4), _are(0, 1)
    ('1 of 4 pairs of layers is', 'All 4 pairs of layers are', 'The one pair of layers that can be read is not')
    """
    if n == 1:
        return f"The one pair of layers that can be read is{'' if count else ' not'}"
    if count in (0, n):
        return f"All {n:,} pairs of layers are" if count else f"None of {n:,} pairs of layers is"
    return f"{count:,} of {n:,} pairs of layers {'is' if count == 1 else 'are'}"


def _number(count: int, what: str) -> str:
    """A count with its noun.

    >>> _number(1, "pair"), _number(2000, "pair")
    ('1 pair', '2,000 pairs')
    """
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _here(n: int) -> str:
    """How many of so many chance calls so, in words; nothing of one.

    >>> _here(4), _here(638), _here(1)
    (', here 0.04', ', here about 6', '')
    """
    expected = n * CHANCE
    return "" if n == 1 else f", here about {expected:.0f}" if expected >= 3 else f", here {expected:.2g}"


def _span(values: Sequence[float]) -> str:
    low, _, high = _range(values)
    return f"{low:.3f}" if f"{low:.3f}" == f"{high:.3f}" else f"{low:.3f} to {high:.3f}"


def _range(values: Sequence[float]) -> tuple[float, float, float]:
    """Least, median, largest."""
    return min(values), statistics.median(values), max(values)
