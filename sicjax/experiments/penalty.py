"""The paper's open question: does a GAN trained towards independence draw better images? Claim C9."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sicjax import figures, models
from sicjax.experiments import _tables as tables
from sicjax.experiments._claim import Verdicts, claim
from sicjax.experiments._differences import difference
from sicjax.experiments._experiment import Drawing, Experiment
from sicjax.experiments._images import draw as samples
from sicjax.experiments._images import judge, real
from sicjax.experiments._lab import Lab
from sicjax.experiments._levels import measured_seeds
from sicjax.experiments._statistics import Quantity, by_interval, judged


def run(lab: Lab):
    preset = lab.preset
    reference = real(preset.gan, preset.judged)
    found = []
    weighed = [("none", 0.0)]
    weighed += [(kind, weight) for kind in ("departure", "adaptation") for weight in getattr(preset, kind)]
    for kind, weight in weighed:
        if kind == "none":
            folders = [lab.gan(seed) for seed in preset.seeds]
        else:
            folders = [
                lab.gan(seed, f"gan-{kind}{weight:g}", penalty=weight, penalty_kind=kind) for seed in preset.seeds
            ]
        found.append(
            {
                "kind": kind,
                "weight": weight,
                **measured_seeds(lab, folders),
                "quality": [
                    judge(samples(models.load(folder)["average"], len(reference)), reference) for folder in folders
                ],
            }
        )
    return {"variants": found}, {}


def compared(result, images):
    dots = []
    for variant in result["variants"]:
        generators = variant["networks"]["generator"]
        mean = lambda key, size=abs: [sum(size(level[key]) for level in levels) / len(levels) for levels in generators]  # noqa: B023
        dots.append(
            figures.Dots(
                "none" if variant["kind"] == "none" else f"{variant['kind']} × {variant['weight']:g}",
                {
                    "sliced Wasserstein\ndistance to real images": [
                        q["sliced_wasserstein"] for q in variant["quality"]
                    ],
                    "kernel distance\n(random features)": [q["kernel_random"] for q in variant["quality"]],
                    "standard deviation\nof the ratios": mean("std"),
                    "size of adaptation": mean("adaptation"),
                },
            )
        )
    return figures.compare(dots)


def page(result) -> list[str]:
    named = {f"{v['kind']} x {v['weight']:g}": v for v in result["variants"]}
    networks = {name: v["networks"]["generator"] for name, v in named.items()}
    return [tables.quality({name: v["quality"] for name, v in named.items()}), tables.levels(networks)]


@claim(
    "C9",
    "Enforcing independence may help.",
    of=lambda result: [result["variants"]],
    note="For C9 the penalty on the whole departure stands under *ratio*, that on adaptation alone under *adaptation*, "
    "and one weight that helps is enough.",
)
def c9(variants: Sequence[Mapping[str, Any]]) -> Verdicts:
    """The penalty on the whole departure, and that on adaptation alone.

    It helps if images get closer to real ones at some weight; intervals are widened for looking at several.
    """
    plain = next(v for v in variants if v["kind"] == "none")
    found = []
    kinds: tuple[tuple[str, Quantity], ...] = (("departure", "ratio"), ("adaptation", "adaptation"))
    for kind, on in kinds:
        weighed = [v for v in variants if v["kind"] == kind]
        parts = [
            by_interval(
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
        found.append(judged(on, says, parts)._replace(verdict=verdict))
    return found[0], found[1]


EXPERIMENT = Experiment(
    "penalty",
    "GANs trained with a penalty on dependence, at equal steps",
    run,
    drawings=(
        Drawing("penalty", "GANs with a penalty on dependence, weight by weight, after as many steps.", compared),
    ),
    page=page,
    claims=(c9,),
)
