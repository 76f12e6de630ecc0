"""The table at any width: no column is lost, no number is cut, and elsewhere than on a terminal every row is whole."""

import io
import re

import pytest

from sicjax._errors import InputError
from sicjax.cli import _columns
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
    table = [line for line in lines if line not in NAMES]
    assert max(map(len, table)) <= width
    groups = _columns.WIDE if wide else [_columns.SHORT]
    headings = [heading for group in groups for heading in group]
    heads = " ".join(line for line in table if line.startswith("pair "))
    assert all(heading.title in heads for heading in headings)
    numbers = " ".join(table)
    assert all(number in numbers for number in ("1.0100", "-0.0123", *(["2,097,152", "1.000 ± 0.100"] if wide else [])))
    # A name is whole, above its numbers where there is no room beside them.
    assert all(name in " ".join(line.rstrip() for line in lines) for name in NAMES[:2])


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
    lines = shown(monkeypatch, 150, [record(NAMES)])
    assert lines[26] == lines[0] and sum(line.startswith("fewer rows: --top 10 --sort") for line in lines) == 1
    few = shown(monkeypatch, 150, [record(NAMES)], top=10)
    assert few.count(few[0]) == 1 and not any(line.startswith("fewer rows") for line in few)
    piped = shown(monkeypatch, None, [record(NAMES)])
    assert piped.count(piped[0]) == 1 and not any(line.startswith("fewer rows") for line in piped)


def test_short_names_stand_beside_their_numbers(monkeypatch):
    lines = shown(monkeypatch, 80, [record(["a to b", NAMES[1]])])
    assert lines[1].split()[:4] == ["a", "to", "b", "1.0000"] and lines[2] == NAMES[1] and "1.0100" in lines[3]
    assert lines[1].index("1.0000") == lines[3].index("1.0100") and "energies opposed" in lines[3]


def test_of_many_pairs_a_terminal_lists_those_that_say_something(monkeypatch):
    found = record(NAMES)
    for k, pair in enumerate(found["cascades"]):
        said = "no shared lag, energies matched" if k == 7 else "no shared lag"
        pair.update({} if k == 5 else {"structural": True, "reading": said})
    lines = shown(monkeypatch, 200, [found])
    # The other has energies that are matched.
    assert [line.split(" to ")[0] for line in lines[1:3]] == [NAMES[k].split(" to ")[0] for k in (5, 7)]
    assert lines[3].startswith("25 pairs, ") and "the one that depends on weights: mean 1.050" in lines[3]
    said = "; 24 no shared lag, 1 strongly coupled; 1 energies opposed, 1 energies matched"
    chance = "by chance about 0.01 would be coupled, 0.25 matched or opposed"
    assert "".join(lines[3:5]).endswith(f"{said}; {chance}")
    assert lines[5].endswith("whatever the weights (not listed here: --wide lists all)")
    # Ten rows are asked for, and there is one.
    assert "shown" not in "".join(shown(monkeypatch, 200, [found], top=10, sort="coupling")[2:4])
    # Elsewhere all of them are, and where there are few, or nothing else.
    everywhere = (
        (None, found, {}),
        (300, found, {"wide": True}),
        (200, {**found, "cascades": found["cascades"][:9]}, {}),
    )
    for width, given, view in everywhere:
        lines = shown(monkeypatch, width, [given], **view)
        assert all(any(line.startswith(pair["name"]) for line in lines) for pair in given["cascades"])
        assert not any("not listed" in line for line in lines)
    for pair in found["cascades"]:
        pair.update(structural=True, reading="no shared lag")
    assert sum(line.startswith("down_blocks") for line in shown(monkeypatch, 200, [found])) == 25


def test_many_pairs_are_told_in_a_line(monkeypatch):
    *_, last = shown(monkeypatch, None, [record(NAMES)])
    assert last.startswith("25 pairs, 52,428,800 pathways; means 1.000 to 1.240")
    assert "25 strongly coupled" in last and "shown" not in last
    lines = shown(monkeypatch, None, [record(NAMES)], top=2, sort="mean")
    assert lines[1].startswith(f"{NAMES[24]} ") and lines[2].startswith(f"{NAMES[23]} ")
    assert lines[3].endswith("shown: 2, by mean")


def test_the_column_that_rows_are_sorted_by_is_shown(monkeypatch):
    heading, first, *_ = shown(monkeypatch, None, [record(NAMES[:2])], sort="coupling_p")
    assert heading.split()[-3:] == ["coupling", "p", "reading"] and " 0.5  strongly" in first
    assert shown(monkeypatch, None, [record(NAMES[:2])], sort="mean")[0].split().count("mean") == 1


def test_a_name_that_is_wider_than_the_terminal_breaks_between_its_layers(monkeypatch):
    lines = shown(monkeypatch, 50, [record(NAMES[:1])])
    first, second = NAMES[0].split(" to ")
    assert f"{first} to" in lines and second in lines


def test_rows_are_chosen_by_names(monkeypatch):
    """All of them, those that depend on no weights too, and what is said of all pairs stays."""
    found = record(NAMES)
    for pair in found["cascades"][:12]:
        pair.update(structural=True, reading="no shared lag")
    lines = shown(monkeypatch, 200, [found], match=".1.resnets", top=1)
    assert lines[1].startswith(f"{NAMES[1]} ") and lines[2].startswith("25 pairs, ")
    assert "; shown: 1, with '.1.resnets' in name or reading, the first of the network " in " ".join(
        map(str.rstrip, lines)
    )
    assert shown(monkeypatch, 200, [found], match="nowhere")[1].strip() == "no pair with 'nowhere'"
    lines = shown(monkeypatch, None, [found], match="no shared")
    assert lines[13].endswith("; shown: 12, with 'no shared' in name or reading")
    # Of ratios those come last that are 1 by structure, and are in no top of them.
    assert len(shown(monkeypatch, None, [found], sort="std", top=20)) == 1 + 13 + 2
    lines = shown(monkeypatch, None, [found], sort="mean", reverse=True)
    assert [line.split()[0] for line in (lines[1], lines[14])] == [NAMES[12].split()[0], NAMES[0].split()[0]]


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


def test_the_pair_that_departs_most_either_way_comes_first_and_the_rarest_reading(monkeypatch):
    found = record(NAMES)
    found["cascades"][9].update(mean=0.5)
    found["cascades"][7].update(reading="too few channels")
    lines = shown(monkeypatch, None, [found], sort="departure")
    assert [line.split(" ")[0] for line in lines[1:3]] == [NAMES[k].split(" ")[0] for k in (9, 24)]
    assert shown(monkeypatch, None, [found], sort="reading")[1].startswith(f"{NAMES[7]} ")


def test_what_is_1_by_structure_is_listed_where_what_is_sorted_by_says_something_of_it(monkeypatch):
    found = record(NAMES)
    for pair in found["cascades"][:12]:
        pair.update(structural=True, reading="no shared lag")
    listed = lambda column: sum(
        line.startswith("down_blocks") for line in shown(monkeypatch, 200, [found], sort=column)
    )
    assert (listed("energy"), listed("mean"), listed("departure")) == (25, 13, 13)


@pytest.mark.parametrize("column", ["meen", "quantiles"])
def test_a_column_that_there_is_not_is_said_with_those_that_there_are(column):
    near = {"meen": ", did you mean mean\\?", "quantiles": ";"}[column]
    with pytest.raises(InputError, match=f"--sort {column}: there is no such column{near} there are pair, direction"):
        View(sort=column).of([])


def test_what_rows_are_sorted_by_is_shown_whether_it_has_a_column_or_not(monkeypatch):
    found = record(NAMES)
    for k, pair in enumerate(found["cascades"]):
        pair.update(energy_p=k / 100, coupling_z=-k)
    for column, first, cell in (("energy_p", NAMES[0], "0"), ("coupling_z", NAMES[0], "0"), ("second", NAMES[0], None)):
        lines = shown(monkeypatch, None, [found], sort=column)
        assert lines[0].split()[-2:] == [column, "reading"] and lines[1].startswith(first)
        assert cell is None or lines[1].partition("strongly coupled")[0].split()[-1] == cell


def test_where_rows_are_looked_for_notes_are_not_said_again(monkeypatch):
    found = record(NAMES) | {"notes": ["a note"], "skipped": [{"layer": "a", "reason": "it is the first layer"}]}
    whole, looked = (shown(monkeypatch, None, [found], match=text) for text in ("", NAMES[3]))
    assert "a note" in whole and "a note" not in looked and any("without --match" in line for line in looked)
    assert not any("without --match" in line for line in whole)
