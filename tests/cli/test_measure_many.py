"""`sicjax measure` of many files: exit codes, processes, parts, and a death in the middle."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from sicjax import cli

LAYERS = [{"type": "conv", "weight": f"c{k}", "layout": "HWIO", "stride": 2} for k in range(2)]


@pytest.fixture
def folder(tmp_path):
    """A function that makes a folder of small networks and one that is broken."""

    def make(count):
        folder = tmp_path / "nets"
        folder.mkdir()
        rng = np.random.default_rng(0)
        for k in range(count):
            arrays = {f"c{n}": rng.normal(size=(4, 4, 2, 2)).astype(np.float32) for n in range(2)}
            np.savez(folder / f"{k:03}.npz", **arrays)
            (folder / f"{k:03}.json").write_text(json.dumps({"networks": {"net": LAYERS}}))
        (folder / "broken.npz").write_text("no network")
        return folder

    return make


def start(*arguments):
    command = [sys.executable, "-m", "sicjax", "measure", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_some_that_could_not_be_measured_are_told(folder, capsys):
    nets = folder(2)
    assert cli.main(["measure", str(nets)]) == 3
    shown = capsys.readouterr()
    assert "not measured" in shown.out and "c0 to c1" in shown.out
    assert shown.err.count("\n") == 1 and "broken.npz is not a weights file" in shown.err
    assert "expected PyTorch weights (.pt" in shown.err and "()" not in shown.err
    assert cli.main(["measure", str(nets / "0*.npz"), "--json"]) == 0
    assert [record["file"] for record in json.loads(capsys.readouterr().out)] == [
        str(nets / "000.npz"), str(nets / "001.npz")
    ]  # fmt: skip
    assert cli.main(["measure", str(nets / "b*"), "--json"]) == 1
    (record,) = json.loads(capsys.readouterr().out)
    assert set(record) == {"file", "schema", "sicjax", "sha256", "settings", "error"}


def test_a_second_run_writes_the_same_and_measures_nothing(folder, tmp_path, monkeypatch, capsys):
    pytest.importorskip("matplotlib")
    out = tmp_path / "out"
    arguments = ["measure", str(folder(2)), "--out", str(out)]
    assert cli.main(arguments) == 3
    table, (first, second) = capsys.readouterr().out, ((out / name) for name in ("result.json", "histograms.png"))
    before, drawn = first.read_bytes(), second.stat().st_mtime_ns
    monkeypatch.setattr("sicjax.sdr.moments", None)  # what calls it fails
    assert cli.main(arguments) == 3
    assert capsys.readouterr().out == table
    assert first.read_bytes() == before and second.stat().st_mtime_ns == drawn


def test_parts_of_several_processes_are_put_together_by_the_last(folder, tmp_path, capsys, monkeypatch):
    folder(4)
    monkeypatch.chdir(tmp_path)  # which part a file is in goes by its name as given, the same in every run of the test
    nets, out = Path("nets"), Path("out")
    for part in (1, 2):
        assert not (out / "result.json").exists()
        assert cli.main(["measure", str(nets), "--out", str(out), "--shard", f"{part}/2"]) in (0, 1, 3)
        assert ("are left to other parts" in capsys.readouterr().err) == (part == 1)
    together = (out / "result.json").read_text()
    assert [json.loads(together)[k]["file"][-7:] for k in range(5)] == [*(f"00{k}.npz" for k in range(4)), "ken.npz"]
    assert cli.main(["measure", str(nets), "--out", "whole", "--jobs", "1"]) == 3
    assert Path("whole/result.json").read_text() == together


@pytest.mark.slow
def test_killed_and_started_again_it_ends_with_the_same(folder, tmp_path):
    """At random moments, of all files and of a record being written.

    `SICJAX_KILLS=20 pytest tests/cli/test_measure_many.py -m slow -k killed` kills it twenty times, twice with workers.
    """
    kills, chance = int(os.environ.get("SICJAX_KILLS", "2")), random.Random(0)
    count = 30 * kills
    nets, out = folder(count), tmp_path / "out"
    jobs = ["--jobs", "2"]
    for kill in range(kills):
        before, enough = set(out.glob("records/*")), chance.randint(1, 10)
        with start(nets, "--out", out, *(jobs if kill < 2 else [])) as process:
            while sum(part.read_bytes().count(b"\n") for part in set(out.glob("records/*")) - before) < enough:
                assert process.poll() is None
                time.sleep(0.001)
            time.sleep(chance.uniform(0, 0.02))
            process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL and not (out / "result.json").exists()
    with start(nets, "--out", out, *jobs) as process:
        _, said = process.communicate()
    assert process.returncode == 3, said
    files = [
        json.loads(line)["record"]["file"]
        for part in out.glob("records/*")
        for line in part.read_text().splitlines(keepends=True)
        if line.endswith("\n")
    ]
    assert len(files) == len(set(files)) == count + 1
    with start(nets, "--json") as process:
        told, _ = process.communicate()
    assert json.loads((out / "result.json").read_text()) == json.loads(told)


@pytest.mark.parametrize(
    "arguments, says",
    [
        (["--shard", "1/2"], "needs --out"),
        (["--shard", "3/2", "--out", "x"], "expected K/N"),
        (["--jobs", "0"], "expected a positive integer"),
        (["--jobs", "2", "--graph", "x.dot"], "by one process"),
        (["--jobs", "2", "--scheduler", "tcp://127.0.0.1:9"], "without --jobs"),
    ],
)
def test_wrong_usage(arguments, says, capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main(["measure", "net.npz", *arguments])
    assert stopped.value.code == 2 and says in capsys.readouterr().err
