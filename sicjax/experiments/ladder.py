"""Which measures of images can judge: real images made worse in known ways, and who notices.

Rules, fixed before the first run (`docs/replication/plan.md`): the last 1,000 images are held out; one half is the
reference, the other is corrupted in seven ways at three strengths. The floor: 20 random halves of the 1,000. A measure
*ranks* a corruption if its strengths come in order and the weakest is worse than all of the floor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sicjax._errors import InputError
from sicjax.experiments import _tables as tables
from sicjax.experiments._corruptions import corrupted
from sicjax.experiments._experiment import Experiment
from sicjax.experiments._images import real, seen
from sicjax.experiments._lab import Lab
from sicjax.experiments._scores import MEASURES, looked, scores

HALVES = 20
LEAST = 40
# What a measure has to rank to judge quality or variety; and what must not pass for variety.
QUALITY = ("blur", "shuffled blocks", "colour loss", "checkerboard")
VARIETY = ("repeats", "mode drop")
ARTIFACTS = ("blur", "shuffled blocks", "checkerboard")
OTHERS = 9_000


def run(lab: Lab):
    config = lab.preset.gan
    held_out = real(config, 10**9 if config.data != "faces" else 1_000)
    if len(held_out) < LEAST:
        raise InputError(f"the ladder needs at least {LEAST} held-out images, {config.data} has {len(held_out)}")
    count = len(held_out) // 2
    others = seen(config, OTHERS, 0)
    lab.say(f"features of {2 * count} held-out images")
    every = looked(held_out[: 2 * count])
    reference, clean = every.of(slice(count)), every.of(slice(count, None))
    rng = np.random.default_rng(0)
    floor = []
    for k in range(HALVES):
        lab.say(f"real against real, half {k + 1} of {HALVES}")
        order = rng.permutation(2 * count)
        floor.append(scores(every.of(order[:count]), every.of(order[count:])))
    rungs = []
    for rung in corrupted(clean.images, others):
        lab.say(f"{rung.kind}, {rung.strength}")
        rungs.append({"kind": rung.kind, "strength": rung.strength, "scores": scores(looked(rung.images), reference)})
    found = {"images": count, "real": scores(clean, reference), "floor": floor, "rungs": rungs}
    return {**found, "passed": passed(found)}, {}


def passed(result: Mapping[str, Any]) -> dict[str, list[str]]:
    """The measures that may judge quality, and those that may judge variety."""
    found: dict[str, list[str]] = {"quality": [], "variety": []}
    for key, measure in MEASURES.items():
        if not failures(result, key):
            found[measure.family].append(key)
    return found


def failures(result: Mapping[str, Any], key: str) -> list[str]:
    """What a measure gets wrong of what its family asks for."""
    quality = MEASURES[key].family == "quality"
    wrong = [kind for kind in (QUALITY if quality else VARIETY) if not ranks(result, key, kind)]
    if quality:
        bright, mixed = (worse(result, key, kind)[-1] for kind in ("brightness", "shuffled blocks"))
        if not bright < mixed:
            wrong.append("brightness is worse than shuffled blocks")
    else:
        least = min(_sign(key) * each[key] for each in result["floor"])
        wrong += [f"{kind} passes for variety" for kind in ARTIFACTS if min(worse(result, key, kind)) < least]
    return wrong


def ranks(result: Mapping[str, Any], key: str, kind: str) -> bool:
    """Whether the strengths of a corruption come in order, the weakest beyond all of the floor."""
    values = worse(result, key, kind)
    most = max(_sign(key) * each[key] for each in result["floor"])
    return all(a < b for a, b in zip([most, *values], values, strict=False))


def worse(result: Mapping[str, Any], key: str, kind: str) -> list[float]:
    """A measure at a corruption's strengths from weak to strong, turned so that larger is worse."""
    return [_sign(key) * rung["scores"][key] for rung in result["rungs"] if rung["kind"] == kind]


def _sign(key: str) -> int:
    return 1 if MEASURES[key].better == "smaller" else -1


def page(result) -> list[str]:
    kinds = list(dict.fromkeys(rung["kind"] for rung in result["rungs"]))
    text = [_READ.format(count=result["images"], halves=len(result["floor"]))]
    for family, asks in (("quality", _QUALITY), ("variety", _VARIETY)):
        rows = []
        for key in (key for key, measure in MEASURES.items() if measure.family == family):
            floor = [each[key] for each in result["floor"]]
            values = lambda kind, key=key: [r["scores"][key] for r in result["rungs"] if r["kind"] == kind]
            cells = [
                ", ".join(map(_short, values(kind))) + (" ✓" if ranks(result, key, kind) else "") for kind in kinds
            ]
            wrong = failures(result, key)
            rows.append(
                [
                    MEASURES[key].name,
                    f"{_short(min(floor))} to {_short(max(floor))}",
                    *cells,
                    "; ".join(wrong) or "**enters**",
                ]
            )
        header = ["measure", "real against real", *kinds, "fails at"]
        names = [MEASURES[key].name for key in result["passed"][family]]
        text += [f"### Measures of {family}\n", asks, tables.table(header, rows)]
        text.append(f"Enter verdicts: {', '.join(names)}.\n" if names else "None enters verdicts.\n")
    strengths = "; ".join(f"{kind}: {', '.join(_strengths(result, kind))}" for kind in kinds)
    return [*text, f"Strengths: {strengths}.\n"]


def _strengths(result: Mapping[str, Any], kind: str) -> Sequence[str]:
    return [rung["strength"] for rung in result["rungs"] if rung["kind"] == kind]


def _short(value: float) -> str:
    return f"{value:.3g}"


_READ = (
    "{count} held-out images, corrupted, against {count} others; the floor is {halves} random halves of them all. In a "
    "cell the measure at the three strengths, from weak to strong; ✓: in order, and the weakest is worse than all of "
    "the floor.\n"
)
_QUALITY = (
    "A measure enters if it ranks blur, shuffled blocks, colour loss and checkerboard, and calls the strongest "
    "brightness less bad than the strongest shuffled blocks.\n"
)
_VARIETY = (
    "A measure enters if it ranks repeats and mode drop, and no blur, shuffling or checkerboard lifts it above the "
    "floor.\n"
)

EXPERIMENT = Experiment(
    "ladder",
    "which measures of images can judge: a ladder of corruptions",
    run,
    drawings=(),
    page=page,
    own=True,
)
