"""A run's directory that something damaged: what is whole is used, what is not is told and kept aside."""

import errno
import shutil

import numpy as np
import pytest
from test_directory import steps, train, writer

from sicjax import runs
from sicjax._errors import InputError


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained") / "run"
    train(folder, 5, {1: 0.5, 3: 0.4, 5: 0.3}, keep=3)
    return folder


@pytest.fixture
def run(trained, tmp_path):
    return shutil.copytree(trained, tmp_path / "run")


def flipped(file):
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def cut(file):
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def arrays(checkpoint):
    return max((checkpoint / "default" / "ocdbt.process_0" / "d").iterdir(), key=lambda file: file.stat().st_size)


DAMAGES = {
    "a bit of the arrays": lambda last: flipped(arrays(last)),
    "half of the arrays": lambda last: cut(arrays(last)),
    "an item": lambda last: shutil.rmtree(last / "default"),
    "the score": lambda last: cut(last / "metrics" / "metrics"),
    "the sums": lambda last: cut(last / "SHA256SUMS"),
    "half of a description without sums": lambda last: (
        (last / "SHA256SUMS").unlink(),
        cut(last / "default/_METADATA"),
    ),
}


@pytest.mark.parametrize("what", DAMAGES)
def test_of_a_damaged_checkpoint_the_one_before_is_used_and_that_is_said(run, what):
    DAMAGES[what](run / "checkpoints" / "5")
    step, damaged = runs.latest(run)
    assert step == 3 and list(damaged) == [5] and damaged[5]
    for asked in ("latest", "best"):
        with pytest.warns(UserWarning, match="of step 5 of .* is damaged: .*; that of step 3 is taken"):
            assert int(runs.state(run, step=asked)["step"]) == 3
    with pytest.raises(InputError, match="the checkpoint of step 5 of .* is damaged: "):
        runs.state(run, step=5)
    with pytest.warns(UserWarning, match=r"of step 5 is damaged \(.*\) and moved to .*damaged"):
        begun = train(run, 5, {5: 0.2})
    assert begun is not None and int(begun["step"]) == 3
    assert runs.checkpoints(run) == [3, 5] and (run / "damaged" / "5").is_dir()
    assert steps(run)["metrics"] == [0, 1, 2, 3, 4, 5] and steps(run)["scores"] == [1, 3, 5]
    assert int(runs.state(run)["step"]) == 5


def test_a_run_of_which_every_checkpoint_is_damaged_is_not_begun_again_in_silence(run):
    for step in runs.checkpoints(run):
        cut(arrays(run / "checkpoints" / str(step)))
    before = (run / "metrics.jsonl").read_bytes()
    assert runs.latest(run)[0] is None
    with pytest.raises(InputError, match="every checkpoint of .* is damaged"):
        writer(run).begin()
    assert (run / "metrics.jsonl").read_bytes() == before and runs.checkpoints(run) == [1, 3, 5]


BAD = [b"\0\0\n", b'{"loss": 1}\n', b'{"step": "one"}\n', b"[1]\n", b"\xff\xfe\n", b"[" * 100_000 + b"\n"]


@pytest.mark.parametrize("line", BAD, ids=["no JSON", "no step", "a step of text", "a list", "not UTF-8", "deep"])
def test_a_bad_line_of_a_log_is_left_out_and_kept_aside(run, line):
    log = run / "metrics.jsonl"
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join([*lines[:2], line, *lines[2:]]))
    with pytest.warns(UserWarning, match=r"metrics\.jsonl has a line that is no JSON object with a step"):
        assert [line["step"] for line in runs.log(run, "metrics")] == [0, 1, 2, 3, 4, 5]
    with pytest.warns(UserWarning, match="left out: .*: moved to .*damaged"):
        begun = train(run, 6, {})
    assert begun is not None and int(begun["step"]) == 5 and steps(run)["metrics"] == [0, 1, 2, 3, 4, 5, 6]
    assert (run / "damaged" / "metrics.jsonl").read_bytes() == line


def test_a_run_killed_before_it_wrote_its_config_begins(tmp_path):
    (tmp_path / "lock").touch()
    (tmp_path / "config.json.partial").write_text("{")
    assert train(tmp_path, 1, {}) is None and runs.is_run(tmp_path)


def full(*args, **how):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_disk_that_is_full_at_a_checkpoint_is_one_line_and_what_was_saved_stays(run, monkeypatch):
    going = writer(run)
    going.begin()
    monkeypatch.setattr("orbax.checkpoint.CheckpointManager.save", full)
    with pytest.raises(InputError, match="checkpoint of step 6 into .*: No space left.*; that of step 5 is kept"):
        going.save(6, {"step": np.array(6)}, {"score": 0.1})
    going.close()
    monkeypatch.undo()
    assert writer(run).folder == run and runs.latest(run) == (5, {})
    train(run, 5, {})
    assert steps(run)["scores"] == [1, 3, 5]


def test_a_directory_that_vanished_is_one_line(run):
    going = writer(run)
    going.begin()
    shutil.rmtree(run)
    with pytest.raises(InputError, match=r"cannot write .*metrics\.jsonl: No such file"):
        going.log("metrics", 6, {"loss": 1.0})
    going.close()


def test_a_file_that_cannot_be_written_leaves_nothing_behind(run, monkeypatch):
    monkeypatch.setattr("os.replace", full)
    before = sorted(run.rglob("*"))
    with pytest.raises(InputError, match="cannot write .*: No space left"):
        writer(run).begin()
    assert sorted(run.rglob("*")) == before
