"""How often does each rule of `sicjax.sic` find the cause? Over inputs, filters and lengths, with known truth.

    python benchmarks/sic.py [--trials 100]

Writes benchmarks/results/sic.json. `decided`: the share of pairs with an answer at 95 % confidence, and how many of
these answers are right; `forced`: right answers when a tie is never allowed. The limit in each kind: the rule given the
exact spectra, `exact`. Half of the trials swap the series.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.signal import freqz, lfilter

from sicjax import sic

RESULTS = Path(__file__).parent / "results"
LENGTHS = (512, 2048, 8192, 32768)
RULES = ("larger", "closer")
WARM_UP = 1000
Filter = tuple[np.ndarray, np.ndarray]


def fir(rng: np.random.Generator) -> Filter:
    """Eight random taps."""
    return rng.normal(size=8), np.ones(1)


def decaying(rng: np.random.Generator) -> Filter:
    """Sixteen random taps that fade."""
    return rng.normal(size=16) * np.exp(-np.arange(16) / 4), np.ones(1)


def arma(rng: np.random.Generator) -> Filter:
    """Two pairs of random zeros and two of random poles, inside the unit circle."""
    return _from_roots(rng, 0.9), _from_roots(rng, 0.8)


def _from_roots(rng: np.random.Generator, largest: float) -> np.ndarray:
    roots = rng.uniform(0, largest, 2) * np.exp(1j * rng.uniform(0, np.pi, 2))
    return np.poly(np.concatenate([roots, roots.conj()])).real


def white(rng: np.random.Generator) -> Filter:
    return np.ones(1), np.ones(1)


def smooth(rng: np.random.Generator) -> Filter:
    """A first-order process, mostly low frequencies."""
    return np.ones(1), np.array([1, -rng.uniform(0.5, 0.95)])


INPUTS: dict[str, Callable] = {"white": white, "smooth (AR 1)": smooth, "ARMA": arma}
FILTERS: dict[str, Callable] = {"FIR, 8 taps": fir, "FIR, fading": decaying, "ARMA": arma}


def power(system: Filter) -> np.ndarray:
    return np.abs(freqz(*system, worN=4096, whole=True)[1]) ** 2


def trial(rng: np.random.Generator, make_input: Callable, make_filter: Callable, length: int) -> dict:
    """The score of the truth by each rule, whether it was decided, and the score from the exact spectra."""
    source, system = make_input(rng), make_filter(rng)
    x = lfilter(*source, rng.normal(size=length + WARM_UP))
    y = lfilter(*system, x)[WARM_UP:]
    x = x[WARM_UP:]
    spectra = power(source), power(source) * power(system)
    there, back = sic.ratio_of_spectra(*spectra)
    exact = {"larger": there > back, "closer": abs(there - 1) < abs(back - 1)}
    swap = bool(rng.integers(2))
    truth = "y->x" if swap else "x->y"
    found = {}
    for rule in RULES:
        answer = sic.direction(*((y, x) if swap else (x, y)), rule=rule)
        forced = (answer.score < 0) == swap
        found[rule] = (answer.direction != "undecided", answer.direction == truth, forced, exact[rule])
    return found


def measure(trials: int) -> list[dict]:
    rows = []
    for source, make_input in INPUTS.items():
        for system, make_filter in FILTERS.items():
            for length in LENGTHS:
                rng = np.random.default_rng([LENGTHS.index(length), len(rows)])
                outcomes = [trial(rng, make_input, make_filter, length) for _ in range(trials)]
                for rule in RULES:
                    decided, right, forced, exact = np.array([o[rule] for o in outcomes], float).T
                    rows.append(
                        {
                            "input": source, "filter": system, "length": length, "rule": rule, "trials": trials,
                            "decided": decided.mean(), "right_of_decided": right.sum() / max(decided.sum(), 1),
                            "forced": forced.mean(), "exact": exact.mean(),
                        }
                    )  # fmt: skip
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=100)
    trials = parser.parse_args().trials
    rows = measure(trials)
    print("input          filter       length  rule    decided  right forced  exact")
    for row in rows:
        shares = " ".join(f"{row[k]:6.2f}" for k in ("right_of_decided", "forced", "exact"))
        print(f"{row['input']:14} {row['filter']:12} {row['length']:6}  {row['rule']:7} {row['decided']:7.2f} {shares}")
    for rule in RULES:
        of_rule = [row for row in rows if row["rule"] == rule]
        means = {k: round(float(np.mean([row[k] for row in of_rule])), 3) for k in ("decided", "forced", "exact")}
        print(f"all, {rule}: {means}")
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "sic.json").write_text(json.dumps({"trials": trials, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
