"""The command line as a whole: its help, its exit codes, and what it does not import."""

import re
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


def test_without_a_command_there_is_help(capsys):
    assert cli.main([]) == 0
    shown = capsys.readouterr().out
    assert "sicjax demo --quick" in shown and "usage: sicjax" in shown


def test_help_is_a_command_too(capsys):
    for given, wanted in ((["help"], "usage: sicjax [-h]"), (["help", "compare"], "usage: sicjax compare")):
        with pytest.raises(SystemExit) as ended:
            cli.main(given)
        assert ended.value.code == 0 and wanted in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["gan", "vae"])
def test_every_flag_of_training_is_in_one_group_with_the_values_of_its_presets(kind):
    import dataclasses

    from sicjax import train
    from sicjax.cli._train_help import train_help

    fields = {field.name for field in dataclasses.fields(train.PRESETS[kind]["cpu"])}
    grouped = [name for names in train.GROUPS.values() for name in names]
    assert len(grouped) == len(set(grouped)) and fields <= set(grouped)
    shown = train_help(kind, 80)
    assert max(map(len, shown.splitlines())) <= 80
    words = " ".join(shown.split())
    assert all(f"--{name.replace('_', '-')}" in words for name in fields)
    steps = "; ".join(f"{name} {preset.steps:,}" for name, preset in train.PRESETS[kind].items())
    assert f"--steps N training steps ({steps})" in words and "mirror images at random (on)" in words


def test_the_help_of_measure_lists_the_formats(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    shown = help_of(capsys, "measure")
    assert max(map(len, shown.splitlines())) <= 80
    listed = re.sub(r"\n {4,}", " ", shown.partition("formats, told")[2])
    for row in FORMATS:
        (line,) = [line for line in listed.splitlines() if line.startswith((f"  {row.name}:", f"  {row.name} ("))]
        assert " ".join(row.endings) in line and row.about in line
        assert line.endswith(f"needs sicjax[{row.extra}]") == (row.extra is not None)


def test_a_command_that_is_nearly_one_is_guessed(capsys):
    with pytest.raises(SystemExit):
        cli.main(["mesure", "file"])
    assert "there is no command mesure, did you mean measure?" in capsys.readouterr().err


def test_the_help_of_training_has_the_presets_and_fields(capsys):
    from sicjax import train

    assert "sicjax train gan --help" in help_of(capsys, "train")
    shown = help_of(capsys, "train", "vae")
    assert f"--preset {{{','.join(train.PRESETS['vae'])}}}" in shown and "--beta" in shown


def test_the_help_of_reproduce_names_the_presets(capsys):
    from sicjax import experiments

    shown = help_of(capsys, "reproduce")
    assert all(name in shown for name in experiments.PRESETS)
    assert all(figure in shown for figure in experiments.FIGURES)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes_commands_and_flags(capsys, shell):
    assert cli.main(["completion", shell]) == 0
    script = capsys.readouterr().out
    words = ("measure", "transposed-in", "penalty-kind", "adaptation", "gan_levels")
    assert [word for word in words if word not in script] == []
    if shell == "bash":
        offered = {line.partition("=")[0]: line for line in script.splitlines() if "_choices=(" in line}
        assert offered["_shtab_sicjax_measure___sort_choices"].endswith(" departure)")
        assert offered["_shtab_sicjax_reproduce_pos_0_choices"].endswith(" all plan verdicts)")


@pytest.mark.parametrize(
    "arguments, says",
    [
        (["--frobnicate"], "required: COMMAND"),
        (["frobnicate"], "invalid choice: 'frobnicate'"),
        (["measure"], "required: PATH"),
        (["train"], "usage: sicjax train gan|vae"),
        (["train", "gin"], "invalid choice: 'gin'"),
        (["train", "gan", "--preset", "huge"], "invalid choice: 'huge'"),
        (["reproduce"], "required: FIGURE"),
        (["reproduce", "--preset", "huge", "fig4"], "'huge' is none of tiny, cpu, pilot, paper"),
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
