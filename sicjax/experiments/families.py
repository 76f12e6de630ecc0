"""The public networks as the larger sample: C1 to C5 on each family, by the rules of the plan, families as units.

A family is what one author published, its networks averaged: of several data sets those of faces alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np

from sicjax import networks
from sicjax.experiments import _judges as judges
from sicjax.experiments import _tables as tables
from sicjax.experiments._experiment import Experiment
from sicjax.experiments._judges import CLAIMS, Network
from sicjax.experiments._lab import Lab
from sicjax.experiments._measured import measured_file
from sicjax.experiments._net import numbers
from sicjax.experiments._public import described, generators, load
from sicjax.experiments._taken_out import taken_out
from sicjax.experiments._tests import Judgement, Tested
from sicjax.experiments._untrained import scatter

ROLES = ("generator", "discriminator", "encoder", "decoder")
FACES = ("celeba", "face")
# Images drawn with each set of filters removed; public generators are of full width.
EDITED = 96
ON = ("ratio", "adaptation", "coupling")
WHOLLY = "; all"


def run(lab: Lab):
    assert lab.weights is not None
    given = list(described(lab.weights))
    of_faces = {family(about) for _, about in given if _faces(about)}
    found: dict[str, dict[str, Any]] = {}
    for file, about in given:
        roles = [name for name in about.get("networks", {}) if name in ROLES]
        if not roles or family(about) not in of_faces or not _faces(about):
            continue
        lab.say(f"measuring {file.stem}")
        measured = measured_file(file)
        if set(measured) == {""} and len(roles) == 1:
            measured = {roles[0]: measured[""]}
        net = networks.from_file(file)
        for role in (role for role in roles if role in measured):
            of = found.setdefault(family(about), {}).setdefault(role, {"files": {}, "levels": {}})
            of["files"][file.stem] = {key: about.get(key) for key in ("source", "license", "data")}
            of["levels"][file.stem] = numbers(measured[role])
            if "scatter" not in of:
                lab.say(f"untrained networks like {file.stem}, {role}")
                pairs = [pair for pair in net.pairs if pair.network in (role, "")]
                of["scatter"] = scatter(net._replace(pairs=tuple(pairs)))
    removal = {}
    for file in generators(lab.weights):
        lab.say(f"filters of {file.stem} taken out")
        removal[file.stem], _ = taken_out(load(file), min(EDITED, lab.preset.edited), 0)
    return {"families": found, "removal": removal}, {}


def family(about: Mapping[str, Any]) -> str:
    """Who published a file.

    >>> family({"source": "GitHub YannDubs/disentangling-vae @f0452 model.pt"})
    'YannDubs'
    """
    return str(about["source"]).split()[1].split("/")[0]


def _faces(about: Mapping[str, Any]) -> bool:
    return any(word in str(about.get("data", "")).lower() for word in FACES)


def network(result: Mapping[str, Any], name: str, role: str) -> Network | None:
    """A family's network: the mean over its files, as if it were one seed; None where it has none."""
    given = result["families"].get(name, {}).get(role)
    if given is None:
        return None
    every = list(given["levels"].values())
    mean = [
        {key: float(np.mean([levels[k][key] for levels in every])) for key in every[0][k]} for k in range(len(every[0]))
    ]
    return Network({0: mean}, [{key: value["sd"] for key, value in level.items()} for level in given["scatter"]])


def judged_families(result: Mapping[str, Any]) -> list[tuple[str, str, list[Judgement]]]:
    """Claim, family or two of them, and the judgements, each of a single network: only where a number lies counts."""
    names, found = list(result["families"]), []
    of = lambda name, role: network(result, name, role)
    for name in names:
        for role in ("generator", "decoder"):
            if (made := of(name, role)) is not None:
                found.append(("C1", f"{name} {role}", judges.c1(made)))
    for name in names:
        generator, discriminator = of(name, "generator"), of(name, "discriminator")
        if generator is not None and discriminator is not None:
            found.append(("C2", name, judges.c2(generator, discriminator)))
    for name in names:
        encoder, decoder = of(name, "encoder"), of(name, "decoder")
        if encoder is not None and decoder is not None:
            found.append(("C3", name, judges.c3(encoder, decoder)))
    for one, other in product(names, names):
        decoder, generator = of(one, "decoder"), of(other, "generator")
        if decoder is not None and generator is not None:
            found.append(("C4", f"{one} against {other}", judges.c4(decoder, generator)))
    found += [("C5", file, judges.c5({0: removal})) for file, removal in result["removal"].items()]
    return found


def page(result) -> list[str]:
    """What it comes to, a line for each family, who the families are, and below it every number of each claim."""
    judged = judged_families(result)
    counts = counted(result)
    whole = [f"{claim} {name}" for claim, name, three in judged if _share(three[0].parts).endswith(WHOLLY)]
    sums: list[tuple[Any, ...]] = [tuple(map(sum, zip(*of, strict=True))) for of in zip(*counts.values(), strict=True)]
    text = [
        _ANSWER.format(whole=f"Of all families only {', '.join(whole)}" if whole else "No family", sums=_in_a_row(sums))
    ]
    rows = [[f"{claim}: {CLAIMS[claim]}", *(f"{there} of {of}" for there, of in of)] for claim, of in counts.items()]
    text.append(tables.table(["the paper's claim, and how many of its numbers are where it says", *ON], rows))
    text += ["## Family by family\n", _READ]
    rows = [[claim, name, *(_share(each.parts) for each in three)] for claim, name, three in judged]
    text += [tables.table(["claim", "family", *ON], rows), "## Who the families are\n", _families(result)]
    text += ["## Every number\n", _NUMBERS]
    for claim in counts:
        text += [f"### {claim}: {CLAIMS[claim]}\n", _every({name: three for c, name, three in judged if c == claim})]
    return text


def _share(parts: Sequence[Tested]) -> str:
    there = sum(part.there for part in parts)
    return f"{there} of {len(parts)}{WHOLLY if there == len(parts) else ''}"


def _in_a_row(sums: Sequence[tuple[int, ...]]) -> str:
    return ", ".join(
        f"{there} of {of} on {'the ' * (on == 'ratio')}{on}" for on, (there, of) in zip(ON, sums, strict=True)
    )


def _families(result: Mapping[str, Any]) -> str:
    """Whose networks they are, by role, with what they were trained on."""
    rows = []
    for name, roles in result["families"].items():
        files = {file: about for role in roles.values() for file, about in role["files"].items()}
        told = lambda key, files=files: list(dict.fromkeys(str(about[key]) for about in files.values()))
        # Package or repository, and version; the file in it is in the JSON.
        source = dict.fromkeys(" ".join(each.split()[:3]).rstrip(",") for each in told("source"))
        cells = ["; ".join(each) for each in (told("data"), source, told("license"))]
        rows.append([name, ", ".join(roles), ", ".join(files), *cells])
    return tables.table(["family", "networks", "files", "trained on", "from", "licence"], rows)


def _every(families: Mapping[str, Sequence[Judgement]]) -> str:
    """A line for each number of a claim and a column for each family; bold is what is not where the claim says."""
    rows: dict[tuple[str, str], dict[str, Tested]] = {}
    for name, three in families.items():
        for judgement in three:
            for part in judgement.parts:
                rows.setdefault((judgement.on, part.what), {})[name] = part
    lines = []
    for (on, what), parts in rows.items():
        rules = {_rule(part) for part in parts.values()}
        cells = [_cell(parts[name], len(rules) > 1) if name in parts else "–" for name in families]
        lines.append([on, what, rules.pop() if len(rules) == 1 else "as in brackets", *cells])
    # The levels of one quantity together, whatever family has them.
    lines.sort(key=lambda line: ON.index(line[0]))
    return tables.table(["on", "number", "the claim says", *families], lines)


def _rule(part: Tested) -> str:
    return f"{part.rule} {part.bound:.2g}" + (f" of {part.centre:g}" if part.rule == "within" else "")


def _cell(part: Tested, bound: bool) -> str:
    value = tables.number(part.mean)
    return (value if part.there else f"**{value}**") + (f" ({_rule(part)})" if bound else "")


def counted(result: Mapping[str, Any]) -> dict[str, Sequence[tuple[int, int]]]:
    """Of every claim and quantity, on how many parts the families lie where it says, of how many."""
    found: dict[str, list[list[int]]] = {}
    for claim, _, three in judged_families(result):
        into = found.setdefault(claim, [[0, 0] for _ in three])
        for k, each in enumerate(three):
            into[k][0] += sum(part.there for part in each.parts)
            into[k][1] += len(each.parts)
    return {claim: [(there, of) for there, of in counts] for claim, counts in found.items()}


_ANSWER = (
    "**{whole} lies wholly where the paper says, on its own ratio.** Of the numbers that C1 to C5 are judged "
    "by, where the paper says: {sums}.\n"
)
_READ = (
    "On how many of a claim's numbers a family lies where the claim says, by the rules of "
    "[the plan](plan.md); a single network has no interval. What is net, and what untrained networks differ by, as "
    "there. A family is what one author published, its networks averaged.\n"
)
_NUMBERS = (
    "A line for each number that a claim is judged by, a column for each family. **Bold**: not where the claim says. "
    "Level names are from the images on, and a dash is a level that the family has not. The same and what they are "
    "computed from, to the last digit: [families.json](families.json).\n"
)

EXPERIMENT = Experiment(
    "families",
    "public networks, families as units",
    run,
    drawings=(),
    page=page,
    weights="needed",
    own=True,
)
