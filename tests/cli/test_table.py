"""The table at any width: no column is lost, no number is cut, and elsewhere than on a terminal every row is whole."""

import io
import re

import pytest

from sicjax._errors import InputError
from sicjax.cli import _columns
from sicjax.cli._names import shortened
from sicjax.cli._table import View, tables

NAMES = [f"down_blocks.{k}.resnets.{k % 3}.conv1 to down_blocks.{k}.resnets.{k % 3}.conv2" for k in range(25)]


def record(names, **changes):
    cascades = [
        {
            "name": name, "first": "a", "second": "b", "direction": "extractive", "stride": [2, 2],
            "shape": [128, 64, 256], "pathways": 2_097_152, "undefined": 0, "structural": False, "mean": 1 + k / 100,
            "std": 0.2, "quantiles": dict.fromkeys(("0.05", "0.25", "0.5", "0.75", "0.95"), 1.25), "near_one": 0.5,
            "marginal": 0.1, "adaptation": -0.0123, "z": 1.5, "coupling": 0.4 - k / 1000, "coupling_z": 2.0,
            "coupling_p": float("nan") if k == 3 else 1 / (k + 1), "energy": -0.43, "energy_p": 0.001,
            "reading": "strongly coupled, energies opposed", "null_mean": 1.0, "null_std": 0.1,
        }
        for k, name in enumerate(names)
    ]  # fmt: skip
    settings = {"stride": None, "transposed": None, "step": None, "module": None}
    return {"file": "net.npz", "settings": settings, "cascades": cascades, "skipped": [], "notes": [], **changes}


class Terminal(io.StringIO):
    def isatty(self):
        return True


def shown(monkeypatch, width, *arguments, **view):
    """Lines as a terminal of a width has them, or a pipe."""
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", str(width or 80))
    file = io.StringIO() if width is None else Terminal()
    tables(*arguments, file, View(**view))
    return re.sub("\x1b\\[[0-9;]*m", "", file.getvalue()).splitlines()


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
@pytest.mark.parametrize("wide", [False, True])
def test_no_column_is_lost_and_no_number_cut(monkeypatch, width, wide):
    lines = shown(monkeypatch, width, [record(NAMES[:2])], wide=wide)
    table = [line for line in lines if not line.startswith(("names are", "net.npz"))]
    assert max(map(len, table)) <= width
    groups = _columns.WIDE if wide else _columns.SHORT
    headings = [heading for group in groups for heading in group]
    heads = " ".join(line for line in table if line.startswith("pair "))
    assert all(heading.title in heads for heading in headings)
    numbers = " ".join(table)
    assert all(number in numbers for number in ("1.0100", "-0.0123", *(["2,097,152", "1.000 ± 0.100"] if wide else [])))
    assert ("names are shortened" in "\n".join(lines)) == (NAMES[0] not in numbers)


def test_in_a_pipe_every_row_is_one_whole_line(monkeypatch):
    lines = shown(monkeypatch, None, [record(NAMES)], wide=True)
    for k, name in enumerate(NAMES):
        assert lines[k + 1].startswith(f"{name} ") and lines[k + 1].endswith("strongly coupled, energies opposed")
    # What is no number is a dash.
    assert re.search(r" \+0\.397 +- +-0\.43 ", lines[4]) and "nan" not in "".join(lines)


def test_what_is_said_of_several_files_is_said_once(monkeypatch):
    skipped = lambda k: [{"layer": "dense", "reason": f"ends {k // 3}"}]
    of = lambda k: {"file": f"{k}.npz", "skipped": skipped(k), "notes": ["a note"]}
    lines = shown(monkeypatch, None, [record(NAMES[:1], **of(k)) for k in range(4)])
    assert lines[-3:] == [
        "0.npz and 3 more: a note", "0.npz and 2 more: skipped dense: ends 0", "3.npz: skipped dense: ends 1",
    ]  # fmt: skip


def test_a_reason_of_several_layers_is_said_once(monkeypatch):
    """Over files, with how many layers it holds for and the first of them; a layer that is skipped is called so."""
    layers = lambda k, reason: [{"layer": f"{k}.conv", "reason": reason} for k in range(k)]
    of = lambda k: {"file": f"{k}.npz", "skipped": [*layers(k, "the chain ends after it: add"), *layers(1, "alone")]}
    lines = shown(monkeypatch, None, [record(NAMES[:1], **of(k)) for k in (2, 5)])
    assert lines[-2:] == [
        "2.npz and 1 more: 5 layers, first 0.conv: the chain ends after it: add",
        "2.npz and 1 more: skipped 0.conv: alone",
    ]


def test_more_rows_than_a_terminal_has_lines(monkeypatch):
    """The heading stands below them too, and it is said how there are fewer."""
    monkeypatch.setenv("LINES", "25")
    lines = shown(monkeypatch, 120, [record(NAMES)])
    assert lines[26] == lines[0] and sum(line.startswith("fewer rows: --top 10 --sort") for line in lines) == 1
    few = shown(monkeypatch, 120, [record(NAMES)], top=10)
    assert few.count(few[0]) == 1 and not any(line.startswith("fewer rows") for line in few)
    piped = shown(monkeypatch, None, [record(NAMES)])
    assert piped.count(piped[0]) == 1 and not any(line.startswith("fewer rows") for line in piped)


def test_the_numbers_of_layers_stay_where_a_terminal_is_narrow():
    name = "features.denseblock{}.denselayer{}.conv to features.denseblock{}.denselayer{}.conv"
    assert len({shortened(name.format(*numbers), 24) for numbers in ((1, 2, 1, 3), (1, 2, 1, 4), (1, 12, 2, 13))}) == 3


def test_many_pairs_are_told_in_a_line(monkeypatch):
    *_, last = shown(monkeypatch, None, [record(NAMES)])
    assert last.startswith("net.npz: 25 pairs, 52,428,800 pathways; means 1.000 to 1.240")
    assert "25 strongly coupled" in last and "shown" not in last
    lines = shown(monkeypatch, None, [record(NAMES)], top=2, sort="mean")
    assert lines[1].startswith(f"{NAMES[24]} ") and lines[2].startswith(f"{NAMES[23]} ")
    assert lines[3].endswith("shown: 2, by mean")


@pytest.mark.parametrize(
    "column, reverse, first, last",
    [
        ("coupling", False, 0, 24),
        ("coupling", True, 24, 0),
        ("p", False, 24, 3),  # the smallest p first, and what is no number last, either way
        ("coupling_p", True, 0, 3),
        ("pair", False, 0, 9),
        ("5 %", False, 0, 24),
    ],
)
def test_rows_are_sorted(monkeypatch, column, reverse, first, last):
    lines = shown(monkeypatch, None, [record(NAMES)], sort=column, reverse=reverse)
    assert lines[1].startswith(f"{NAMES[first]} ") and lines[25].startswith(f"{NAMES[last]} ")


@pytest.mark.parametrize("column", ["meen", "quantiles"])
def test_a_column_that_there_is_not_is_said_with_those_that_there_are(column):
    with pytest.raises(InputError, match=f"--sort {column}: there is no such column; there are pair, direction"):
        View(sort=column).of([])


def test_the_mark_is_one_that_the_terminal_has(monkeypatch):
    class Ascii(Terminal):
        encoding = "ascii"

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "60")
    file = Ascii()
    tables([record(NAMES[:1])], file, View())
    assert "~" in file.getvalue() and "…" not in file.getvalue()


@pytest.mark.parametrize("width", range(8, 60))
@pytest.mark.parametrize("name", [NAMES[12], "features_dense1_conv1 to features_dense1_conv2", "畳み込み層" * 9])
def test_a_shortened_name_has_a_mark_and_fits(width, name):
    from rich.cells import cell_len

    short = shortened(name, width)
    assert cell_len(short) <= width and ("…" in short) == (short != name) and "……" not in short


@pytest.mark.parametrize("width", [20, 24, 30])
def test_what_stands_between_two_layers_is_not_cut(width):
    assert " to …" in shortened("stages.1.0.conv_out to stages.1.8.conv_in", width)


def test_numbers_in_names_stay():
    assert {"12", "0"} <= set(shortened(NAMES[12], 26).replace(".", "…").split("…"))
