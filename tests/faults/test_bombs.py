"""Small files that ask for much are read or refused, within a gigabyte; a reader that is lost is a failure."""

import pytest

pytest.importorskip("onnx")
pytest.importorskip("h5py")

from bombs import BOMBS, SLOW
from reader import Reader


@pytest.fixture(scope="module")
def reader():
    # Minutes, for machines that do much beside: the campaign has a limit of seconds.
    reader = Reader(seconds=120)
    yield reader
    reader.close()


@pytest.mark.parametrize("kind", sorted(BOMBS.keys() - SLOW))
def test_it_is_read_or_refused(tmp_path, reader, kind):
    outcome = reader.read(BOMBS[kind](tmp_path))
    assert not outcome.found, outcome
