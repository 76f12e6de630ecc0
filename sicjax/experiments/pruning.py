"""Which filters may go? Filters and channels removed by many rules; is any better than the norm of the weights?

These rules were fixed before the first run.

* Networks. Public: every generator of the paper's architecture among the public weights, one by one. Trained here, a
  network for each seed: the decoder of a VAE as in `_looks.vae`, on the largest amount of images; and a classifier of
  eight factors of drawn faces (`_classifier.py`), which is that VAE's encoder with its latent means as logits, trained
  for the VAE's steps on as many faces.
* Layers: the first of every pair of successive convolutions in them. Units that go: filters, one kernel from an input
  to an intermediate channel, as in the paper; and channels, with all that reads them, as in practice.
* Rules: what goes first has the smallest L1 norm of its weights (of a channel the sum over its filters), as trained or
  times the scale of the batch norm that follows; the least energy, its own with that scale times the mean energy of the
  kernels that read it; the least output energy (`interventions.output_energy`, with that scale), which is the same
  times the ratio, pathway by pathway; the lowest ratio, the highest, the lowest share of adaptation, the lowest share
  of coupling (`_cuts.coupling_shares`); or it goes at random.
* Controls: for the four rules that know no scale the same number of others at random, as many from each group of eight
  neighbours in energy (as above) as the rule takes there; and the same with the gain at frequency 0 in the place of
  energy: squared sum of taps, with the scale, times the mean of that of the kernels that read it.
* Amounts: 1/8, 1/4 and 1/2 of the layer's units, one layer at a time. Batch norms take the statistics of the network
  that is left on the inputs it is judged by; so do those of the whole network.
* Damage. Of generators: root mean square difference of an image from the one without removal, of the same latent
  variables, over the mean such difference between two images of different ones. Of the classifier: accuracy lost, over
  the factors and over held-out faces. Area: under damage against the amount, from 0, over 1/2; its mean over layers.
* Tests, paired, two-sided, Student's t; Holm over the 17 of one study and unit. Units of the trained networks are the
  networks, of a public one the latent variables: that is about this network alone.
  Each of output energy, lowest ratio, lowest adaptation, lowest coupling against both L1 norms (8); each rule without
  scale against both its controls (8); output energy against energies, which is what the ratio adds to them (1).
* A rule *beats L1* in a study if its area is below that of both norms and both corrected p are below 0.05. It *matters*
  if its area is then at least 5 % below the smaller of both, in a study of trained networks. A rule *says more than
  scale* if its area is below that of both its controls, both corrected p below 0.05; and it *says the opposite* if its
  area is above both, so.
* A command `sicjax prune` is written only if ratio, adaptation or coupling beats L1 somewhere where it matters, or
  output energy does there and is below energies too, its corrected p below 0.05.
* Left out: training again after the removal, which is what one would do in practice, and several layers at once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from scipy.stats import ttest_1samp

from sicjax import figures, models, networks, quality
from sicjax.experiments import _tables as tables
from sicjax.experiments._classifier import classifier, faces
from sicjax.experiments._cuts import (
    AMOUNTS,
    CONTROLS,
    RULES,
    SCALELESS,
    UNITS,
    Layer,
    Masks,
    area,
    costs,
    curves,
    held_against,
    whole,
)
from sicjax.experiments._experiment import Chapter, Drawing, Experiment, Results
from sicjax.experiments._images import recalibrated
from sicjax.experiments._lab import Lab
from sicjax.experiments._looks import vae
from sicjax.experiments._public import generators, load
from sicjax.experiments._ranks import holm
from sicjax.experiments._result import write_json
from sicjax.experiments._statistics import estimate

LEVEL = 0.05
MATTERS = 0.05
NORMS = ("L1", "L1 with batch norm")
JUDGED = ("output energy", "lowest ratio", "lowest adaptation", "lowest coupling")
# Latent variables that a generator is judged by.
LATENTS = 16
# Faces that a classifier is judged by at most; none was trained on them.
JUDGED_BY = 300
UNSEEN = 1_000_003
DRAWN = ("L1 with batch norm", "output energy", *SCALELESS, "random")


class Test(NamedTuple):
    """A rule against another.

    Attributes:
        rule: whose area it is.
        against: the rule that it is held against.
        difference: of their areas, mean over the units of the study; below 0 the rule damages less.
        low: lower end of its 95 % interval, None for one unit.
        high: upper end.
        share: the difference over the other's mean area.
        p: two-sided.
        corrected: by Holm's method.
    """

    rule: str
    against: str
    difference: float
    low: float | None
    high: float | None
    share: float
    p: float
    corrected: float


def run(lab: Lab):
    assert lab.weights is not None
    seeds = lab.preset.seeds
    found = {"classifier": study(lab, "classifier", [partial(_classifier, lab, seed) for seed in seeds])}
    for file in generators(lab.weights):
        found[file.stem] = study(lab, file.stem, [lambda file=file: _generator(load(file), 0)], "latent variables")
    decoders = [lambda seed=seed: _generator(_decoder(lab, seed), seed) for seed in seeds]
    found["VAE decoder"] = study(lab, "decoder", decoders)
    return {"amounts": list(AMOUNTS), "studies": found}, {}


class Subject(NamedTuple):
    """A network and what an edit of it costs, for each image that it is judged by; without edits, what it can."""

    layers: list[Layer]
    damage: Callable[[Masks], Float[np.ndarray, " n"]]
    able: float


def _decoder(lab: Lab, seed: int) -> Any:
    return models.load(vae(lab, max(lab.preset.amounts), seed))["decoder"]


def _generator(model: Any, seed: int) -> Subject:
    draw = recalibrated(model, jax.random.normal(jax.random.key(seed), (LATENTS, model.latent)))
    found = layers(model)
    before = draw(whole(found[0]))
    unit = quality.diversity(before)
    damage = lambda masks: np.sqrt(np.square(draw(masks) - before).mean((1, 2, 3))) / unit
    return Subject(found, damage, unit)


def _classifier(lab: Lab, seed: int) -> Subject:
    config = lab.preset.vae
    lab.say(f"training a classifier, seed {seed}")
    model = classifier(config, max(lab.preset.amounts), seed)
    pixels, labels = faces(min(lab.preset.judged, JUDGED_BY), config.size, UNSEEN)
    encode, found = recalibrated(model, pixels), layers(model)
    right = lambda masks: ((encode(masks)[0] > 0) == labels).mean(1)
    before = right(whole(found[0]))
    return Subject(found, lambda masks: before - right(masks), float(before.mean()))


def layers(model: Any) -> list[Layer]:
    """The layers of a network that another convolution reads."""
    encodes = isinstance(model, models.Encoder)
    shape = (1, model.size, model.size, 3) if encodes else (1, model.latent)
    pairs = networks.from_module(model, jax.ShapeDtypeStruct(shape, jnp.float32)).pairs
    shapes = tuple(conv.kernel[...].shape[2:] for conv in model.convs)
    found = []
    for k, pair in enumerate(pairs):
        norm = model.norms[k + (not encodes)]  # a generator's first follows its dense layer
        scale = np.asarray(norm.scale[...], np.float64) / np.sqrt(np.asarray(norm.var[...], np.float64) + norm.epsilon)
        found.append(Layer(shapes, k, pair, scale))
    return found


def study(lab: Lab, name: str, subjects: Sequence[Callable[[], Subject]], of: str = "networks") -> dict[str, Any]:
    """All rules on each of some networks, one after another, each kept once it is done; and the tests over them."""
    able, every = [], []
    for k, make in enumerate(subjects):
        kept = lab.out / "measured" / f"pruning-{name}-{k}.json"
        if not kept.exists():
            write_json(kept, _cut(lab, f"{name}, {k + 1} of {len(subjects)}", make(), k))
        found = json.loads(kept.read_text())
        able.append(found["able"])
        every.append(found["layers"])
    areas = {}
    for unit in UNITS:
        of_network = [
            {rule: np.mean([layer[unit]["areas"][rule] for layer in each.values()], 0) for rule in all_rules()}
            for each in every
        ]
        if of == "networks":
            areas[unit] = {rule: [float(each[rule].mean()) for each in of_network] for rule in all_rules()}
        else:
            areas[unit] = {rule: of_network[0][rule].tolist() for rule in all_rules()}
    return {
        "units": of,
        "able": able,
        "areas": areas,
        "tests": {unit: tests(of_unit) for unit, of_unit in areas.items()},
        "curves": [
            {name: {unit: layer[unit]["curves"] for unit in UNITS} for name, layer in each.items()} for each in every
        ],
    }


def _cut(lab: Lab, name: str, subject: Subject, seed: int) -> dict[str, Any]:
    rng, found = np.random.default_rng(seed), {}
    for layer in subject.layers:
        lab.say(f"removing filters of {name}: {layer.pair.name}")
        of_units = {unit: costs(layer, unit, subject.damage, rng) for unit in UNITS}
        found[layer.pair.name] = {
            unit: {"curves": curves(of_unit), "areas": {rule: area(each).tolist() for rule, each in of_unit.items()}}
            for unit, of_unit in of_units.items()
        }
    return {"able": subject.able, "layers": found}


def all_rules() -> list[str]:
    """Rules, random, and controls."""
    return [*RULES, "random", *(held_against(rule, control) for rule in SCALELESS for control in CONTROLS)]


def comparisons() -> list[tuple[str, str]]:
    """Which rule is held against which."""
    found = [(rule, norm) for rule in JUDGED for norm in NORMS]
    found += [(rule, held_against(rule, control)) for rule in SCALELESS for control in CONTROLS]
    return [*found, ("output energy", "energies")]


def tests(areas: Mapping[str, Sequence[float]]) -> list[Test]:
    """Every comparison, paired over the units."""
    found = []
    for rule, against in comparisons():
        apart = np.subtract(areas[rule], areas[against])
        mean = estimate(apart)
        p = float(np.asarray(ttest_1samp(apart, 0))[1]) if len(apart) > 1 and np.ptp(apart) > 0 else 1.0
        found.append((rule, against, mean.mean, mean.low, mean.high, mean.mean / float(np.mean(areas[against])), p))
    corrected = holm([each[-1] for each in found])
    return [Test._make((*each, both)) for each, both in zip(found, corrected, strict=True)]


def says(found: Sequence[Mapping[str, Any]], trained: bool) -> dict[str, list[str]]:
    """Which rules pass, by the rules above, from the tests of a study and unit.

    >>> says([{"rule": "output energy", "against": norm, "share": -0.1, "corrected": 0.01} for norm in NORMS], True)
    {'beat L1': ['output energy'], 'matter': ['output energy'], 'say more than scale': [], 'say the opposite': []}
    """
    of = lambda rule, others: [each for each in found if each["rule"] == rule and each["against"] in others]
    controls = lambda rule: [held_against(rule, control) for control in CONTROLS]
    sided = lambda these, sign: (
        bool(these) and all(each["corrected"] < LEVEL and sign * each["share"] > 0 for each in these)
    )
    beat = [rule for rule in JUDGED if sided(of(rule, NORMS), -1)]
    return {
        "beat L1": beat,
        "matter": [rule for rule in beat if trained and max(each["share"] for each in of(rule, NORMS)) <= -MATTERS],
        "say more than scale": [rule for rule in SCALELESS if sided(of(rule, controls(rule)), -1)],
        "say the opposite": [rule for rule in SCALELESS if sided(of(rule, controls(rule)), 1)],
    }


def damages(result, images):
    panels: dict[str, dict[str, list[figures.Curve]]] = {f"{unit}s": {} for unit in UNITS}
    at = [0, *(100 * amount for amount in result["amounts"])]
    for name, of_study in result["studies"].items():
        for unit in UNITS:
            every = [layer[unit] for network in of_study["curves"] for layer in network.values()]
            panels[f"{unit}s"][name] = [
                figures.Curve(rule, at, [0, *np.mean([each[rule] for each in every], 0)]) for rule in DRAWN
            ]
    return figures.lines(
        panels, label="% of a layer's filters, or channels, removed; mean damage over layers and networks"
    )


def differences(result, images):
    return figures.intervals(
        {
            f"{name}\n{unit}s": {
                f"{each['rule']} - {each['against'].split(': ')[-1]}": _shares(each) for each in of_study["tests"][unit]
            }
            for name, of_study in result["studies"].items()
            for unit in UNITS
        },
        label="difference of the areas under the damage, as a share of the second's; below 0 the first damages less",
        reference=0,
    )


def _shares(each: Mapping[str, Any]) -> tuple[float, float | None, float | None]:
    of = each["difference"] / each["share"] if each["share"] else 1.0
    low, high = (None if each[end] is None else each[end] / of for end in ("low", "high"))
    return each["share"], low, high


def chapter(results: Results) -> list[str]:
    return [ABOUT, *_tables(results["pruning"])]


ABOUT = (
    "Filters, and channels, of one layer at a time removed by each rule; batch norms recalibrated. Area under the "
    "damage from none to half of the layer's units, mean over the layers. Damage of images: distance from the "
    "unedited, 1 being that of two different ones; of classifiers: accuracy lost.\n"
)


def _tables(result: Mapping[str, Any]) -> Iterator[str]:
    named = [(name, unit) for name in result["studies"] for unit in UNITS]
    header = ["removed first", *(f"{name}: {unit}s" for name, unit in named)]
    areas = [result["studies"][name]["areas"][unit] for name, unit in named]
    yield tables.table(
        header, [[rule, *(tables.number(float(np.mean(of[rule]))) for of in areas)] for rule in all_rules()]
    )
    yield (
        "Differences as shares of the second's area, with p by Holm's method. Bold: below 0.05; below 0 the first "
        "damages less.\n"
    )
    rows = []
    for k, (rule, against) in enumerate(comparisons()):
        cells = [_cell(result["studies"][name]["tests"][unit][k]) for name, unit in named]
        rows.append([f"{rule} - {against.split(': ')[-1]}", *cells])
    yield tables.table(["", *header[1:]], rows)
    rows = []
    for name, unit in named:
        of_study = result["studies"][name]
        found = says(of_study["tests"][unit], of_study["units"] == "networks")
        rows.append([f"{name}: {unit}s", *(", ".join(rules) or "none" for rules in found.values())])
    yield tables.table(["", *says([], True)], rows)


def _cell(test: Mapping[str, Any]) -> str:
    p = test["corrected"]
    told = f"{100 * test['share']:+.0f} % ({'< 0.001' if p < 0.001 else f'{p:.3f}' if p < 0.1 else f'{p:.1f}'})"
    return f"**{told}**" if p < LEVEL else told


EXPERIMENT = Experiment(
    "pruning",
    "which filters may go? Rules with and without scale, their controls, and what each removal costs",
    run,
    drawings=(
        Drawing("pruning-damage", "Damage against the share of a layer's filters or channels removed.", damages),
        Drawing(
            "pruning-tests",
            "Differences of the areas under the damage with 95 % intervals, as shares of the second's.",
            differences,
        ),
    ),
    page=Chapter("Which filters may go?", chapter),
    weights="needed",
    own=True,
)
