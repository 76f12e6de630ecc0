"""The page on the second replication, from the small files that lie beside it: records, ladder, families, untrained."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sicjax._errors import InputError
from sicjax.experiments import _records as records
from sicjax.experiments import _tables as tables
from sicjax.experiments._book import Entry, entries, follows_rate, images_of
from sicjax.experiments._carry_on import missing
from sicjax.experiments._judges import CLAIMS
from sicjax.experiments._planned import planned
from sicjax.experiments._preset import Preset
from sicjax.experiments._recorded import draw
from sicjax.experiments._result import write_json
from sicjax.experiments._scores import MEASURES
from sicjax.experiments.families import counted, judged_families
from sicjax.experiments.families import page as families_page
from sicjax.experiments.ladder import page as ladder_page

QUANTITIES = ("ratio", "adaptation", "coupling")
WHOLE = ("ladder", "families", "untrained")


def write_reproduction(preset: Preset, folder: Path, file: Path) -> Path:
    """Writes the page, beside it those on the ladder and on public networks, and `verdicts.json`.

    Arguments:
        preset: whose runs the plan has.
        folder: with `records` and, as `ladder.json`, `families.json` and `untrained.json`, what the verdicts need.
        file: the page.

    Raises:
        InputError: one of these is missing, or cannot be read or written.
    """
    found = records.read(folder / "records")
    # Nothing is compared with untrained networks before there is a trained one.
    needed = WHOLE if found else tuple(name for name in WHOLE if name != "untrained")
    given: dict[str, Any] = {"untrained": {"networks": {}, "draws": 0}}
    given |= {name: _json(folder / f"{name}.json") for name in needed}
    book = entries(preset, found, images_of(given["ladder"]), given["untrained"]["networks"])
    write_json(folder / "verdicts.json", {each.claim: {**each._asdict(), "verdicts": each.verdicts} for each in book})
    pages = {
        folder / "ladder.md": ["# The ladder of corruptions\n", *_a_level_up(ladder_page(given["ladder"]))],
        folder / "families.md": [
            "# The public networks, by the rules of the plan\n",
            *families_page(given["families"]),
        ],
        folder / "numbers.md": _numbers(found, book, given["untrained"]),
        file: _page(preset, folder, found, book, given, file),
    }
    for place, text in pages.items():
        try:
            place.write_text("\n".join(text).rstrip() + "\n", encoding="utf-8")
        except OSError as error:
            raise InputError(f"cannot write {place}: {error.strerror or error}") from error
    return file


def _json(file: Path) -> dict[str, Any]:
    try:
        return json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {file}: {error}; see the plan for how it is made") from error


def _a_level_up(text: Iterable[str]) -> list[str]:
    """Headings of a part as those of a page of its own."""
    return [part.replace("### ", "## ") for part in text]


def _page(
    preset: Preset, folder: Path, found: Mapping, book: Sequence[Entry], given: Mapping[str, Any], file: Path
) -> list[str]:
    all_runs, left = planned(preset), missing(preset, folder / "records")
    done = len(all_runs) - len(left)
    ladder, families = given["ladder"], given["families"]
    place = folder.name
    text = ["# The paper, repeated: a reproducibility report\n", _HEAD.format(place=place)]
    if left:
        text.append(
            f"**Unfinished: {done} of {len(all_runs)} runs done.** Claims whose runs are missing are not judged "
            "on trained networks; nothing below stands in for them. The public networks, the measures of images and "
            f"the rules are complete. The [pilot]({place}/pilot.md) at 32 x 32 is no substitute: its GANs had hardly "
            "moved.\n"
        )
    text += ["## Verdicts\n", _verdicts(book, counted(families)), _VERDICTS]
    text += ["## Public networks: what contradicts the paper first\n", *_contradicts(families, place)]
    text += ["## Measures of images\n", _measures(ladder, place)]
    text += ["## Runs\n", _kinds_of_runs(found, left, place)]
    answer = follows_rate(book)
    if answer is not None:
        text.append(f"**Does C4 follow the learning rate?** {answer}.\n")
    text += ["## Beyond the paper\n", _BEYOND]
    if drawn := draw(preset, found, folder):
        text += ["## Figures\n", *(_figure(*each, file) for each in drawn)]
    return [*text, "## How to go on\n", _GO_ON.format(place=place)]


def _verdicts(book: Sequence[Entry], public: Mapping[str, Sequence[tuple[int, int]]]) -> str:
    rows = []
    for entry in book:
        says = CLAIMS.get(entry.claim, "The same, GAN and VAE each at the other's learning rate.")
        trained = [
            f"{verdict} ({sum(part.there for part in each.parts)} of {len(each.parts)})"
            for verdict, each in zip(entry.verdicts, entry.last, strict=True)
        ]
        share = [f"{there} of {of}" for there, of in public.get(entry.claim, [])] or ["–"] * 3
        runs = f"{entry.done}/{entry.planned}"
        rows.append([entry.claim, says, runs, *(trained or ["not run"] * 3), *share])
    header = ["", "the paper", "runs", *QUANTITIES, *(f"public: {name}" for name in QUANTITIES)]
    return tables.table(header, rows)


def _contradicts(families: Mapping[str, Any], place: str) -> list[str]:
    """Of each claim the families that lie elsewhere on most parts of the ratio, before those that agree."""
    against, agree = [], []
    for claim, name, three in judged_families(families):
        ratio = three[0]
        there = sum(each.there for each in ratio.parts)
        line = f"{claim} {name}: {there} of {len(ratio.parts)}"
        (agree if there == len(ratio.parts) else against).append(line)
    text = [f"On the ratio, families that are **not** wholly where the paper says: {'; '.join(against) or 'none'}.\n"]
    text.append(f"Wholly where it says: {'; '.join(agree) or 'none'}.\n")
    for file, removal in families["removal"].items():
        text += [_TAKEN_OUT.format(file=file, data=_data(families, file)), _taken_out(removal)]
    return [*text, f"Every number: [families]({place}/families.md).\n"]


def _data(families: Mapping[str, Any], file: str) -> str:
    roles = [role["files"] for family in families["families"].values() for role in family.values()]
    return next((str(files[file]["data"]) for files in roles if file in files), "data not told")


def _taken_out(removal: Mapping[str, Any]) -> str:
    """What is left after removals: by ratio at equal counts, at random, and at the paper's own thresholds."""
    keys = ("chroma", "edges", "checkerboard", "distance")
    rows = []
    for name in ("lowest ratio", "highest ratio", "random", "ratio below 0.9", "ratio above 1.45"):
        every = removal[name] if name == "random" else [removal[name]]
        if all(key in each for each in every for key in keys):
            cells = [tables.number(sum(each[key] for each in every) / len(every), 2) for key in keys]
            rows.append([name, str(every[0]["removed"]), *cells])
    header = [
        "taken out after those of low energy",
        "filters",
        "chroma left",
        "edge energy",
        "checkerboard",
        "distance",
    ]
    return tables.table(header, rows)


def _measures(ladder: Mapping[str, Any], place: str) -> str:
    passed = sum(ladder["passed"].values(), [])
    entered = [f"{family}: {_grouped(keys) or 'none'}" for family, keys in ladder["passed"].items()]
    removed = _grouped([key for key in MEASURES if key not in passed])
    return (
        f"{len(MEASURES)} measures climbed a ladder of seven known corruptions of held-out CelebA, at three "
        f"strengths ([every number]({place}/ladder.md)). Allowed to judge: {'. '.join(entered)}. **Removed from "
        f"verdicts**: {removed}.\n"
    )


def _grouped(keys: Iterable[str]) -> str:
    """Measures by what they are of: those of the same features together."""
    by_name: dict[str, list[str]] = {}
    for key in keys:
        what, _, of = MEASURES[key].name.partition(", ")
        by_name.setdefault(what, []).append(of)
    by_features: dict[str, list[str]] = {}
    for what, of in by_name.items():
        by_features.setdefault(", ".join(of), []).append(what)
    return "; ".join(f"{', '.join(names)} ({of})" for of, names in by_features.items())


def _kinds_of_runs(found: Mapping[str, Mapping[int, Mapping[str, Any]]], left: Sequence[Any], place: str) -> str:
    """For every kind of run how many are done and how far they came."""
    to_do: dict[str, int] = {}
    for run in left:
        to_do[run.name] = to_do.get(run.name, 0) + 1
    rows = []
    for name in dict.fromkeys([*found, *to_do]):
        done = list(found.get(name, {}).values())
        row = [name, f"{len(done)}/{len(done) + to_do.get(name, 0)}"]
        if done:
            far = [by for each in done for by in each["displacement"][str(each["last"])].values()]
            steps = sorted({each["last"] for each in done})
            row += [" to ".join(f"{step:,}" for step in dict.fromkeys((steps[0], steps[-1])))]
            row += [f"{sum(each['settled'] for each in done)} of {len(done)}"]
            row += [f"{100 * max(each['moved']['by'] for each in done):.1f} %", f"{min(far):.2f} to {max(far):.2f}"]
        rows.append([*row, *["–"] * (6 - len(row))])
    header = ["kind of run", "done", "last step", "settled", "moved most", "displacement of layers"]
    return tables.table(header, rows) + f"\n{_OF_RUNS.format(place=place)}"


def _runs(found: Mapping[str, Mapping[int, Mapping[str, Any]]]) -> str:
    rows = []
    for name, seeds in found.items():
        for seed, each in seeds.items():
            moved, far = each["moved"], list(each["displacement"][str(each["last"])].values())
            ended = "settled" if each["settled"] else f"at the cap: {moved['pair']} moved by {100 * moved['by']:.1f} %"
            rows.append([name, str(seed), f"{each['last']:,}", ended, f"{min(far):.2f} to {max(far):.2f}"])
    return tables.table(["run", "seed", "last step", "ended", "displacement of its layers"], rows)


def _numbers(found: Mapping, book: Sequence[Entry], untrained: Mapping[str, Any]) -> list[str]:
    """Untrained rows, every network of the records, and the parts of every verdict."""
    if not found:
        return ["# The numbers behind the verdicts\n", "No run is done yet.\n"]
    text = ["# The numbers behind the verdicts\n", "## Runs\n", _runs(found)]
    text += ["## Levels\n", _UNTRAINED.format(draws=untrained["draws"])]
    keys = ("net std", "net iqr", "net mode", "IQR over that of the null", "adaptation", "coupling")
    rows = []
    for name, levels in untrained["networks"].items():
        for k, level in enumerate(levels):
            cells = [f"{tables.number(level[key]['mean'])} ± {tables.number(level[key]['sd'])}" for key in keys]
            rows.append([f"untrained {name}", str(k + 1), *cells])
    for name, seeds in found.items():
        for network in next(iter(seeds.values()))["levels"]["0"]:
            every = [records.numbers_at_end(each, network) for each in seeds.values()]
            for k in range(len(every[0])):
                cells = [tables.number(sum(levels[k][key] for levels in every) / len(every)) for key in keys]
                rows.append([f"{name} {network} (n = {len(every)})", str(k + 1), *cells])
    text += [tables.table(["network", "level", *keys], rows), "## Verdicts, part by part\n"]
    for entry in book:
        for each in entry.last:
            text.append(f"**{entry.claim}**, {each.on}: **{each.verdict}** ({each.says}).\n")
            text += [f"Lacks: {'; '.join(each.lacks)}.\n"] if each.lacks else []
            text.append(_parts(each))
    return text


def _parts(found) -> str:
    rows = []
    for each in found.parts:
        interval = "" if each.low is None else f" [{tables.number(each.low)}, {tables.number(each.high)}]"
        rule = f"{each.rule} {each.bound:.2g}" + (f" of {each.centre:g}" if each.rule == "within" else "")
        n = str(len(each.values)) + (f" and {len(each.against)}" if each.against else "")
        rows.append([each.what, tables.number(each.mean) + interval, n, rule, each.verdict])
    return tables.table(["number", "mean [95 % interval]", "seeds", "the claim says", "after Holm"], rows)


def _figure(png: Path, caption: str, file: Path) -> str:
    return f"![{caption.split(':')[0]}]({png.relative_to(file.parent).as_posix()})\n\n*{caption}*\n"


_HEAD = (
    "Does what Besserve et al. found of successive layers hold? A second replication, by a [plan]({place}/plan.md) "
    "that was committed before any run: bounds from the null's own spread, numbers net of shuffled taps, Holm's "
    "correction, runs that go on until they settle, and each claim judged three times: on the ratio, on adaptation, "
    "and on coupling. Written by `sicjax reproduce verdicts`; in the tests an independent script recomputes its "
    "numbers.\n"
)
_TAKEN_OUT = (
    "C5 on {file} (trained on {data}): what is left, as a share of the unedited images' own, and the distance to "
    "these in units of that of two images; *random* is the mean of eight draws. The last rows are the paper's own "
    "thresholds.\n"
)
_VERDICTS = (
    "*Runs*: done of planned. In brackets: of how many of the claim's numbers the mean lies where it says, whatever "
    "its interval. *Public*: the same of the families of public networks, net of the null (these had been seen before "
    "the rules were made). C9 on coupling has no runs, by design.\n"
)
_UNTRAINED = (
    "Levels from the images on. *Untrained*: mean ± standard deviation over {draws} networks with Gaussian kernels, "
    "from which the bounds of differences come.\n"
)
_OF_RUNS = (
    "*Settled*: no level's spread moved by more than 3 % in the last quarter; *moved most*: the level that moved most. "
    "*Displacement*: how far a layer has moved, in its own length. [Run by run, and level by level with the untrained "
    "row]({place}/numbers.md).\n"
)
_BEYOND = (
    "* A ratio's mean splits exactly into what each layer prefers alone and what depends on which kernels meet. In "
    "public networks most of a departure from 1 is the former: [meaning](meaning.md).\n"
    "* Layers can be coupled where the mean is 1: [coupling](meaning.md#four-questions-four-numbers) sees it.\n"
    "* What each number finds, and what none finds, where one layer is spoilt: [faults](faults.md); when each appears, "
    "and whether it says more than how far the layers moved: [along training](along.md).\n"
    "* In networks that we trained, filters of the smallest L1 norm are better to take out than any found by these "
    "numbers: [pruning](pruning.md).\n"
)
_GO_ON = (
    "`sicjax reproduce plan --data npz:FILE --out DIR --records docs/{place}/records --for 2h` does the next missing "
    "runs for so long; stopped or killed, it goes on from the last checkpoint, and what has a record is never run "
    "again, on any machine. Several processes share the plan. Then `sicjax reproduce verdicts --records "
    "docs/{place}/records --report docs/replication.md` writes this page anew.\n"
)
