"""Claims on the ratios of trained networks, level by level: C1 to C4.

Networks are lists over seeds of levels, the finest first, as the experiments keep them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

from sicjax.experiments._statistics import Judged, Part, judged, part

Level = Mapping[str, Any]
Seeds = Sequence[Sequence[Level]]

# How far from independence is still near it: the paper's own 0.9 is one end.
NEAR = 0.1


def each_level(*networks: Seeds) -> Iterator[tuple[str, list[list[Level]]]]:
    """For every level that all networks have and whose ratios depend on weights: its name, and it in every seed."""
    counts = {len(levels) for seeds in networks for levels in seeds}
    count = min(counts)
    for k in range(count):
        found = [[levels[k] for levels in seeds] for seeds in networks]
        if not any(level["structural"] for seeds in found for level in seeds):
            name = "finest" if k == 0 else "coarsest" if {k + 1} == counts else f"level {k + 1}"
            yield name, found


def values(levels: Sequence[Level], key: str | Callable[[Level], float]) -> list[float]:
    get = key if callable(key) else lambda level: level[key]
    return [get(level) for level in levels]


def difference(of: Sequence[Level], minus: Sequence[Level], key: str | Callable[[Level], float]) -> list[float]:
    """Seed by seed; as many as both have."""
    return [a - b for a, b in zip(values(of, key), values(minus, key), strict=False)]


def size(level: Level) -> float:
    return abs(level["adaptation"])


def c1(generators: Seeds) -> tuple[Judged, Judged]:
    """The generator's ratios concentrate around 1 at every level."""
    ratio: list[Part] = []
    adaptation: list[Part] = []
    for name, (levels,) in each_level(generators):
        null = values(levels, "null_median")
        ratio.append(part(f"{name}: median", values(levels, "median"), "within", NEAR, centre=1, null=null))
        share = lambda level: level["near_one"] - level["null_near_one"]
        ratio.append(part(f"{name}: share in 0.9 to 1.1, minus shuffled", values(levels, share), "above", null=0.0))
        adaptation.append(part(f"{name}: adaptation", values(levels, "adaptation"), "within", NEAR, null=0.0))
    return (
        judged("C1", "ratio", "median within 0.1 of 1, and as many near 1 as with shuffled taps", ratio),
        judged("C1", "adaptation", "within 0.1 of 0 at every level", adaptation),
    )


def c2(generators: Seeds, discriminators: Seeds) -> tuple[Judged, Judged]:
    """The discriminator's ratios are broader, most at the finest level, with a heavier tail below 1."""
    ratio: list[Part] = []
    adaptation: list[Part] = []
    wider: list[list[float]] = []
    for name, (generator, discriminator) in each_level(generators, discriminators):
        apart = difference(discriminator, generator, "std")
        wider.append(apart)
        null = difference(discriminator, generator, "null_std")
        ratio.append(part(f"{name}: std, discriminator minus generator", apart, "above", null=null))
        apart = difference(discriminator, generator, size)
        adaptation.append(part(f"{name}: size of adaptation, discriminator minus generator", apart, "above", null=0.0))
        if name == "finest":
            null = difference(discriminator, generator, "null_below")
            apart = difference(discriminator, generator, "below")
            ratio.append(part("finest: share below 0.9, discriminator minus generator", apart, "above", null=null))
            apart = difference(discriminator, generator, "adaptation")
            adaptation.append(part("finest: adaptation, discriminator minus generator", apart, "below", null=0.0))
    if len(wider) > 1:
        most = [first - sum(rest) / len(rest) for first, *rest in zip(*wider, strict=False)]
        ratio.append(part("that difference of std, finest minus the other levels", most, "above", null=0.0))
    return (
        judged("C2", "ratio", "broader at every level, most at the finest, with more below 0.9 there", ratio),
        judged("C2", "adaptation", "larger at every level, and more negative at the finest", adaptation),
    )


def c3(encoders: Seeds, decoders: Seeds) -> tuple[Judged, Judged]:
    """VAE: the decoder's mode is at 1, the encoder's stays below."""
    ratio: list[Part] = []
    adaptation: list[Part] = []
    for name, (encoder, decoder) in each_level(encoders, decoders):
        for key in ("mode", "median"):
            null = values(decoder, f"null_{key}")
            ratio.append(part(f"{name}: decoder's {key}", values(decoder, key), "within", NEAR, centre=1, null=null))
            null = values(encoder, f"null_{key}")
            ratio.append(part(f"{name}: encoder's {key}", values(encoder, key), "below", 1, null=null))
        found = values(decoder, "adaptation")
        adaptation.append(part(f"{name}: decoder's adaptation", found, "within", NEAR, null=0.0))
        adaptation.append(part(f"{name}: encoder's adaptation", values(encoder, "adaptation"), "below", null=0.0))
    return (
        judged("C3", "ratio", "decoder's mode and median within 0.1 of 1, encoder's below 1", ratio),
        judged("C3", "adaptation", "within 0.1 of 0 in the decoder, below 0 in the encoder", adaptation),
    )


def c3_reading(readings: Sequence[Mapping[str, Mapping[str, Sequence[Level]]]], name: str) -> Judged:
    """The same by the modes alone under one reading of the formula, with the modes of shuffled kernels beside."""
    parts: list[Part] = []
    encoders, decoders = ([[*seed[name][network]] for seed in readings] for network in ("encoder", "decoder"))
    rules: tuple[tuple[str, Literal["within", "below"], float, float], ...] = (
        ("decoder", "within", NEAR, 1.0),
        ("encoder", "below", 1.0, 0.0),
    )
    for k in range(min(len(levels) for levels in (*encoders, *decoders))):
        level = "finest" if k == 0 else f"level {k + 1}"
        for network, rule, bound, centre in rules:
            found = [levels[k] for levels in (encoders if network == "encoder" else decoders)]
            null = values(found, "null_mode")
            parts.append(
                part(f"{level}: {network}'s mode", values(found, "mode"), rule, bound, centre=centre, null=null)
            )
    return judged("C3", "ratio", name, parts)


def c4(decoders: Seeds, generators: Seeds) -> tuple[Judged, Judged]:
    """The VAE's decoder is broader than the GAN's generator."""
    ratio: list[Part] = []
    adaptation: list[Part] = []
    for name, (decoder, generator) in each_level(decoders, generators):
        null = difference(decoder, generator, "null_std")
        found = difference(decoder, generator, "std")
        ratio.append(part(f"{name}: std, decoder minus generator", found, "above", null=null))
        found = difference(decoder, generator, size)
        adaptation.append(part(f"{name}: size of adaptation, decoder minus generator", found, "above", null=0.0))
    return (
        judged("C4", "ratio", "broader at every level", ratio),
        judged("C4", "adaptation", "larger at every level", adaptation),
    )
