from sicjax.cli import main
from sicjax.cli._columns import ALL, HEADINGS
from sicjax.measure import COLUMNS, WORDS


def test_every_heading_of_the_table_can_be_asked_for(capsys):
    headings = [heading.title for heading in ALL]
    assert {HEADINGS.get(heading, heading) for heading in headings} <= set(COLUMNS)
    assert main(["explain", *headings]) == 0
    said = capsys.readouterr().out
    assert "coupling_p (p in the table)\n  How often random pairing" in said and said.count("quantiles (") == 1


def test_all_of_them_and_none_of_them(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    assert main(["explain"]) == 0
    said = capsys.readouterr().out
    assert all(f"\n{name}" in "\n" + said for name in COLUMNS)
    assert main(["explain", "strongly coupled, energies opposed", *WORDS]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "strongly coupled" and said[2] == "energies opposed" and "meet weak ones" in said[3]
    assert {*WORDS} <= {*said} and said.count("strongly coupled") == 1
    assert main(["explain", "opposed", "coupled"]) == 0  # a word of one, and one that is a word of another too
    said = capsys.readouterr().out.splitlines()
    assert [line for line in said if not line.startswith(" ")] == ["energies opposed", "coupled"]
    assert main(["explain", "meen"]) == 1
    said = "there is no column or word meen, did you mean mean? - all that there are: sicjax explain"
    assert said in capsys.readouterr().err
    assert main(["explain", "opposed", "meen", "nowhere"]) == 1  # what there is, is said
    out, err = capsys.readouterr()
    assert out.startswith("energies opposed\n") and "meen, did you mean mean?; nowhere - all" in err


def test_what_is_asked_for_may_have_blanks_and_capitals(capsys):
    assert main(["explain", "shuffled", "taps"]) == main(["explain", "Shuffled taps"]) == 0
    first, second = capsys.readouterr().out.split("null_mean (shuffled taps in the table)\n")[1:]
    assert first == second
    assert main(["explain", "5 %"]) == 0
    assert capsys.readouterr().out.startswith("quantiles (5 %, median, 95 % in the table)")


def test_it_is_as_wide_as_the_terminal(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "50")
    assert main(["explain"]) == 0
    assert 40 < max(map(len, capsys.readouterr().out.splitlines())) <= 50
