"""Training: what a step does, and a run's directory that no end of a run spoils."""

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sicjax import measure, models, runs, train
from sicjax._errors import InputError
from sicjax.train._feed import Feed

TINY = {
    "gan": train.GanConfig(
        images=40, size=8, latent=4, generator=(8, 4), discriminator=(4, 8), steps=6, batch=8,
        log_every=2, sample_every=3, measure_every=3, save_every=2, ema=0.9,
    ),
    "vae": train.VaeConfig(
        images=40, size=8, latent=4, kernel=3, encoder=(4, 8), decoder=(8, 4), steps=6, batch=8,
        log_every=2, sample_every=3, measure_every=3, save_every=2,
    ),
}  # fmt: skip
START = {"gan": train.gan, "vae": train.vae}
TASK = {"gan": train.gan_task, "vae": train.vae_task}
ONE = jax.devices()[:1]


def leaves(state):
    return [np.asarray(leaf) for leaf in jax.tree.leaves(state)]


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(leaves(one), leaves(other), strict=True))


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run of each kind, never stopped."""
    folder = tmp_path_factory.mktemp("finished")
    return {kind: START[kind](config, folder / kind, devices=ONE) for kind, config in TINY.items()}


def test_a_run_leaves_everything_in_its_directory(finished):
    for kind, result in finished.items():
        assert result.finished and result.step == 6
        names = {path.name for path in result.folder.iterdir()}
        assert {"config.json", "metrics.jsonl", "sdr.jsonl", "scores.jsonl", "sdr", "samples", "checkpoints"} <= names
        lines = [json.loads(line) for line in (result.folder / "metrics.jsonl").read_text().splitlines()]
        assert [line["step"] for line in lines] == [2, 4, 6]
        assert {path.stem for path in (result.folder / "samples").glob("*.png")} == {"0000000", "0000003", "0000006"}
        measured = [json.loads(line) for line in (result.folder / "sdr.jsonl").read_text().splitlines()]
        assert [line["step"] for line in measured] == [0, 3, 6]
        counts = np.load(result.folder / "sdr" / "0000006.npz")
        assert set(counts) == {"edges", *measured[0]["pairs"]}
        parts = {"gan": {"generator", "discriminator"}, "vae": {"encoder", "decoder"}}[kind]
        assert {name.split(".")[0] for name in measured[0]["pairs"]} == parts


def test_a_run_measures_its_own_networks(finished):
    from sicjax import networks, sdr

    result = finished["vae"]
    pairs = runs.measures(result.folder)[-1].pairs
    net = networks.from_module(models.load(result.folder)["decoder"], jnp.zeros((1, 4)))
    for name, cascade in net.cascades.items():
        assert pairs[f"decoder.{name}"]["mean"] == pytest.approx(float(sdr.moments(cascade).mean), abs=1e-6)
    with pytest.raises(InputError, match="states its strides and directions itself"):
        networks.from_file(result.folder, stride=2)


def test_every_checkpoint_of_a_run_is_measured(finished):
    folder = finished["vae"].folder
    sources = measure.find([folder], all_steps=True)
    assert [source.step for source in sources] == runs.checkpoints(folder)
    first, *_, last = (found.record for found in measure.measure_many(sources))
    assert first["settings"]["step"] < last["settings"]["step"] == 6 and first["sha256"] != last["sha256"]
    logged = runs.measures(folder)[-1].pairs
    for cascade in last["cascades"]:
        assert logged[cascade["name"]]["mean"] == pytest.approx(cascade["mean"], abs=1e-6)
    (latest,) = (found.record for found in measure.measure_many(measure.find([folder])))
    assert latest == last
    (gone,) = (found.record for found in measure.measure_many([measure.Source(str(folder), 5)]))
    assert "no checkpoint of step 5" in gone["error"]


@pytest.mark.parametrize("kind", TINY)
def test_a_run_that_stops_goes_on_bit_for_bit(kind, finished, tmp_path):
    class Enough(Exception):
        pass

    def stop(step, steps, metrics):
        if step == 5:
            raise Enough

    with pytest.raises(Enough):
        START[kind](TINY[kind], tmp_path / "run", devices=ONE, progress=stop)
    assert [json.loads(line)["step"] for line in (tmp_path / "run/sdr.jsonl").read_text().splitlines()] == [0, 3]
    steps = []
    result = START[kind](TINY[kind], tmp_path / "run", devices=ONE, progress=lambda step, *_: steps.append(step))
    assert steps[0] == 5, "a run that starts again from nothing would end with the same weights"
    assert same(result.state, finished[kind].state)
    assert logged(result.folder) == logged(finished[kind].folder)


def logged(folder):
    """The steps of every log."""
    return {file.stem: [line["step"] for line in runs.log(folder, file.stem)] for file in folder.glob("*.jsonl")}


def test_a_run_that_lost_its_last_checkpoint_goes_on_from_the_one_before(finished, tmp_path):
    shutil.copytree(finished["vae"].folder, tmp_path / "run")
    shutil.rmtree(tmp_path / "run/checkpoints/6")
    result = train.vae(TINY["vae"], tmp_path / "run", devices=ONE)
    assert same(result.state, finished["vae"].state)
    assert logged(result.folder) == logged(finished["vae"].folder) == {
        "metrics": [2, 4, 6], "scores": [2, 4, 6], "sdr": [0, 3, 6],
    }  # fmt: skip


def test_of_a_damaged_checkpoint_the_one_before_is_measured_and_that_is_said(finished, tmp_path):
    shutil.copytree(finished["vae"].folder, tmp_path / "run")
    (tmp_path / "run/checkpoints/6/default/manifest.ocdbt").write_bytes(b"")
    (found,) = (found.record for found in measure.measure_many(measure.find([tmp_path / "run"])))
    (before,) = (found.record for found in measure.measure_many([measure.Source(str(finished["vae"].folder), 4)]))
    assert found["settings"]["step"] == 4 and found["cascades"] == before["cascades"]
    assert any("checkpoint of step 6 after this one is damaged" in note for note in found["notes"])


def test_a_run_stopped_where_it_saves_anyway_saves_once(tmp_path):
    def stop(step, steps, metrics):
        if step == 4:
            os.kill(os.getpid(), signal.SIGTERM)

    result = train.vae(TINY["vae"], tmp_path / "run", devices=ONE, progress=stop)
    assert not result.finished and result.step == 4
    assert logged(result.folder)["scores"] == [2, 4]


@pytest.mark.slow
def test_a_finished_run_is_left_as_it_is_and_can_be_made_longer(finished, tmp_path):
    again = train.vae(TINY["vae"], finished["vae"].folder, devices=ONE)
    assert again.finished and same(again.state, finished["vae"].state)
    longer = dataclasses.replace(TINY["vae"], steps=8)
    at_once = train.vae(longer, tmp_path / "at once", devices=ONE)
    train.vae(TINY["vae"], tmp_path / "later", devices=ONE)
    assert same(train.vae(longer, tmp_path / "later", devices=ONE).state, at_once.state)


@pytest.mark.slow
def test_the_result_is_the_same_on_one_two_and_four_devices(finished, tmp_path):
    for kind, devices in (("gan", 2), ("vae", 4)):
        result = START[kind](TINY[kind], tmp_path / kind, devices=jax.devices()[:devices])
        for a, b in zip(leaves(finished[kind].state), leaves(result.state), strict=True):
            np.testing.assert_allclose(a, b, atol=2e-4)


def test_images_streamed_are_those_on_the_device(finished, tmp_path):
    """To rounding, as they are taken in by another program; a step on other images moves parameters by a thousandth."""
    streamed = train.vae(dataclasses.replace(TINY["vae"], on_device=False), tmp_path / "run", devices=ONE).state
    for one, other in zip(leaves(streamed), leaves(finished["vae"].state), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.slow
def test_a_run_on_a_subset_sees_no_other_image_and_keeps_the_checkpoints_it_was_told(tmp_path):
    images = np.random.default_rng(0).integers(0, 255, (40, 8, 8, 3), np.uint8)
    states = []
    for number, name in enumerate(("one", "other")):
        images[8:36] += number  # neither of the subset nor held out
        np.savez(tmp_path / f"{name}.npz", images=images)
        config = dataclasses.replace(
            TINY["vae"],
            data=f"npz:{tmp_path / name}.npz",
            images=0,
            subset=8,
            save_at=(0, 3),
            save_every=6,
            sample_every=6,
            measure_every=6,
            keep=1,
        )
        result = train.vae(config, tmp_path / name, devices=ONE)
        assert runs.checkpoints(result.folder) == [0, 3, 6]
        states.append(result.state)
    assert same(*states)
    first = runs.state(result.folder, step=0)
    begun = TASK["vae"](TINY["vae"]).init()
    assert first["step"] == 0 and all(map(np.array_equal, leaves(first["params"]), leaves(begun.params)))
    with pytest.raises(InputError, match="--subset 37: npz:.* has 36 images beside those held out"):
        train.vae(dataclasses.replace(config, subset=37), tmp_path / "more", devices=ONE)


def test_steps_together_are_the_same_steps(finished, tmp_path):
    config = dataclasses.replace(TINY["vae"], steps_together=2)
    result = train.vae(config, tmp_path / "run", devices=ONE)
    for a, b in zip(leaves(finished["vae"].state), leaves(result.state), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4)


def test_another_config_is_refused_with_the_difference(finished):
    config = dataclasses.replace(TINY["gan"], batch=4, latent=8, log_every=7)
    with pytest.raises(InputError, match=r"--latent was 4, now 8; --batch was 8, now 4"):
        train.gan(config, finished["gan"].folder)
    with pytest.raises(InputError, match="holds a run of gan, not vae"):
        train.vae(TINY["vae"], finished["gan"].folder)


def test_what_a_config_of_an_older_version_lacks_was_the_default():
    now = TINY["vae"]
    before = {name: value for name, value in runs.lasting(now).items() if name not in ("subset", "beta")}
    assert runs.changes(before, now) == []
    assert runs.changes(before, dataclasses.replace(now, subset=20)) == [f"--subset was {now.subset}, now 20"]


def test_steps_may_change_only_without_a_schedule():
    longer = lambda config: runs.changes(runs.lasting(config), dataclasses.replace(config, steps=9), free=config.free)
    assert longer(TINY["vae"]) == []
    assert longer(dataclasses.replace(TINY["vae"], schedule="cosine")) == ["--steps was 6, now 9"]


def test_a_loss_that_is_no_number_ends_the_run_and_keeps_the_last_checkpoint(tmp_path):
    config = dataclasses.replace(TINY["vae"], steps=400, save_every=1, learning_rate=1e30, log_every=1)
    with pytest.raises(InputError, match="no number any more at step"):
        train.vae(config, tmp_path / "run", devices=ONE)
    for step in runs.checkpoints(tmp_path / "run"):
        for leaf in jax.tree.leaves(models.load(tmp_path / "run", step=step)):
            assert np.isfinite(np.asarray(leaf)).all()


@pytest.mark.slow
def test_the_penalty_draws_ratios_to_one(tmp_path):
    config = dataclasses.replace(TINY["vae"], steps=60, save_every=60, measure_every=60, log_every=60, sample_every=60)
    spread = {}
    for weight in (0.0, 10.0):
        result = train.vae(dataclasses.replace(config, penalty=weight), tmp_path / f"{weight}", devices=ONE)
        spread[weight] = {name: found["std"] for name, found in runs.measures(result.folder)[-1].pairs.items()}
    decoder = [name for name in spread[0.0] if name.startswith("decoder")]
    assert all(spread[10.0][name] < 0.8 * spread[0.0][name] for name in decoder)
    with pytest.raises(InputError, match="no pair is called so; there are"):
        train.vae(dataclasses.replace(config, penalty=1.0, penalty_layers=("nowhere",)), tmp_path / "x")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (dict(size=9), "--size must be a multiple of 4"),
        (dict(batch=0), "--batch must be at least 1"),
        (dict(learning_rate=0.0), "--learning-rate must be above 0"),
        (dict(beta1=1.0), r"--beta1 must be in \[0, 1\)"),
        (dict(schedule="linear"), "--schedule cannot be 'linear'"),
        (dict(penalty_layers=("decoder",)), "set --penalty"),
        (dict(encoder=()), "--encoder needs channels"),
    ],
)
def test_configs_check_themselves(change, words, without_type_checks):
    with pytest.raises(InputError, match=words):
        dataclasses.replace(TINY["vae"], **change)


def test_images_that_cannot_be_read_are_named(tmp_path):
    from PIL import Image

    (tmp_path / "images").mkdir()
    for k in range(40):
        Image.new("RGB", (8, 8), (5 * k, 0, 0)).save(tmp_path / "images" / f"{k:02}.png")
    (tmp_path / "images" / "99.png").write_bytes(b"no image")
    config = dataclasses.replace(TINY["vae"], data=f"folder:{tmp_path / 'images'}", images=0, steps=2)
    with pytest.warns(UserWarning, match=r"1 images cannot be read, the first .*99\.png"):
        result = train.vae(config, tmp_path / "run", devices=ONE)
    assert "99.png\t" in (result.folder / "skipped.tsv").read_text()


def pictures(folder, count):
    from PIL import Image

    folder.mkdir()
    for k, pixels in enumerate(np.random.default_rng(0).integers(0, 256, (count, 8, 8, 3), np.uint8)):
        Image.fromarray(pixels).save(folder / f"{k:02}.png")
    return folder


def test_images_that_vanish_while_it_trains_are_not_missed_and_then_asked_for(tmp_path, monkeypatch):
    """What is decoded is kept, also where it is read from the cache on disk, whose file is gone too."""
    monkeypatch.setenv("SICJAX_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("sicjax.data._load.CACHE_FROM", 2)
    folder = pictures(tmp_path / "images", 40)
    config = dataclasses.replace(TINY["vae"], data=f"folder:{folder}", images=0, on_device=False, steps=3)
    config = dataclasses.replace(config, sample_every=9, measure_every=9)
    whole = train.vae(config, tmp_path / "whole", devices=ONE)

    def vanish(step, *_):
        if step == 1:
            for place in (folder, tmp_path / "cache"):
                shutil.rmtree(place)

    result = train.vae(config, tmp_path / "run", devices=ONE, progress=vanish)
    assert result.finished and same(result.state, whole.state)
    pictures(folder, 39)
    with pytest.raises(InputError, match="began with 40 images, of which 39 or others are there now: put them back"):
        train.vae(config, tmp_path / "run", devices=ONE)


def test_a_config_of_lists_is_that_of_tuples_and_finds_its_programs_compiled(without_type_checks):
    listed = dataclasses.replace(TINY["vae"], encoder=[4, 8], save_at=[])
    assert listed == TINY["vae"] and train.vae_task(listed) is train.vae_task(TINY["vae"])
    assert train.vae_task(dataclasses.replace(listed, seed=1)) is not train.vae_task(listed)


def test_a_batch_that_devices_cannot_share_is_refused(tmp_path):
    with pytest.raises(InputError, match="cannot be shared by 4 devices"):
        train.vae(dataclasses.replace(TINY["vae"], batch=6), tmp_path / "run", devices=jax.devices()[:4])


def test_feeds_give_the_same_images_on_the_device_and_streamed():
    from sicjax import data

    pixels = np.random.default_rng(0).integers(0, 256, (10, 8, 8, 3), np.uint8)
    images = data.Images("random", pixels, tuple(map(str, range(10))))
    mesh = jax.sharding.Mesh(np.array(jax.devices()[:2]), ("data",))
    feeds = [Feed(images, 9, dataclasses.replace(TINY["vae"], batch=4, on_device=fits), mesh) for fits in (True, False)]
    for start, stop in ((0, 1), (1, 4), (7, 9)):
        numbers, streamed = (feed.steps(start, stop) for feed in feeds)
        np.testing.assert_array_equal(pixels[np.asarray(numbers)], streamed)


@pytest.mark.slow
def test_a_terminated_run_saves_and_goes_on(tmp_path):
    flags = "--preset tiny --images 40 --size 8 --latent 4 --kernel 3 --encoder 4 8 --decoder 8 4 4 --steps 100000"
    command = [sys.executable, "-m", "sicjax", "train", "vae", *flags.split(), "--workdir", str(tmp_path / "run")]
    environment = {**os.environ, "JAX_PLATFORMS": "cpu"}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while process.poll() is None and not (tmp_path / "run" / "metrics.jsonl").exists():
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    _, error = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "the same command goes on from there" in error and "Traceback" not in error
    saved = runs.checkpoints(tmp_path / "run")[-1]
    assert f"stopped at step {saved} of 100000" in error


def test_the_directory_of_a_run_is_a_network_like_any_file(finished):
    from sicjax import networks

    net = networks.from_file(finished["vae"].folder)
    assert set(net.cascades) == set(runs.measures(finished["vae"].folder)[-1].pairs)
    assert {pair.network for pair in net.pairs} == {"encoder", "decoder"}
    with pytest.raises(InputError, match="not one of a training run"):
        networks.from_file(finished["vae"].folder / "samples")
