"""What is around a command: names of any bytes, files that are none, full disks, closed pipes, bugs."""

import errno
import os
import sys

import numpy as np
import pytest
from safetensors.numpy import save_file

from sicjax import cli, data, measure, networks, weights
from sicjax._errors import InputError
from sicjax.cli._cache import keep_compiled_programs


def said(capsys, *command, code=1):
    """The line on stderr with which a command ends."""
    assert cli.main([*map(str, command)]) == code
    error = capsys.readouterr().err
    assert "Traceback" not in error
    return error.splitlines()[-1] if error else ""


LONG = "x" * 300


@pytest.mark.parametrize(
    "command, says",
    [
        (["measure", LONG], "no such file"),
        (["compare", LONG, LONG], "no such file"),
        (["measure", __file__, "--stride", "2", "--out", LONG], "File name too long"),
        (["train", "vae", "--preset", "tiny", "--workdir", LONG], "File name too long"),
        (["train", "vae", "--preset", "tiny", "--data", f"folder:{LONG}"], "is not there"),
        (["train", "vae", "--preset", "tiny", "--data", f"npz:{LONG}"], "File name too long"),
    ],
)
def test_a_name_that_is_too_long_is_one_line(command, says, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert says in said(capsys, *command)
    with pytest.raises(InputError, match="File name too long"):
        networks.from_file(LONG)


def test_a_folder_has_no_sidecar(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert said(capsys, "sidecar", "") == "sicjax: . is a folder, expected a weights file"


def test_processes_that_cannot_meet_are_one_line(capsys):
    line = said(capsys, "train", "vae", "--preset", "tiny", "--coordinator", "x")
    assert line.startswith(
        "sicjax: cannot meet the run's other processes, expected --coordinator HOST:PORT of the first"
    )


def no_home(monkeypatch, tmp_path):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr("pathlib.Path.home", lambda: (_ for _ in ()).throw(RuntimeError("no home directory")))


def a_file_for_a_home(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))


@pytest.mark.parametrize("where, says", [(no_home, "no home directory"), (a_file_for_a_home, "Not a directory")])
def test_where_no_program_can_be_kept_that_is_said_once(where, says, capsys, tmp_path, monkeypatch):
    import jax

    where(monkeypatch, tmp_path)
    names = ("jax_compilation_cache_dir", "jax_persistent_cache_min_compile_time_secs")
    before = {name: getattr(jax.config, name) for name in names}
    jax.config.update("jax_compilation_cache_dir", None)
    try:
        keep_compiled_programs()
        assert getattr(jax.config, names[0]) is None
        assert capsys.readouterr().err.startswith(f"sicjax: compiled programs are not kept ({says}): set XDG_CACHE")
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        keep_compiled_programs()
        assert getattr(jax.config, names[0]) == str(tmp_path / "sicjax" / "xla")
    finally:
        for name, value in before.items():
            jax.config.update(name, value)


def test_without_stdout_and_stderr_a_command_is_done(monkeypatch, tmp_path):
    """As `>&-` starts it."""
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    assert cli.main(["explain", "mean"]) == 0 and cli.main(["measure", str(tmp_path / "nowhere.npz")]) == 1
    for stream in (sys.stdout, sys.stderr):
        stream.close()


def test_what_is_no_regular_file_is_not_opened(tmp_path, capsys, monkeypatch):
    """A pipe would block for ever, a device has no end."""
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe.npz")
    os.symlink("/dev/zero", "link.npz")
    os.mkdir("images")
    os.mkfifo("images/a.png")
    os.mkdir("run")
    os.mkfifo("run/config.json")
    assert said(capsys, "measure", "pipe.npz").startswith("sicjax: pipe.npz is a named pipe, expected a file")
    assert said(capsys, "measure", "link.npz").startswith("sicjax: link.npz is a device, expected a file")
    assert "no file of a known format in run" in said(capsys, "measure", "run")
    for wrong in ("pipe.npz", "link.npz"):
        with pytest.raises(InputError, match="is a (named pipe|device)"):
            weights.read(wrong)
        with pytest.raises(InputError, match="it is a (named pipe|device)"):
            data.load(f"npz:{wrong}")
    with pytest.raises(InputError, match="the first a.png: a named pipe, not a file"):
        data.load("folder:images")


def test_a_name_that_is_not_utf_8_is_written_out(tmp_path):
    name = tmp_path / os.fsdecode(b"\xff.npz")
    try:
        name.write_text("no network")
    except OSError:
        pytest.skip("this file system has names in UTF-8 alone")
    shown = f"{tmp_path}/\\udcff.npz"
    (record,) = (found.record for found in measure.measure_many(measure.find([tmp_path])))
    table, _ = measure.write_records([record], tmp_path / "out")
    assert table.read_text().splitlines()[1].startswith(f"{shown},,")
    pytest.importorskip("duckdb")
    measure.write_parquet([record], tmp_path / "out")
    assert measure.read_archive(tmp_path / "out").sql("SELECT file FROM networks").fetchall() == [(shown,)]


def test_all_that_a_measurement_writes_has_a_place_where_names_are_not_utf_8(tmp_path):
    """As those with other letters than English ones where the locale is of ASCII alone."""
    odd = os.fsdecode(b"\xff")
    file, other, out = tmp_path / f"{odd}.npz", tmp_path / "net.npz", tmp_path / odd
    kernels = {f"с.{k}.weight": np.ones((4, 3 + k, 3, 3), np.float32) for k in range(2)}
    try:
        for path in (file, other):
            np.savez(path, **kernels)
    except OSError:
        pytest.skip("this file system has names in UTF-8 alone")
    network = ["measure", str(file), str(other), "--stride", "1", "--wide"]
    assert cli.main([*network, "--out", str(out), "--graph", str(out / "g.dot")]) == 0
    written = {path.name for path in out.rglob("*")}
    assert written >= {"histograms.png", "report.html", "pairs.csv", "result.json", "g.dot"}
    assert r'"\udcff: с.0" -> "\udcff: с.1"' in (out / "g.dot").read_text(encoding="utf-8").replace(r"\\", "\\")
    pytest.importorskip("duckdb")
    with pytest.raises(InputError, match="in UTF-8 alone: rename"):
        measure.read_archive(out)


def test_names_do_nothing_to_a_terminal(tmp_path, capsys, monkeypatch):
    rng = np.random.default_rng(0)
    kernel = lambda *shape: rng.normal(size=(*shape, 3, 3)).astype(np.float32)
    hostile = {"a\x1b[31m.0.weight": kernel(4, 3), "a\x1b[31m.1.weight": kernel(5, 4), "b\n\x9b\u202e": kernel(2, 2)}
    save_file(hostile, tmp_path / "net.safetensors")
    net = networks.from_file(tmp_path / "net.safetensors", stride=2)
    told = [*net.cascades, *(layer.path for layer in net.layers), *map(str, net.skipped), *net.notes]
    assert "a\\x1b[31m.0 to a\\x1b[31m.1" in told and all(text.isprintable() for text in told)
    assert any(r"b\n\x9b\u202e" in layer for layer, _ in net.skipped)
    assert "\x1b" not in said(capsys, "measure", tmp_path / "\x1b[31mgone")


class Full:
    """Stands for stdout on a disk that has no room."""

    def write(self, *text):
        raise OSError(errno.ENOSPC, "No space left on device")

    flush = fileno = isatty = write


def test_a_full_disk_under_the_output_is_one_line(capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdout", Full())
    assert said(capsys, "explain", "mean") == "sicjax: cannot write the output: No space left on device"


def test_a_bug_is_one_line_and_its_place_is_shown_when_asked_for(capsys, monkeypatch):
    monkeypatch.setattr("sicjax.measure.COLUMNS", None)
    line = said(capsys, "explain", "mean")
    assert line.startswith("sicjax: a bug of sicjax: TypeError") and "please report it at https://" in line
    monkeypatch.setenv("SICJAX_DEBUG", "")
    assert cli.main(["explain", "mean", "--debug"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_a_warning_is_one_line(capsys, monkeypatch):
    import warnings

    def warn(args):
        warnings.warn("the\x1b[2J disk smells", stacklevel=1)

    monkeypatch.setattr("sicjax.cli._explain.run", warn)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        assert said(capsys, "explain", code=0) == "sicjax: the\\x1b[2J disk smells"
