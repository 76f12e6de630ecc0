"""Figures 6 and 10: filters of the last layer but one removed, the same number by each criterion; claim C5."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np

from sicjax import figures, interventions, models, networks, quality, sdr
from sicjax.experiments import _tables as tables
from sicjax.experiments._claim import Verdicts, claim
from sicjax.experiments._experiment import Drawing, Experiment
from sicjax.experiments._images import decode, look
from sicjax.experiments._lab import Lab
from sicjax.experiments._public import generators, load
from sicjax.experiments._result import to_uint8
from sicjax.experiments._statistics import Quantity, by_interval, estimate, judged

# The paper's counts: of 8,192 filters 4,260 stay after the removal by energy; then 576 and 600 go, below 0.9 and above
# 1.45. The same number here is between the two.
LOW_ENERGY = 1 - 4260 / 8192
BELOW, ABOVE = 0.9, 1.45
FURTHER = 588 / 8192
# Shares of all filters removed after those of low energy.
DOSES = (FURTHER / 2, FURTHER, 2 * FURTHER, 4 * FURTHER)
RANDOM_DRAWS = 3
SHOWN = 6
KINDS: dict[str, tuple[Literal["ratio", "adaptation"], Literal["lowest", "highest"]]] = {
    "lowest ratio": ("ratio", "lowest"),
    "highest ratio": ("ratio", "highest"),
    "lowest adaptation": ("adaptation", "lowest"),
    "highest adaptation": ("adaptation", "highest"),
}
# In the order of the figures' columns and of the tables' rows.
COLUMNS = ("low energy", "lowest ratio", "highest ratio", "random", "lowest adaptation", "highest adaptation")


def run(lab: Lab):
    found: dict[str, Any] = {"share": FURTHER, "trained": []}
    images: dict[str, np.ndarray] = {}
    for k, seed in enumerate(lab.preset.seeds):
        numbers, shown = remove(models.load(lab.gan(seed))["average"], lab.preset.edited, seed)
        found["trained"].append({"seed": seed, **numbers})
        images |= {f"trained: {name}": page for name, page in shown.items()} if k == 0 else {}
    found["public"] = []
    for file in [] if lab.weights is None else generators(lab.weights):
        lab.say(f"removing filters of {file.stem}")
        numbers, shown = remove(load(file), lab.preset.edited, 0)
        found["public"].append({"file": file.stem, **numbers})
        images |= {f"{file.stem}: {name}": page for name, page in shown.items()}
    return found, images


def remove(model: Any, count: int, seed: int) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What each removal does to `count` images of a generator, and the first of them."""
    pair = finest(model)
    z = jax.random.normal(jax.random.key(seed), (count, model.latent))
    unedited = decode(model, z)
    layer = pair.first.path
    total = pair.cascade.shape[0] * pair.cascade.shape[1]
    base, low = interventions.remove_filters(
        model, layer, pair=pair.cascade, by="output_energy", remove="lowest", count=round(LOW_ENERGY * total)
    )
    kept = finest(base).cascade
    ratio = interventions.criterion(np.asarray(kept.first), by="ratio", pair=kept)
    pages = {"unedited": unedited, "low energy": decode(base, z)}
    numbers: dict[str, Any] = {
        "layer": layer,
        "filters": total,
        "after_energy": low.remaining,
        "below": int((ratio < BELOW).sum()),
        "above": int((ratio > ABOVE).sum()),
        "ratio_quantiles": np.nanquantile(ratio, [0.05, 0.25, 0.5, 0.75, 0.95]).tolist(),
        "unedited": look(unedited),
        "low energy": _numbers(pages["low energy"], unedited),
        "doses": [],
    }
    for dose in DOSES:
        further = min(max(round(dose * total), 1), low.remaining - 1)
        row: dict[str, Any] = {"share": dose, "removed": further}
        for name, (by, end) in KINDS.items():
            edited, _ = interventions.remove_filters(base, layer, pair=kept, by=by, remove=end, count=further)
            page = decode(edited, z)
            row[name] = {**_numbers(page, unedited), **_split(edited)}
            if dose == FURTHER:
                pages[name] = page
        draws = [decode(_at_random(base, layer, ratio, further, k), z) for k in range(RANDOM_DRAWS)]
        row["random"] = _mean([_numbers(page, unedited) for page in draws])
        if dose == FURTHER:
            pages["random"] = draws[0]
        numbers["doses"].append(row)
    for name, below, above in (("below 0.9", BELOW, None), ("above 1.45", None, ABOVE)):
        edited, gone = interventions.remove_filters(base, layer, pair=kept, by="ratio", below=below, above=above)
        page = pages[name] = decode(edited, z)
        numbers[name] = {"remaining": gone.remaining, **_numbers(page, unedited)}
    return numbers, {name: to_uint8(page[:SHOWN]) for name, page in pages.items()}


def finest(model: Any) -> networks.Pair:
    """The last pair of a generator."""
    return networks.from_module(model, jax.ShapeDtypeStruct((1, model.latent), jnp.float32)).pairs[-1]


def _at_random(model: Any, layer: str, ratio: np.ndarray, count: int, seed: int) -> Any:
    """The control: as many filters of those left, at random."""
    places = np.argwhere(np.isfinite(ratio))
    order = np.random.default_rng(seed).permutation(len(places))
    return interventions.remove_filters(model, layer, indices=places[order[:count]]).network


def _split(model: Any) -> dict[str, float]:
    """The finest pair's mean and its parts after the removal."""
    pair = finest(model).cascade
    parts = sdr.decompose(pair)
    return {"mean": float(sdr.moments(pair).mean), "adaptation": float(parts.adaptation), "z": float(parts.z)}


def _numbers(images: np.ndarray, unedited: np.ndarray) -> dict[str, Any]:
    """Colour, edges and distance as shares of the unedited images' own."""
    now, before = look(images), look(unedited)
    share = lambda key: now[key] / before[key] if now[key] is not None and before[key] else None
    apart = np.sqrt(np.square(images - unedited).mean((1, 2, 3))).mean()
    return {
        "chroma": share("chroma"),
        "edges": share("edges"),
        "checkerboard": share("checkerboard"),
        "distance": float(apart / quality.diversity(unedited)),
    }


def _mean(rows: list[dict[str, Any]]) -> dict[str, Any]:
    given = lambda key: [row[key] for row in rows if row[key] is not None]
    return {key: float(np.mean(given(key))) if given(key) else None for key in rows[0]}


def at_share(network: Mapping[str, Any], share: float = FURTHER) -> dict[str, Any]:
    """What a network's removals did at one dose, by what was removed; and those of low energy, which come before."""
    dose = next(row for row in network["doses"] if row["share"] == share)
    return {"low energy": network["low energy"], **dose}


def fig6(result, images):
    drawn = {}
    for name, found, pages in _shown(result, images):
        columns, notes = _headings(found)
        drawn[name] = figures.table(np.swapaxes(pages[:, :2], 0, 1), columns=columns, notes=notes)
    return drawn


def fig10(result, images):
    return {
        name: figures.table(np.swapaxes(pages, 0, 1), columns=_headings(found)[0])
        for name, found, pages in _shown(result, images)
    }


def _shown(result, images) -> Iterator[tuple[str, Mapping[str, Any], np.ndarray]]:
    """Of every network with images what its files' names end with, its numbers, and a column for each removal."""
    sources = list(dict.fromkeys(key.split(": ")[0] for key in images))
    networks = {"trained": result["trained"][0]} | {each["file"]: each for each in result["public"]}
    for source in sources:
        pages = np.stack([images[f"{source}: {name}"] for name in ("unedited", *COLUMNS)])
        yield "" if source == sources[-1] else source, networks[source], pages


def _headings(found: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Above each column what is out and how many filters are left; below it what that left, and in which units."""
    rows = at_share(found)
    left = found["after_energy"] - rows["removed"]
    columns = [f"unedited\n\n{found['filters']:,} filters", f"low energy\nout\n{found['after_energy']:,} filters"]
    columns += [name.replace(" ", "\n") + f" out\n{left:,} filters" for name in COLUMNS[1:]]
    notes = ["\n".join(tables.number(rows[name][key], 2) for key in ("chroma", "distance")) for name in COLUMNS]
    return columns, ["chroma, × unedited\ndistance, × random", *notes]


def fig6_numbers(result, images):
    count = len(result["trained"])
    everything = {f"trained here, {count} seed{'s' if count > 1 else ''}": result["trained"]}
    everything |= {f"{each['file']}, one network": [each] for each in result["public"]}
    return figures.removal(
        {name: [found["doses"] for found in networks] for name, networks in everything.items()},
        kinds=("random", *KINDS),
        numbers=("chroma", "edges", "distance"),
    )


def page(result) -> list[str]:
    share, text = result["share"], []
    named = {f"Trained here, {len(result['trained'])} networks (counts of the first)": result["trained"]}
    for title, alike in (named | {each["file"]: [each] for each in result["public"]}).items():
        first = alike[0]
        text.append(
            f"{title}: of {first['filters']:,} filters {first['after_energy']:,} are left without those of low energy, "
            f"of these {first['below']:,} with a ratio below 0.9 and {first['above']:,} above 1.45. Then "
            f"{at_share(first, share)['removed']:,} more of each kind:\n"
        )
        text.append(_left(alike, share))
    return text


def _left(alike: Sequence[Mapping[str, Any]], share: float) -> str:
    """A table of what each removal leaves of colour and edges, and how far it moves the images."""
    rows = []
    for name in COLUMNS:
        at = [at_share(network, share)[name] for network in alike]
        given = lambda key, at=at: [each[key] for each in at if each[key] is not None] or [math.nan]
        cells = [tables.interval(estimate(given(key))) for key in ("chroma", "edges", "checkerboard", "distance")]
        rows.append([name, *(cell.removesuffix(" (n = 1)") for cell in cells)])
    return tables.table(
        ["removed", "chroma variance", "edge energy", "checkerboard energy", "distance to unedited"], rows
    )


@claim(
    "C5",
    "Removing low-ratio filters spares meaning, removing high-ratio filters removes colour.",
    of=lambda result: [result["trained"], result["share"]],
)
def c5(networks: Sequence[Mapping[str, Any]], share: float) -> Verdicts:
    """From what `remove` found, network by network, at the dose of a share of all filters."""
    rows = [at_share(network, share) for network in networks]
    found = []
    quantities: tuple[Quantity, ...] = ("ratio", "adaptation")
    for on in quantities:
        low, high = f"lowest {on}", f"highest {on}"
        less = lambda a, b, key: [
            row[a][key] - row[b][key]  # noqa: B023
            for row in rows
            if row[a][key] is not None and row[b][key] is not None
        ]
        parts = [
            by_interval(f"chroma variance, {high} minus random", less(high, "random", "chroma"), "below", null=0.0),
            by_interval(f"chroma variance, {high} minus {low}", less(high, low, "chroma"), "below", null=0.0),
            by_interval(
                f"distance to unedited, {low} minus random", less(low, "random", "distance"), "below", null=0.0
            ),
            by_interval(f"distance to unedited, {high} minus {low}", less(high, low, "distance"), "above", null=0.0),
        ]
        board = less(low, "random", "checkerboard")
        if board:
            parts.append(by_interval(f"checkerboard energy, {low} minus random", board, "above", null=0.0))
        says = (
            "highest out: less colour than lowest or random out; lowest out: closer to the unedited, more checkerboard"
        )
        found.append(judged(on, says, parts))
    return found[0], found[1]


def remark(results) -> str:
    text = ""
    for network in results.get("removal", {}).get("public", []):
        row = at_share(network, results["removal"]["share"])
        left = {kind: f"{100 * row[kind]['chroma']:.0f} %" for kind in ("random", *KINDS)}
        text += (
            f" In {network['file']}, when {row['removed']:,} filters go after those of low energy, of the colour "
            f"variance {left['random']} is left if they go at random, {left['lowest ratio']} if they have the lowest "
            f"ratios, {left['highest ratio']} if the highest, {left['lowest adaptation']} if they add least to "
            f"adaptation, and {left['highest adaptation']} if most."
        )
    if not text:
        return ""
    return (
        "**What a filter's ratio says.** A high one: filter and next layer favour the same frequencies; mostly low "
        "ones, since these carry the power of images, hence patches of colour. A low one: the next layer attenuates "
        "what the filter makes. A filter's share of adaptation leaves out what is usual in both layers." + text
    )


EXPERIMENT = Experiment(
    "removal",
    "filters removed by energy, ratio and adaptation",
    run,
    drawings=(
        Drawing(
            "fig6",
            "Fig. 6: filters of the last layer but one removed; above each column how many are left. Below it colour "
            "variance as a multiple of that of the unedited images, and the distance to these as a multiple of the "
            "distance of two random images.",
            fig6,
        ),
        Drawing("fig6-numbers", "What Fig. 6 and 10 show, in numbers, by how many filters are removed.", fig6_numbers),
        Drawing("fig10", "Fig. 10: more of Fig. 6.", fig10),
    ),
    page=page,
    claims=(c5,),
    weights="used",
    remark=remark,
)
