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

from sicjax import models, runs

FLAGS = "--preset tiny --images 40 --size 8 --batch 8 --sample-every 50 --measure-every 50".split()
NETWORKS = {
    "vae": "--encoder 4 8 --decoder 8 4 4".split(),
    "gan": "--generator 8 4 --discriminator 4 8".split(),
}


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """Where the commands keep compiled programs, so that only the first compiles."""
    return str(tmp_path_factory.mktemp("cache"))


def start(kind, folder, cache, *flags, devices=1):
    environment = {
        **os.environ,
        "JAX_PLATFORMS": "cpu",
        "XDG_CACHE_HOME": cache,
        "XLA_FLAGS": f"--xla_force_host_platform_device_count={devices} --xla_backend_optimization_level=1",
    }
    command = [sys.executable, "-m", "sicjax", "train", kind, *FLAGS, *NETWORKS[kind], "--workdir", str(folder)]
    return subprocess.Popen(
        [*command, *flags], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def finish(*processes):
    for process in processes:
        _, error = process.communicate(timeout=300)
        assert process.returncode == 0, error[-2000:]


@pytest.mark.parametrize("kind", NETWORKS)
def test_two_processes_with_two_devices_each_train_as_one(kind, tmp_path, cache):
    flags = ["--steps", "20", "--log-every", "1", "--save-every", "20"]
    finish(start(kind, tmp_path / "one", cache, *flags))
    with socket.socket() as free:
        free.bind(("localhost", 0))
        address = f"localhost:{free.getsockname()[1]}"
    together = ["--coordinator", address, "--processes", "2", "--process"]
    finish(*(start(kind, tmp_path / "two", cache, *flags, *together, str(k), devices=2) for k in (0, 1)))
    one, two = runs.log(tmp_path / "one", "metrics"), runs.log(tmp_path / "two", "metrics")
    assert [line["step"] for line in one] == [line["step"] for line in two] == list(range(1, 21))
    for a, b in zip(one, two, strict=True):
        for name in a.keys() - {"images_per_second", "step"}:
            assert a[name] == pytest.approx(b[name], abs=1e-5), (name, a["step"])


def test_a_run_killed_at_random_moments_ends_with_the_same_parameters(tmp_path, cache):
    """Most of the time goes into checkpoints, one a step, so most kills come during one."""
    kills, chance = int(os.environ.get("SICJAX_KILLS", "3")), random.Random(0)
    flags = ["--steps", str(20 * (kills + 1)), "--log-every", "7", "--save-every", "1"]
    finish(start("vae", tmp_path / "whole", cache, *flags))
    done, killed = False, 0
    while killed < kills:
        process = start("vae", tmp_path / "killed", cache, *flags)
        before = _saved(tmp_path / "killed")
        while _saved(tmp_path / "killed") == before and process.poll() is None:
            time.sleep(0.02)
        time.sleep(chance.uniform(0, 0.5))
        done = process.poll() is not None
        assert not done, f"the run ended before kill {killed + 1}: {process.stderr.read()[-500:]}"
        process.send_signal(signal.SIGKILL)
        process.communicate()
        killed += 1
    finish(start("vae", tmp_path / "killed", cache, *flags))
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
        assert [line["step"] for line in one] == [line["step"] for line in other], name


def _saved(folder):
    return max(runs.checkpoints(folder), default=0)
