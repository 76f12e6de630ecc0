"""A part of the campaign: files of every format, damaged in every way, and nothing but read or refused in one line."""

import pickle

import pytest

pytest.importorskip("onnx")
pytest.importorskip("h5py")

from campaign import Campaign
from damage_pickles import MARK, runs
from files import FILES
from mutations import KINDS, kinds_of


def test_damaged_files_are_read_or_refused():
    small = [format for format in FILES if "public" not in format and format != "torch.export"]
    campaign = Campaign(seed=2026, formats=small)
    try:
        cases = list(campaign.run(range(300)))
    finally:
        campaign.close()
    assert not [case for case in cases if case.outcome.found]
    outcomes = [case.outcome.outcome for case in cases]
    assert min(outcomes.count("read"), outcomes.count("refused")) > 50


def test_every_way_to_damage_a_file_has_a_format():
    assert {kind for format in FILES for kind in kinds_of(format)} >= KINDS.keys() - {"code"}


def test_a_reader_that_is_lost_is_a_finding(tmp_path):
    campaign = Campaign(seed=0, formats=["safetensors"])
    try:
        reader = campaign._reader
        assert reader.read(FILES["safetensors"](tmp_path)).outcome == "read"
        reader.seconds = 0
        assert reader.read(tmp_path / "net.safetensors").outcome == "over time"
        reader.seconds = 60
        assert reader.read(tmp_path / "net.safetensors").outcome == "read"
        reader._process.kill()
        assert reader.read(tmp_path / "net.safetensors").outcome == "killed"
    finally:
        campaign.close()


@pytest.mark.parametrize("kind", ["reduce", "open", "instance", "object", "stacked name"])
def test_what_a_payload_runs_leaves_a_mark(tmp_path, kind):
    """Where it is run, as by Python's own reader."""
    mark = tmp_path / MARK
    found = pickle.loads(b"\x80\x02" + runs(str(mark))[kind] + b".")
    if kind == "open":
        found.close()
    assert mark.exists()
