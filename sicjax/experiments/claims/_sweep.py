"""Claims on VAEs by channels and beta, and on the penalty: C7 to C9."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sicjax.experiments._statistics import Judged, Part, Quantity, judged, part
from sicjax.experiments.claims._levels import difference, each_level, size


def c7(variants: Sequence[Mapping[str, Any]]) -> tuple[Judged, Judged]:
    """A smaller beta gives more variety and more concentrated coarse ratios."""
    variety: list[Part] = []
    ratio: list[Part] = []
    adaptation: list[Part] = []
    for channels in dict.fromkeys(v["channels"] for v in variants):
        high, low = sorted((v for v in variants if v["channels"] == channels), key=lambda v: -v["beta"])
        name = f"{channels} channels, beta {low['beta']:g} minus {high['beta']:g}"
        apart = difference(low["quality"], high["quality"], "diversity")
        variety.append(part(f"{name}: diversity of samples", apart, "above", null=0.0))
        for network in ("encoder", "decoder"):
            pairs = (low["networks"][network], high["networks"][network])
            *_, (_, (of_low, of_high)) = each_level(*pairs)
            null = difference(of_low, of_high, "null_std")
            apart = difference(of_low, of_high, "std")
            ratio.append(part(f"{name}: std at the {network}'s coarsest level", apart, "below", null=null))
            apart = difference(of_low, of_high, size)
            adaptation.append(part(f"{name}: size of adaptation there, {network}", apart, "below", null=0.0))
    return (
        judged("C7", "ratio", "more varied samples, narrower ratios at the coarsest level", variety + ratio),
        judged("C7", "adaptation", "more varied samples, less adaptation at the coarsest level", variety + adaptation),
    )


def c8(variants: Sequence[Mapping[str, Any]]) -> tuple[Judged, Judged]:
    """At the finest level the worst model is slightly more concentrated; worst and best as the paper names them."""
    worst, best = variants[0], variants[-1]
    (_, (of_worst, of_best)) = next(each_level(worst["networks"]["decoder"], best["networks"]["decoder"]))
    name = "finest level of the decoder, worst minus best"
    null = difference(of_worst, of_best, "null_std")
    ratio = part(f"{name}: std", difference(of_worst, of_best, "std"), "below", null=null)
    adaptation = part(f"{name}: size of adaptation", difference(of_worst, of_best, size), "below", null=0.0)
    return (
        judged("C8", "ratio", "narrower in the worst model", [ratio]),
        judged("C8", "adaptation", "less in the worst model", [adaptation]),
    )


def c9(variants: Sequence[Mapping[str, Any]]) -> tuple[Judged, Judged]:
    """Enforcing independence may help: the penalty on the whole departure, and that on adaptation alone.

    It helps if images get closer to real ones at some weight; intervals are widened for looking at several.
    """
    plain = next(v for v in variants if v["kind"] == "none")
    found = []
    kinds: tuple[tuple[str, Quantity], ...] = (("departure", "ratio"), ("adaptation", "adaptation"))
    for kind, on in kinds:
        weighed = [v for v in variants if v["kind"] == kind]
        parts = [
            part(
                f"sliced Wasserstein distance, weight {v['weight']:g} minus none",
                difference(v["quality"], plain["quality"], "sliced_wasserstein"),
                "below",
                null=0.0,
                tests=len(weighed),
            )
            for v in weighed
        ]
        verdicts = [each.verdict for each in parts]
        verdict = "holds" if "holds" in verdicts else "fails" if set(verdicts) == {"fails"} else "undecided"
        says = "images closer to real ones at one of the weights, after as many steps"
        found.append(judged("C9", on, says, parts)._replace(verdict=verdict))
    return found[0], found[1]
