"""What a notebook shows of a network and its measure, and the table of pandas."""

import sys
from pathlib import Path

import jaxtyping
import numpy as np
import pytest

from sicjax import _html, sdr
from sicjax._errors import InputError, MissingPackage
from sicjax.measure import QUANTILES, Row, measure
from sicjax.measure._rows import LINES
from sicjax.networks import Layer, Network, Skipped, from_file


def test_a_measured_file_is_a_short_table(chain):
    (found,) = measure([chain[0]], stride=2)
    shown = found._repr_html_()
    assert shown.count("<tr>") == 1 + len(found.rows) and "<td>net.0 to net.3</td>" in shown
    assert f"<td>{found.rows[0].mean:.4f}</td>" in shown and "array" not in shown
    shown = found.network._repr_html_()
    assert "3 convolutions, 2 pairs" in shown and "<td>4x4x5x4</td><td>2x2 transposed</td>" in shown
    assert "array" not in shown and len(shown) < 1500
    printed = repr(found.network).splitlines()
    assert printed[:3] == ["3 convolutions, 2 pairs that follow one another", "  net.0 to net.3", "  net.3 to net.6"]
    long = repr(found.network._replace(pairs=found.network.pairs * 30)).splitlines()
    assert len(long) == 41 and long[-1].startswith("... and 2") and "array" not in "".join(printed + long)
    printed = repr(found).splitlines()
    assert printed[0] == f"{found.file}: 2 pairs of layers" and printed[1].startswith("pair            mean    std")
    assert printed[2].endswith(found.rows[0].reading) and len(printed) == 4 and printed[2] in repr([found])
    pair = found.network.pairs[0]
    assert repr(pair).startswith("net.0 to net.3: Cascade(first=(4, 4, 5, 4), second=(4, 4, 4, 6), down=(1, 1), ")
    assert repr(pair.second) == "net.3: kernel 4x4x4x6, stride 2x2 transposed"


def test_of_many_pairs_those_are_listed_that_say_something(chain):
    (found,) = measure([chain[0]], stride=2)
    blind = found.rows[0]._replace(structural=True, name="blind", reading="no shared lag")
    for rows, listed in ((LINES - 1, LINES), (LINES, 1)):
        many = found._replace(rows=(found.rows[0], *[blind] * rows))
        lines = repr(many).splitlines()
        assert len([line for line in lines if line.startswith(("blind", "net.0 to"))]) == listed
        assert many._repr_html_().count("<tr>") == 1 + min(listed, _html.MOST)
        left = f"not listed: {rows} pairs that share no lag"
        assert any(line.startswith(left) for line in lines) == (left in many._repr_html_()) == (listed == 1)
    loud = blind._replace(name="loud", reading="no shared lag, energies opposed")
    assert repr(found._replace(rows=(*[blind] * LINES, loud))).splitlines()[2].startswith("loud")
    assert repr(found._replace(rows=(blind,) * 50)).count("blind") == LINES  # of nothing else all


def test_an_error_in_a_notebook_is_the_line_that_led_to_it_and_one_that_says_it(monkeypatch):
    with pytest.raises(InputError) as raised:
        from_file("nowhere.onnx")
    # The type checks of the tests stand between this line and the package.
    monkeypatch.setattr("sicjax._errors._HERE", str(Path(jaxtyping.__file__).parent))
    where, said = raised.value._render_traceback_()
    assert where.splitlines()[1].strip() == 'from_file("nowhere.onnx")' and said.startswith("InputError: cannot read")
    monkeypatch.setenv("SICJAX_DEBUG", "1")
    assert len(raised.value._render_traceback_()) > 3


def test_networks_in_memory_are_told_apart(chain):
    """By the file, the class, or the name that they were given; two of a name by a number."""
    net = from_file(chain[0], stride=2)
    unnamed = net._replace(name="")
    found = measure([net, net._replace(name="G"), net, unnamed, unnamed])
    assert [each.file for each in found] == [
        chain[0].name, "G", f"{chain[0].name} (2)", "network in memory", "network in memory (2)",
    ]  # fmt: skip
    assert repr(found[1]).startswith("G: 2 pairs")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("file.onnx", r"a list .*: measure\(\[file\]\)"),
        ([object()], r"got object: .*from_torch\(module, x"),
        ([{}], r"got dict: .*from_torch\(state_dict, stride=N"),
    ],
)
def test_what_is_no_list_of_files_or_networks_is_refused(given, said, without_type_checks):
    with pytest.raises(InputError, match=said):
        measure(given)


def test_names_are_escaped_and_long_tables_cut():
    layers = [Layer(f"<b>{k}", np.zeros((3, 3, 2, 2)), (1, 1), (1, 1), 1, False) for k in range(_html.MOST + 5)]
    shown = Network(tuple(layers), (), (Skipped("<script>", "of & no use"),))._repr_html_()
    assert "<td>&lt;b&gt;0</td>" in shown and "<b>" not in shown and "and 5 more" in shown
    assert "<div>skipped &lt;script&gt;: of &amp; no use</div>" in shown
    assert shown.count("<tr>") == 1 + _html.MOST


def test_a_table_of_pandas_has_the_rows(chain):
    pytest.importorskip("pandas")
    (found,) = measure([chain[0]], stride=2)
    table = found.to_pandas()
    assert list(table.columns) == [f for f in Row._fields if f != "quantiles"] + [f"quantile_{q}" for q in QUANTILES]
    assert list(table["name"]) == [row.name for row in found.rows]
    assert list(table["mean"]) == [row.mean for row in found.rows]
    assert list(table["shape"]) == [row.shape for row in found.rows]
    assert list(table["quantile_0.5"]) == [row.quantiles["0.5"] for row in found.rows]
    empty = found._replace(rows=()).to_pandas()
    assert len(empty) == 0 and list(empty.columns) == list(table.columns)


def test_a_pair_has_a_table_of_the_pathways_at_both_ends(chain):
    pytest.importorskip("pandas")
    (pair, _) = from_file(chain[0], stride=2).pairs
    found, rho, table = sdr.extremes(pair.cascade, 3), np.asarray(sdr.ratios(pair.cascade)), pair.extremes(3)
    assert list(table["end"]) == ["highest"] * 3 + ["lowest"] * 3
    np.testing.assert_array_equal(table["ratio"], [*found.highest, *found.lowest])
    np.testing.assert_allclose(rho[table["i"], table["m"], table["o"]], table["ratio"], rtol=0, atol=1e-6)


def test_without_pandas_it_says_what_to_install(chain, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    (found,) = measure([chain[0]], stride=2)
    with pytest.raises(MissingPackage, match=r"needs pandas: pip install 'sicjax\[notebook\]'"):
        found.to_pandas()
