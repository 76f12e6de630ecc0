"""How often are energies that meet by chance called matched or opposed: by Student's t, and by a test of ranks?

    python benchmarks/energies.py FOLDER

Rules, fixed before: the pairs of public networks that `calibration.py` takes, as they are and changed as there, the
channels of one side in 40 random orders each; and independent Gaussian layers, whose energies are chi-squared.
Student's t for the correlation of the log energies (`energy`), and `measure`'s test of their ranks; both two-sided, at
5 % and 1 %. Of the networks as they are also by the number of channels. The test of ranks takes
the place of Student's t in the readings if it is nearer to 1 % in every row of public networks.
Writes benchmarks/results/energies.json.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import scipy.stats
from calibration import CHANGES, TAKEN

from sicjax import networks
from sicjax.measure import rank_test

RESULTS = Path(__file__).parent / "results"
RATES = (0.05, 0.01)
ORDERS = 40
CLASSES = (8, 16, 32, 64, 10**6)
RANDOM = ((8, 36), (9, 36), (12, 36), (16, 36), (64, 36), (512, 64))


def log_energies(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    energy = lambda kernel, others: np.square(kernel.astype(np.float64)).sum(others)
    with np.errstate(divide="ignore"):
        return (
            np.log(energy(first, tuple(range(first.ndim - 1)))),
            np.log(energy(second, (*range(second.ndim - 2), second.ndim - 1))),
        )


def p_values(x: np.ndarray, y: np.ndarray, rng: np.random.Generator, orders: int) -> dict[str, np.ndarray]:
    """Of both tests, for random orders of one side."""
    known = np.isfinite(x) & np.isfinite(y)
    x, y = x[known], y[known]
    if len(x) < 3 or np.ptp(x) == 0 or np.ptp(y) == 0:  # neither test says anything
        return {"Student's t": np.ones(0), "ranks": np.ones(0)}
    shuffled = rng.permuted(np.tile(y, (orders, 1)), axis=1)
    r = (shuffled - y.mean()) @ (x - x.mean()) / (len(x) * x.std() * y.std())
    freedom = len(x) - 2
    t = np.abs(r) * np.sqrt(freedom / np.maximum(1 - r**2, 1e-12))
    ranks = [rank_test(np.stack([x, each])).p for each in shuffled]
    return {"Student's t": 2 * scipy.stats.t.sf(t, freedom), "ranks": np.array(ranks)}


def shares(found: list[dict[str, np.ndarray]]) -> dict[str, dict[str, float]]:
    return {
        test: {
            "pairs": int(sum(len(each[test]) for each in found)),
            **{f"below {rate}": float(np.mean(np.concatenate([p[test] for p in found]) <= rate)) for rate in RATES},
        }
        for test in found[0]
    }


def main() -> None:
    rng = np.random.default_rng(0)
    by_change: dict[str, list] = {name: [] for name in CHANGES}
    channels = []
    for file in sorted(Path(sys.argv[1]).glob("*.safetensors")):
        pairs = [pair.cascade for pair in networks.from_file(file).pairs if not pair.cascade.structural]
        pairs = [pair for pair in pairs if pair.first_groups == pair.second_groups == 1 and pair.shape[1] >= 8]
        for k in np.unique(np.linspace(0, len(pairs) - 1, min(TAKEN, len(pairs))).astype(int)) if pairs else ():
            first, second = np.asarray(pairs[k].first)[..., :32, :], np.asarray(pairs[k].second)[..., :32]
            channels.append(pairs[k].shape[1])
            for name, change in CHANGES.items():
                x, y = log_energies(change(first), change(second))
                by_change[name].append(p_values(x, y, rng, ORDERS))
    result = {"public": {name: shares(found) for name, found in by_change.items()}, "by channels": {}, "random": {}}
    for low, high in zip(CLASSES, CLASSES[1:], strict=False):
        found = [p for p, m in zip(by_change["as they are"], channels, strict=True) if low <= m < high]
        if found:
            result["by channels"][f"from {low}" if high > 9999 else f"{low} to {high - 1}"] = shares(found)
    for m, degrees in RANDOM:
        found = [p_values(*np.log(rng.chisquare(degrees, (2, m))), rng, 20) for _ in range(100)]
        result["random"][f"{m} channels"] = shares(found)
    for kind, rows in result.items():
        for name, of in rows.items():
            cells = [f"{test} {100 * s['below 0.05']:.2f} %, {100 * s['below 0.01']:.2f} %" for test, s in of.items()]
            print(f"{kind:>12} {name:>28} {of['ranks']['pairs']:>7}: {'; '.join(cells)}", flush=True)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "energies.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
