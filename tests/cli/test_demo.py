"""The demo from nothing to its files, with a smaller network."""

import jax
import pytest

from sicjax import cli
from sicjax.cli import _demo


@pytest.mark.slow
def test_the_demo_trains_measures_and_says_where(tmp_path, monkeypatch, capsys):
    small = _demo.CONFIG | dict(
        images=40, size=8, latent=4, kernel=3, encoder=(4, 8), decoder=(8, 4), steps=4, batch=8, log_every=2,
        sample_every=2, measure_every=4, save_every=4,
    )  # fmt: skip
    monkeypatch.setattr(_demo, "CONFIG", small)
    one = jax.devices()[:1]
    monkeypatch.setattr(jax, "devices", lambda: one)
    for _ in range(2):  # the second time everything is there
        assert cli.main(["demo", "--out", str(tmp_path / "demo")]) == 0
        out, error = capsys.readouterr()
        assert "encoder.convs.0 to convs.1" in out and "decoder.convs.0 to convs.1" in out
        files = {path.name for path in (tmp_path / "demo").iterdir()}
        written = {"report.html", "pairs.csv", "result.json", "histograms.png", "samples.png", "reconstructions.png"}
        assert files == {"run", *written}
        (said,) = [line for line in error.splitlines() if line.startswith("wrote ")]
        assert all(name in said for name in written) and said.endswith(f" into {tmp_path / 'demo'}")
        assert f"to see it: sicjax open {tmp_path / 'demo'}" in error


def test_a_demo_in_a_folder_of_something_else_is_refused_in_one_line(tmp_path, capsys):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.tex").write_text("years of work")
    assert cli.main(["demo", "--out", str(tmp_path)]) == 1
    assert "is not empty and holds no run" in capsys.readouterr().err
