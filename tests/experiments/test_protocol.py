"""The second replication: when runs end, what a verdict takes, which measures may judge, and that runs go on."""

import itertools
import json
import math
import shutil
from pathlib import Path

import jax
import numpy as np
import pytest
import recompute
from scipy import stats

from sicjax import experiments, quality, runs, sdr, train
from sicjax._errors import InputError
from sicjax.experiments import _carry_on, _lab, _records, _scores, families, ladder
from sicjax.experiments import _judges as judges
from sicjax.experiments._book import entries
from sicjax.experiments._corruptions import corrupted, shuffled
from sicjax.experiments._judges import Images, Network, Variant
from sicjax.experiments._net import NUMBERS
from sicjax.experiments._planned import Run, planned
from sicjax.experiments._recorded import draw
from sicjax.experiments._settling import moved, saves, settled, stds_of
from sicjax.experiments._taken_out import coupling_shares
from sicjax.experiments._tests import judged, part

CPU = experiments.PRESETS["cpu"]
RNG = np.random.default_rng(0)


# When a run ends


def test_the_plan_has_the_runs_that_it_says():
    plan = planned(CPU)
    assert len(plan) == len({run.label for run in plan}) == 38
    kinds = {name: [run.seed for run in plan if run.name == name] for name in dict.fromkeys(run.name for run in plan)}
    assert {name: len(seeds) for name, seeds in kinds.items()} == {
        "gan": 5, "vae-16-beta1": 3, "vae-16-beta0.1": 3, "vae-32-beta1": 3, "vae-32-beta0.1": 3, "gan-dropout0.5": 5,
        "gan-rate0.001": 3, "vae-rate0.0002": 3, "gan-departure10": 5, "gan-adaptation1000": 5,
    }  # fmt: skip
    # All kinds at a seed before any at the next.
    assert [run.seed for run in plan] == sorted(run.seed for run in plan)
    assert (CPU.gan.size, CPU.gan.batch, CPU.gan.steps, CPU.vae.steps) == (64, 16, 8000, 4000)
    assert CPU.gan.held_out(10_000) == 1000


def test_the_pilot_is_as_it_was():
    pilot = experiments.PRESETS["pilot"]
    assert (pilot.gan.size, pilot.gan.steps, pilot.gan.batch, pilot.gan.validation) == (32, 2000, 64, 500)
    assert (pilot.vae.size, pilot.vae.steps, pilot.vae.batch, pilot.settling) == (32, 1500, 64, 0)


def test_a_run_has_settled_when_its_last_quarter_is_steady(monkeypatch):
    course = lambda last, at=6500: [(k, {"a": 1.0, "b": last if k >= at else 2.0}) for k in range(0, 8001, 500)]
    assert (moved(course(2.1)).pair, moved(course(2.1)).since) == ("b", 6000)
    # What moved before the last quarter does not count, what moved within it and came back does.
    assert moved(course(2.1)).by > 0.03 > moved(course(2.1, 6000)).by == 0
    back = [(k, {"a": 1.1 if k == 7000 else 1.0}) for k in range(0, 8001, 500)]
    assert moved(back).by == pytest.approx(0.1)
    from sicjax.experiments import _settling

    monkeypatch.setattr(_settling, "stds_of", lambda folder, last: course(2.0)[: last // 500 + 1])
    asked = [step for step in range(0, 8001, 500) if settled(Path(), step, cap=8000, tolerance=0.03)]
    assert asked == [4000, 5000, 6000, 7000, 8000] and set(asked) < set(saves(8000))


# Verdicts


def test_p_values_are_those_of_scipy():
    x, y = RNG.normal(0.5, 1, 5).tolist(), RNG.normal(0, 2, 3).tolist()
    assert part("", x, "above", 0.1).p_there == pytest.approx(stats.ttest_1samp(x, 0.1, alternative="greater")[1])
    assert part("", x, "below", 0.1).p_there == pytest.approx(stats.ttest_1samp(x, 0.1, alternative="less")[1])
    welch = stats.ttest_ind(x, y, equal_var=False, alternative="greater")
    found = part("", x, "above", against=y)
    assert found.p_there == pytest.approx(welch[1])
    interval = stats.ttest_ind(x, y, equal_var=False).confidence_interval()
    assert (found.low, found.high) == pytest.approx(tuple(interval))
    both = [stats.ttest_1samp(x, at, alternative=side)[1] for at, side in ((-0.2, "greater"), (1.8, "less"))]
    assert part("", x, "within", 1.0, centre=0.8).p_there == pytest.approx(max(both))
    assert part("", [1.0], "above").p_there == 1


def test_many_parts_need_more_of_each():
    values = [1.0, 1.5, 0.6, 1.2, 0.9]
    p = part("", values, "above").p_there
    alone, crowd = (judged("ratio", "", [part("", values, "above")] * n) for n in (1, math.ceil(0.03 / p)))
    assert (alone.verdict, crowd.verdict) == ("holds", "undecided")
    assert judged("ratio", "", [part("", values, "above"), part("", values, "below")]).verdict == "fails"
    assert judged("ratio", "", [part("", values, "above")], ["something"]).verdict == "undecided"


def network(*levels, seeds=5, sd=0.01):
    """A network whose levels have these numbers, shaken a little from seed to seed."""
    noise = np.random.default_rng(len(levels) + seeds)
    near = {"IQR over that of the null": 1.0, "mode": 1.0}
    made = {
        seed: [
            {name: {**near, **level}.get(name, 0.0) + noise.normal(0, 1e-3) for name in NUMBERS} for level in levels
        ]
        for seed in range(seeds)
    }  # fmt: skip
    return Network(made, [dict.fromkeys(NUMBERS, sd)] * len(levels))


def verdicts(found):
    return [each.verdict for each in found]


def test_c1_to_c4_hold_for_one_network_and_fail_for_another():
    plain = network({}, {}, {})
    fitted = {"z of adaptation": 20.0, "z of coupling": 50.0}
    assert verdicts(judges.c1(plain)) == ["holds"] * 3
    assert verdicts(judges.c1(network(fitted | {"IQR over that of the null": 1.5}, {}, {}))) == ["fails"] * 3
    wide = {
        "net std": 0.2,
        "net iqr": 0.2,
        "net below": 0.1,
        "size of adaptation": 0.1,
        "adaptation": -0.1,
        "coupling": 0.3,
    }
    middle = wide | {"net std": 0.1, "net iqr": 0.1}
    broad = network(wide, middle, middle)
    assert verdicts(judges.c2(plain, broad)) == ["holds"] * 3 and verdicts(judges.c2(broad, plain)) == ["fails"] * 3
    assert verdicts(judges.c4(broad, plain)) == ["holds"] * 3 and verdicts(judges.c4(plain, broad)) == ["fails"] * 3
    # A difference of two untrained networks is none, however certain.
    small = network({"net std": 0.02, "net iqr": 0.02}, {}, {})
    assert judges.c4(small, plain)[0].verdict == "fails"
    low = {"mode": 0.8, "net mode": -0.2, "z of adaptation": -9.0, "z of coupling": 9.0}
    assert verdicts(judges.c3(network(low, low), plain)) == ["holds"] * 3
    assert verdicts(judges.c3(plain, network(fitted | {"mode, off 1 in IQRs of the null": 1.0}))) == ["fails"] * 3


def taken(lowest, highest, random):
    """What is left of an image after removals: distance, edges and chroma of each."""
    row = lambda given, k: dict(zip(("distance", "edges", "chroma"), np.array(given) + 1e-3 * k, strict=True))
    ends = {
        f"{end} {by}": given
        for by in ("ratio", "adaptation", "coupling")
        for end, given in (("lowest", lowest), ("highest", highest))
    }
    draws = lambda seed: {"random": [row(random, k + seed) for k in range(8)]}
    return {seed: {key: row(given, seed) for key, given in ends.items()} | draws(seed) for seed in range(5)}


def test_c5_asks_for_both_ends_and_that_they_differ():
    right = taken((0.1, 0.7, 0.9), (0.4, 0.9, 0.4), (0.2, 0.9, 0.8))
    assert verdicts(judges.c5(right)) == ["holds"] * 3
    assert verdicts(judges.c5(taken((0.4, 0.9, 0.4), (0.1, 0.7, 0.9), (0.2, 0.9, 0.8)))) == ["fails"] * 3
    # Colour goes with both: not specific.
    assert judges.c5(taken((0.1, 0.7, 0.4), (0.4, 0.9, 0.4), (0.2, 0.9, 0.8)))[0].verdict != "holds"


IMAGES = Images(
    {"quality": ["kernel_trained"], "variety": ["rank_trained"]}, {"kernel_trained": 0.001, "rank_trained": 0.1}
)


def scores(**values):
    return {seed: {key: value * (1 + 1e-3 * seed) for key, value in values.items()} for seed in range(5)}


def test_c6_to_c9_take_the_measures_that_may_judge_and_no_others():
    more = network({"net mean": 0.1, "net above": 0.1, "adaptation": 0.1, "coupling": 0.3})
    good, bad = scores(kernel_trained=0.01, rank_trained=9.0), scores(kernel_trained=0.05, rank_trained=5.0)
    assert verdicts(judges.c6(more, network({}), (bad, good), IMAGES)) == ["holds"] * 3
    assert verdicts(judges.c6(more, network({}), (good, bad), IMAGES)) == ["fails"] * 3
    none = IMAGES._replace(passed={"quality": [], "variety": []})
    assert verdicts(judges.c6(more, network({}), (bad, good), none)) == ["undecided"] * 3
    narrow = network({}, {key: -0.3 for key in ("net std", "net iqr", "size of adaptation", "coupling")})
    variants = Variant(narrow, narrow, good), Variant(network({}, {}), network({}, {}), bad)
    assert verdicts(judges.c7({"16": variants}, IMAGES)) == ["holds"] * 3
    assert verdicts(judges.c7({"16": variants[::-1]}, IMAGES)) == ["fails"] * 3
    assert verdicts(judges.c8(network({"net std": -0.3, "net iqr": -0.3}), network({}))) == ["holds", "fails", "fails"]
    both = {"departure": (good, bad), "adaptation": (bad, good)}
    assert verdicts(judges.c9(both, IMAGES)) == ["holds", "fails", "undecided"]


# The ladder


def test_corruptions_come_from_weak_to_strong_and_keep_what_they_should():
    images = RNG.uniform(-0.5, 0.5, (40, 16, 16, 3)).astype(np.float32)
    rungs = {
        kind: list(of)
        for kind, of in itertools.groupby(corrupted(images, np.tile(images, (3, 1, 1, 1))), lambda r: r.kind)
    }
    assert {len(of) for of in rungs.values()} == {3} and len(rungs) == 7
    apart = lambda rung: np.abs(rung.images - images).mean()
    for kind in ("blur", "brightness", "colour loss", "checkerboard"):
        assert apart(rungs[kind][0]) < apart(rungs[kind][1]) < apart(rungs[kind][2])
    assert [len(np.unique(r.images, axis=0)) for r in rungs["repeats"]] == [8, 2, 1]
    mixed = shuffled(images, 4, np.random.default_rng(0))
    np.testing.assert_allclose(np.sort(mixed.ravel()), np.sort(images.ravel()))
    assert not np.array_equal(mixed, images)
    block = images[0, :4, :4]
    assert any(np.array_equal(block, mixed[0, y : y + 4, x : x + 4]) for y in range(0, 16, 4) for x in range(0, 16, 4))


def result(rungs, floor=(0.1, 0.2)):
    every = ("blur", "brightness", "shuffled blocks", "repeats", "mode drop", "colour loss", "checkerboard")
    rows = {kind: rungs.get(kind, (0.3, 0.4, 0.5)) for kind in every}
    named = lambda value: dict.fromkeys(_scores.MEASURES, value)
    return {
        "floor": [named(value) for value in floor],
        "rungs": [{"kind": kind, "strength": str(v), "scores": named(v)} for kind, of in rows.items() for v in of],
    }


def test_a_measure_enters_if_it_ranks_what_it_has_to():
    key = "kernel_trained"
    assert ladder.failures(result({"brightness": (0.2, 0.3, 0.4)}), key) == []
    assert ladder.failures(result({"blur": (0.4, 0.3, 0.5), "brightness": (0, 0, 0)}), key) == ["blur"]
    assert ladder.failures(result({"blur": (0.15, 0.3, 0.5), "brightness": (0, 0, 0)}), key) == ["blur"]
    assert "brightness is worse than shuffled blocks" in ladder.failures(result({}), key)
    # Of variety more is better: what falls, ranks; what blur lifts above all real images, does not.
    falling = {"repeats": (0.09, 0.05, 0.01), "mode drop": (0.09, 0.05, 0.01), "blur": (0.1, 0.1, 0.1)}
    still = dict.fromkeys(("shuffled blocks", "checkerboard"), (0.15, 0.15, 0.15))
    assert ladder.failures(result(falling | still), "rank_trained") == []
    lifted = result(falling | still | {"blur": (0.1, 0.1, 0.9)})
    assert ladder.failures(lifted, "rank_trained") == ["blur passes for variety"]


# Measures and numbers


def test_the_frechet_distance_of_few_samples_is_that_of_their_moments():
    x, y = RNG.normal(size=(20, 30)), RNG.normal(0.2, 1.5, size=(15, 30))
    moments = [(z.mean(0), np.cov(z, rowvar=False)) for z in (x, y)]
    expected = quality.frechet_distance_of_moments(*moments[0], *moments[1])
    assert quality.frechet_distance(x, y) == pytest.approx(expected, rel=1e-5)


def test_neighbours_tell_what_is_missing_from_what_is_wrong():
    real = RNG.normal(size=(300, 6))
    same, few, off = RNG.normal(size=(300, 6)), np.repeat(RNG.normal(size=(3, 6)), 100, 0), RNG.normal(5, 1, (300, 6))
    good, repeated, wrong = (quality.neighbours(x, real) for x in (same, few, off))
    assert min(good[:2]) > 0.85 and good.density == pytest.approx(1, abs=0.15)
    assert repeated.recall < 0.05 and repeated.coverage < 0.1
    assert wrong.precision == 0 and wrong.density == 0


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


# Runs and records


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


def record(run, settled=True, last=None, **changes):
    """A record of a run whose networks have three levels like this."""
    shaken = lambda k: level(**{"std": 0.1 + 1e-4 * run.seed + 1e-5 * k, **changes})
    now, then = ({name: [shaken(k) for k in range(3)] for name in NETWORKS[run.kind]} for _ in range(2))
    for name in then:
        then[name] = [each | (last or {}) for each in then[name]]
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


DOCS = Path(__file__).parents[2] / "docs" / "replication"
FINISHED = {"gan": "gan", "vae": "vae-16-beta1"}


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
    some = draw(CPU, {"gan": {0: one["gan"]}}, tmp_path)
    assert [each.png.stem for each in some] == ["fig3a", "fig3c", "fig4", "fig6", "gan-seed0-samples"]
    assert "1 seed;" in some[2].caption


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


def test_a_settled_run_ends_and_is_known_as_done(tmp_path, monkeypatch):
    often = {"log_every": 2, "sample_every": 4, "measure_every": 1, "save_every": 1, "save_at": saves(4), "keep": 1}
    small = {"images": 40, "size": 8, "latent": 4, "kernel": 3, "steps": 4, "batch": 8}
    vae = train.VaeConfig(**small, **often, encoder=(4, 8), decoder=(8, 4, 4))
    preset = experiments.Preset("test", gan=CPU.gan, vae=vae, channels=(4, 8), settling=0.03)
    monkeypatch.setattr(_lab, "settled", lambda folder, step, **how: step == 2)
    said = []
    lab = experiments.open_lab(tmp_path, preset, devices=jax.devices()[:1], say=said.append)
    folder = lab.vae(0)
    assert runs.checkpoints(folder)[-1] == 2 and len(said) == 2 and said[1] == "settled at step 2"
    assert lab.vae(0) == folder and len(said) == 2
    # Where it has not settled, the same run goes on to its cap.
    monkeypatch.setattr(_lab, "settled", lambda folder, step, **how: False)
    assert runs.checkpoints(lab.vae(0)) == [0, 1, 2, 3, 4]
    assert [step for step, _ in stds_of(folder)] == [0, 1, 2, 3, 4]
