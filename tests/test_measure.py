"""The main job on files: the public networks, and files made here."""

import csv
import json
import shutil
import subprocess
import sys

import jax
import numpy as np
import pytest
from safetensors.numpy import save_file

from sicjax import cli, networks, sdr
from sicjax._errors import InputError
from sicjax.measure import as_json, measure, write_graph

# Design, measure.md: mean, std, 5 %, median, 95 %, marginal, adaptation, z.
DIGIFACE = {
    "main.0 to main.3": (13_107_200, 1.0387, 0.160, 0.81, 1.021, 1.32, 0.0292, 0.0095, 23.7),
    "main.3 to main.6": (16_777_216, 1.0646, 0.2110, 0.782, 1.034, 1.449, 0.0540, 0.0106, 11.9),
    "main.6 to main.9": (2_097_152, 1.1072, 0.2864, 0.706, 1.067, 1.638, 0.1034, 0.0038, 1.28),
    "main.9 to main.12": (24_576, 1.1468, 0.3443, 0.657, 1.101, 1.775, 0.1949, -0.0482, -3.34),
}
DIGITS = (0, 4, 3, 2, 3, 2, 4, 4, 1)


@pytest.fixture
def chain(tmp_path):
    """A file of three transposed convolutions, 5-4-6-3, in the layout of PyTorch, and its kernels in Flax's."""
    rng = np.random.default_rng(0)
    kernels = [rng.normal(size=(a, b, 4, 4)).astype(np.float32) for a, b in [(5, 4), (4, 6), (6, 3)]]
    file = tmp_path / "chain.safetensors"
    save_file({f"net.{3 * k}.weight": kernel for k, kernel in enumerate(kernels)}, file)
    return file, [np.moveaxis(kernel, (0, 1), (-2, -1)) for kernel in kernels]


@pytest.mark.parametrize("name, stride", [("digiface_dcgan_g64.tar", 2), ("digiface_dcgan_g64.safetensors", None)])
def test_the_public_generator_has_the_numbers_of_the_design(public_weights, name, stride):
    (found,) = measure([public_weights / name], stride=stride)
    assert [row.name for row in found.rows] == list(DIGIFACE)
    for row in found.rows:
        q = row.quantiles
        values = (row.pathways, row.mean, row.std, q["0.05"], q["0.5"], q["0.95"], row.marginal, row.adaptation, row.z)
        for value, expected, digits in zip(values, DIGIFACE[row.name], DIGITS, strict=True):
            assert abs(value - expected) <= 0.51 * 10.0**-digits
        assert row.undefined == 0 and row.direction == "generative" and row.stride == (2, 2)


def test_every_public_network_in_one_go(public_weights):
    files = sorted(public_weights.glob("*.safetensors"))
    found = measure(files)
    assert [len(result.rows) for result in found] == [4, 6, 6, 6, 3, 4] and len(files) == 6
    by_name = {row.name: row for result in found for row in result.rows}
    encoder = by_name["encoder.conv1 to encoder.conv2"]
    assert encoder.direction == "extractive" and not any(
        "conv" in layer for result in found for layer, _ in result.skipped
    )
    assert by_name["discriminator.0.0 to discriminator.1.0"].mean == pytest.approx(0.99, abs=0.005)
    assert by_name["generator_deconv.3.0 to generator_deconv.4.0"].mean == pytest.approx(1.14, abs=0.005)


def test_a_row_is_what_the_measure_says_of_the_pair(chain):
    file, kernels = chain
    (found,) = measure([file], stride=2)
    for row, first, second in zip(found.rows, kernels, kernels[1:], strict=False):
        pair = sdr.generative(first, second, stride=2)
        rho = sdr.reference.ratios(pair)
        assert row.shape == rho.shape and row.pathways == rho.size and row.undefined == 0
        np.testing.assert_allclose([row.mean, row.std], [rho.mean(), rho.std()], atol=1e-6)
        below = [(rho <= value).mean() for value in row.quantiles.values()]
        np.testing.assert_allclose(below, [0.05, 0.25, 0.5, 0.75, 0.95], atol=1.01 / rho.size)
        np.testing.assert_allclose(row.near_one, np.mean((rho >= 0.9) & (rho <= 1.1)), atol=1e-6)
        np.testing.assert_allclose(row.marginal + row.adaptation, rho.mean() - 1, atol=1e-6)
        np.testing.assert_allclose([row.null_mean, row.null_std], sdr.null(pair)[2:], atol=1e-6)


def test_dead_and_structural_pairs(tmp_path):
    rng = np.random.default_rng(0)
    kernels = {"c0.weight": rng.normal(size=(4, 3, 3, 3)), "c1.weight": rng.normal(size=(5, 4, 3, 3))}
    kernels |= {"c2.weight": rng.normal(size=(2, 5, 1, 1))}
    kernels["c0.weight"][2] = 0
    file = tmp_path / "dead.safetensors"
    save_file({name: kernel.astype(np.float32) for name, kernel in kernels.items()}, file)
    dead, structural = measure([file], stride=1)[0].rows
    assert (dead.pathways, dead.undefined, dead.structural) == (60, 15, False)
    assert (structural.structural, structural.mean, structural.std, structural.near_one) == (True, 1, 0, 1)
    assert set(structural.quantiles.values()) == {1}
    assert as_json(measure([file], stride=1)[0])["cascades"][1]["z"] is None


def run(*arguments, ok=True):
    done = subprocess.run([sys.executable, "-m", "sicjax.cli", *map(str, arguments)], capture_output=True, text=True)
    assert (done.returncode == 0) == ok, done.stderr
    return done


def test_pairs_too_large_to_be_filled_up_are_measured_as_they_are(chain, monkeypatch):
    from sicjax import measure as module

    (together,) = measure([chain[0]], stride=2, transposed=True)
    monkeypatch.setattr(
        module, "FILLED", 400
    )  # between 4 lags of the first pair, 5 x 4 x 6, and of the second, 4 x 6 x 3
    (alone,) = measure([chain[0]], stride=2, transposed=True)
    for one, other in zip(together.rows, alone.rows, strict=True):
        assert one.undefined == other.undefined == 0
        assert (one.mean, one.std, one.z) == pytest.approx((other.mean, other.std, other.z), rel=1e-5)


def test_the_command_line_prints_one_json_document(chain):
    (result,) = json.loads(run("measure", chain[0], "--stride", 2, "--json").stdout)
    fields = "name first second direction stride shape pathways undefined structural mean std quantiles near_one "
    fields += "marginal adaptation z null_mean null_std"
    assert [set(cascade) for cascade in result["cascades"]] == [set(fields.split())] * 2
    assert result["file"] == str(chain[0]) and result["skipped"] == []
    assert set(result["cascades"][0]["quantiles"]) == {"0.05", "0.25", "0.5", "0.75", "0.95"}


def test_the_command_line_prints_a_table_and_writes_files(chain, tmp_path):
    pytest.importorskip("matplotlib")
    out = tmp_path / "made" / "here"
    done = run("measure", chain[0], "--stride", 2, "--out", out)
    lines = done.stdout.splitlines()
    assert lines[0].split()[:4] == ["pair", "direction", "stride", "pathways"]
    assert lines[1].startswith("net.0 to net.3") and "generative" in lines[1] and len(lines) == 4
    assert "no order of layers" in lines[3]
    with (out / "pairs.csv").open() as file:
        assert [row["name"] for row in csv.DictReader(file)] == ["net.0 to net.3", "net.3 to net.6"]
    assert json.loads((out / "result.json").read_text())[0]["cascades"][0]["name"] == "net.0 to net.3"
    assert (out / "histograms.png").read_bytes().startswith(b"\x89PNG")


def test_the_graph_is_drawn_or_told(chain, tmp_path, monkeypatch):
    measured = measure([chain[0]], stride=2)
    mean = f"{measured[0].rows[0].mean:.3f}"
    dot = write_graph(measured, tmp_path / "net.dot").read_text()
    assert f'"net.0" -> "net.3" [label="{mean}"' in dot and dot.count("->") == 2
    monkeypatch.setattr("shutil.which", lambda name: None)
    tree = write_graph(measured, tmp_path / "net.svg")
    assert tree.name == "net.txt" and f"└─ {mean} → net.3" in tree.read_text(encoding="utf-8")
    with pytest.raises(InputError, match="--graph writes"):
        write_graph(measured, tmp_path / "net.bmp")


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
def test_graphviz_draws_the_graph(chain, tmp_path):
    assert "net.0" in write_graph(measure([chain[0]], stride=2), tmp_path / "net.svg").read_text()


@pytest.mark.parametrize(
    "arguments, code, says",
    [
        (["measure"], 2, "FILE"),
        (["measure", "FILE", "--stride", "0"], 2, "expected a positive integer"),
        (["measure", "FILE", "--stride", "2,x"], 2, "expected a positive integer"),
        (["frobnicate"], 2, "invalid choice"),
        (["measure", "FILE"], 1, "does not say the strides of its 3 convolutions: give --stride N"),
        (["measure", "FILE", "--stride", "2,2"], 1, "has 3 convolutions, but 2 strides were given"),
        (["measure", "FILE", "nowhere.pt", "--stride", "2"], 1, "no such file: nowhere.pt"),
        (["measure", "FILE", "--stride", "2", "--no-transposed"], 1, "no pair of successive convolutions found"),
        (["measure", "FILE", "--stride", "2", "--out", "FILE"], 1, "cannot write into"),
    ],
)
def test_bad_input_exits_with_one_line(chain, arguments, code, says, capsys):
    arguments = [str(chain[0]) if argument == "FILE" else argument for argument in arguments]
    if code == 2:
        with pytest.raises(SystemExit) as stopped:
            cli.main(arguments)
        assert stopped.value.code == 2
    else:
        assert cli.main(arguments) == 1
    said = capsys.readouterr().err
    assert says in said and "Traceback" not in said
    if code == 1:
        assert len(said.strip().splitlines()) == 1


def test_weights_that_are_not_finite_name_the_layer(tmp_path):
    bad = {"a.weight": np.full((4, 3, 3, 3), np.nan, np.float32), "b.weight": np.ones((5, 4, 3, 3), np.float32)}
    np.savez(tmp_path / "bad.npz", **bad)
    with pytest.raises(InputError, match="^a .first. and b .second.: the first kernel has 108 weights that are NaN"):
        networks.from_file(tmp_path / "bad.npz", stride=1)


def test_doctor_names_what_is_there_and_what_is_missing(capsys):
    assert cli.main(["doctor"]) == 0
    said = capsys.readouterr().out
    assert f"jax {jax.__version__}" in said and "cpu" in said and "optional parts" in said
