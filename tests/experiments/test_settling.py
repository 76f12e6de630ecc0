"""The runs of the plan, and when one of them ends."""

from pathlib import Path

import jax
import pytest

from sicjax import experiments, runs, train
from sicjax.experiments import _lab
from sicjax.experiments._planned import planned
from sicjax.experiments._settling import moved, saves, settled, stds_of

CPU = experiments.PRESETS["cpu"]


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
