"""C1 to C9 as the plan judges them, each on the ratio, on adaptation and on coupling (`docs/replication/plan.md`).

A network is `Network`: what its levels show, seed by seed, and what the same numbers scatter by without training.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from sicjax.experiments._net import level_names
from sicjax.experiments._scores import MEASURES
from sicjax.experiments._tests import Judgement, On, Rule, Tested, by_test, judged

# A quarter of the null's interquartile range, and 1.2 of it: seven pathways in a hundred. z within 2: 19 of 20.
CENTRE, WIDTH, CHANCE = 0.25, 1.2, 2.0
CLAIMS: dict[str, str] = {
    "C1": "The generator's ratios concentrate around 1 at every level.",
    "C2": "The discriminator's are broader, most at the finest level, with a heavier tail below 1.",
    "C3": "VAE: the decoder's mode is at 1, the encoder's stays below.",
    "C4": "The VAE's decoder is broader than the GAN's generator.",
    "C5": "Removing low-ratio filters spares meaning, removing high-ratio filters removes colour.",
    "C6": "Dropout between the finest layers raises their dependence and spoils the images.",
    "C7": "A smaller beta gives more variety and more concentrated coarse ratios.",
    "C8": "At the finest level the worst model is slightly more concentrated.",
    "C9": "Enforcing independence may help.",
}

# By seed, the numbers of every level from the finest.
Levels: TypeAlias = Mapping[int, Sequence[Mapping[str, float]]]
Scores: TypeAlias = Mapping[int, Mapping[str, float]]


class Images(NamedTuple):
    """What the ladder of corruptions has shown of the measures of images.

    Attributes:
        passed: those that may judge, by family.
        floors: of each, its standard deviation between halves of real images.
    """

    passed: Mapping[str, Sequence[str]]
    floors: Mapping[str, float]

    def parts(
        self, scores: tuple[Scores, Scores], family: str, what: str, *, worse: bool
    ) -> tuple[list[Tested], list[str]]:
        """A part for every measure that may judge, of the seeds that both sides have; and what is lacking."""
        one, other = scores
        common, found = sorted({*one} & {*other}), []
        for key in self.passed[family]:
            sign = 1 if (MEASURES[key].better == "smaller") == worse else -1
            apart = [one[seed][key] - other[seed][key] for seed in common]
            rule: Rule = "above" if sign > 0 else "below"
            found.append(by_test(f"{MEASURES[key].name}, {what}", apart, rule, sign * 2 * self.floors[key]))
        return found, [] if found else [f"no measure of {family} ranks the ladder"]


class Network(NamedTuple):
    """A network over its seeds.

    Attributes:
        levels: `_net.numbers` of each seed.
        scatter: of each level and number, the standard deviation over untrained networks.
    """

    levels: Levels
    scatter: Sequence[Mapping[str, float]]

    def over_seeds(self, level: int, number: str) -> list[float]:
        return [self.levels[seed][level][number] for seed in sorted(self.levels)]

    @property
    def count(self) -> int:
        return min(len(levels) for levels in self.levels.values())


def c1(generator: Network) -> list[Judgement]:
    ratio, adaptation, coupling = [], [], []
    for k, name in enumerate(level_names(generator.count)):
        of = lambda number, k=k: generator.over_seeds(k, number)
        off, wide = "median, off 1 in IQRs of the null", "IQR over that of the null"
        ratio += [
            by_test(f"{name}: {off}", of(off), "within", CENTRE),
            by_test(f"{name}: {wide}", of(wide), "below", WIDTH),
        ]
        adaptation.append(by_test(f"{name}: z of adaptation", of("z of adaptation"), "within", CHANCE))
        coupling.append(by_test(f"{name}: z of coupling", of("z of coupling"), "below", CHANCE))
    return [
        judged(
            "ratio", "the median at 1 and no wider than shuffled taps, by what seven pathways in a hundred show", ratio
        ),
        judged("adaptation", "no more than random pairing shows", adaptation),
        judged("coupling", "no more than random pairing shows", coupling),
    ]


def c2(generator: Network, discriminator: Network) -> list[Judgement]:
    ratio = _wider(discriminator, generator, "discriminator minus generator", paired=True)
    apart = lambda k: _paired(discriminator, generator, k, "net std")
    count = min(discriminator.count, generator.count)
    if count > 1:
        most = np.subtract(apart(0), np.mean([apart(k) for k in range(1, count)], axis=0)).tolist()
        ratio.append(by_test("that difference of net std, finest minus the others", most, "above"))
    ratio.append(_difference("finest: net below", discriminator, generator, 0, "net below", "above", paired=True))
    every = {
        number: [
            _difference(f"{name}: {number}", discriminator, generator, k, number, "above", paired=True)
            for k, name in enumerate(_common(discriminator, generator))
        ]
        for number in ("size of adaptation", "coupling")
    }
    lower = _difference("finest: adaptation", discriminator, generator, 0, "adaptation", "below", paired=True)
    return [
        judged("ratio", "broader at every level, most at the finest, with more below 0.9 there", ratio),
        judged(
            "adaptation", "more at every level, and more negative at the finest", [*every["size of adaptation"], lower]
        ),
        judged("coupling", "more at every level", every["coupling"]),
    ]


def c3(encoder: Network, decoder: Network) -> list[Judgement]:
    ratio, adaptation, coupling = [], [], []
    for k, name in enumerate(level_names(decoder.count)):
        of = lambda number, k=k: decoder.over_seeds(k, number)
        off = "mode, off 1 in IQRs of the null"
        ratio.append(by_test(f"{name}: decoder's {off}", of(off), "within", CENTRE))
        adaptation.append(by_test(f"{name}: decoder's z of adaptation", of("z of adaptation"), "within", CHANCE))
        coupling.append(by_test(f"{name}: decoder's z of coupling", of("z of coupling"), "below", CHANCE))
    for k, name in enumerate(level_names(encoder.count)):
        of = lambda number, k=k: encoder.over_seeds(k, number)
        ratio.append(by_test(f"{name}: encoder's mode", of("mode"), "below", 1.0))
        bound = -2 * encoder.scatter[k]["net mode"]
        ratio.append(by_test(f"{name}: encoder's net mode", of("net mode"), "below", bound))
        adaptation.append(by_test(f"{name}: encoder's z of adaptation", of("z of adaptation"), "below", -CHANCE))
        coupling.append(by_test(f"{name}: encoder's z of coupling", of("z of coupling"), "above", CHANCE))
    return [
        judged("ratio", "the decoder's mode at 1, the encoder's below 1 and below that of shuffled taps", ratio),
        judged("adaptation", "none in the decoder, negative in the encoder", adaptation),
        judged("coupling", "none in the decoder, some in the encoder", coupling),
    ]


def c4(decoder: Network, generator: Network) -> list[Judgement]:
    what, names = "decoder minus generator", _common(decoder, generator)
    every = {
        number: [_difference(f"{n}: {number}", decoder, generator, k, number, "above") for k, n in enumerate(names)]
        for number in ("size of adaptation", "coupling")
    }
    return [
        judged("ratio", "broader at every level", _wider(decoder, generator, what)),
        judged("adaptation", "more at every level", every["size of adaptation"]),
        judged("coupling", "more at every level", every["coupling"]),
    ]


def c5(removals: Mapping[int, Mapping[str, Any]]) -> list[Judgement]:
    """Of every seed what `_taken_out.taken_out` found."""
    seeds = sorted(removals)

    def random(seed: int, key: str) -> list[float]:
        return [each[key] for each in removals[seed]["random"]]

    def against_random(end: str, by: str, key: str) -> Tested:
        apart = [removals[s][f"{end} {by}"][key] - float(np.mean(random(s, key))) for s in seeds]
        scatter = float(np.mean([np.std(random(s, key), ddof=1) for s in seeds]))
        return by_test(f"{key}, {end} {by} minus random", apart, "below", -2 * scatter)

    found, kinds = [], ("ratio", "adaptation", "coupling")
    for by in kinds:
        ends = lambda key, by=by: [removals[s][f"highest {by}"][key] - removals[s][f"lowest {by}"][key] for s in seeds]
        parts = [
            against_random("lowest", by, "distance"),
            against_random("lowest", by, "edges"),
            against_random("highest", by, "chroma"),
            by_test(f"chroma, highest minus lowest {by}", ends("chroma"), "below"),
            by_test(f"distance, highest minus lowest {by}", ends("distance"), "above"),
        ]
        on: On = by
        found.append(judged(on, "the lowest spare the image but its texture, the highest take the colour", parts))
    return found


def c6(with_: Network, without: Network, scores: tuple[Scores, Scores], images: Images) -> list[Judgement]:
    what, says = "with minus without", "more at the finest level, and worse images"
    spoilt, lacks = images.parts(scores, "quality", what, worse=True)
    on = lambda number: _difference(f"finest: {number}, {what}", with_, without, 0, number, "above", paired=True)
    return [
        judged("ratio", says, [on("net mean"), on("net above"), *spoilt], lacks),
        judged("adaptation", says, [on("adaptation"), *spoilt], lacks),
        judged("coupling", says, [on("coupling"), *spoilt], lacks),
    ]


class Variant(NamedTuple):
    """A VAE of the sweep: its networks, and what its images score."""

    encoder: Network
    decoder: Network
    scores: Scores


def c7(pairs: Mapping[str, tuple[Variant, Variant]], images: Images) -> list[Judgement]:
    """Of every number of channels the VAE at the smaller beta and at the larger."""
    varied, lacks = [], []
    coarse: dict[str, list[Tested]] = {"net std": [], "net iqr": [], "size of adaptation": [], "coupling": []}
    for name, (low, high) in pairs.items():
        what = f"{name}, smaller beta minus larger"
        more, without = images.parts((low.scores, high.scores), "variety", what, worse=False)
        varied, lacks = varied + more, lacks + without
        for network in ("encoder", "decoder"):
            one, other = getattr(low, network), getattr(high, network)
            for number, parts in coarse.items():
                k, told = min(one.count, other.count) - 1, f"coarsest of the {network}: {number}, {what}"
                parts.append(_difference(told, one, other, k, number, "below", paired=True))
    of = lambda *keys: [*varied, *(each for key in keys for each in coarse[key])]
    return [
        judged("ratio", "more variety, narrower at the coarsest level", of("net std", "net iqr"), lacks),
        judged("adaptation", "more variety, less at the coarsest level", of("size of adaptation"), lacks),
        judged("coupling", "more variety, less at the coarsest level", of("coupling"), lacks),
    ]


def c8(worst: Network, best: Network) -> list[Judgement]:
    on = lambda number: _difference(f"finest: {number}, worst minus best", worst, best, 0, number, "below", paired=True)
    return [
        judged("ratio", "narrower in the worst", [on("net std"), on("net iqr")]),
        judged("adaptation", "less in the worst", [on("size of adaptation")]),
        judged("coupling", "less in the worst", [on("coupling")]),
    ]


def c9(penalised: Mapping[str, tuple[Scores, Scores]], images: Images) -> list[Judgement]:
    """Of each kind of penalty the scores with it and without."""
    found, says = [], "better images after as many steps"
    kinds: tuple[tuple[On, str], ...] = (("ratio", "departure"), ("adaptation", "adaptation"))
    for on, kind in kinds:
        better, lacks = images.parts(penalised[kind], "quality", f"penalty on {kind} minus none", worse=False)
        found.append(judged(on, says, better, lacks))
    return [*found, judged("coupling", says, [], ["no run has a penalty on coupling, by design"])]


def _common(one: Network, other: Network) -> list[str]:
    """Names of the levels that both have; none is the coarsest that is not so in both."""
    return level_names(max(one.count, other.count))[: min(one.count, other.count)]


def _paired(one: Network, other: Network, level: int, number: str) -> list[float]:
    """Differences of the seeds that both have."""
    common = sorted({*one.levels} & {*other.levels})
    return [one.levels[seed][level][number] - other.levels[seed][level][number] for seed in common]


def _difference(
    what: str, one: Network, other: Network, level: int, number: str, rule: Rule, *, paired: bool = False
) -> Tested:
    """A difference of two networks against what two untrained ones differ by."""
    bound = 2 * math.hypot(one.scatter[level][number], other.scatter[level][number])
    bound = -bound if rule == "below" else bound
    if paired:
        return by_test(what, _paired(one, other, level, number), rule, bound)
    return by_test(what, one.over_seeds(level, number), rule, bound, against=other.over_seeds(level, number))


def _wider(one: Network, other: Network, what: str, paired: bool = False) -> list[Tested]:
    return [
        _difference(f"{name}: {number}, {what}", one, other, k, number, "above", paired=paired)
        for k, name in enumerate(_common(one, other))
        for number in ("net std", "net iqr")
    ]
