"""The replication as one page of Markdown: verdicts, figures, every number, and what the measure can tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from sicjax._errors import InputError
from sicjax.experiments import _limits as limits
from sicjax.experiments import _tables as tables
from sicjax.experiments._claim import Verdicts
from sicjax.experiments._experiment import Chapter, Results
from sicjax.experiments._pictures import embedded, linked
from sicjax.experiments._preset import UNTRAINED
from sicjax.experiments._registry import CLAIMS, EXPERIMENTS, judge_all, results_in
from sicjax.experiments._result import write_json


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
        plain = {
            name: [{"claim": name, **each._asdict()} for each in both] for name, both in judged[folder.name].items()
        }
        write_json(folder / "claims.json", plain)
    trials = sorted({r["preset"] for found in results.values() for r in found.values()} & set(UNTRAINED))
    text = [_HEAD, *(_TRIAL.format(preset=preset) for preset in trials)]
    text += ["## Verdicts\n", tables.verdicts(CLAIMS, judged)]
    text.append(" ".join([_VERDICTS, *(claim.note for claim in CLAIMS if claim.note)]) + "\n")
    for folder in folders:
        text.append(_section(folder, results[folder.name], judged[folder.name], file))
    newest = {name: found for each in results.values() for name, found in each.items()}
    for experiment in EXPERIMENTS:
        if experiment.name in newest and isinstance(experiment.page, Chapter):
            folder = next(folder for folder in reversed(folders) if experiment.name in results[folder.name])
            text += [f"## {experiment.page.heading}\n", *embedded(folder / experiment.name, experiment, file)]
            text += ["\n".join(experiment.page.text(newest)), _numbers_file(folder, experiment.name, file)]
    levels = [level for e in EXPERIMENTS if e.name in newest for level in e.levels(newest[e.name])]
    remarks = [experiment.remark(newest) for experiment in EXPERIMENTS]
    text += ["## What the measure can and cannot tell\n", limits.page(levels, remarks)]
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("\n".join(text), encoding="utf-8")
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
_TRIAL = (
    "**None of what follows is a result.** Preset `{preset}` tries the program: its networks are hardly trained, and "
    "where it says that a claim holds or fails, it is of such networks. Presets `cpu` and `paper` train them.\n"
)
_VERDICTS = (
    "A claim **holds** if the whole 95 % interval of every number it is judged by lies where the claim says, **fails** "
    "if one lies wholly elsewhere, and is **undecided** otherwise. Each is judged on the ratios, as the paper does, "
    "and on adaptation, which the paper did not know."
)


def _section(folder: Path, results: Results, judged: Mapping[str, Verdicts], file: Path) -> str:
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
        if experiment.name in results and not isinstance(experiment.page, Chapter):
            text.append(f"### {experiment.title[0].upper()}{experiment.title[1:]}\n")
            text += embedded(folder / experiment.name, experiment, file)
            text += experiment.page(results[experiment.name])
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
