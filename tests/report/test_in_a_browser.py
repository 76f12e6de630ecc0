"""Pages in headless Chromium: nothing is wrong, tables sort and filter, histograms zoom, phones show all."""

import shutil

import pytest
from networks_to_show import large, measured

from sicjax import report

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
if CHROMIUM is None:
    pytest.skip("Chromium is not installed", allow_module_level=True)
sync_api = pytest.importorskip("playwright.sync_api")
pytest.importorskip("matplotlib")

PAIRS = 638
WIDTHS = {"desktop": 1280, "phone": 390}


@pytest.fixture(scope="module")
def page_file(tmp_path_factory):
    small = measured()
    big = large(small, PAIRS - 2)
    net = big.network
    both = big._replace(
        network=net._replace(layers=(*small.network.layers, *net.layers), pairs=(*small.network.pairs, *net.pairs)),
        rows=(*small.rows, *big.rows),
        histograms=(*small.histograms, *big.histograms),
    )
    return report.write([both], tmp_path_factory.mktemp("page"), nulls=[both.histograms])


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture(params=WIDTHS)
def page(request, browser, page_file):
    scheme = {"desktop": "light", "phone": "dark"}[request.param]
    page = browser.new_page(viewport={"width": WIDTHS[request.param], "height": 900}, color_scheme=scheme)
    page.set_default_timeout(120_000)
    wrong = []
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda asked: None if asked.url.startswith(("file:", "data:")) else wrong.append(asked.url))
    page.goto(page_file.as_uri())
    yield page
    assert wrong == []
    page.close()


def cells(page, column):
    return page.evaluate(
        "column => [...document.querySelectorAll('#pairs-table tbody tr:not([hidden])')]"
        ".map(row => row.cells[column].textContent)",
        column,
    )


def press(page, text):
    """By the keyboard."""
    page.locator("button", has_text=text).first.press("Enter")


def test_a_page_sorts_filters_zooms_and_runs_nothing_of_others(page):
    assert page.evaluate("window.ran") is None
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
    headings = page.locator("#pairs-table thead th").all_inner_texts()
    mean, before = next(k for k, heading in enumerate(headings) if heading.startswith("mean")), cells(page, 0)
    assert len(before) == PAIRS

    for order, sign in (("descending", -1), ("ascending", 1)):
        press(page, "mean")
        values = [float(cell) for cell in cells(page, mean)]
        assert values == sorted(values, key=lambda value: sign * value)
        assert page.locator("th[aria-sort]").get_attribute("aria-sort") == order
    press(page, "mean")
    assert cells(page, 0) == before and page.locator("th[aria-sort]").count() == 0

    page.get_by_label("Find").fill("SCRIPT")
    assert len(cells(page, 0)) == 1 and page.locator("output").first.inner_text() == f"1 of {PAIRS} shown"
    page.get_by_label("Find").fill("")
    reading = page.evaluate("document.querySelectorAll('[data-reading] option')[1].value")
    page.get_by_label("Reading").select_option(reading)
    assert set(cells(page, 1)) == {reading}
    page.get_by_label("Reading").select_option("")

    assert page.locator("td.more").first.is_hidden()
    page.get_by_label("all columns").check()
    assert page.locator("td.more").first.is_visible()

    chart = page.locator(".plot canvas")
    whole = chart.screenshot()
    press(page, "Zoom in")
    page.wait_for_timeout(50)
    assert chart.screenshot() != whole
    press(page, "Whole range")
    page.wait_for_timeout(50)
    assert chart.screenshot() == whole
    says = page.locator("#plot-says").inner_text()
    page.locator("#pairs-table tbody tr").nth(1).locator("a").press("Enter")
    assert page.locator("#plot-says").inner_text() != says and page.locator("#which").input_value() == "1"

    arcs = "[...document.querySelectorAll('path.arc')].map(arc => getComputedStyle(arc).stroke)"
    by_coupling = page.evaluate(arcs)
    assert len(by_coupling) == PAIRS and len(set(by_coupling)) > 3
    page.locator("input[name=by][value=e]").check()  # energies, which do not go with coupling here
    assert page.evaluate(arcs) != by_coupling


def test_a_page_reads_without_sight(page):
    """Every control has a name, every picture a text, tables have headings, and headings skip no level."""
    found = page.evaluate(
        """() => ({
        controls: [...document.querySelectorAll('input, select, button')].filter(
            c => !(c.labels?.length || c.getAttribute('aria-label') || c.textContent.trim())).length,
        pictures: [...document.querySelectorAll('img')].filter(i => !i.alt).length
            + [...document.querySelectorAll('svg')].filter(
                s => s.getAttribute('aria-hidden') !== 'true' && !s.getAttribute('aria-label')).length,
        tables: [...document.querySelectorAll('table')].filter(t => !t.querySelector('th[scope]')).length,
        levels: [...document.querySelectorAll('h1, h2, h3, h4')].map(h => +h.tagName[1]),
        ids: [...document.querySelectorAll('[id]')].map(e => e.id),
        links: [...document.querySelectorAll('a[href^="#"]')].filter(
            a => !document.querySelector(a.getAttribute('href'))).length,
        lang: document.documentElement.lang,
        })"""
    )
    assert found["controls"] == found["pictures"] == found["tables"] == found["links"] == 0 and found["lang"] == "en"
    assert all(after - before <= 1 for before, after in zip(found["levels"], found["levels"][1:], strict=False))
    assert len(set(found["ids"])) == len(found["ids"])
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
