"""`sicjax compare`: what is printed, written and refused."""

import json
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from safetensors.numpy import load_file, save_file

from sicjax import cli, models, networks, runs, sdr
from sicjax.cli._compare import _say_order


@dataclass(frozen=True)
class Config:
    steps: int = 4


SHAPE = {"latent": 4, "channels": (6, 5, 3), "strides": (2, 2, 2), "size": 16}
BLUEPRINT = runs.Blueprint("Decoder", SHAPE, ("params",), ("stats",))


def run(folder, seed):
    """The directory of a run of two checkpoints, whose decoder is new in each."""
    writer = runs.Writer(folder, kind="toy", config=Config(), models={"decoder": BLUEPRINT})
    writer.begin()
    for step in (2, 4):
        module = models.build(BLUEPRINT, rngs=nnx.Rngs(seed + step))
        pairs = networks.from_module(module, jnp.zeros((1, 4))).cascades
        measured = {
            f"decoder.{name}": {key: float(value) for key, value in sdr.decompose(pair)._asdict().items()}
            for name, pair in pairs.items()
        }
        writer.write_measure(runs.Measure(step, measured, {}))
        params, stats = nnx.state(module, nnx.Param), nnx.state(module, nnx.BatchStat)
        writer.save(step, {"params": params, "stats": stats}, {"score": 1.0})
    writer.close()
    return folder


@pytest.fixture
def transplanted(chain, tmp_path):
    """The file of the chain with another kernel in its second layer, and a prefix before its names."""
    tensors = load_file(chain[0])
    tensors["net.3.weight"] = np.random.default_rng(1).normal(size=(4, 6, 4, 4)).astype(np.float32)
    file = tmp_path / "transplanted.safetensors"
    save_file({f"module.{name}": tensor for name, tensor in tensors.items()}, file)
    return file


def test_tables_name_the_layer_that_was_transplanted(chain, transplanted, capsys):
    assert cli.main(["compare", str(chain[0]), str(transplanted), "--stride", "2"]) == 0
    shown = capsys.readouterr().out
    lines = shown.splitlines()
    assert lines[0] == "chain.safetensors → transplanted.safetensors"
    displacement = {line.split()[0]: float(line.split()[-2]) for line in lines if "4x4x" in line}
    assert displacement == {"net.0,": 0, "net.3,": pytest.approx(1.4, abs=0.3), "net.6,": 0}
    assert "net.3, now module.net.3" in shown and "3 layers are matched whose names begin otherwise" in shown


def test_json_is_one_document_each_against_the_first(chain, transplanted, capsys):
    third = transplanted.with_name("third.safetensors")
    third.write_bytes(chain[0].read_bytes())
    assert cli.main(["compare", *map(str, (chain[0], transplanted, third)), "--stride", "2", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    names = ["chain.safetensors", "transplanted.safetensors", "third.safetensors"]
    assert [(each["before"], each["after"]) for each in found] == [(names[0], name) for name in names[1:]]
    assert [pair["distance"] > 0 for pair in found[0]["pairs"]] == [True, True]
    assert [pair["distance"] for pair in found[1]["pairs"]] == [0, 0]


def test_of_many_versions_there_is_a_line_each_and_tables_of_the_last(chain, transplanted, capsys):
    copies = [transplanted.with_name(f"epoch{k}.safetensors") for k in range(4)]
    for k, copy in enumerate(copies):
        copy.write_bytes((chain[0] if k < 3 else transplanted).read_bytes())
    command = ["compare", *map(str, (chain[0], *copies)), "--stride", "2"]
    assert cli.main(command) == 0
    shown = capsys.readouterr().out
    heading, first, *versions = shown.splitlines()[:6]
    assert heading.split() == ["version", "mean", "coupling", "distance", "pair", "displacement", "layer"]
    assert first.split()[0] == "chain.safetensors" and len(first.split()) == 3
    assert [line.split()[3] for line in versions[:3]] == ["0.0000"] * 3
    assert versions[3].split()[0] == "epoch3.safetensors" and float(versions[3].split()[3]) > 0
    assert versions[3].endswith("net.3, now module.net.3") and shown.count(" → epoch") == 1 and "--wide" in shown
    assert cli.main([*command, "--wide"]) == 0
    assert capsys.readouterr().out.count(" → epoch") == 4


def test_the_pictures_and_the_page_of_many_versions(chain, transplanted, tmp_path, monkeypatch):
    from sicjax import figures

    copies = [tmp_path / f"epoch{k}.safetensors" for k in range(7)]
    for k, copy in enumerate(copies):
        copy.write_bytes((transplanted if k == 4 else chain[0]).read_bytes())
    drawn, draw = [], figures.courses
    monkeypatch.setattr(figures, "courses", lambda *given: drawn.append(given) or draw(*given))
    command = ["compare", *map(str, (chain[0], *copies)), "--stride", "2", "--out", str(tmp_path / "out")]
    assert cli.main(command) == 0
    assert (tmp_path / "out" / "versions.png").stat().st_size and not (tmp_path / "out" / "steps.png").exists()
    ((pairs, along),) = drawn
    assert along == "version, from 0: chain.safetensors" and len(pairs) == 2
    for course in (course for of in pairs.values() for course in of.values()):
        means = [a + b for a, b in zip(course.marginal, course.adaptation, strict=True)]
        assert course.steps == list(range(8)) and len(set(means)) == 2 and means[5] not in means[:5]
    page = (tmp_path / "out" / "report.html").read_text()
    assert page.count("<li><b>epoch") == 6 and "<h3>epoch6.safetensors</h3>" in page


def test_the_order_of_a_shell_is_told(capsys):
    of = lambda *steps: [f"runs/step{step}.npz" for step in steps]
    _say_order(of(0, 1000, 200, 30))
    assert capsys.readouterr().err.startswith("versions as given, step1000.npz before step30.npz: ")
    for files in (of(0, 30, 200, 1000), of(200, 0, 1000), of(1, 2)):
        _say_order(files)
    assert not capsys.readouterr().err


def test_a_file_that_states_its_strides_beside_one_that_does_not(chain, tmp_path, capsys):
    folder = run(tmp_path / "run", 0)
    kernels = {layer.path: layer.kernel for layer in networks.from_file(folder).layers}
    file = tmp_path / "decoder.safetensors"
    torch = lambda kernel: np.ascontiguousarray(np.moveaxis(kernel, (-1, -2), (1, 0)))
    save_file({f"{path}.weight": torch(kernel) for path, kernel in kernels.items()}, file)
    assert cli.main(["compare", str(folder), str(file), "--stride", "2", "--transposed", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert [layer["displacement"] for layer in found["layers"]] == [0] * len(kernels)
    assert {pair["distance"] for pair in found["pairs"]} == {0}


def test_every_checkpoint_of_a_run_and_two_runs(tmp_path, capsys):
    pytest.importorskip("matplotlib")
    first, second = run(tmp_path / "first", 0), run(tmp_path / "second", 7)
    assert cli.main(["compare", str(first), "--all-steps", "--json", "--out", str(tmp_path / "steps")]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["before"], found["after"]) == ("first step 2", "first step 4")
    assert all(layer["displacement"] > 0.5 for layer in found["layers"]) and len(found["pairs"]) == 2
    assert cli.main(["compare", str(first), str(second), "--out", str(tmp_path / "two")]) == 0
    assert capsys.readouterr().out.startswith("first → second\n")
    written = {"report.html", "changes.json", "pair_changes.csv", "layer_changes.csv", "changes.png", "steps.png"}
    for out in ("steps", "two"):
        assert {file.name for file in (tmp_path / out).iterdir()} == written


@pytest.mark.parametrize(
    "arguments, says",
    [
        (["FILE", "--stride", "2"], "there is nothing to compare"),
        (["FILE", "nowhere.pt"], "no such file: nowhere.pt"),
        (["FILE", "OTHER", "--stride", "2"], "chain.safetensors and other.npz are no versions of one network"),
        (["FILE", "SAME"], "does not say the strides of its 3 convolutions"),
        (["FILE", "SAME", "--stride", "2", "--out", "FILE"], "cannot write into"),
    ],
)
def test_bad_input_exits_with_one_line(chain, tmp_path, arguments, says, capsys):
    files = {"FILE": chain[0], "OTHER": tmp_path / "other.npz", "SAME": tmp_path / "same.safetensors"}
    files["SAME"].write_bytes(chain[0].read_bytes())
    rng = np.random.default_rng(0)
    np.savez(files["OTHER"], **{"a.weight": rng.normal(size=(5, 9, 4, 4)), "b.weight": rng.normal(size=(9, 2, 4, 4))})
    assert cli.main(["compare", *(str(files.get(argument, argument)) for argument in arguments)]) == 1
    said = capsys.readouterr().err
    assert says in said and len(said.strip().splitlines()) == 1
