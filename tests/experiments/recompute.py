"""Recomputes every number on the page of the second replication from its JSON, by code of its own.

Nothing of the package is imported: the rules stand here a second time, from `docs/replication/plan.md`.

    python tests/experiments/recompute.py docs/replication
"""

import json
import re
import sys
from pathlib import Path

import numpy as np
from scipy import stats

QUANTITIES = ("ratio", "adaptation", "coupling")


def table(text, first):
    """The rows of the table whose header begins with a cell."""
    lines = text.splitlines()
    start = next(k for k, line in enumerate(lines) if line.startswith(f"| {first} |"))
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split(" | ")])
    return rows


# The ladder

SMALLER_IS_BETTER = ("sliced Wasserstein", "kernel distance", "Fréchet distance")
NEEDED = {"quality": ("blur", "shuffled blocks", "colour loss", "checkerboard"), "variety": ("repeats", "mode drop")}


def key_of(name):
    what, _, of = name.partition(", ")
    kind = {
        "random features": "random",
        "trained features": "trained",
        "pixels": "pixels",
        "features with colours": "coloured",
    }[of]
    short = {
        "kernel distance": "kernel", "Fréchet distance": "frechet", "Vendi score": "vendi", "effective rank": "rank",
    }.get(what, what)  # fmt: skip
    return {"sliced Wasserstein": "sliced_wasserstein", "mean distance": "diversity"}.get(what, f"{short}_{kind}")


def ladder(folder):
    """Every cell of both tables, and which measures enter."""
    found, page = json.loads((folder / "ladder.json").read_text()), (folder / "ladder.md").read_text()
    sections = page.split("## Measures of ")[1:]
    kinds = list(dict.fromkeys(rung["kind"] for rung in found["rungs"]))
    enter = {}
    for section in sections:
        family = section.split()[0]
        enter[family] = []
        for name, floor, *cells, fails in table(section, "measure"):
            key, sign = key_of(name), 1 if name.startswith(SMALLER_IS_BETTER) else -1
            real = np.array([each[key] for each in found["floor"]])
            assert floor == f"{real.min():.3g} to {real.max():.3g}", (name, floor)
            values = {kind: [r["scores"][key] for r in found["rungs"] if r["kind"] == kind] for kind in kinds}
            worse = {kind: sign * np.array(of) for kind, of in values.items()}
            ranked = {kind: worse[kind][0] > (sign * real).max() and (np.diff(worse[kind]) > 0).all() for kind in kinds}
            for kind, cell in zip(kinds, cells, strict=True):
                expected = ", ".join(f"{value:.3g}" for value in values[kind]) + (" ✓" if ranked[kind] else "")
                assert cell == expected, (name, kind, cell, expected)
            good = all(ranked[kind] for kind in NEEDED[family])
            if family == "quality":
                good = good and worse["brightness"][-1] < worse["shuffled blocks"][-1]
            else:
                artifacts = ("blur", "shuffled blocks", "checkerboard")
                good = good and all(worse[kind].min() >= (sign * real).min() for kind in artifacts)
            assert (fails == "**enters**") == good, name
            enter[family] += [key] if good else []
    assert enter == found["passed"]
    return enter


# Public networks


def mean_levels(role):
    files = list(role["levels"].values())
    return [{name: np.mean([of[k][name] for of in files]) for name in level} for k, level in enumerate(files[0])]


def apart(one, other, k, name):
    """A difference, and what two untrained networks differ by."""
    a, b = (each["scatter"][k][name]["sd"] for each in (one, other))
    return mean_levels(one)[k][name] - mean_levels(other)[k][name], 2 * np.sqrt(a**2 + b**2)


def more(one, other, names, levels):
    pairs = [apart(one, other, k, name) for k in levels for name in names]
    return [difference > bound for difference, bound in pairs]


def levels_of(*roles):
    return range(min(len(mean_levels(role)) for role in roles))


def c1(of):
    levels = mean_levels(of)
    off = [abs(level["median, off 1 in IQRs of the null"]) < 0.25 for level in levels]
    wide = [level["IQR over that of the null"] < 1.2 for level in levels]
    z = [[abs(level["z of adaptation"]) < 2 for level in levels], [level["z of coupling"] < 2 for level in levels]]
    return [off + wide, *z]


def c2(generator, discriminator):
    both, every = (discriminator, generator), levels_of(discriminator, generator)
    ratio = more(*both, ("net std", "net iqr"), every) + more(*both, ("net below",), [0])
    spreads = [apart(*both, k, "net std")[0] for k in every]
    ratio.append(spreads[0] - np.mean(spreads[1:]) > 0)
    lowest, bound = apart(*both, 0, "adaptation")
    return [
        ratio,
        [*more(*both, ("size of adaptation",), every), lowest < -bound],
        more(*both, ("coupling",), every),
    ]


def c3(encoder, decoder):
    inside, outside = mean_levels(decoder), mean_levels(encoder)
    ratio = [abs(level["mode, off 1 in IQRs of the null"]) < 0.25 for level in inside]
    ratio += [level["mode"] < 1 for level in outside]
    ratio += [level["net mode"] < -2 * encoder["scatter"][k]["net mode"]["sd"] for k, level in enumerate(outside)]
    adaptation = [abs(level["z of adaptation"]) < 2 for level in inside]
    adaptation += [level["z of adaptation"] < -2 for level in outside]
    coupling = [level["z of coupling"] < 2 for level in inside] + [level["z of coupling"] > 2 for level in outside]
    return [ratio, adaptation, coupling]


def c4(decoder, generator):
    both = (decoder, generator)
    names = (("net std", "net iqr"), ("size of adaptation",), ("coupling",))
    return [more(*both, of, levels_of(*both)) for of in names]


def c5(removal):
    found = []
    for by in QUANTITIES:
        low, high, random = removal[f"lowest {by}"], removal[f"highest {by}"], removal["random"]
        below = lambda end, key, random=random: (
            end[key] - np.mean([r[key] for r in random]) < -2 * np.std([r[key] for r in random], ddof=1)
        )
        found.append(
            [
                below(low, "distance"),
                below(low, "edges"),
                below(high, "chroma"),
                high["chroma"] < low["chroma"],
                high["distance"] > low["distance"],
            ]
        )
    return found


def families(folder, page):
    """The counts on the page of families, and their sums on the page itself."""
    found, named = json.loads((folder / "families.json").read_text()), {}
    of = found["families"]
    for name, roles in of.items():
        for role in ("generator", "decoder"):
            if role in roles:
                named["C1", f"{name} {role}"] = c1(roles[role])
        if {"generator", "discriminator"} <= set(roles):
            named["C2", name] = c2(roles["generator"], roles["discriminator"])
        if {"encoder", "decoder"} <= set(roles):
            named["C3", name] = c3(roles["encoder"], roles["decoder"])
        for other, its in of.items():
            if "decoder" in roles and "generator" in its:
                named["C4", f"{name} against {other}"] = c4(roles["decoder"], its["generator"])
    for file, removal in found["removal"].items():
        named["C5", file] = c5(removal)
    rows = {(claim, name): cells for claim, name, *cells in table((folder / "families.md").read_text(), "claim")}
    assert rows.keys() == named.keys()
    told = lambda parts: f"{sum(map(bool, parts))} of {len(parts)}"
    for key, three in named.items():
        for cell, parts in zip(rows[key], three, strict=True):
            assert cell.split(";")[0] == told(parts), (key, cell, told(parts))
    for claim, _, _, _, _, _, *public in table(page, ""):
        if claim in {claim for claim, _ in named}:
            sums = [[p for (c, _), three in named.items() if c == claim for p in three[k]] for k in range(3)]
            assert public == [told(parts) for parts in sums], (claim, public)
    (removal,) = found["removal"].values()
    for name, count, *cells in table(page, "taken out after those of low energy"):
        every = removal[name] if name == "random" else [removal[name]]
        assert count == str(every[0]["removed"])
        keys = ("chroma", "edges", "checkerboard", "distance")
        assert cells == [f"{np.mean([each[key] for each in every]):.2f}" for key in keys], (name, cells)
    contradicting = page.split("**not** wholly where the paper says: ")[1].split(".\n")[0]
    for key, three in named.items():
        line = f"{' '.join(key)}: {told(three[0])}"
        assert (line in contradicting) == (not all(three[0])), line
    return named


# Networks trained here


def p_values(part):
    """For being where the rule says, and for being elsewhere."""
    x, y, rule, bound, centre = (part[key] for key in ("values", "against", "rule", "bound", "centre"))

    def over(at, sign):
        if len(x) < 2 or (y and len(y) < 2) or len(set(x)) == len(set(y or x)) == 1:
            return 1.0
        side = {1: "greater", -1: "less"}[sign]
        if y:
            return stats.ttest_ind(np.array(x) - at, y, equal_var=False, alternative=side)[1]
        return stats.ttest_1samp(x, at, alternative=side)[1]

    if rule == "within":
        low, high = centre - bound, centre + bound
        return max(over(low, 1), over(high, -1)), min(over(low, -1), over(high, 1))
    sign = 1 if rule == "above" else -1
    return over(bound, sign), over(bound, -sign)


def is_there(part):
    """Whether the mean lies where the claim says."""
    if part["rule"] == "within":
        return abs(part["mean"] - part["centre"]) < part["bound"]
    return part["mean"] > part["bound"] if part["rule"] == "above" else part["mean"] < part["bound"]


def holm(p):
    order, found, most = np.argsort(p), np.empty(len(p)), 0.0
    for k, place in enumerate(order):
        most = max(most, min((len(p) - k) * p[place], 1.0))
        found[place] = most
    return found


def verdicts(folder, page):
    """From the values of each part to the table of verdicts."""
    found = json.loads((folder / "verdicts.json").read_text())
    for entry in found.values():
        for judgement in (*entry["last"], *entry["before"]):
            pairs = [p_values(part) for part in judgement["parts"]]
            there, elsewhere = (holm([pair[k] for pair in pairs]) for k in (0, 1))
            told = [
                "holds" if a < 0.025 else "fails" if b < 0.025 else "undecided"
                for a, b in zip(there, elsewhere, strict=True)
            ]
            assert told == [part["verdict"] for part in judgement["parts"]]
            whole = (
                "fails"
                if "fails" in told
                else "holds"
                if set(told) == {"holds"} and not judgement["lacks"]
                else "undecided"
            )
            assert whole == judgement["verdict"]
            for part in judgement["parts"]:
                mean = np.mean(part["values"]) - (np.mean(part["against"]) if part["against"] else 0)
                assert np.isclose(mean, part["mean"], atol=1e-12)
    rows = {row[0]: row for row in table(page, "")}
    for claim, entry in found.items():
        shown = rows[claim][3:6]
        assert rows[claim][2] == f"{entry['done']}/{entry['planned']}"
        if not entry["last"]:
            assert shown == ["not run"] * 3
            continue
        for cell, last, before in zip(shown, entry["last"], entry["before"], strict=True):
            expected = last["verdict"]
            if entry["unsettled"]:
                expected = f"{expected}, at the cap" if before["verdict"] == expected else "undecided, still moving"
            expected += ", close to the first weights" if entry["close"] else ""
            assert cell == f"{expected} ({sum(map(is_there, last['parts']))} of {len(last['parts'])})"
    return found


def values_of(record, network, when):
    """C1's numbers of a record, from its levels."""
    levels = [each for each in record["levels"][str(record[when])][network] if not each["structural"]]
    off = [(each["median"] - 1) / each["null_iqr"] for each in levels]
    return off, [each["iqr"] / each["null_iqr"] for each in levels]


def kinds_of_runs(page, records):
    """The summary of the runs of a kind."""
    for name, done, steps, settled, moved, far in table(page, "kind of run"):
        alike = [record for record in records if record["name"] == name]
        assert done.split("/")[0] == str(len(alike))
        if not alike:
            assert {steps, settled, moved, far} == {"–"}
            continue
        every = [value for record in alike for value in record["displacement"][str(record["last"])].values()]
        last = [record["last"] for record in alike]
        assert steps == (f"{last[0]:,}" if len(set(last)) == 1 else f"{min(last):,} to {max(last):,}")
        assert settled == f"{sum(record['moved']['by'] <= 0.03 for record in alike)} of {len(alike)}"
        assert moved == f"{100 * max(record['moved']['by'] for record in alike):.1f} %"
        assert far == f"{min(every):.2f} to {max(every):.2f}"


def runs(folder, page, found):
    """The tables of runs from the records, and C1's values from their levels."""
    records = [json.loads(file.read_text()) for file in sorted((folder / "records").glob("*-seed*.json"))]
    kinds_of_runs(page, records)
    shown = table((folder / "numbers.md").read_text(), "run") if records else []
    assert len(shown) == len(records)
    for record, row in zip(records, shown, strict=True):
        far = record["displacement"][str(record["last"])].values()
        assert row[:3] == [record["name"], str(record["seed"]), f"{record['last']:,}"]
        assert row[4] == f"{min(far):.2f} to {max(far):.2f}"
        steps = np.array(record["looks"]["steps"])
        since = steps[steps <= 0.75 * record["last"]].max()
        inside = steps >= since
        by = {
            name: np.max(np.abs(np.array(pair["std"])[inside] / pair["std"][-1] - 1))
            for name, pair in record["looks"]["pairs"].items()
        }
        assert np.isclose(max(by.values()), record["moved"]["by"], atol=2e-5)
        assert (
            record["settled"] == (record["moved"]["by"] <= 0.03) and row[3].startswith("settled") == record["settled"]
        )
    plain = [record for record in records if record["name"] == "gan"]
    for when in ("last", "before"):
        for judgement in found["C1"][when][:1]:
            every = [values_of(record, "generator", when) for record in plain]
            expected = [[seed[kind][k] for seed in every] for k in range(len(every[0][0])) for kind in (0, 1)]
            for part, values in zip(judgement["parts"], expected, strict=True):
                assert np.allclose(part["values"], values, rtol=1e-6), part["what"]


def main(folder):
    folder = Path(folder)
    page = folder.with_suffix(".md").read_text()
    entered = ladder(folder)
    families(folder, page)
    found = verdicts(folder, page)
    runs(folder, page, found)
    assert len(re.findall(r"\S+", re.sub(r"^\|.*$", "", page, flags=re.M))) <= 1200
    return entered


if __name__ == "__main__":
    print(main(sys.argv[1]))
