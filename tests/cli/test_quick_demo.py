"""The networks that come with the package, and the demo that measures them at once."""

import json

import numpy as np
import pytest
from flax import nnx

from sicjax import cli, networks, trained, weights


@pytest.mark.parametrize("name", trained.FILES)
def test_they_are_small_and_whole(name):
    file = trained.FILES[name]
    assert file.stat().st_size < 4e6 and all(picture.stat().st_size < 4e5 for picture in trained.PICTURES[name])
    stated = json.loads(file.with_suffix(".json").read_text())
    assert stated["config"]["kind"] == name and stated["ended"]["step"] == stated["config"]["steps"]
    net = networks.from_file(file)
    assert len(net.pairs) >= 4 and not any("not named" in reason for _, reason in net.skipped)
    assert all(np.isfinite(array).all() for array in weights.read(file).arrays.values())


@pytest.mark.parametrize("name", trained.FILES)
def test_the_modules_have_their_weights(name):
    arrays = weights.read(trained.FILES[name]).arrays
    for part, module in trained.load(name).items():
        state = nnx.to_pure_dict(nnx.state(module))
        for k, layer in state["convs"].items():
            np.testing.assert_array_equal(layer["kernel"], arrays[f"{part}.convs.{k}.kernel"])
        np.testing.assert_array_equal(state["norms"][0]["mean"], arrays[f"{part}.norms.0.mean"])


@pytest.mark.slow
def test_the_quick_demo_measures_them(tmp_path, capsys):
    assert cli.main(["demo", "--quick", "--out", str(tmp_path)]) == 0
    out, said = capsys.readouterr()
    assert "decoder.convs.0 to decoder.convs.1" in out and "came with the package" in said
    files = {path.name for path in tmp_path.iterdir()}
    pictures = {picture.name for name in trained.PICTURES for picture in trained.PICTURES[name]}
    assert files >= {"report.html", "pairs.csv", "result.json", "histograms.png", *pictures}
