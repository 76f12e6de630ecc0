"""The command line as a whole: its help, its exit codes, and what it does not import."""

import subprocess
import sys

import pytest

from sicjax import __version__, cli
from sicjax.networks import FORMATS


def help_of(capsys, *command):
    with pytest.raises(SystemExit) as ended:
        cli.main([*command, "--help"])
    assert ended.value.code == 0
    return capsys.readouterr().out


def test_every_command_has_help(capsys):
    assert all(name in help_of(capsys) for name in ("measure", "compare", "demo", "train", "reproduce", "doctor"))
    assert "--out DIR" in help_of(capsys, "demo") and "usage: sicjax doctor" in help_of(capsys, "doctor")


def test_the_help_of_measure_lists_the_formats(capsys):
    shown = help_of(capsys, "measure")
    for row in FORMATS:
        (line,) = [line for line in shown.splitlines() if line.startswith(f"  {row.name} ")]
        assert " ".join(row.endings) in line and row.about in line
        assert line.endswith(f"needs sicjax[{row.extra}]") == (row.extra is not None)


def test_the_help_of_training_has_the_presets_and_fields(capsys):
    from sicjax import train

    assert "sicjax train gan --help" in help_of(capsys, "train")
    shown = help_of(capsys, "train", "vae")
    assert f"--preset {{{','.join(train.PRESETS['vae'])}}}" in shown and "--beta" in shown


def test_the_help_of_reproduce_names_the_presets(capsys):
    from sicjax import experiments

    shown = help_of(capsys, "reproduce")
    assert all(name in shown for name in experiments.PRESETS)


@pytest.mark.parametrize(
    "arguments, says",
    [
        ([], "required: COMMAND"),
        (["frobnicate"], "invalid choice: 'frobnicate'"),
        (["measure"], "required: PATH"),
        (["train"], "required: kind"),
        (["train", "gin"], "invalid choice: 'gin'"),
        (["train", "gan", "--preset", "huge"], "invalid choice: 'huge'"),
        (["reproduce"], "required: FIGURE"),
        (["reproduce", "--preset", "huge", "fig4"], "'huge' is none of tiny, cpu, paper"),
        (["demo", "--steps", "3"], "unrecognized arguments: --steps"),
    ],
)
def test_wrong_usage_exits_with_2(capsys, arguments, says):
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 2 and says in capsys.readouterr().err


@pytest.mark.parametrize(
    "command",
    [
        ["measure", "f.npz", "--out", "out"],
        ["compare", "f.npz", "g.npz", "--out", "out"],
        ["demo"],
        ["reproduce", "fig4"],
    ],
)
def test_a_missing_package_is_said_before_anything_is_done(capsys, monkeypatch, command):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert cli.main(command) == 1
    said = capsys.readouterr().err
    assert said.startswith("sicjax: ") and said.endswith("needs matplotlib: pip install 'sicjax[plot]'\n")


def test_what_needs_no_jax_does_not_import_it():
    code = "import sys; from sicjax.cli import main; main(['measure', 'nowhere.pt']); sys.exit('jax' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "sicjax: no such file: nowhere.pt\n")


def test_it_is_a_module_too():
    done = subprocess.run([sys.executable, "-m", "sicjax", "--version"], capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.strip() == __version__
