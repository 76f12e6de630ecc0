"""Figure 4: ratios of the GAN's generator and discriminator, level by level; claims C1 and C2."""

from __future__ import annotations

from sicjax import figures, models
from sicjax.experiments import _tables as tables
from sicjax.experiments._claim import Verdicts, claim
from sicjax.experiments._differences import NEAR, Seeds, difference, each_level, size, values
from sicjax.experiments._experiment import Drawing, Experiment
from sicjax.experiments._images import draw as samples
from sicjax.experiments._images import judge, real
from sicjax.experiments._lab import Lab
from sicjax.experiments._levels import curves, levels_of, measured_seeds
from sicjax.experiments._statistics import Part, by_interval, judged


def run(lab: Lab):
    preset = lab.preset
    folders = [lab.gan(seed) for seed in preset.seeds]
    reference = real(preset.gan, preset.judged)
    quality = [judge(samples(models.load(folder)["average"], len(reference)), reference) for folder in folders]
    return {**measured_seeds(lab, folders), "quality": quality}, {}


def fig4(result, images):
    return figures.distributions(curves({name: result["networks"][name] for name in ("generator", "discriminator")}))


def page(result) -> list[str]:
    return [tables.levels(result["networks"]), tables.quality({"GAN": result["quality"]})]


@claim(
    "C1",
    "The generator's ratios concentrate around 1 at every level.",
    of=lambda result: [result["networks"]["generator"]],
)
def c1(generators: Seeds) -> Verdicts:
    ratio: list[Part] = []
    adaptation: list[Part] = []
    for name, (levels,) in each_level(generators):
        null = values(levels, "null_median")
        ratio.append(by_interval(f"{name}: median", values(levels, "median"), "within", NEAR, centre=1, null=null))
        share = lambda level: level["near_one"] - level["null_near_one"]
        ratio.append(
            by_interval(f"{name}: share in 0.9 to 1.1, minus shuffled", values(levels, share), "above", null=0.0)
        )
        adaptation.append(by_interval(f"{name}: adaptation", values(levels, "adaptation"), "within", NEAR, null=0.0))
    return (
        judged("ratio", "median within 0.1 of 1, and as many near 1 as with shuffled taps", ratio),
        judged("adaptation", "within 0.1 of 0 at every level", adaptation),
    )


@claim(
    "C2",
    "The discriminator's are broader, most at the finest level, with a heavier tail below 1.",
    of=lambda result: [result["networks"]["generator"], result["networks"]["discriminator"]],
)
def c2(generators: Seeds, discriminators: Seeds) -> Verdicts:
    ratio: list[Part] = []
    adaptation: list[Part] = []
    wider: list[list[float]] = []
    for name, (generator, discriminator) in each_level(generators, discriminators):
        apart = difference(discriminator, generator, "std")
        wider.append(apart)
        null = difference(discriminator, generator, "null_std")
        ratio.append(by_interval(f"{name}: std, discriminator minus generator", apart, "above", null=null))
        apart = difference(discriminator, generator, size)
        adaptation.append(
            by_interval(f"{name}: size of adaptation, discriminator minus generator", apart, "above", null=0.0)
        )
        if name == "finest":
            null = difference(discriminator, generator, "null_below")
            apart = difference(discriminator, generator, "below")
            ratio.append(
                by_interval("finest: share below 0.9, discriminator minus generator", apart, "above", null=null)
            )
            apart = difference(discriminator, generator, "adaptation")
            adaptation.append(
                by_interval("finest: adaptation, discriminator minus generator", apart, "below", null=0.0)
            )
    if len(wider) > 1:
        most = [first - sum(rest) / len(rest) for first, *rest in zip(*wider, strict=False)]
        ratio.append(by_interval("that difference of std, finest minus the other levels", most, "above", null=0.0))
    return (
        judged("ratio", "broader at every level, most at the finest, with more below 0.9 there", ratio),
        judged("adaptation", "larger at every level, and more negative at the finest", adaptation),
    )


EXPERIMENT = Experiment(
    "gan_levels",
    "the GAN's generator and discriminator, level by level",
    run,
    drawings=(
        Drawing(
            "fig4",
            "Fig. 4: the GAN. In the paper the generator's ratios lie around 1, and the discriminator's are broader, "
            "with a tail below 1.",
            fig4,
        ),
    ),
    page=page,
    claims=(c1, c2),
    levels=levels_of,
)
