"""Runs of several processes, and runs that are killed: the command as a user starts it."""

import os
import random
import signal
import socket
import subprocess
import sys
import time

import jax
import numpy as np
import pytest

from sicjax import cli, models, runs

pytestmark = pytest.mark.slow

# The networks of test_train.py, whose programs are compiled once for both.
FLAGS = "--preset tiny --images 40 --size 8 --batch 8 --latent 4 --sample-every 50 --measure-every 50".split()
NETWORKS = {
    "vae": "--kernel 3 --encoder 4 8 --decoder 8 4 4".split(),
    "gan": "--generator 8 4 --discriminator 4 8".split(),
}
ONE = jax.devices()[:1]
TWO_DEVICES = os.environ["XLA_FLAGS"].replace("device_count=4", "device_count=2")
# `sicjax` on the first of this machine's devices: what is compiled for one of four is not what is for the only one.
ON_ONE = """import sys, jax
first = jax.devices()[:1]
jax.devices = lambda: first
from sicjax import cli
sys.exit(cli.main())"""


def command(kind, folder, *flags):
    return ["train", kind, *FLAGS, *NETWORKS[kind], "--workdir", str(folder), *flags]


def start(arguments, how=("-c", ON_ONE), **environment):
    return subprocess.Popen(
        [sys.executable, *how, *arguments],
        env={**os.environ, "JAX_PLATFORMS": "cpu", **environment},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.fixture
def on_one(monkeypatch):
    """Runs the command right here, on one device."""
    monkeypatch.setattr(jax, "devices", lambda: ONE)
    return cli.main


def finish(*processes, timeout=300):
    for process in processes:
        _, error = process.communicate(timeout=timeout)
        assert process.returncode == 0, error[-2000:]


def test_two_processes_with_two_devices_each_train_as_one(tmp_path, on_one):
    """The GAN, of two networks and an average: what is told apart by processes is the same for both kinds of run."""
    kind, flags = "gan", ["--steps", "20", "--log-every", "1", "--save-every", "20"]
    assert on_one(command(kind, tmp_path / "one", *flags)) == 0
    with socket.socket() as free:
        free.bind(("localhost", 0))
        address = f"localhost:{free.getsockname()[1]}"
    together = ["--coordinator", address, "--processes", "2", "--process"]
    each = [command(kind, tmp_path / "two", *flags, *together, str(k)) for k in (0, 1)]
    finish(*(start(arguments, ("-m", "sicjax"), XLA_FLAGS=TWO_DEVICES) for arguments in each))
    one, two = runs.log(tmp_path / "one", "metrics"), runs.log(tmp_path / "two", "metrics")
    assert [line["step"] for line in one] == [line["step"] for line in two] == list(range(1, 21))
    for a, b in zip(one, two, strict=True):
        for name in a.keys() - {"images_per_second", "step"}:
            assert a[name] == pytest.approx(b[name], abs=1e-5), (name, a["step"])


def test_a_run_killed_at_random_moments_ends_with_the_same_parameters(tmp_path, on_one):
    """Most of the time goes into checkpoints, one a step, so most kills come during one.

    `SICJAX_KILLS=50 pytest tests/train/test_processes.py -m slow -k killed` kills it fifty times.
    """
    kills, chance = int(os.environ.get("SICJAX_KILLS", "2")), random.Random(0)
    flags = ["--steps", str(8 * (kills + 1) + 4), "--log-every", "7", "--save-every", "1"]
    assert on_one(command("vae", tmp_path / "whole", *flags)) == 0
    done, killed = False, 0
    while killed < kills:
        process = start(command("vae", tmp_path / "killed", *flags))
        before = _saved(tmp_path / "killed")
        while _saved(tmp_path / "killed") == before and process.poll() is None:
            time.sleep(0.02)
        time.sleep(chance.uniform(0, 0.5))
        done = process.poll() is not None
        assert not done, f"the run ended before kill {killed + 1}: {process.stderr.read()[-500:]}"
        process.send_signal(signal.SIGKILL)
        process.communicate()
        killed += 1
    finish(start(command("vae", tmp_path / "killed", *flags)), timeout=300 + 60 * kills)
    whole, again = (models.load(tmp_path / name) for name in ("whole", "killed"))
    for name in whole:
        for a, b in zip(jax.tree.leaves(whole[name]), jax.tree.leaves(again[name]), strict=True):
            np.testing.assert_array_equal(a, b)
    assert {file.name for file in (tmp_path / "whole").glob("*.jsonl")} == {
        "metrics.jsonl",
        "scores.jsonl",
        "sdr.jsonl",
    }
    for name in ("metrics", "scores", "sdr"):
        one, other = (runs.log(tmp_path / folder, name) for folder in ("whole", "killed"))
        assert list(map(timeless, one)) == list(map(timeless, other)), name
    for name in ("samples", "reconstructions"):
        one, other = (runs.picture_files(tmp_path / folder, name) for folder in ("whole", "killed"))
        assert one.keys() == other.keys()
        assert all(one[step].read_bytes() == other[step].read_bytes() for step in one)
    one, other = (runs.measures(tmp_path / folder) for folder in ("whole", "killed"))
    for a, b in zip(one, other, strict=True):
        assert all(np.array_equal(a.histograms[name].counts, b.histograms[name].counts) for name in a.pairs)
    assert not (tmp_path / "killed" / "damaged").exists()


def timeless(line):
    return {name: value for name, value in line.items() if name != "images_per_second"}


def _saved(folder):
    return max(runs.checkpoints(folder), default=0)
