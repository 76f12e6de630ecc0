"""The measures on every public network in a folder: does what the paper claims hold there?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sicjax import figures
from sicjax.experiments import _tables as tables
from sicjax.experiments._claim import Verdicts
from sicjax.experiments._experiment import Chapter, Drawing, Experiment, Results
from sicjax.experiments._lab import Lab
from sicjax.experiments._measured import measured_file
from sicjax.experiments._public import described
from sicjax.experiments._readings import read
from sicjax.experiments.gan_levels import c1, c2
from sicjax.experiments.removal import c5
from sicjax.experiments.vae_levels import c3, c4, readings

ROLES = ("generator", "decoder", "discriminator", "encoder")


def run(lab: Lab):
    assert lab.weights is not None
    found = []
    for file, about in described(lab.weights):
        lab.say(f"measuring {file.stem}")
        networks = measured_file(file)
        # Files without names for their networks, or with one, may leave the name empty.
        named = [name for name in about.get("networks", {}) if name in ROLES]
        if set(networks) == {""} and len(named) == 1:
            networks = {named[0]: networks[""]}
        readings = read(file) if {"encoder", "decoder"} <= set(networks) else None
        found.append(
            {
                "file": file.stem,
                "model": about.get("model"),
                "source": about.get("source"),
                "license": about.get("license"),
                "data": about.get("data"),
                "networks": networks,
                "readings": readings,
            }
        )
    return {"files": found}, {}


def every_pair(result, images):
    rows = [
        figures.Row(
            network=f"{each['file']} {name}",
            level=k,
            low=level["quantiles"]["0.05"],
            median=level["quantiles"]["0.5"],
            high=level["quantiles"]["0.95"],
            marginal=level["marginal"],
            adaptation=level["adaptation"],
            z=level["z"],
            null=(level["null_mean"] - 2 * level["null_std"], level["null_mean"] + 2 * level["null_std"]),
        )
        for each in result["files"]
        for name, levels in each["networks"].items()
        for k, level in enumerate(levels, 1)
        if not level["structural"]
    ]
    return figures.forest(rows)


def chapter(results: Results) -> list[str]:
    files = results["public"]["files"]
    networks = {f"{each['file']} {name}": [levels] for each in files for name, levels in each["networks"].items()}
    text = [
        tables.levels(networks),
        "Single networks have no interval; of each claim, how many of its numbers are where it says:\n",
        _kept(judged_one_by_one(results)),
    ]
    if given := [each["readings"] for each in files if each["readings"]]:
        text += [f"C3 under every reading, {len(given)} public VAEs:\n", readings(given)]
    sources = "; ".join(f"{each['file']}: {each['source']} ({each['license']})" for each in files)
    return [*text, f"Sources: {sources}.\n"]


def levels(result) -> list[Mapping[str, Any]]:
    every = [level for file in result["files"] for levels in file["networks"].values() for level in levels]
    return [level for level in every if not level["structural"]]


def judged_one_by_one(results: Results) -> list[tuple[str, str, Verdicts]]:
    """The claims that can be looked at in public networks: claim, networks, and the numbers, each of a single network.

    A generator and a discriminator belong together if what their sidecars say of the source differs in the file only.
    The VAEs are taken together at the end, as if each were a seed.
    """
    files = results["public"]["files"]
    of = lambda role: {each["file"]: each["networks"][role] for each in files if role in each["networks"]}
    origin = {each["file"]: str(each["source"]).rsplit(" ", 1)[0] for each in files}
    generators, discriminators, encoders, decoders = map(of, ("generator", "discriminator", "encoder", "decoder"))
    found = [(c1.name, name, c1([levels])) for name, levels in (generators | decoders).items()]
    for name, levels in discriminators.items():
        for other, of_generator in generators.items():
            if origin[name] == origin[other]:
                found.append((c2.name, f"{other} and {name}", c2([of_generator], [levels])))
    both = [name for name in encoders if name in decoders]
    found += [(c3.name, name, c3([encoders[name]], [decoders[name]])) for name in both]
    if len(both) > 1:
        together = c3([encoders[name] for name in both], [decoders[name] for name in both])
        found.append((c3.name, f"{len(both)} VAEs together", together))
    for name, levels in decoders.items():
        found += [(c4.name, f"{name} and {other}", c4([levels], [given])) for other, given in generators.items()]
    if "removal" in results:
        for network in results["removal"]["public"]:
            found.append((c5.name, network["file"], c5([network], results["removal"]["share"])))
    return found


def _kept(found: Sequence[tuple[str, str, Verdicts]]) -> str:
    """For public networks, how many of a claim's numbers are where it says, and those that are not."""
    rows = []
    for claim, name, both in found:
        cells = []
        for each in both:
            missed = [f"{p.what} {tables.number(p.found.mean)}" for p in each.parts if not p.point]
            kept = len(each.parts) - len(missed)
            told = f"{kept} of {len(each.parts)}" + (f"; not: {', '.join(missed)}" if missed else "")
            cells.append(f"{each.verdict}, {told}" if each.parts[0].found.n > 1 else told)
        rows.append([claim, name, *cells])
    return tables.table(["claim", "networks", "on the ratio", "on adaptation"], rows)


EXPERIMENT = Experiment(
    "public",
    "every public network",
    run,
    drawings=(Drawing("public", "Every pair of layers of the public networks; level 1 is the finest.", every_pair),),
    page=Chapter("Public networks", chapter),
    weights="needed",
    levels=levels,
)
