"""Pages without a browser: what they say, that names do nothing, that they stay small."""

import html
import json
import math
import re

import pytest
from networks_to_show import HOSTILE, large, measured

from sicjax import cli, measure, report
from sicjax.report import _words as words
from sicjax.report._page import short

pytest.importorskip("matplotlib")


@pytest.fixture(scope="module")
def found():
    return measured()


def text_of(page):
    """What is read, without tags, scripts and styles."""
    body = re.sub(r"<(script|style).*?</\1>", "", page.read_text(), flags=re.S)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", body)).split())


def test_a_page_says_what_was_measured_and_how_to_repeat_it(found, tmp_path):
    page = report.write([found], tmp_path, origin=report.about(["measure", "a file.pt", "--out", "x"]))
    text = text_of(page)
    assert page.name == report.NAME and page.stat().st_size < 300_000
    for row in found.rows:
        assert row.name in text and f"{row.mean:.4f}" in text and row.reading in text
    assert "sicjax measure 'a file.pt' --out x" in text and report.about().versions["jax"] in text
    assert "a dense layer ends a chain" in text
    for explanation in measure.COLUMNS.values():
        assert " ".join(explanation.split()) in text


def test_the_same_network_gives_the_same_page(found, tmp_path):
    several, alone = report.write([found], tmp_path / "a"), report.write(found, str(tmp_path / "b"))
    pages = [page.read_bytes() for page in (several, alone)]
    assert pages[0] == pages[1]


def test_names_are_text_and_the_policy_allows_only_our_own_scripts(found, tmp_path):
    page = report.write([found], tmp_path).read_text()
    assert html.escape(HOSTILE) in page.replace("&#34;", "&quot;").replace("&#39;", "&#x27;")
    assert HOSTILE not in page and "<img src=x" not in page and "<script>window" not in page
    (policy,) = map(html.unescape, re.findall(r'Content-Security-Policy" content="([^"]*)"', page))
    assert "default-src 'none'" in policy and "unsafe" not in policy
    markup = re.sub(r'"[^"]*"', '""', re.sub(r"<(script|style).*?</\1>", "", page, flags=re.S))
    assert "<h1>" in markup and not re.search(r"<[a-z][^>]*\s(style|on[a-z]+)=", markup)
    assert not re.search(r"""(src|href)=["']?(https?:|//)""", page)


def test_a_page_keeps_to_its_size_and_says_what_it_leaves_out(found, tmp_path, monkeypatch):
    assert report.LARGEST == 3_000_000
    monkeypatch.setattr("sicjax.report._page.LARGEST", 700_000)
    monkeypatch.setattr("sicjax.report._network.LINES", 200)
    big = large(found, 200, letters=5000)
    page = report.write([big], tmp_path, nulls=[big.histograms])
    assert page.stat().st_size <= 700_000
    assert "Here are the first 100 of 200 pairs; all are in pairs.csv" in text_of(page)


def test_words_know_what_chance_shows(found):
    row = found.rows[0]._replace(coupling=0.5, coupling_p=1e-9, z=0.1, reading="strongly coupled", structural=False)
    chance = row._replace(reading="as random pairing", coupling_p=0.5)
    assert "All 3 pairs of layers are coupled" in words.lead(words.Counts([row] * 3))
    assert "1 of 6 pairs of layers is coupled" in words.lead(words.Counts([row, *[chance] * 5]))  # far below chance
    barely = row._replace(reading="coupled", coupling_p=0.009)
    assert "no more than chance" in words.lead(words.Counts([barely, *[chance] * 99]))
    assert "adapted beyond chance" in words.lead(words.Counts([chance._replace(z=9.0)] * 2))
    assert words.lead(words.Counts([chance] * 5)) == "No two layers here are coupled, or adapted, beyond chance."
    lead, said = (of(words.Counts([chance._replace(z=2.7), *[chance] * 99])) for of in (words.lead, words.sentences))
    assert lead == "None of 100 pairs is coupled; 1 adapted, no more than chance shows."
    assert any("lowers it" in line and "so many are no more than it shows" in line for line in said)
    assert not any("so many" in line for line in words.sentences(words.Counts([chance._replace(z=9.0)] * 2)))
    structural = row._replace(structural=True, reading="no shared lag")
    lead = words.lead(words.Counts([chance, *[structural] * 9]))
    assert lead.startswith("In 9 of 10 pairs of layers every ratio is 1 whatever") and "The one pair of layers" in lead
    assert "can be read" in words.lead(words.Counts([structural]))
    assert any("every ratio is 1" in sentence for sentence in words.sentences(words.Counts([structural])))
    assert "nothing to measure" in words.lead(words.Counts())


def test_of_one_pair_it_speaks_of_one(found):
    row = found.rows[0]._replace(coupling=0.5, coupling_p=1e-9, z=0.1, reading="strongly coupled", structural=False)
    chance = row._replace(reading="as random pairing", coupling_p=0.5)
    said = {
        "neither": words.Counts([chance]),
        "coupled": words.Counts([row]),
        "raised": words.Counts([chance._replace(z=9.0)]),
        "lowered": words.Counts([chance._replace(z=-9.0)]),
    }
    lead = {name: words.lead(counts) for name, counts in said.items()}
    text = {name: " ".join(words.sentences(counts)) for name, counts in said.items()}
    one = "The one pair of layers that can be read is"
    assert lead["neither"] == f"{one} neither coupled nor adapted beyond chance."
    assert lead["raised"] == lead["lowered"] == f"{one} adapted beyond chance, though not coupled beyond it."
    assert f"{one} not coupled (" in text["neither"] and "does not move the mean ratio" in text["neither"]
    assert f"{one} coupled, strongly (" in text["coupled"] and "pass the same frequencies" in text["raised"]
    assert "lowers the mean ratio beyond chance (kernels that meet pass other" in text["lowered"]
    assert not any(word in each for each in text.values() for word in ("1 of 1", "they would lie", "none of 1", "here"))


def test_energies_are_named_where_they_are_few_and_shares_are_of_parts_that_go_the_same_way(found):
    row = found.rows[0]._replace(marginal=0.03, adaptation=0.01, reading="coupled", structural=False)
    opposed = row._replace(name="the pair", reading="coupled, energies opposed")
    said = lambda rows: " ".join(words.sentences(words.Counts(rows)))
    few = said([opposed, *[row] * 9])
    assert "weak ones (opposed) (the pair). Chance alone calls one pair in a hundred so, here 0.1." in few
    assert "the pair" not in said([opposed] * 4)
    assert "75% is marginal in the median:" in few
    against = row._replace(marginal=-0.03)
    assert "75% is marginal in the median of the 1 pair in which both parts go the same way" in said([row, against])
    assert "is marginal" not in said([against])


def test_readings_are_counted_whatever_their_words():
    """Each way in which a pair can be read is one that is counted."""
    from sicjax.measure._meaning import reading

    how = dict(structural=False, channels=64, coupling=0.4, coupling_p=1e-9, rank=0.9, energy_p=1e-9)
    cases = [{}, {"coupling": 0.1}, {"coupling_p": 0.5}, {"channels": 4}, {"structural": True}, {"rank": -0.9}]
    frames = {reading(**{**how, **case}).split(", ")[0] for case in cases}
    assert frames == {"strongly coupled", "coupled", "as random pairing", *words.FRAMES}
    assert reading(**how).endswith("energies matched") and reading(**{**how, "rank": -0.9}).endswith("energies opposed")


def test_a_survey_sees_each_record_once_and_keeps_what_stands_out(found, tmp_path):
    record = measure.as_json(found) | {"file": "folder/good.pt"}
    best = json.loads(json.dumps(record)) | {"file": "folder/best.pt"}
    best["cascades"][1] |= {"coupling": 0.99, "name": "the best"}
    bad = {key: record[key] for key in ("schema", "sicjax", "sha256", "settings")}
    bad |= {"file": f"folder/{HOSTILE}.pt", "error": f"{HOSTILE} is damaged"}
    survey = report.Survey()
    assert list(survey.passing([record, bad, *[record] * 60, best])) == [record, bad, *[record] * 60, best]
    assert survey.counts.pairs == 124 and survey.failures == 1 and survey.notable()[0][0].name == "the best"
    page = report.write_survey(survey, tmp_path)
    text = text_of(page)
    assert "62 of 63" in text and "is damaged" in text and "the best" in text and "good.pt" in text
    assert HOSTILE not in page.read_text()


def test_a_comparison_says_which_kernel_changed(found, tmp_path):
    other = measured(("conv1", "conv2", "conv3"))
    here = measured(("conv1", "conv2", "conv3"))
    kernel = -here.network.layers[2].kernel
    layers = (*here.network.layers[:2], here.network.layers[2]._replace(kernel=kernel))
    now = here._replace(network=here.network._replace(layers=layers))
    changes = report.Changes()
    changes.add(measure.compare(other, now, names=("old", "new")), other, now)
    page = report.write_changes(changes, tmp_path)
    text = text_of(page)
    assert 'data-pair="1" class="arc' in page.read_text() and "Layers and pairs of the last version" in text
    assert "1 of 3 kernels changed, and no pair's ratios moved" in text and "cosine of −1.00" in text


def test_ratios_beyond_the_histogram_are_drawn_up_to_its_end(found, tmp_path):
    histograms = [h._replace(above=int(h.counts.sum())) for h in found.histograms]
    rows = [row._replace(quantiles=row.quantiles | {"0.95": math.inf}) for row in found.rows]
    wide = found._replace(rows=tuple(rows), histograms=tuple(histograms))
    text = report.write([wide], tmp_path, nulls=[found.histograms]).read_text()
    (data,) = map(json.loads, re.findall(r'id="data">(.*?)</script>', text, re.DOTALL))
    curve = data["pairs"]["0"]
    assert 3.9 < curve["x"] + curve["d"] * len(curve["y"][0]) < 4.5
    assert 0.4 < sum(curve["y"][0]) / 100_000 < 0.6 and ">4.1</text>" in text


def test_a_replication_carries_its_figures_and_no_html(tmp_path):
    from PIL import Image

    Image.new("RGB", (3000, 400), "red").save(tmp_path / "figure.png")
    (tmp_path / "report.md").write_text(
        "# The paper\n\n## Verdicts\n\n| a | b |\n|---|---|\n| 1 | <b>2</b> |\n\n![A line](figure.png)\n\n"
        "![Not ours](../../etc/passwd)\n\n[bad](javascript:alert(1)) <script>window.ran = 1</script>\n"
    )
    page = report.write_replication(tmp_path / "report.md")
    text = page.read_text()
    assert 'href="#section-0">Verdicts' in text and 'alt="A line"' in text and "data:image/webp" in text
    assert "&lt;b&gt;2" in text and "<script>window" not in text and 'href="javascript' not in text
    assert "passwd" not in text and page.stat().st_size < 200_000


def test_open_says_where_the_page_is(found, tmp_path, monkeypatch, capsys):
    opened = []
    monkeypatch.setattr("webbrowser.open", lambda address: opened.append(address) or False)
    page = report.write([found], tmp_path)
    assert cli.main(["open", str(tmp_path)]) == 0
    assert opened == [page.resolve().as_uri()]
    assert str(page.resolve()) in (said := capsys.readouterr().out) and "no browser" in said
    assert cli.main(["open", str(tmp_path / "nowhere")]) == 1
    assert "there is no report.html" in capsys.readouterr().err


def test_long_names_keep_both_ends_and_unseen_letters_are_shown():
    assert short("a" * 5000 + "end").endswith("end") and len(short("a" * 5000)) == 120
    assert short("conv\x1b[31m\u202e") == "conv\\x1b[31m\\u202e"
