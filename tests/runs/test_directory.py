"""The directory of a run: what is written is read back, and nothing that a run leaves behind misleads the next."""

import dataclasses
import json
import struct
from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sicjax import runs, sdr
from sicjax._errors import InputError


@dataclass(frozen=True)
class Config:
    channels: tuple[int, ...] = (4, 8)
    rate: float = 0.5
    steps: int = 6
    log_every: int = field(default=2, metadata=runs.FREE)


BLUEPRINT = runs.Blueprint("Decoder", {"channels": (4, 8), "latent": 3}, ("params", "decoder"), ("stats",))
EDGES = np.linspace(0, 4, 5)
HISTOGRAM = sdr.Histogram(np.array([1, 2, 3, 4]), EDGES, 0, 0, 0)
PAIR = {"mean": 1.25, "z": None}


def state(step):
    return {"step": jnp.asarray(step), "params": {"decoder": jnp.arange(3.0) + step}}


def writer(folder, config=None, **how):
    return runs.Writer(folder, kind="toy", config=config or Config(), models={"decoder": BLUEPRINT}, **how)


def train(folder, steps, saved, **how):
    """Writes as a run would that logs every step and is gone without a word after the last."""
    run = writer(folder, **how)
    run.begin()
    try:
        found = run.restore(jax.eval_shape(state, 0))
        for step in range(0 if found is None else int(found["step"]) + 1, steps + 1):
            run.log("metrics", step, {"loss": 1 / (1 + step)})
            run.log("mine", step, {"deep": {"er": step}, "none": None})
            run.write_measure(runs.Measure(step, {"a to b": PAIR}, {"a to b": HISTOGRAM}))
            if step in saved:
                run.save(step, state(step), {"score": saved[step]})
    finally:
        run.close()
    return found


def steps(folder):
    return {file.stem: [line["step"] for line in runs.log(folder, file.stem)] for file in folder.glob("*.jsonl")}


def test_what_is_written_is_read_back(tmp_path):
    run = writer(tmp_path / "run")
    assert not runs.is_run(tmp_path / "run") and not (tmp_path / "run").exists()
    run.begin()
    grid = np.linspace(-1, 1, 2 * 3 * 4 * 4 * 3).reshape(2, 3, 4, 4, 3)
    for step in (0, 12_345_678):
        run.write_measure(runs.Measure(step, {"a to b": PAIR}, {"a to b": HISTOGRAM}))
        run.write_picture("samples", step, grid)
    run.log("metrics", 2, {"loss": 0.5})
    run.save(3, state(3), {"score": 1.0})
    assert run.write_skipped([("a.png", "is no image")]).read_text() == "a.png\tis no image\n"
    run.close()

    described = runs.describe(tmp_path / "run")
    assert described.kind == "toy" and described.models == {"decoder": BLUEPRINT}
    assert described.config == {"channels": [4, 8], "rate": 0.5, "steps": 6, "log_every": 2}
    assert runs.log(tmp_path / "run", "metrics") == [{"step": 2, "loss": 0.5}]
    assert runs.checkpoints(tmp_path / "run") == [3]
    np.testing.assert_array_equal(runs.state(tmp_path / "run")["params"]["decoder"], [3, 4, 5])
    first, last = runs.measures(tmp_path / "run")
    assert (first.step, last.step) == (0, 12_345_678) and last.pairs == {"a to b": PAIR}
    np.testing.assert_array_equal(last.histograms["a to b"].counts, HISTOGRAM.counts)
    assert last.histograms["a to b"].quantile(0.5) == HISTOGRAM.quantile(0.5)
    drawn, images = runs.pictures(tmp_path / "run", "samples", size=4)
    assert drawn == list(runs.picture_files(tmp_path / "run", "samples")) == [0, 12_345_678]
    np.testing.assert_allclose(images[1].reshape(grid.shape) / 127.5 - 1, grid, atol=1 / 255 + 1e-6)


def test_a_run_without_pairs_of_layers_is_measured_too(tmp_path):
    run = writer(tmp_path)
    run.begin()
    run.write_measure(runs.Measure(0, {}, {}))
    run.close()
    assert runs.measures(tmp_path) == [runs.Measure(0, {}, {})]


def test_every_log_is_trimmed_to_the_checkpoint(tmp_path):
    train(tmp_path, 5, {1: 0.5, 3: 0.4})
    names = {"metrics", "scores", "sdr", "mine"}
    assert set(steps(tmp_path)) == names and steps(tmp_path)["metrics"] == [0, 1, 2, 3, 4, 5]
    with (tmp_path / "scores.jsonl").open("a") as file:
        # What a crash leaves between the score's line and its checkpoint, and one line cut off.
        file.write('{"step": 5, "score": 0.1}\n{"step": 5, "sco')
    run = writer(tmp_path)
    run.begin()
    run.close()
    assert steps(tmp_path) == {name: [1, 3] if name == "scores" else [0, 1, 2, 3] for name in names}
    begun = train(tmp_path, 5, {5: 0.3})
    assert begun is not None and int(begun["step"]) == 3
    assert steps(tmp_path) == {name: [1, 3, 5] if name == "scores" else [0, 1, 2, 3, 4, 5] for name in names}


def test_a_run_that_saved_nothing_starts_with_empty_logs(tmp_path):
    train(tmp_path, 2, {})
    assert train(tmp_path, 1, {}) is None
    assert set(map(tuple, steps(tmp_path).values())) == {(0, 1)}


def test_a_line_still_being_written_is_not_read(tmp_path):
    train(tmp_path, 1, {})
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('{"step": 2, "lo')
    assert [line["step"] for line in runs.log(tmp_path, "metrics")] == [0, 1]


def test_events_after_the_checkpoint_are_hidden(tmp_path):
    pytest.importorskip("tensorboardX")
    train(tmp_path, 5, {3: 0.4}, tensorboard=True)
    (file,) = (tmp_path / "tensorboard").iterdir()
    # Names of these files have a resolution of a second.
    before = file.rename(tmp_path / "before")
    scalars = {(value.tag, event.step) for event in events(before) for value in event.summary.value}
    assert ("mine/deep/er", 5) in scalars
    assert {("metrics/loss", 5), ("scores/score", 3), ("sdr/pairs/a_to_b/mean", 0)} <= scalars
    train(tmp_path, 5, {}, tensorboard=True)
    (after,) = (tmp_path / "tensorboard").iterdir()
    assert [event.step for event in events(after) if event.HasField("session_log")] == [4]


def events(file):
    from tensorboardX.proto.event_pb2 import Event

    content = file.read_bytes()
    while content:
        (length,) = struct.unpack("<Q", content[:8])
        yield Event.FromString(content[12 : 12 + length])
        content = content[16 + length :]


def test_the_best_and_the_latest_checkpoints_are_kept(tmp_path):
    train(tmp_path, 5, {1: 0.5, 2: 0.1, 3: 0.4, 4: 0.3, 5: 0.2}, keep=2)
    assert runs.checkpoints(tmp_path) == [2, 4, 5]
    chosen = {step: int(runs.state(tmp_path, step=step)["step"]) for step in ("latest", "best", 4)}
    assert chosen == {"latest": 5, "best": 2, 4: 4}


def test_a_checkpoint_is_written_once(tmp_path):
    run = writer(tmp_path)
    run.begin()
    for score in (1.0, 2.0):
        run.save(1, state(1), {"score": score})
    run.close()
    assert runs.log(tmp_path, "scores") == [{"step": 1, "score": 1.0}]


def test_another_config_is_refused_with_the_difference(tmp_path):
    train(tmp_path, 1, {})
    other = Config(channels=(4, 9), steps=8, log_every=7)
    with pytest.raises(InputError, match=r"\(--channels was \[4, 8\], now \[4, 9\]; --steps was 6, now 8\)"):
        writer(tmp_path, other)
    with pytest.raises(InputError, match=r"\(--channels was \[4, 8\], now \[4, 9\]\)"):
        writer(tmp_path, other, free=("steps",))
    writer(tmp_path, dataclasses.replace(other, channels=(4, 8)), free=("steps",))
    with pytest.raises(InputError, match="holds a run of toy, not gan"):
        runs.Writer(tmp_path, kind="gan", config=Config(), models={})


def test_two_runs_at_once_in_one_directory_are_refused(tmp_path):
    held, other = writer(tmp_path), writer(tmp_path)
    held.begin()
    with pytest.raises(InputError, match="another process trains in"):
        other.begin()
    held.close()
    other.begin()
    other.close()


def test_a_run_goes_on_with_the_images_that_it_began_with_alone(tmp_path):
    for names, same in (("ab", True), ("ab", True), ("a", False), ("ac", False), ("ab", True)):
        run = writer(tmp_path)
        run.begin()
        if same:
            run.same_images(names)
        else:
            with pytest.raises(InputError, match=f"began with 2 images, of which {len(names)} or others are there now"):
                run.same_images(names)
        run.close()
    (tmp_path / "images.json").write_text("[")
    run = writer(tmp_path)
    run.begin()
    with pytest.raises(InputError, match="cannot read .*images.json"):
        run.same_images(["a", "b"])
    run.close()


@pytest.mark.parametrize("name", ["thesis.tex", "config.json"])
def test_a_directory_of_something_else_is_left_alone(tmp_path, name):
    (tmp_path / name).write_text("{}")
    with pytest.raises(InputError, match="is not empty and holds no run|is not the directory of a training run"):
        writer(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_what_is_not_there_is_said(tmp_path):
    with pytest.raises(InputError, match="is not the directory of a training run"):
        runs.describe(tmp_path)
    assert runs.checkpoints(tmp_path) == []
    train(tmp_path, 1, {1: 0.5})
    with pytest.raises(InputError, match="no log metric; there are metrics, mine, scores, sdr"):
        runs.log(tmp_path, "metric")
    with pytest.raises(InputError, match="no checkpoint of step 2; there are 1"):
        runs.state(tmp_path, step=2)
    with pytest.raises(InputError, match="no pictures samples"):
        runs.pictures(tmp_path, "samples", size=4)
    (tmp_path / "sdr/0000001.npz").unlink()
    with pytest.raises(InputError, match="cannot read the histograms"):
        runs.measures(tmp_path)


def test_the_config_may_hold_paths(tmp_path):
    @dataclass(frozen=True)
    class Placed:
        data_dir: object = tmp_path

    run = writer(tmp_path / "run", Placed())
    run.begin()
    run.close()
    assert json.loads((tmp_path / "run/config.json").read_text())["config"] == {"data_dir": str(tmp_path)}
    writer(tmp_path / "run", Placed())
