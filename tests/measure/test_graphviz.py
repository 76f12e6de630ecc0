"""Layers and pairs as a graph."""

import shutil

import pytest

from sicjax._errors import InputError
from sicjax.measure import measure, write_graph


def test_the_graph_is_drawn_or_told(chain, tmp_path, monkeypatch):
    measured = measure([chain[0]], stride=2)
    mean = f"{measured[0].rows[0].mean:.3f}"
    dot = write_graph(measured, tmp_path / "net.dot").read_text()
    assert f'"net.0" -> "net.3" [label="{mean}"' in dot and dot.count("->") == 2
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.warns(UserWarning, match="net.svg needs Graphviz, which is not installed: .*net.txt is a tree instead"):
        tree = write_graph(measured, tmp_path / "net.svg")
    assert tree.name == "net.txt" and f"└─ {mean} → net.3" in tree.read_text(encoding="utf-8")
    with pytest.raises(InputError, match="--graph writes"):
        write_graph(measured, tmp_path / "net.bmp")


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
def test_graphviz_draws_the_graph(chain, tmp_path):
    assert "net.0" in write_graph(measure([chain[0]], stride=2), tmp_path / "net.svg").read_text()


def test_graphviz_is_given_utf_8_whatever_the_locale(chain, tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr("shutil.which", lambda name: "dot")
    monkeypatch.setattr("subprocess.run", lambda command, **given: calls.append(given))
    write_graph(measure([chain[0]], stride=2), tmp_path / "net.svg")
    assert [type(given["input"]) for given in calls] == [bytes] and b"net.0" in calls[0]["input"]
