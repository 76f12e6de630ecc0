"""Disks that are full or read-only: what was written stays, what was not is one line, and it goes on with room."""

import json
import os
import shutil
import subprocess

import numpy as np
import pytest
from safetensors.numpy import save_file
from test_directory import state, steps, train, writer

from sicjax import cli, measure, runs
from sicjax._errors import InputError

SIZE = 2**19


@pytest.fixture
def disk(tmp_path):
    """A disk of half a megabyte."""
    place = tmp_path / "disk"
    place.mkdir()
    if shutil.which("mount") is None or os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", place], capture_output=True, text=True
    )
    if done.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


def fill(disk, leave):
    """Takes the room of a disk, but for so many bytes; returns the file that does."""
    ballast = disk / "ballast"
    ballast.write_bytes(bytes(shutil.disk_usage(disk).free - leave))
    return ballast


def test_a_run_on_a_full_disk_keeps_what_it_saved_and_goes_on_with_room(disk, tmp_path):
    train(disk / "run", 3, {1: 0.5, 3: 0.4})
    train(tmp_path / "whole", 5, {1: 0.5, 3: 0.4, 5: 0.3})
    ballast = fill(disk, 4096)
    with pytest.raises(InputError, match="No space left on device|cannot write the checkpoint of step 5"):
        train(disk / "run", 5, {5: 0.3})
    assert runs.latest(disk / "run") == (3, {})
    ballast.unlink()
    begun = train(disk / "run", 5, {5: 0.3})
    assert begun is not None and int(begun["step"]) == 3
    assert steps(disk / "run") == steps(tmp_path / "whole")
    np.testing.assert_array_equal(*(runs.state(run)["params"]["decoder"] for run in (disk / "run", tmp_path / "whole")))


def test_a_checkpoint_for_which_there_is_no_room_is_one_line(disk):
    going = writer(disk / "run")
    going.begin()
    going.save(1, state(1), {"score": 0.5})
    fill(disk, 0)
    with pytest.raises(InputError, match=r"cannot write .*: .*No space left") as caught:
        going.save(2, state(2), {"score": 0.4})
    going.close()
    assert "\n" not in str(caught.value) and runs.latest(disk / "run") == (1, {})


@pytest.fixture
def nets(tmp_path):
    """Networks of which there is nothing to compile."""
    rng = np.random.default_rng(0)
    layers = [{"type": "conv", "weight": name, "layout": "OIHW", "stride": 2} for name in "ab"]
    for k in range(30):
        arrays = {"a": rng.normal(size=(4, 3, 1, 1)), "b": rng.normal(size=(5, 4, 1, 1))}
        path = tmp_path / "nets" / f"{k:02}.safetensors"
        path.parent.mkdir(exist_ok=True)
        save_file({name: array.astype(np.float32) for name, array in arrays.items()}, path)
        path.with_suffix(".json").write_text(json.dumps({"networks": {"net": layers}}))
    return path.parent


def test_measuring_on_a_full_disk_keeps_what_is_there_and_goes_on_with_room(disk, nets, tmp_path, capsys):
    command = lambda out: ["measure", str(nets), "--out", str(out)]
    assert cli.main(command(tmp_path / "whole")) == 0
    ballast = fill(disk, 3 * 4096)
    capsys.readouterr()
    assert cli.main(command(disk / "out")) == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert said == f"sicjax: cannot write into {disk}/out/records: No space left on device"
    ballast.unlink()
    with measure.Archive(disk / "out") as archive:
        kept = sum(bool(archive.measured(source.file)) for source in measure.find([nets]))
    assert 0 < kept < 30
    assert cli.main(command(disk / "out")) == 0
    assert (disk / "out" / "result.json").read_text() == (tmp_path / "whole" / "result.json").read_text()


def test_a_read_only_disk_is_one_line(disk, nets, capsys):
    train(disk / "run", 1, {1: 0.5})
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    with pytest.raises(InputError, match="cannot write into .*run: Read-only file system"):
        writer(disk / "run").begin()
    assert runs.latest(disk / "run") == (1, {})
    file = str(nets / "00.safetensors")
    for out in (["--out", f"{disk}/out"], ["--graph", f"{disk}/net.dot"]):
        assert cli.main(["measure", file, *out]) == 1
        said = capsys.readouterr().err.splitlines()[-1]
        assert said.startswith(f"sicjax: cannot write {'into ' * (out[0] == '--out')}{disk}") and "Read-only" in said
