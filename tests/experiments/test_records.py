"""Runs that go on and leave records, and the page and figures that are made of them."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import recompute
from made_up import IMAGES, taken
from matplotlib.figure import Figure

from sicjax import experiments, figures, sdr
from sicjax._errors import InputError
from sicjax.experiments import _carry_on, _records, families
from sicjax.experiments._book import entries, follows_rate
from sicjax.experiments._net import NUMBERS
from sicjax.experiments._planned import Run, planned
from sicjax.experiments._recorded import draw
from sicjax.experiments._taken_out import coupling_shares

CPU = experiments.PRESETS["cpu"]
RNG = np.random.default_rng(0)


def level(**changes):
    """A level as records keep it."""
    numbers = dict(mean=1.0, std=0.1, iqr=0.12, below=0.1, above=0.1, mode=1.0, median=1.0)
    nulls = {f"null_{name}": value for name, value in numbers.items()}
    return {
        "structural": False,
        "adaptation": 0.0,
        "coupling": 0.0,
        "z": 0.1,
        "coupling_z": 0.1,
        **numbers,
        **nulls,
    } | changes


NETWORKS = {"gan": ("generator", "discriminator"), "vae": ("encoder", "decoder")}


@pytest.fixture(autouse=True)
def the_same_noise_in_whatever_order():
    RNG.bit_generator.state = np.random.default_rng(0).bit_generator.state


def _shaken(made):
    """A level's own numbers, each a little off."""
    own = lambda name: not name.startswith("null_") and name != "structural"
    return {name: value + RNG.normal(0, 1e-4) if own(name) else value for name, value in made.items()}


def record(run, settled=True, last=None, **changes):
    """A record of a run whose networks have three levels like this."""
    shaken = lambda k: _shaken(level(**{"std": 0.1 + 1e-5 * k, **changes}))
    now, then = ({name: [shaken(k) for k in range(3)] for name in NETWORKS[run.kind]} for _ in range(2))
    for name in then:
        then[name] = [_shaken(each | (last or {})) for each in then[name]]
    return {
        "name": run.name, "seed": run.seed, "config": {"decoder": [128, 32 if "-32-" in run.name else 16]},
        "last": 8000, "before": 6000, "settled": settled, "moved": {"pair": "a to b", "by": 0.02 if settled else 0.2},
        "levels": {"0": now, "6000": now, "8000": then}, "displacement": {"8000": {"a": 0.9, "b": 1.1}},
        "images": {str(step): {"kernel_trained": 0.02, "rank_trained": 9.0} for step in (6000, 8000)},
        "removal": taken((0.1, 0.7, 0.9), (0.4, 0.9, 0.4), (0.2, 0.9, 0.8))[run.seed],
    }  # fmt: skip


SCATTER = {
    name: [{number: {"mean": 0.0, "sd": 0.01} for number in NUMBERS}] * 3
    for name in ("generator", "discriminator", "encoder", "decoder-16", "decoder-32")
}


def book(**changes):
    made: dict = {}
    for run in planned(CPU):
        made.setdefault(run.name, {})[run.seed] = record(run, **changes)
    return {each.claim: each for each in entries(CPU, made, IMAGES, SCATTER)}


def test_every_claim_is_judged_from_records_alone():
    found = book()
    assert [*found] == ["C1", "C2", "C3", "C4", "C4, rates swapped", *(f"C{k}" for k in range(5, 10))]
    assert {claim: (each.done, each.planned) for claim, each in found.items()} == {
        "C1": (5, 5), "C2": (5, 5), "C3": (3, 3), "C4": (8, 8), "C4, rates swapped": (6, 6), "C5": (5, 5),
        "C6": (10, 10), "C7": (12, 12), "C8": (6, 6), "C9": (15, 15),
    }  # fmt: skip
    assert found["C1"].verdicts == ["holds"] * 3 and found["C5"].verdicts == ["holds"] * 3
    assert found["C2"].verdicts == ["fails"] * 3
    assert all(len(each.last) == len(each.before) == 3 for each in found.values())


def test_claims_whose_runs_are_missing_are_not_judged():
    made = {"gan": {run.seed: record(run) for run in planned(CPU) if run.name == "gan" and run.seed < 2}}
    found = {each.claim: each for each in entries(CPU, made, IMAGES, SCATTER)}
    assert [claim for claim, each in found.items() if each.last] == ["C1", "C2", "C5"]
    assert (found["C1"].done, found["C4"].done, found["C4"].planned, found["C3"].verdicts) == (2, 2, 8, [])


def test_networks_at_the_cap_need_the_same_verdict_before_their_last_quarter():
    assert book(settled=False)["C1"].verdicts == ["holds, at the cap"] * 3
    moving = book(settled=False, last={"iqr": 0.2})["C1"].verdicts
    assert moving == ["undecided, still moving", *["holds, at the cap"] * 2]
    assert book(last={"iqr": 0.2})["C1"].verdicts[0] == "fails"
    assert book(settled=False)["C1"].unsettled[0] == "gan 0: a to b by 20.0 %"


def test_what_has_a_record_is_not_run_again(tmp_path, monkeypatch):
    done, said = [], []

    def trained(lab, seed):
        if seed == 2:
            raise InputError("a loss is no number any more")
        done.append(seed)
        return tmp_path

    plan = [Run("gan", seed, "gan", trained) for seed in range(3)]
    monkeypatch.setattr(_carry_on, "planned", lambda preset: plan)
    monkeypatch.setattr(_records, "reference", lambda lab: None)
    grid = {"samples": np.zeros((2, 3, 8, 8, 3), np.uint8)}
    monkeypatch.setattr(_records, "record", lambda lab, run, *rest: ({"name": run.name, "seed": run.seed}, grid))
    lab, kept = experiments.Lab(tmp_path / "out", CPU, say=said.append), tmp_path / "records"
    with pytest.raises(experiments.Stopped, match="the time is over"):
        list(experiments.carry_on(lab, kept, seconds=0))
    first = next(experiments.carry_on(lab, kept))
    assert (done, first.name) == ([0], "gan-seed0.json") and (kept / "gan-seed0-samples.png").exists()
    # A run that another process has is left to it; one that cannot be trained does not keep the others back.
    with _carry_on._held(lab, plan[1]) as ours:
        assert ours and list(experiments.carry_on(lab, kept)) == [] and done == [0]
    assert [file.name for file in experiments.carry_on(lab, kept)] == ["gan-seed1.json"] and done == [0, 1]
    assert "gan-seed2 is left out: a loss is no number any more" in said[-1]
    assert [run.label for run in experiments.missing(CPU, kept)] == ["gan-seed2"]


@pytest.mark.parametrize(
    "own, swapped, said",
    [
        ("holds", "fails", "yes"),
        ("holds", "holds", "no"),
        ("undecided", "undecided", "undecided"),
        ("holds", "undecided", "undecided"),
    ],
)
def test_c4_follows_the_rate_where_it_is_decided_at_both(own, swapped, said, without_type_checks):
    part = lambda verdict: SimpleNamespace(what="level 1: net iqr", verdict=verdict, there=verdict == "holds")
    entry = lambda claim, verdict: SimpleNamespace(claim=claim, last=[SimpleNamespace(parts=[part(verdict)])])
    answer = follows_rate([entry("C4", own), entry("C4, rates swapped", swapped)])
    assert answer is not None and answer.startswith(f"{said}, by")
    assert f"On the ratio {int(own == 'holds')} of 1" in answer
    assert f", {int(swapped == 'holds')} of 1 at the other's" in answer
    assert follows_rate([entry("C4", own)]) is None


DOCS = Path(__file__).parents[2] / "docs" / "replication"
FINISHED = {"gan": "gan", "vae": "vae-16-beta1"}


@pytest.mark.slow
def test_figures_are_drawn_of_what_has_a_record(tmp_path):
    """On the records of two runs, under the names of all: what is drawn, not what it shows."""
    kept = DOCS / "records"
    one = {kind: json.loads((kept / f"{name}-seed0.json").read_text()) for kind, name in FINISHED.items()}
    found: dict = {}
    for run in [run for run in planned(CPU) if run.seed < 2]:
        found.setdefault(run.name, {})[run.seed] = one[run.kind]
        for picture in kept.glob(f"{FINISHED[run.kind]}-seed0-*.png") if run.seed == 0 else ():
            (tmp_path / "records").mkdir(exist_ok=True)
            shutil.copy(picture, tmp_path / "records" / picture.name.replace(FINISHED[run.kind], run.name))
    # One seed has settled before the other.
    early = one["gan"] | {"looks": one["gan"]["looks"] | {"steps": one["gan"]["looks"]["steps"][:-4]}}
    early["images"] = dict(list(one["gan"]["images"].items())[:-1])
    found["gan"][1] = early
    drawn = draw(CPU, found, tmp_path)
    plain = ["vae-16-beta1-seed0-samples", "gan-seed0-samples", "gan-dropout0.5-seed0-samples"]
    assert [each.png.stem for each in drawn] == [f"fig{k}" for k in ("3a", "3c", 4, 5, 8, 9, 6, 7, 12, 13)] + plain
    assert all(each.png.stat().st_size > 10_000 for each in drawn)
    assert "2 seeds" in drawn[2].caption and "filters" in drawn[6].caption
    assert all(
        each.caption.endswith("(celeba10k_89x109_jpeg.npz, 64 x 64, 1/2 of the paper's width).") for each in drawn
    )
    # What the captions say is of the records, and colours that were not there have no share left.
    grey = one["gan"]["removal"] | {"highest ratio": one["gan"]["removal"]["highest ratio"] | {"chroma": None}}
    other = one["gan"] | {"config": one["gan"]["config"] | {"data": "faces", "generator": [512, 8]}, "removal": grey}
    wide = draw(CPU, {"gan": {0: other}}, tmp_path)
    assert [each.png.stem for each in wide] == ["fig3a", "fig3c", "fig4", "fig6", "gan-seed0-samples"]
    assert "1 seed;" in wide[2].caption
    assert [each.caption.rpartition(" (")[2] for each in wide] == ["faces, 64 x 64, as wide as the paper's)."] * 5


def test_figures_are_of_the_networks_that_they_name(tmp_path, monkeypatch):
    """What each is drawn of, compared with the records themselves; the drawing has tests of its own."""
    kept = DOCS / "records"
    gan, vae, best = (
        json.loads((kept / f"{name}-seed0.json").read_text()) for name in ("gan", "vae-16-beta1", "vae-32-beta0.1")
    )
    (tmp_path / "records").mkdir()
    shutil.copy(kept / "gan-seed0-removal.png", tmp_path / "records")
    drawn, sheets = [], []
    monkeypatch.setattr(figures, "distributions", lambda networks: drawn.append(networks) or Figure())
    monkeypatch.setattr(figures, "table", lambda grid, **said: sheets.append(said) or Figure())
    draw(CPU, {"gan": {0: gan}, "vae-16-beta1": {0: vae}, "vae-32-beta0.1": {0: best}}, tmp_path)
    of = lambda run, network: [level["marginal"] for level in run["levels"][str(run["last"])][network]]
    shown = [{label: [level.marginal for level in runs[0]] for label, runs in each.items()} for each in drawn]
    assert shown == [
        {"generator": of(gan, "generator"), "discriminator": of(gan, "discriminator")},
        {"decoder": of(vae, "decoder"), "encoder": of(vae, "encoder")},
        {"vae-16-beta1": of(vae, "decoder"), "vae-32-beta0.1": of(best, "decoder")},
    ]
    (sheet,) = sheets
    for heading, note in list(zip(sheet["columns"], sheet["notes"], strict=True))[1:]:
        name = " ".join(heading.split("\n")[:-1]).removesuffix(" out")
        removed = gan["removal"][name]
        removed = removed[-1] if isinstance(removed, list) else removed
        assert note.split("\n") == [f"{removed['chroma']:.2f}", f"{removed['distance']:.2f}"], name


def test_an_independent_script_finds_every_number_on_the_page():
    entered = recompute.main(DOCS)
    assert entered == json.loads((DOCS / "ladder.json").read_text())["passed"]


def test_the_page_of_families_has_every_number_and_bold_are_those_elsewhere():
    found = json.loads((DOCS / "families.json").read_text())
    parts = [part for _, _, three in families.judged_families(found) for each in three for part in each.parts]
    answer, numbers = "\n".join(families.page(found)).split("## Every number")
    cells = [cell.strip() for line in numbers.splitlines() if line.startswith("| ") for cell in line.split("|")[4:-1]]
    shown = [cell for cell in cells if cell[:1] in "*-" or cell[:1].isdigit()]
    assert len([cell for cell in shown if not cell.startswith("---")]) == len(parts)
    assert sum(cell.startswith("**") for cell in cells) == sum(not part.there for part in parts)
    assert answer.startswith("**No family lies wholly")
    assert (DOCS / "families.md").read_text().endswith(numbers.rstrip() + "\n")


def test_the_independent_script_can_fail(tmp_path):
    shutil.copytree(DOCS, tmp_path / "replication", ignore=shutil.ignore_patterns("pilot"))
    shutil.copy(DOCS.with_suffix(".md"), tmp_path)
    found = json.loads((DOCS / "families.json").read_text())
    next(iter(found["removal"].values()))["highest ratio"]["chroma"] = 5.0
    (tmp_path / "replication" / "families.json").write_text(json.dumps(found))
    with pytest.raises(AssertionError, match="C5"):
        recompute.main(tmp_path / "replication")


def test_shares_of_coupling_sum_to_the_size_of_the_cross_covariance():
    first, second = RNG.normal(size=(4, 4, 5, 7)), RNG.normal(size=(4, 4, 7, 3))
    first[..., 2] = 0
    pair = sdr.generative(first, second, stride=2)
    f = sdr.features(pair)
    alive = np.arange(7) != 2
    x, y = (np.asarray(each, np.float64)[:, alive] for each in (f.a.mean(1), f.b.mean(2)))
    c = (x - x.mean(1, keepdims=True)) @ (y - y.mean(1, keepdims=True)).T / alive.sum()
    shares = coupling_shares(pair)
    assert np.isnan(shares[:, 2]).all() and np.nansum(shares) == pytest.approx(np.square(c).sum(), rel=1e-4)
