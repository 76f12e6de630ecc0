"""Are the closed forms of coupling's null those of random pairings? On pairs of public networks, by permuting channels.

    python benchmarks/permutations.py FOLDER

Rules, fixed before: of every author (a file's name up to its first `_`) two pairs, the first and the last in which
something can be seen, without groups and with 8 channels or more between the layers. The channels of one side are put
into random orders: 20,000, and then as many as bring the standard error of the standard deviation to 0.2 %, a million
at most and no more than the machine has done in MOST multiplications. Compared are RV's mean and standard deviation
with what `sdr.coupling` states, and `p` with the share of orders that couple as much, for the real pairing and for six
others, from the middle of the null to its tail. Everything beside its standard error, which for a standard deviation
`s` of draws with kurtosis `k` is `s sqrt((k - 1) / 4 n)`.

The closed forms are read off `sdr.coupling` itself: of an order far out in the null it gives RV, coupling and z, so
that E0 = (RV - coupling) / (1 - coupling) and the standard deviation is (RV - E0) / z. The features come from
`sdr.coinertia`, whose scores over all lags are the features, turned. Writes benchmarks/results/permutations.json.
"""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

import sicjax.sdr as sdr
from sicjax import networks

RESULTS = Path(__file__).parent / "results"
DRAWS, MOST_DRAWS = 20_000, 1_000_000
MOST = 3e11
ENOUGH = 0.002
# Of the null, from where the pairings come whose p is looked at.
QUANTILES = (0.5, 0.8, 0.9, 0.95, 0.99, 0.999)
CLASSES = (8, 16, 32, 64, 2049)


class Null(NamedTuple):
    """RV under random pairing, of so many draws: each number and its standard error."""

    draws: int
    mean: float
    mean_error: float
    std: float
    std_error: float


def author_of(file: Path) -> str:
    return file.stem.partition("_")[0]


def pairs(folder: Path) -> Iterator[tuple[str, str, sdr.Cascade]]:
    """Two of every author, from the first and from the last file."""
    by_author: dict[str, list[tuple[str, str, sdr.Cascade]]] = {}
    for file in sorted(folder.glob("*.safetensors")):
        for pair in networks.from_file(file).pairs:
            cascade = pair.cascade
            if cascade.first_groups == cascade.second_groups == 1 and cascade.shape[1] >= 8 and not cascade.structural:
                by_author.setdefault(author_of(file), []).append((file.stem, pair.name, cascade))
    for found in by_author.values():
        yield from [found[0], found[-1]][: len(found)]


def draws(x: np.ndarray, y: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """`|X' Y|^2` for so many random orders of the rows of `Y`."""
    together = max(1, 2**22 // y.size)
    found = []
    while count > 0:
        orders = rng.permuted(np.tile(np.arange(len(y)), (min(together, count), 1)), axis=1)
        found.append(np.square(x.T @ y[orders]).sum((1, 2)))
        count -= len(orders)
    return np.concatenate(found)


def summed(t: np.ndarray) -> Null:
    mean, std = float(t.mean()), float(t.std())
    kurtosis = float((((t - mean) / std) ** 4).mean())
    return Null(len(t), mean, std / len(t) ** 0.5, std, std * ((kurtosis - 1) / 4 / len(t)) ** 0.5)


def measured(pair: sdr.Cascade, rng: np.random.Generator) -> dict:
    axes = sdr.coinertia(pair, len(pair.lags))
    x, y = np.asarray(axes.first_scores), np.asarray(axes.second_scores)
    size = float(np.linalg.norm(x.T @ x) * np.linalg.norm(y.T @ y))
    # Pairings to ask about: the real one, and some whose place in the null is known from a first look.
    orders = [np.arange(len(x)), *(rng.permutation(len(x)) for _ in range(2000))]
    looked = np.array([np.square(x.T @ y[order]).sum() for order in orders])
    inside = 1 + np.argsort(looked[1:])
    places = [0, *(inside[int(q * (len(inside) - 1))] for q in QUANTILES)]
    stated = [sdr.coupling(sdr.Cascade(
        pair.first, np.asarray(pair.second)[..., orders[k], :], pair.down, pair.up,
        pair.first_dilation, pair.second_dilation,
    )) for k in places]  # fmt: skip
    rv, coupling, z = (float(value) for value in stated[-1][:3])
    mean = (rv - coupling) / (1 - coupling)
    std = (rv - mean) / z
    assert abs(rv * size / looked[places[-1]] - 1) < 1e-3, "the features are not those of RV"
    first = draws(x, y, DRAWS, rng) / size
    null = summed(first)
    wanted = DRAWS * (null.std_error / null.std / ENOUGH) ** 2
    possible = MOST / (2 * len(x) * x.shape[1] * y.shape[1])
    more = int(min(max(wanted, DRAWS), MOST_DRAWS, max(possible, DRAWS)))
    every = np.concatenate([first, draws(x, y, more - DRAWS, rng) / size]) if more > DRAWS else first
    found = {"mean": mean, "std": std, "of draws": [apart(null, mean, std), apart(summed(every), mean, std)]}
    found["p"] = [
        {"quantile": q, "stated": float(of.p), "of draws": [share(t, float(looked[k]) / size) for t in (first, every)]}
        for q, k, of in zip(("real", *QUANTILES), places, stated, strict=True)
    ]
    return found


def apart(null: Null, mean: float, std: float) -> dict:
    """What the draws say over what is stated, less 1, and its standard error."""
    return {
        "draws": null.draws,
        "mean": null.mean / mean - 1,
        "mean error": null.mean_error / mean,
        "std": null.std / std - 1,
        "std error": null.std_error / std,
    }


def share(t: np.ndarray, at: float) -> dict:
    """How many of the draws couple as much, and the standard error."""
    found = float((t >= at * (1 - 1e-6)).mean())
    return {"share": found, "error": (found * (1 - found) / len(t)) ** 0.5}


def worst(rows: list[dict], which: int) -> dict:
    """Over all pairs: how far apart, in itself and in standard errors."""
    of = [row["of draws"][which] for row in rows]
    found = {"pairs": len(of), "draws": [min(each["draws"] for each in of), max(each["draws"] for each in of)]}
    for name in ("mean", "std"):
        errors = [abs(each[name]) / each[f"{name} error"] for each in of]
        found[name] = {
            "largest": max(abs(each[name]) for each in of),
            "within 1 %": sum(abs(each[name]) <= 0.01 for each in of),
            "largest standard error": max(each[f"{name} error"] for each in of),
            "in standard errors": max(errors),
            "beyond 1.96 of them": sum(error > 1.96 for error in errors),
        }
    return found


def p_values(rows: list[dict]) -> dict:
    """How far `p` is from the share of draws: of real pairings, and by place in the null and number of channels."""
    first = lambda row, q: next(p for p in row["p"] if p["quantile"] == q)
    off = lambda p, which: abs(p["stated"] - p["of draws"][which]["share"])
    real = [first(row, "real") for row in rows]
    # The share of no draw in 20,000 says no more than of one.
    error = lambda p: max(p["of draws"][0]["error"], 1 / DRAWS)
    found: dict = {"real pairings": {
        "pairs": len(real),
        "beyond 1.96 standard errors of 20,000": sum(off(p, 0) > 1.96 * error(p) for p in real),
        "of these with p below 0.1": sum(off(p, 0) > 1.96 * error(p) and p["stated"] < 0.1 for p in real),
        "largest with p below 0.1": max(off(p, 1) for p in real if p["stated"] < 0.1),
        "largest": max(off(p, 1) for p in real),
    }}  # fmt: skip
    for low, high in itertools.pairwise(CLASSES):
        of_class = [row for row in rows if low <= row["channels"] < high]
        found[f"{low} to {high - 1} channels"] = {"pairs": len(of_class)} | {
            f"near {round(1 - q, 3)}": max(off(first(row, q), 1) for row in of_class) for q in QUANTILES
        }
    return found


def main() -> None:
    rng, rows = np.random.default_rng(0), []
    for file, name, pair in pairs(Path(sys.argv[1])):
        row = {"file": file, "pair": name, "channels": pair.shape[1], "lags": len(pair.lags), **measured(pair, rng)}
        rows.append(row)
        few, many = row["of draws"]
        print(
            f"{file:>32} {name:>40} {row['channels']:>5} channels: mean {100 * few['mean']:+.2f} %, std "
            f"{100 * few['std']:+.2f} ± {100 * few['std error']:.2f} %; of {many['draws']:,}: mean "
            f"{100 * many['mean']:+.2f} %, std {100 * many['std']:+.2f} ± {100 * many['std error']:.2f} %",
            flush=True,
        )
    found = {"of 20,000": worst(rows, 0), "of more": worst(rows, 1), "p": p_values(rows)}
    print(json.dumps(found, indent=1))
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "permutations.json").write_text(json.dumps(found | {"pairs": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
