"""What a user lets a file take: time and memory, in place of what goes with its size; over it, a reason."""

import argparse
import json
import time

import jsonschema
import numpy as np
import pytest
from bombs import BOMBS
from files import FILES
from onnx_net import kernel
from safetensors.numpy import save_file

from sicjax import _limits, cli, measure, networks
from sicjax._errors import InputError
from sicjax.cli._reading import _limit
from sicjax.networks import Limit


@pytest.fixture
def folder(tmp_path):
    """Two small networks that state their strides, and of which there is nothing to compile."""
    layers = [{"type": "conv", "weight": name, "layout": "OIHW", "stride": 2} for name in "ab"]
    for name in ("one", "two"):
        save_file({"a": kernel(4, 3, 1, 1), "b": kernel(5, 4, 1, 1)}, tmp_path / f"{name}.safetensors")
        (tmp_path / f"{name}.json").write_text(json.dumps({"networks": {"net": layers}}))
    return tmp_path


@pytest.mark.parametrize(
    "text, limit",
    [
        ("30s", Limit(30)),
        ("0.5 min", Limit(30)),
        ("4GB", Limit(None, 4 * 10**9)),
        ("1h,2GiB", Limit(3600, 2**31)),
        ("1.5MiB, 2s", Limit(2, 3 * 2**19)),
    ],
)
def test_a_limit_is_time_or_memory_or_both(text, limit):
    assert _limit(text) == limit


@pytest.mark.parametrize("text", ["", "30", "s", "-1s", "0s", "1s,2s", "1GB,2GB", "1e3s", "1gb", "1s,", "٣s"])
def test_what_is_no_limit_is_wrong_usage(text):
    with pytest.raises(argparse.ArgumentTypeError, match="expected such as 30s or 10min,4GB"):
        _limit(text)


def test_a_file_that_takes_too_long_is_a_row_with_the_reason(folder, capsys, monkeypatch):
    late(monkeypatch, after="two.safetensors")
    assert cli.main(["measure", str(folder), "--limit", "1h", "--json"]) == 3
    shown = capsys.readouterr()
    one, two = json.loads(shown.out)
    said = f"{folder}/two.safetensors: it takes more than the 3600 seconds that it was given, 0 of 1 pairs measured"
    assert len(one["cascades"]) == 1 and two["error"].startswith(said) and said in shown.err
    jsonschema.validate(two, measure.schema())
    with pytest.raises(InputError, match="two.safetensors: it takes more than the 3600 seconds"):
        measure.measure(sorted(folder.glob("*.safetensors")), limit=Limit(3600))
    assert cli.main(["compare", *map(str, sorted(folder.glob("*.safetensors"))), "--limit", "1h"]) == 1
    assert "two.safetensors: it takes more than" in capsys.readouterr().err


def late(monkeypatch, after):
    """Once a file is read, a day goes by."""
    gone, clock, read = [0], time.monotonic, networks.from_file

    def slowly(path, **how):
        network = read(path, **how)
        gone[0] += 86400 * str(path).endswith(after)
        return network

    monkeypatch.setattr(networks, "from_file", slowly)
    monkeypatch.setattr(_limits.time, "monotonic", lambda: clock() + gone[0])


def test_what_was_measured_counts_under_any_limit(folder):
    sources = measure.find([folder])
    with measure.Archive(folder / "out") as archive:
        found = list(measure.measure_many(sources, archive=archive))
        again = list(measure.measure_many(sources, archive=archive, limit=Limit(3600, 10**9)))
    assert [one.record for one in found] == [one.record for one in again]
    assert [one.new for one in found] == [True] * 2 and [one.new for one in again] == [False] * 2


def test_reading_ends_with_the_time(tmp_path):
    pytest.importorskip("onnx")
    path = BOMBS["onnx: 600 dense layers"](tmp_path)
    with pytest.raises(InputError, match="net.onnx: .*it takes more than the 1e-05 seconds"):
        networks.from_file(path, limit=Limit(1e-5))


def test_memory_is_what_it_was_given(tmp_path, monkeypatch):
    np.savez_compressed(tmp_path / "net.npz", **{"a.weight": kernel(4, 3, 3, 3), "b.weight": kernel(5, 4, 3, 3)})
    with pytest.raises(InputError, match="more than it may, the 400 given: if you trust it, give it a higher limit"):
        networks.from_file(tmp_path / "net.npz", stride=1, limit=Limit(memory=400))
    monkeypatch.setattr(_limits, "MOST_MADE", 0)
    monkeypatch.setattr(_limits, "MADE_EACH", 0)
    with pytest.raises(InputError, match="0 and 0 times its own size"):
        networks.from_file(tmp_path / "net.npz", stride=1)
    assert networks.from_file(tmp_path / "net.npz", stride=1, limit=Limit(memory=10**6)).pairs


def test_with_a_time_steps_are_not_counted(tmp_path, monkeypatch):
    pytest.importorskip("onnx")
    monkeypatch.setattr(_limits, "MOST_STEPS", 0)
    path = FILES["ONNX"](tmp_path)
    with pytest.raises(InputError, match="more than 0 steps to follow"):
        networks.from_file(path)
    assert networks.from_file(path, limit=Limit(60)).pairs


def test_a_limit_inside_of_another_is_the_outer_one():
    with _limits.within(Limit(3600)), _limits.within(Limit(-1)):
        _limits.in_time()
    with _limits.within(Limit(-1)), _limits.within(Limit(3600)), pytest.raises(_limits.OutOfTime):
        _limits.in_time()
