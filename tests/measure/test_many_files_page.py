"""The programs of `docs/many_files.md` run as they stand."""

import json
import re
from pathlib import Path

import jax
import numpy as np
import pytest

import sicjax
from sicjax import measure, networks, sdr

PAGE = Path(sicjax.__file__).parents[1] / "docs" / "many_files.md"
LAYERS = [{"type": "conv", "weight": f"c{k}", "layout": "HWIO", "stride": 2} for k in range(2)]


@pytest.fixture
def checkpoints(tmp_path, monkeypatch):
    """Five networks in `checkpoints`, of the folder that is gone to."""
    monkeypatch.chdir(tmp_path)
    Path("checkpoints").mkdir()
    rng = np.random.default_rng(0)
    for k in range(5):
        np.savez(f"checkpoints/{k}.npz", **{f"c{n}": rng.normal(size=(4, 4, 2, 2)) for n in range(2)})
        Path(f"checkpoints/{k}.json").write_text(json.dumps({"networks": {"net": LAYERS}}))


def run(number):
    """Runs a program of the page, and gives its variables."""
    if not PAGE.exists():
        pytest.skip(f"the documentation is not here: {PAGE}")
    program = re.findall(r"```python\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)[number]
    variables = {"__name__": "__main__"}
    exec(compile(program, f"{PAGE} {number}", "exec"), variables)
    return variables


def test_any_executor(checkpoints, capsys):
    run(0)
    assert len(capsys.readouterr().out.splitlines()) == 5


@pytest.mark.slow
def test_parts_by_submitit(checkpoints, monkeypatch):
    pytest.importorskip("submitit", reason="needs submitit")
    monkeypatch.setenv("PYTHONPATH", str(Path(sicjax.__file__).parents[1]))
    codes = run(1)["codes"]
    parts = [len(measure.shard(measure.find(["checkpoints"]), part, 4)) for part in (1, 2, 3, 4)]
    assert codes == [0] * 4 and sum(parts) == 5
    together = json.loads(Path("results/result.json").read_text())
    assert [Path(record["file"]).name for record in together] == [f"{k}.npz" for k in range(5)]
    lines = [line for part in Path("results/records").iterdir() for line in part.read_text().splitlines()]
    assert len(lines) == 5


def test_a_stack_of_one_architecture(checkpoints):
    means = run(2)["means"]
    rows = [measure.measure([f"checkpoints/{k}.npz"])[0].rows for k in range(5)]
    assert set(means) == {"c0 to c1"}
    np.testing.assert_allclose(means["c0 to c1"], [row.mean for (row,) in rows], rtol=1e-6)


def test_networks_trained_under_vmap_are_a_stack():
    def apply(parameters, x):
        for kernel in parameters:
            x = jax.lax.conv_general_dilated(x, kernel, (2, 2), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))
        return x

    rng = np.random.default_rng(0)
    parameters = [rng.normal(size=(5, 4, 4, a, b)).astype(np.float32) for a, b in ((3, 4), (4, 2))]
    one = lambda k: [kernel[k] for kernel in parameters]
    net = networks.from_function(apply, one(0), np.zeros((1, 8, 8, 3), np.float32))
    moments = lambda pairs: {name: sdr.moments(pair).mean for name, pair in pairs.items()}
    found = jax.vmap(moments)(jax.vmap(net.bind)(parameters))
    assert len(found) == 1
    for name, means in found.items():
        np.testing.assert_allclose(means, [moments(net.bind(one(k)))[name] for k in range(5)], rtol=1e-6)
