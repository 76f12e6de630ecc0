"""What do the numbers say of public networks, and how much of it do authors share?

    python benchmarks/survey.py FOLDER

Measures every weights file in FOLDER; those of one author (the name up to the first `_`) are one family and count
once, by the median over its pairs. Fixed before the look: a statement holds across authors where a two-sided sign test
over families gives p below 0.05. Pairs that are 1 by structure or have fewer than 8 channels are counted and left out.
Writes benchmarks/results/survey.json.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import scipy.stats

from sicjax import measure

RESULTS = Path(__file__).parent / "results"
NUMBERS = ("marginal", "adaptation", "coupling", "energy")


def family(rows: list[measure.Row]) -> dict:
    """Medians over the pairs of a family's networks, and how many pairs read how."""
    taken = [row for row in rows if not row.structural and row.shape[1] >= 8 and np.isfinite(row.coupling)]
    found = {"pairs": len(rows), "taken": len(taken)}
    found["readings"] = Counter(part for row in taken for part in row.reading.split(", "))
    found["adaptation significant"] = int(sum(abs(row.z) > scipy.stats.norm.isf(0.005) for row in taken))
    for name in (*NUMBERS, "channels"):
        values = [row.shape[1] if name == "channels" else getattr(row, name) for row in taken]
        found[name] = float(np.nanmedian(values)) if values else None
    return found


def along(rows: list[measure.Row]) -> float:
    """Spearman correlation of coupling with a pair's place in its network, from the input on."""
    there = [(k, row.coupling) for k, row in enumerate(rows) if not row.structural and row.shape[1] >= 8]
    return float(scipy.stats.spearmanr(*zip(*there, strict=True))[0]) if len(there) >= 4 else float("nan")


def signs(values) -> dict[str, float]:
    """How many families are above 0 of those not 0 or unknown, and the p of a two-sided sign test."""
    known = [value for value in values if value is not None and np.isfinite(value) and value != 0]
    above = sum(value > 0 for value in known)
    return {"above": above, "of": len(known), "p": float(scipy.stats.binomtest(above, len(known)).pvalue)}


def main() -> None:
    rows: dict[str, list[measure.Row]] = {}
    depth: dict[str, list[float]] = {}
    for file in sorted(Path(sys.argv[1]).glob("*.safetensors")):
        (found,) = measure.measure([file])
        name = file.stem.split("_")[0]
        rows.setdefault(name, []).extend(found.rows)
        depth.setdefault(name, []).append(along(list(found.rows)))
    families = {name: family(found) for name, found in rows.items()}
    used = {name: found for name, found in families.items() if found["taken"]}
    head = ("family", "taken", "of", "channels", *NUMBERS, "coupled", "z > 2.6", "matched", "opposed")
    print("| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    for name, found in used.items():
        words = found["readings"]
        cells = [f"{found[number]:+.3f}" for number in NUMBERS]
        cells += [words["coupled"] + words["strongly coupled"], found["adaptation significant"]]
        cells += [words["energies matched"], words["energies opposed"]]
        print("|", *(f"{c} |" for c in (name, found["taken"], found["pairs"], int(found["channels"]), *cells)))
    across = {number: signs(found[number] for found in used.values()) for number in NUMBERS}
    across["coupling along depth"] = signs(float(np.nanmedian(d)) for d in depth.values() if np.isfinite(d).any())
    pairs = [row for found in rows.values() for row in found if not row.structural and row.shape[1] >= 8]
    shares = {
        "marginal over total departure, median": float(
            np.nanmedian([abs(r.marginal) / (abs(r.marginal) + abs(r.adaptation)) for r in pairs])
        ),
        "coupled": sum("coupled" in row.reading for row in pairs),
        "adaptation significant": sum(found["adaptation significant"] for found in families.values()),
        "coupled, adaptation not": int(sum("coupled" in row.reading and abs(row.z) < 2.576 for row in pairs)),
        "energies matched or opposed": sum("energies" in row.reading for row in pairs),
        "pairs": len(pairs),
    }
    width = scipy.stats.spearmanr(*zip(*((f["channels"], f["coupling"]) for f in used.values()), strict=True))
    result = {"families": families, "signs": across, "pairs": shares, "coupling and channels": list(map(float, width))}
    print(json.dumps({key: value for key, value in result.items() if key != "families"}, indent=1))
    (RESULTS / "survey.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
