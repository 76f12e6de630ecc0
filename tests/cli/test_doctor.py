"""`sicjax doctor`: what is there, and how to get what is not."""

import sys

import jax

from sicjax import cli
from sicjax._extras import EXTRAS, REQUIRED
from sicjax.networks import FORMATS


def test_doctor_names_what_is_there_and_what_is_missing(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    assert cli.main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert f"  jax {jax.__version__}" in lines and any("(cpu:" in line for line in lines)
    for name in (*REQUIRED, *EXTRAS):
        assert any(line.startswith(f"  {name}") for line in lines)
    assert "  keras: missing h5py: pip install 'sicjax[keras]'" in lines
    assert "  Keras .keras .h5 .hdf5: pip install 'sicjax[keras]'" in lines
    assert "  NumPy .npz: yes" in lines
    assert all(any(line.startswith(f"  {row.name}") for line in lines) for row in FORMATS)
