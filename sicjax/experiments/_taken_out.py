"""Filters of the last layer but one taken out, by what makes them low or high, against as many at random (C5)."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
from jaxtyping import Float

from sicjax import interventions, quality, sdr
from sicjax.experiments._images import decode, look
from sicjax.experiments.removal import ABOVE, BELOW, FURTHER, LOW_ENERGY, finest

DRAWS = 8
BY = ("ratio", "adaptation", "coupling")
# What is shown of it, in the order of the columns of Fig. 6.
PAGES = (
    "unedited",
    "low energy",
    "lowest ratio",
    "highest ratio",
    "random",
    *(f"{end} {by}" for by in BY[1:] for end in ("lowest", "highest")),
)


def taken_out(model: Any, count: int, seed: int) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What removals leave of `count` images of a generator: colour, edges and checkerboard as shares of before, and
    the distance to the unedited images in units of that of two of them. And the images, by the names in `PAGES`.

    First those of low energy go, as in the paper; then the paper's number (588 of 8,192) with the lowest or highest
    ratio, share of adaptation or share of coupling, and eight times as many at random; and, of ratios, those below 0.9
    and above 1.45.
    """
    pair = finest(model)
    z = jax.random.normal(jax.random.key(seed), (count, model.latent))
    unedited, layer = decode(model, z), pair.first.path
    total = pair.cascade.shape[0] * pair.cascade.shape[1]
    base, low = interventions.remove_filters(
        model, layer, pair=pair.cascade, by="output_energy", remove="lowest", count=round(LOW_ENERGY * total)
    )
    kept = finest(base).cascade
    further = min(max(round(FURTHER * total), 1), low.remaining - 1)
    ratio = interventions.criterion(np.asarray(kept.first), by="ratio", pair=kept)
    left = np.argwhere(np.isfinite(ratio))

    pages = {"unedited": unedited, "low energy": decode(base, z)}

    def without(places: np.ndarray, name: str) -> dict[str, Any]:
        pages[name] = decode(interventions.remove_filters(base, layer, indices=places).network, z)
        return {"removed": len(places), **_left(pages[name], unedited)}

    found: dict[str, Any] = {
        "filters": total,
        "left after energy": low.remaining,
        "unedited": look(unedited),
        "low energy": _left(pages["low energy"], unedited),
    }
    for by in BY:
        values = (
            coupling_shares(kept)
            if by == "coupling"
            else interventions.criterion(np.asarray(kept.first), by=by, pair=kept)
        )
        order = left[np.argsort(values[tuple(left.T)], kind="stable")]
        for name, places in ((f"lowest {by}", order[:further]), (f"highest {by}", order[-further:])):
            found[name] = without(places, name)
    rng = np.random.default_rng(seed)
    found["random"] = [without(left[rng.permutation(len(left))[:further]], "random") for _ in range(DRAWS)]
    for name, out in ((f"ratio below {BELOW:g}", ratio < BELOW), (f"ratio above {ABOVE:g}", ratio > ABOVE)):
        places = np.argwhere(out)
        found[name] = without(places, name) if len(places) else {"removed": 0}
    return found, {name: pages[name] for name in PAGES}


def coupling_shares(pair: sdr.Cascade) -> Float[np.ndarray, "i m"]:
    """What each filter of the first layer adds to `|C|^2`, the size of the cross-covariance that coupling is made of.

        share[i, m] = 1 / (I M) sum_n (a[n, i, m] - <a_n>) (C y_m)[n],   C = X Y^T / M,   X, Y the centred means

    NaN for filters without a ratio. The shares of a whole layer sum to `|C|^2`.
    """
    f = sdr.features(pair)
    a, b = np.asarray(f.a, np.float64), np.asarray(f.b, np.float64)
    alive, answers = np.asarray(f.first_alive), np.asarray(f.second_alive)
    inputs, outputs = alive.sum(0), answers.sum(1)
    there = (inputs > 0) & (outputs > 0)
    x = np.where(alive, a, 0).sum(1) / np.maximum(inputs, 1)
    y = np.where(answers, b, 0).sum(2) / np.maximum(outputs, 1)
    x, y = (np.where(there, each - each[:, there].mean(1, keepdims=True), 0) for each in (x, y))
    channels = max(int(there.sum()), 1)
    direction = (x @ y.T / channels) @ y
    middle = np.where(alive & there, a, 0).sum((1, 2)) / max(int((alive & there).sum()), 1)
    shares = np.einsum("nim,nm->im", a - middle[:, None, None], direction) / (channels * np.maximum(inputs, 1))
    return np.where(alive & there, shares, np.nan)


def _left(images: np.ndarray, unedited: np.ndarray) -> dict[str, float | None]:
    now, before = look(images), look(unedited)
    share = lambda key: now[key] / before[key] if now[key] is not None and before[key] else None
    apart = float(np.sqrt(np.square(images - unedited).mean((1, 2, 3))).mean() / quality.diversity(unedited))
    return {
        "chroma": share("chroma"),
        "edges": share("edges"),
        "checkerboard": share("checkerboard"),
        "distance": apart,
    }
