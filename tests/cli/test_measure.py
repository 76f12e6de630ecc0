"""`sicjax measure`: what is printed, written and refused."""

import csv
import json
import subprocess
import sys

import pytest

from sicjax import cli


def run(*arguments, ok=True):
    done = subprocess.run([sys.executable, "-m", "sicjax", *map(str, arguments)], capture_output=True, text=True)
    assert (done.returncode == 0) == ok, done.stderr
    return done


def test_the_command_line_prints_one_json_document(chain):
    (result,) = json.loads(run("measure", chain[0], "--stride", 2, "--json").stdout)
    fields = "name first second direction stride shape pathways undefined structural mean std quantiles near_one "
    fields += "marginal adaptation z coupling coupling_z coupling_p energy energy_p reading null_mean null_std"
    assert [set(cascade) for cascade in result["cascades"]] == [set(fields.split())] * 2
    assert result["file"] == str(chain[0]) and result["skipped"] == []
    assert set(result["cascades"][0]["quantiles"]) == {"0.05", "0.25", "0.5", "0.75", "0.95"}


def test_the_command_line_prints_a_table_and_writes_files(chain, tmp_path):
    pytest.importorskip("matplotlib")
    out = tmp_path / "made" / "here"
    done = run("measure", chain[0], "--stride", 2, "--wide", "--out", out, "--graph", tmp_path / "g.dot")
    lines = done.stdout.splitlines()
    assert lines[0].split()[:4] == ["pair", "direction", "stride", "pathways"]
    assert lines[1].startswith("net.0 to net.3") and "generative" in lines[1] and len(lines) == 4
    assert "no order of layers" in lines[3]
    with (out / "pairs.csv").open() as file:
        assert [row["name"] for row in csv.DictReader(file)] == ["net.0 to net.3", "net.3 to net.6"]
    assert json.loads((out / "result.json").read_text())[0]["cascades"][0]["name"] == "net.0 to net.3"
    assert "sicjax measure" in (out / "report.html").read_text()
    assert (out / "histograms.png").read_bytes().startswith(b"\x89PNG")
    said = done.stderr.splitlines()
    assert f"wrote {tmp_path / 'g.dot'}" in said and f"to see it: sicjax open {out}" in said
    assert any(
        line.startswith("wrote report.html, histograms.png, ") and line.endswith(f" into {out}") for line in said
    )


def test_what_takes_the_place_of_a_whole_table_is_said(chain, tmp_path, capsys):
    """And rows that are chosen leave it whole."""
    pytest.importorskip("matplotlib")
    measure = ["measure", str(chain[0]), "--stride", "2", "--out", str(tmp_path / "out"), "--no-report"]
    written = lambda: len((tmp_path / "out" / "pairs.csv").read_text().splitlines()) - 1
    assert cli.main([*measure, "--match", "net.6"]) == 0 and written() == 2
    shown = capsys.readouterr()
    assert "net.3 to net.6" in shown.out and "net.0 to net.3" not in shown.out and "already" not in shown.err
    assert "wrote " in shown.err and cli.main(measure) == 0
    assert "wrote " not in capsys.readouterr().err  # all was there
    assert cli.main([*measure, "--only", "net.3,net.6"]) == 0 and written() == 1
    assert "has results already: its tables and page will be of the layers that begin with net.3 or net.6" in (
        capsys.readouterr().err
    )


@pytest.mark.parametrize(
    "arguments, code, says",
    [
        (["measure"], 2, "PATH"),
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
