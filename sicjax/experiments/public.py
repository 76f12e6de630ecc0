"""The measures on every public network in a folder: does what the paper claims hold there?"""

from __future__ import annotations

from sicjax import figures
from sicjax.experiments._experiment import Experiment
from sicjax.experiments._lab import Lab
from sicjax.experiments._measured import measured_file
from sicjax.experiments._public import described
from sicjax.experiments._readings import read

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


def draw(result, images):
    rows = [
        figures.Row(
            f"{each['file']} {name}",
            k,
            level["quantiles"]["0.05"],
            level["quantiles"]["0.5"],
            level["quantiles"]["0.95"],
            level["marginal"],
            level["adaptation"],
            level["z"],
            (level["null_mean"] - 2 * level["null_std"], level["null_mean"] + 2 * level["null_std"]),
        )
        for each in result["files"]
        for name, levels in each["networks"].items()
        for k, level in enumerate(levels, 1)
        if not level["structural"]
    ]
    return {"public": figures.forest(rows)}


EXPERIMENT = Experiment("public", (), "every public network", run, draw, weights="needed")
