"""The replication as one page of Markdown: verdicts, figures, every number, and what the measure can tell."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sicjax._errors import InputError
from sicjax.experiments import _tables as tables
from sicjax.experiments._limits import page
from sicjax.experiments._pictures import embedded, linked
from sicjax.experiments._registry import EXPERIMENTS
from sicjax.experiments._result import write_json
from sicjax.experiments.claims import CLAIMS, judge_all, of_public


def results_in(folder: Path) -> dict[str, dict[str, Any]]:
    """What experiments have left in a folder."""
    found = {}
    for experiment in EXPERIMENTS:
        file = folder / experiment.name / "result.json"
        if file.exists():
            found[experiment.name] = json.loads(file.read_text())
    return found


def write_report(folders: Sequence[Path], file: Path) -> Path:
    """Writes the page on the results in these folders, and `claims.json` into each.

    Figures and numbers that do not lie below the page's folder are copied beside it, into a folder of its name.

    Raises:
        InputError: no results, or a page that cannot be written.
    """
    results = {folder.name: results_in(folder) for folder in folders}
    if len(results) != len(folders) or not all(results.values()):
        raise InputError(f"no results, or two folders of one name: {', '.join(map(str, folders))}")
    judged = {name: judge_all(found) for name, found in results.items()}
    for folder in folders:
        write_json(folder / "claims.json", judged[folder.name])
    text = [_HEAD, "## Verdicts\n", tables.verdicts(judged), _VERDICTS]
    for folder in folders:
        text.append(_section(folder, results[folder.name], judged[folder.name], file))
    newest = {name: found for each in results.values() for name, found in each.items()}
    if "public" in newest:
        folder = next(folder for folder in reversed(folders) if "public" in results[folder.name])
        text += ["## Public networks\n", *embedded(folder / "public", file), _public(newest)]
        text.append(_numbers_file(folder, "public", file))
    text += ["## What the measure can and cannot tell\n", page(newest)]
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("\n".join(text))
    except OSError as error:
        raise InputError(f"cannot write {file}: {error.strerror or error}") from error
    return file


_HEAD = (
    "# The paper, repeated\n\n"
    "Written by `sicjax reproduce` from the results in its folders, not by hand. Levels are counted from the images: "
    "level 1 is the finest. Intervals are of Student's t over seeds. *Shuffled* has the taps of every kernel in random "
    "order: the same weights without their arrangement. *Marginal* and *adaptation* add up to the mean ratio minus 1; "
    "z is adaptation over its standard deviation under random pairing of the kernels. Ratios of a GAN are those of its "
    "weights as trained; images, and filters removed, are of their average over the steps.\n"
)
_VERDICTS = (
    "A claim **holds** if the whole 95 % interval of every number it is judged by lies where the claim says, **fails** "
    "if one lies wholly elsewhere, and is **undecided** otherwise. Each is judged on the ratios, as the paper does, "
    "and on adaptation, which the paper did not know. For C9 the penalty on the whole departure stands under "
    "*ratio*, that on adaptation alone under *adaptation*, and one weight that helps is enough.\n"
)


def _section(folder: Path, results: Mapping[str, Any], judged: Mapping[str, Any], file: Path) -> str:
    first = next(iter(results.values()))
    counts = sorted({len(result["seeds"]) for result in results.values()})
    seeds = " to ".join(str(count) for count in dict.fromkeys((counts[0], counts[-1])))
    versions = ", ".join(f"{name} {version}" for name, version in first["versions"].items() if name != "device")
    text = [
        f"## Results: {folder.name}\n",
        f"Preset `{first['preset']}`: images from {first['data']}, {first['size']} x {first['size']}; "
        f"{first['gan_steps']:,} steps of each GAN, {first['vae_steps']:,} of each VAE, {seeds} seeds. {versions}, on "
        f"{first['versions']['device']}.\n",
    ]
    for experiment in EXPERIMENTS:
        if experiment.name in results and experiment.name != "public":
            text.append(f"### {experiment.title[0].upper()}{experiment.title[1:]}\n")
            text += embedded(folder / experiment.name, file)
            text += _numbers(experiment.name, results[experiment.name])
            text.append(_numbers_file(folder, experiment.name, file))
    text.append(f"### Claims: {folder.name}\n")
    for claim in CLAIMS:
        if claim.name in judged:
            text.append(f"**{claim.name}.** {claim.says}\n")
            for each in judged[claim.name]:
                text.append(f"On {'the ratio' if each.on == 'ratio' else each.on}, **{each.verdict}** ({each.says}):\n")
                text.append(tables.parts(each))
    link = linked(folder / "claims.json", file, f"{folder.name}/claims.json")
    text.append(f"[Every number]({link}), seed by seed\n")
    return "\n".join(text)


def _numbers_file(folder: Path, name: str, file: Path) -> str:
    link = linked(folder / name / "result.json", file, f"{folder.name}/{name}.json")
    return f"[Every number]({link})\n"


def _numbers(name: str, result: Mapping[str, Any]) -> list[str]:
    match name:
        case "illustration":
            rows = [
                [kind, *(tables.number(each[key], 2) for key in ("causal_median", "anticausal_median")),
                 *(f"{100 * each[key]:.0f} %" for key in ("anticausal_below_one", "larger_is_causal"))]
                for kind, each in result["directions"].items()
            ]  # fmt: skip
            header = [
                "input and filter",
                "median, causal",
                "median, anticausal",
                "anticausal below 1",
                "larger is causal",
            ]
            return [tables.table(header, rows)]
        case "gan_levels":
            return [tables.levels(result["networks"]), tables.quality({"GAN": result["quality"]})]
        case "vae_levels":
            return [
                tables.levels(result["networks"]),
                "Readings of the formula:\n",
                tables.readings(result["readings"]),
            ]
        case "removal":
            text = []
            for title, networks in _removed(result).items():
                at = networks[0]
                further = next(row for row in at["doses"] if row["share"] == result["share"])["removed"]
                text.append(
                    f"{title}: of {at['filters']:,} filters {at['after_energy']:,} are left without those of low "
                    f"energy, of these {at['below']:,} with a ratio below 0.9 and {at['above']:,} above 1.45. Then "
                    f"{further:,} more of each kind:\n"
                )
                text.append(tables.removal(networks, result["share"]))
            return text
        case "sweep":
            named = {f"{v['channels']} channels, beta {v['beta']:g}": v for v in result["variants"]}
            networks = {f"{network}, {name}": v["networks"][network] for network in ("encoder", "decoder")
                        for name, v in named.items()}  # fmt: skip
            return [tables.quality({name: v["quality"] for name, v in named.items()}), tables.levels(networks)]
        case "dropout":
            kinds = {f"dropout {result[key]['rate']:g}": result[key] for key in ("with", "without")}
            networks = {f"generator, {name}": each["networks"]["generator"] for name, each in kinds.items()}
            return [tables.quality({name: each["quality"] for name, each in kinds.items()}), tables.levels(networks)]
        case _:
            named = {f"{v['kind']} x {v['weight']:g}": v for v in result["variants"]}
            networks = {name: v["networks"]["generator"] for name, v in named.items()}
            return [tables.quality({name: v["quality"] for name, v in named.items()}), tables.levels(networks)]


def _removed(result: Mapping[str, Any]) -> dict[str, list[Any]]:
    named = {f"Trained here, {len(result['trained'])} networks (counts of the first)": result["trained"]}
    return named | {each["file"]: [each] for each in result["public"]}


def _public(results: Mapping[str, Any]) -> str:
    networks = {
        f"{each['file']} {name}": [levels]
        for each in results["public"]["files"]
        for name, levels in each["networks"].items()
    }
    text = [tables.levels(networks)]
    text.append("Single networks have no interval; of each claim, how many of its numbers are where it says:\n")
    text.append(tables.of_public(of_public(results)))
    given = [each["readings"] for each in results["public"]["files"] if each["readings"]]
    if given:
        text.append(f"C3 under every reading, {len(given)} public VAEs:\n")
        text.append(tables.readings(given))
    sources = "; ".join(f"{each['file']}: {each['source']} ({each['license']})" for each in results["public"]["files"])
    text.append(f"Sources: {sources}.\n")
    return "\n".join(text)
