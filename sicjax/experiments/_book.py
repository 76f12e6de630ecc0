"""The verdicts of a replication from its records alone, at the end of its runs and before their last quarter."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from sicjax.experiments import _judges as judges
from sicjax.experiments._judges import Images, Network, Scores, Variant
from sicjax.experiments._net import numbers
from sicjax.experiments._planned import dropout_name, penalty_name, planned, swapped_names, vae_name
from sicjax.experiments._preset import Preset
from sicjax.experiments._records import Record
from sicjax.experiments._tests import Judgement

# A layer that moved by less of its own length is close to its first weights.
CLOSE = 0.5
SWAPPED = "C4, rates swapped"
WHEN = ("last", "before")

Records = Mapping[str, Mapping[int, Record]]


class Entry(NamedTuple):
    """What is to be said of a claim.

    Attributes:
        claim: its name.
        done: runs with a record, of those it needs.
        planned: how many it needs.
        last: the judgements at the end of the runs; none as long as a network it needs has no run.
        before: the same at the last checkpoint before their last quarter.
        unsettled: runs that ended at the cap, with the pair that moved most and by how much.
        close: layers that hardly moved, by run.
    """

    claim: str
    done: int
    planned: int
    last: tuple[Judgement, ...]
    before: tuple[Judgement, ...]
    unsettled: tuple[str, ...]
    close: tuple[str, ...]

    @property
    def verdicts(self) -> list[str]:
        """On the ratio, adaptation and coupling."""
        return [self._verdict(*both) for both in zip(self.last, self.before, strict=True)]

    def _verdict(self, last: Judgement, before: Judgement) -> str:
        told = last.verdict
        if self.unsettled:
            told = f"{told}, at the cap" if before.verdict == told else "undecided, still moving"
        return told + (", close to the first weights" if self.close else "")


def images_of(ladder: Mapping[str, Any]) -> Images:
    """Which measures may judge, and what they scatter by on real images."""
    floors = {
        key: float(np.std([each[key] for each in ladder["floor"]], ddof=1))
        for keys in ladder["passed"].values()
        for key in keys
    }
    return Images(ladder["passed"], floors)


def entries(
    preset: Preset, records: Records, images: Images, scatter: Mapping[str, Sequence[Mapping[str, Mapping[str, float]]]]
) -> list[Entry]:
    """Every claim, and C4 with the learning rates swapped."""
    plain, wide = vae_name(preset.channels[0], preset.betas[0]), vae_name(preset.channels[1], preset.betas[1])
    dropout, swapped = dropout_name(preset), swapped_names(preset)
    weights = {"departure": preset.departure, "adaptation": preset.adaptation}
    penalties = {kind: [penalty_name(kind, weight) for weight in given] for kind, given in weights.items()}
    sweep = {f"{n} channels": tuple(vae_name(n, beta) for beta in sorted(preset.betas)) for n in preset.channels}

    def net(name: str, network: str, when: str) -> Network:
        channels = records[name][min(records[name])]["config"].get("decoder", [0])[-1]
        of = scatter[f"decoder-{channels}" if network == "decoder" else network]
        levels = {seed: numbers(each["levels"][str(each[when])][network]) for seed, each in records[name].items()}
        return Network(levels, [{key: value["sd"] for key, value in level.items()} for level in of])

    def variant(name: str, when: str) -> Variant:
        return Variant(net(name, "encoder", when), net(name, "decoder", when), _own(records[name], when))

    def c9(when: str) -> list[Judgement]:
        first = {kind: names[0] for kind, names in penalties.items()}
        return judges.c9({kind: _paired(records, name, "gan", when) for kind, name in first.items()}, images)

    asked: list[tuple[str, list[str], Callable[[str], list[Judgement]]]] = [
        ("C1", ["gan"], lambda when: judges.c1(net("gan", "generator", when))),
        ("C2", ["gan"], lambda when: judges.c2(net("gan", "generator", when), net("gan", "discriminator", when))),
        ("C3", [plain], lambda when: judges.c3(net(plain, "encoder", when), net(plain, "decoder", when))),
        ("C4", [plain, "gan"], lambda when: judges.c4(net(plain, "decoder", when), net("gan", "generator", when))),
        (
            SWAPPED,
            list(swapped.values()),
            lambda when: judges.c4(net(swapped["vae"], "decoder", when), net(swapped["gan"], "generator", when)),
        ),
        ("C5", ["gan"], lambda when: judges.c5({seed: each["removal"] for seed, each in records["gan"].items()})),
        (
            "C6",
            [dropout, "gan"],
            lambda when: judges.c6(
                net(dropout, "generator", when),
                net("gan", "generator", when),
                _paired(records, dropout, "gan", when),
                images,
            ),
        ),
        (
            "C7",
            [name for pair in sweep.values() for name in pair],
            lambda when: judges.c7({n: (variant(a, when), variant(b, when)) for n, (a, b) in sweep.items()}, images),
        ),
        ("C8", [plain, wide], lambda when: judges.c8(net(plain, "decoder", when), net(wide, "decoder", when))),
        ("C9", ["gan", *(name for names in penalties.values() for name in names)], c9),
    ]
    runs = planned(preset)
    found = []
    for claim, names, judge in asked:
        needed = [run for run in runs if run.name in names]
        there = [records[run.name][run.seed] for run in needed if run.seed in records.get(run.name, {})]
        ready = all(records.get(name) for name in names)
        last, before = (tuple(judge(when)) if ready else () for when in WHEN)
        unsettled = [f"{each['name']} {each['seed']}: {_told(each['moved'])}" for each in there if not each["settled"]]
        close = [
            f"{each['name']} {each['seed']}: {layer} {far:.2f}"
            for each in there
            for layer, far in each["displacement"][str(each["last"])].items()
            if far < CLOSE
        ]
        found.append(Entry(claim, len(there), len(needed), last, before, tuple(unsettled), tuple(close)))
    return found


def _told(moved: Mapping[str, Any]) -> str:
    return f"{moved['pair']} by {100 * moved['by']:.1f} %"


def _own(records: Mapping[int, Record], when: str) -> Scores:
    return {seed: each["images"][str(each[when])] for seed, each in records.items()}


def _paired(records: Records, one: str, other: str, when: str) -> tuple[Scores, Scores]:
    """The scores of two kinds of run, of every seed that both have, after as many steps."""
    found: tuple[dict, dict] = ({}, {})
    for seed in sorted({*records[one]} & {*records[other]}):
        both = records[one][seed], records[other][seed]
        most = min(each[when] for each in both)
        common = [step for step in both[0]["images"] if step in both[1]["images"] and int(step) <= most]
        if common:
            at = max(common, key=int)
            for into, each in zip(found, both, strict=True):
                into[seed] = each["images"][at]
    return found


def follows_rate(found: Sequence[Entry]) -> str | None:
    """Whether C4 turns with the learning rates, by its net IQR, and where its means lie; None if one is not judged."""
    both = [entry for name in ("C4", SWAPPED) for entry in found if entry.claim == name and entry.last]
    if len(both) < 2:
        return None
    verdicts = [{part.verdict for part in entry.last[0].parts if "net iqr" in part.what} for entry in both]
    decided = all(each in ({"holds"}, {"fails"}) for each in verdicts)
    answer = "undecided" if not decided else "no" if verdicts[0] == verdicts[1] else "yes"
    own, swapped = (f"{sum(p.there for p in e.last[0].parts)} of {len(e.last[0].parts)}" for e in both)
    return (
        f"{answer}, by the plan's rule on the net IQR. On the ratio {own} means lie where C4 says at the networks' own "
        f"rates, {swapped} at the other's"
    )
