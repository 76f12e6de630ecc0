"""A Dask cluster of real processes on this machine: the same archive, whoever dies."""

import gc
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import jax
import numpy as np
import pytest

import sicjax
from sicjax import cli
from sicjax._errors import InputError
from sicjax.measure import cluster
from sicjax.measure._workers import over_executor

pytest.importorskip("distributed", reason="needs distributed, installed with the extra cluster")

ROOT = Path(sicjax.__file__).parents[1]
LAYERS = [{"type": "conv", "weight": f"c{k}", "layout": "HWIO", "stride": 2} for k in range(2)]
# One death is enough for Dask to give up what the dead worker had at hand.
SETTINGS = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0", "DASK_LOGGING__DISTRIBUTED": "critical"}


def python(*arguments):
    compiled = {
        "JAX_COMPILATION_CACHE_DIR": str(jax.config.jax_compilation_cache_dir),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    }
    return subprocess.Popen(
        [sys.executable, "-m", *map(str, arguments)],
        cwd=ROOT, env=os.environ | SETTINGS | compiled, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


@contextmanager
def running(*arguments):
    """A process that is ended."""
    with python(*arguments) as process:
        try:
            yield process
        finally:
            process.terminate()


@contextmanager
def scheduling(folder):
    """A scheduler without workers, its flags and its address."""
    file = folder / "scheduler.json"
    flags = ["--host", "127.0.0.1", "--no-dashboard", "--scheduler-file", file]
    with running("distributed.cli.dask_scheduler", "--port", 0, *flags) as process:
        while not file.exists() or not file.read_text():
            assert process.poll() is None
            time.sleep(0.05)
        yield process, flags, json.loads(file.read_text())["address"]


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory):
    """The address of a cluster of three worker processes, which start again when they die."""
    folder = tmp_path_factory.mktemp("dask")
    with scheduling(folder) as (_, flags, address):
        workers = ["--nworkers", 3, "--nthreads", 1, "--local-directory", folder]
        with running("distributed.cli.dask_worker", *flags, *workers):
            yield address


@pytest.fixture
def nets(tmp_path):
    """Forty small networks and one that is broken."""
    rng = np.random.default_rng(0)
    for k in range(40):
        np.savez(tmp_path / f"{k:02}.npz", **{"c0": rng.normal(size=(4, 4, 2, 8)), "c1": rng.normal(size=(4, 4, 8, 2))})
        (tmp_path / f"{k:02}.json").write_text(json.dumps({"networks": {"net": LAYERS}}))
    (tmp_path / "broken.npz").write_text("no network")
    return tmp_path


def pids(address):
    from distributed import Client

    with Client(address, set_as_default=False) as client:
        client.wait_for_workers(3, timeout=60)
        return list(dict(client.run(os.getpid)).values())  # type: ignore[arg-type]


@pytest.mark.slow
def test_a_worker_killed_in_the_middle_leaves_the_same_archive(scheduler, nets, capsys):
    assert cli.main(["measure", str(nets), "--json"]) == 3
    told = capsys.readouterr().out
    victim, *others = pids(scheduler)
    assert len(others) == 2
    out = nets / "out"
    with python("sicjax", "measure", nets, "--out", out, "--scheduler", scheduler) as process:
        while sum(part.read_bytes().count(b"\n") for part in out.glob("records/*")) < 5:
            assert process.poll() is None, process.communicate()
            time.sleep(0.001)
        os.kill(victim, signal.SIGKILL)
        _, said = process.communicate()
    assert process.returncode == 3, said
    assert f"3 workers at {scheduler}" in said and "broken.npz is not a weights file" in said
    lines = [json.loads(line) for part in out.glob("records/*") for line in part.read_text().splitlines()]
    files = [line["record"]["file"] for line in lines]
    assert len(files) == len(set(files)) == 41
    found, expected = json.loads((out / "result.json").read_text()), json.loads(told)
    # Workers with other threads add in another order, which is seen in what is over a small variance.
    close = [
        [
            [cascade.pop(name) for name in ("coupling_z", "coupling_p")]
            for each in side
            for cascade in each.get("cascades", ())
        ]
        for side in (found, expected)
    ]
    assert found == expected and np.array(close[0]).shape == (40, 2)
    np.testing.assert_allclose(*close, atol=1e-4)


@pytest.mark.slow
def test_what_ends_its_worker_is_told_and_the_rest_is_done(scheduler):
    pids(scheduler)
    # 0 is no signal; the other cannot be caught.
    items = [0, 0, int(signal.SIGKILL), 0, 0]
    with cluster(scheduler) as (executor, workers):
        assert workers == 3
        done = list(over_executor(executor, signal.raise_signal, items, lost=lambda item: f"lost {item}"))
    assert sorted(done, key=str) == sorted([*[(0, None)] * 4, (9, "lost 9")], key=str)


def test_nobody_at_the_address_is_said(monkeypatch, nets, capsys):
    monkeypatch.setattr("sicjax.measure._cluster.PATIENCE", 0.5)
    assert cli.main(["measure", str(nets), "--scheduler", "tcp://127.0.0.1:9"]) == 1
    assert "no Dask scheduler answers at tcp://127.0.0.1:9" in capsys.readouterr().err


def test_of_a_client_that_failed_nothing_is_left(monkeypatch):
    """Collected while another starts, it would wait for a lock that this one holds."""
    monkeypatch.setattr("sicjax.measure._cluster.PATIENCE", 0.5)
    with pytest.raises(InputError, match="no Dask scheduler answers"), cluster("tcp://127.0.0.1:9"):
        pass
    kind = "<class 'distributed.client.Client'>"
    assert not [held for held in gc.get_objects() if str(type(held)) == kind]


@pytest.mark.slow
def test_workers_of_another_version_are_refused(monkeypatch, scheduler):
    pids(scheduler)
    monkeypatch.setattr("sicjax.measure._cluster.__version__", "0.0.0")
    with pytest.raises(InputError, match=f"sicjax {sicjax.__version__}.*install sicjax 0.0.0"), cluster(scheduler):
        pass


def test_a_scheduler_that_is_lost_is_said(tmp_path):
    with scheduling(tmp_path) as (process, _, address), pytest.raises(InputError, match=f"{address} was lost"):
        with cluster(address) as (executor, workers):
            future = executor.submit(abs, -1)
            process.kill()
            assert workers == 0 and future.result(60)
