"""The bar: on a terminal, and elsewhere."""

import io
from contextlib import redirect_stderr
from pathlib import Path

import pytest

import sicjax
from sicjax._progress import bar

HIDDEN, BACK = "\x1b[?25l", "\x1b[?25h"  # the cursor


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    for name in ("FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    return Terminal()


def test_a_terminal_shows_how_much_is_done_and_the_last_note(terminal):
    with redirect_stderr(terminal), bar("measuring", note="reading") as report:
        begun = terminal.getvalue()
        report(0, 4, "a [to] b")
        report(3, 4)
    assert "measuring" in begun and "reading" in begun
    last = terminal.getvalue()[len(begun) :].rpartition("measuring")[2]
    assert "3/4" in last and "a [to] b" in last


def test_a_bar_in_a_bar_is_a_line_of_it(terminal):
    with redirect_stderr(terminal):
        with bar("step", stays=True) as outer:
            with bar("reading faces") as inner:
                inner(1, 9)
            outer(5, 7)
    shown = terminal.getvalue()
    assert "reading faces" in shown
    # It is one display, and at its end the inner line is gone.
    assert shown.count(HIDDEN) == shown.count(BACK) == 1
    last = shown.rpartition("step")[2]
    assert "5/7" in last and "reading faces" not in last


def test_nothing_is_counted_before_there_is_a_total_and_its_note_goes_when_something_is_done(terminal):
    with redirect_stderr(terminal), bar("step", note="compiling") as report:
        report(1, 40)
    shown = terminal.getvalue()
    assert "/?" not in shown and "compiling" in shown
    assert "1/40" in shown and "compiling" not in shown.rpartition("step")[2]


def test_a_note_that_is_too_long_is_cut_with_a_mark(terminal, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    with redirect_stderr(terminal), bar("step") as report:
        report(7, 40, "generator loss 0.693, discriminator loss 1.386, 512 images/s")
    last = terminal.getvalue().rpartition("step")[2]
    assert "7/40" in last and "…" in last and "images/s" not in last


def test_fewer_done_than_before_begin_anew(terminal, capsys):
    with redirect_stderr(terminal), bar("step") as report:
        report(40, 40)
        report(1, 30)
    assert "1/30" in terminal.getvalue().rpartition("step")[2]


def test_what_is_printed_meanwhile_goes_where_it_should(terminal, capsys):
    with redirect_stderr(terminal), bar("step") as report:
        report(1, 40)
        print("a file")
    assert capsys.readouterr().out == "a file\n" and "a file" not in terminal.getvalue()


def test_what_is_done_soon_shows_no_bar(terminal):
    with redirect_stderr(terminal):
        with bar("reading", patience=60) as report:
            report(1, 1)
        assert terminal.getvalue() == ""
        with bar("step") as outer, bar("reading faces", patience=60) as inner:
            inner(1, 1)
            outer(1, 1)
    assert "step" in terminal.getvalue() and "reading faces" not in terminal.getvalue()


def test_the_bar_is_taken_away_when_its_block_fails(terminal):
    with redirect_stderr(terminal):
        with pytest.raises(ZeroDivisionError), bar("measuring"):
            raise ZeroDivisionError
        with bar("measuring again") as report:
            report(1, 2)
    assert terminal.getvalue().count(HIDDEN) == terminal.getvalue().count(BACK) == 2


def test_elsewhere_there_is_nothing_or_a_line_for_each_note(capsys):
    with bar("measuring", note="reading") as report:
        report(1, 2, "a to b")
    with bar("step", lines=True) as report:
        report(1, 20)
        report(2, 20, "loss 0.1")
    assert capsys.readouterr() == ("", "step 2 of 20: loss 0.1\n")


def test_there_is_no_other_bar():
    root = Path(sicjax.__file__).parent
    assert [file.name for file in root.rglob("*.py") if "rich.progress" in file.read_text()] == ["_progress.py"]


def test_lines_come_as_often_as_told_and_say_how_long_it_takes(capsys):
    with bar("files", lines=True, every=1e-9) as report:
        report(1, 2, "7 pathways")
    with bar("files", lines=True, every=60) as report:
        report(1, 2, "7 pathways")
    assert capsys.readouterr().err == "files 1 of 2: 7 pathways, 0 s left\n"
