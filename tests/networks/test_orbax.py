"""Orbax checkpoints of other people's Flax models: every way of saving gives the pairs of the module in memory."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import orbax.checkpoint as ocp
import pytest
from flax import linen, nnx

from sicjax import cli, measure, networks
from sicjax._errors import InputError

X = jnp.zeros((1, 8, 8, 3))


class Net(nnx.Module):
    def __init__(self, rngs, width=4):
        self.convs = nnx.List([nnx.Conv(3, width, (3, 3), rngs=rngs), nnx.Conv(width, 5, (3, 3), strides=2, rngs=rngs)])
        self.norm = nnx.BatchNorm(width, rngs=rngs)

    def __call__(self, x):
        return self.convs[1](self.norm(self.convs[0](x)))


class LinenNet(linen.Module):
    @linen.compact
    def __call__(self, x, train):
        x = linen.BatchNorm(use_running_average=not train)(linen.Conv(4, (3, 3), name="a")(x))
        return linen.Conv(5, (3, 3), strides=2, name="b")(x)


def build():
    return Net(nnx.Rngs(0)), X


def wider():
    return Net(nnx.Rngs(0), width=6), X


def alone():
    return Net(nnx.Rngs(0))


def build_linen():
    return LinenNet(), X, {"train": False}


def fails():
    raise RuntimeError("no weights today")


def save(path, tree):
    with ocp.StandardCheckpointer() as checkpointer:
        checkpointer.save(path, tree)
    return path


def same(net, expected):
    assert list(net.cascades) == list(expected.cascades) and net.cascades
    for a, b in zip(net.cascades.values(), expected.cascades.values(), strict=True):
        assert a.down == b.down and a.up == b.up
        np.testing.assert_array_equal(a.first, b.first)
        np.testing.assert_array_equal(a.second, b.second)


def manager(path, trees):
    with ocp.CheckpointManager(path) as steps:
        for step, tree in trees.items():
            more = ocp.args.JsonSave({"epoch": step})
            steps.save(step, args=ocp.args.Composite(state=ocp.args.StandardSave(tree), more=more))


def test_a_module_of_nnx_however_it_was_saved(tmp_path):
    trained = Net(nnx.Rngs(1))
    expected, state = networks.from_module(trained, X), nnx.state(trained)
    same(networks.from_file(save(tmp_path / "state", state), module=build), expected)
    pure = {"model": nnx.to_pure_dict(state), "opt_state": {"mu": nnx.to_pure_dict(state)}, "step": 3}
    pure["opt_state"] = {"adam": pure["opt_state"]}
    same(networks.from_file(save(tmp_path / "in a train state", pure), module=build), expected)
    parameters = nnx.to_pure_dict(nnx.state(trained, nnx.Param))
    same(networks.from_file(save(tmp_path / "parameters", parameters), module=build), expected)


def test_a_module_of_linen_with_its_variables_or_in_a_train_state(tmp_path):
    variables = LinenNet().init(jax.random.key(1), X, train=False)
    expected = networks.from_module(LinenNet(), X, variables=variables, train=False)
    trees = {
        "variables": variables,
        "parameters": variables["params"],
        "state": {**variables, "ema": variables["params"], "opt_state": [{"mu": variables["params"]}]},
    }
    for name, tree in trees.items():
        same(networks.from_file(save(tmp_path / name, tree), module=build_linen), expected)


def test_a_folder_of_a_manager_is_measured_step_by_step(tmp_path, capsys, monkeypatch):
    trained = {step: Net(nnx.Rngs(step)) for step in (2, 10)}
    manager(tmp_path / "steps", {step: nnx.state(net) for step, net in trained.items()})
    monkeypatch.chdir(tmp_path)
    (tmp_path / "its_nets.py").write_text("from test_orbax import build\n")
    arguments = ["steps", "--module", "its_nets:build", "--out", "out"]
    assert cli.main(["measure", *arguments]) == 0
    records = json.loads((tmp_path / "out/result.json").read_text())
    assert [record["file"] for record in records] == ["steps/2", "steps/10"]
    for record, net in zip(records, trained.values(), strict=True):
        assert record["settings"]["module"] == "its_nets:build" and len(record["sha256"]) == 64
        (found,) = measure.measure([networks.from_module(net, X)])
        assert record["cascades"][0]["mean"] == pytest.approx(found.rows[0].mean, abs=1e-6)
    assert cli.main(["measure", *arguments]) == 0
    capsys.readouterr()
    assert cli.main(["compare", "steps", "--module", "its_nets:build"]) == 0
    assert "10" in capsys.readouterr().out


@pytest.mark.parametrize(
    "module, said",
    [
        (None, "has arrays and no layers.*--module package.module:function"),
        (wider, r"convs.0.bias is \(4,\), expected \(6,\)"),
        (alone, "alone returned no example input"),
        (build_linen, "not of this module: it has no BatchNorm_0.bias where the module has it; it has .*convs.0"),
        ("test_orbax:fails", "--module test_orbax:fails: RuntimeError: no weights today"),
        ("test_orbax:absent", "--module test_orbax:absent: AttributeError"),
        ("absent_package:f", "--module absent_package:f: ModuleNotFoundError: No module named 'absent_package'"),
    ],
)
def test_what_does_not_fit_is_said(tmp_path, module, said):
    path = save(tmp_path / "net", nnx.to_pure_dict(nnx.state(Net(nnx.Rngs(1)))))
    with pytest.raises(InputError, match=said):
        networks.from_file(path, module=module)


def test_parameters_that_are_there_twice_and_files_without_a_module(tmp_path):
    parameters = nnx.to_pure_dict(nnx.state(Net(nnx.Rngs(1))))
    with pytest.raises(InputError, match="more than once, under ema, model: "):
        networks.from_file(save(tmp_path / "net", {"model": parameters, "ema": parameters}), module=build)
    np.savez(tmp_path / "net.npz", a=np.ones((3, 3, 3, 4)))
    with pytest.raises(InputError, match="is no Orbax checkpoint: leave out the module"):
        networks.from_file(tmp_path / "net.npz", module=build)
    with pytest.raises(InputError, match="is no training run: it has no step 3"):
        networks.from_file(tmp_path / "net", module=build, step=3)


def test_it_states_its_strides(tmp_path):
    path = save(tmp_path / "net", nnx.to_pure_dict(nnx.state(Net(nnx.Rngs(1)))))
    with pytest.raises(InputError, match="states its strides"):
        networks.from_file(path, module=build, stride=2)
