"""Figures 6 and 10: filters of the last layer but one removed, the same number by each criterion."""

from __future__ import annotations

from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np

from sicjax import figures, interventions, models, networks, quality, sdr
from sicjax.experiments._experiment import Experiment
from sicjax.experiments._images import decode, look
from sicjax.experiments._lab import Lab
from sicjax.experiments._public import generators, load
from sicjax.experiments._result import to_uint8

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
        draws = [decode(_without_random(base, layer, ratio, further, k), z) for k in range(RANDOM_DRAWS)]
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


def _without_random(model: Any, layer: str, ratio: np.ndarray, count: int, seed: int) -> Any:
    """The control: as many filters of those left, at random."""
    from flax import nnx

    graphdef, state = nnx.split(model)
    copy = nnx.merge(graphdef, state)
    module = copy
    for key in layer.split("."):
        module = module[int(key)] if key.isdigit() else getattr(module, key)
    places = np.argwhere(np.isfinite(ratio))
    chosen = places[np.random.default_rng(seed).permutation(len(places))[:count]]
    kernel = np.array(module.kernel[...])
    kernel[:, :, chosen[:, 0], chosen[:, 1]] = 0
    module.kernel = nnx.Param(jnp.asarray(kernel))
    return copy


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


def draw(result, images):
    sources = list(dict.fromkeys(key.split(": ")[0] for key in images))
    drawn = {}
    for source in sources:
        found = result["trained"][0] if source == "trained" else _public(result, source)
        ending = "" if source == sources[-1] else f"-{source}"
        columns, notes, pages = _columns(
            found, {k.split(": ", 1)[1]: v for k, v in images.items() if k.startswith(source)}
        )
        drawn[f"fig6{ending}"] = figures.table(np.swapaxes(pages[:, :2], 0, 1), columns=columns, notes=notes)
        drawn[f"fig10{ending}"] = figures.table(np.swapaxes(pages, 0, 1), columns=columns)
    count = len(result["trained"])
    everything = {f"trained here, {count} seed{'s' if count > 1 else ''}": result["trained"]}
    everything |= {f"{each['file']}, one network": [each] for each in result["public"]}
    drawn["fig6-numbers"] = figures.removal(
        {name: [found["doses"] for found in networks] for name, networks in everything.items()},
        kinds=("random", *KINDS),
        numbers=("chroma", "edges", "distance"),
    )
    return drawn


def _public(result, source):
    return next(each for each in result["public"] if each["file"] == source)


def _columns(found, pages):
    """Headings, notes and images of the figure's columns."""
    equal = next(row for row in found["doses"] if row["share"] == FURTHER)
    names = (
        "unedited",
        "low energy",
        "lowest ratio",
        "highest ratio",
        "random",
        "lowest adaptation",
        "highest adaptation",
    )
    left = found["after_energy"] - equal["removed"]
    heading = {
        "unedited": f"unedited\n\n{found['filters']:,}",
        "low energy": f"low energy\nout\n{found['after_energy']:,}",
    }
    columns = [heading.get(name, name.replace(" ", "\n") + f" out\n{left:,}") for name in names]
    notes = ["chroma\ndistance"]
    for name in names[1:]:
        numbers = found[name] if name == "low energy" else equal[name]
        chroma = "-" if numbers["chroma"] is None else f"{numbers['chroma']:.2f}"
        notes.append(f"{chroma}\n{numbers['distance']:.2f}")
    return columns, notes, np.stack([pages[name] for name in names])


EXPERIMENT = Experiment(
    "removal", ("fig6", "fig10"), "filters removed by energy, ratio and adaptation", run, draw, "used"
)
