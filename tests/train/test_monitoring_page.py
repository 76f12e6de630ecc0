"""The program of `docs/monitoring.md` runs as it stands, on a small run, and W&B has what TensorBoard has."""

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import sicjax

ROOT = Path(sicjax.__file__).parents[1]
PAGE = ROOT / "docs" / "monitoring.md"
SMALL = "images=40, size=8, latent=4, kernel=3, encoder=(4, 8), decoder=(8, 4, 4), steps=6, batch=8, measure_every=3, "


@pytest.mark.skipif(not PAGE.exists(), reason=f"the documentation is not here: {PAGE}")
@pytest.mark.skipif(
    any(find_spec(name) is None for name in ("wandb", "tensorboard", "tensorboardX")),
    reason="needs wandb, tensorboard and tensorboardX",
)
def test_weights_and_biases_copies_the_events_offline(tmp_path):
    (program,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
    small = program.replace("VaeConfig(", f"VaeConfig({SMALL}log_every=2, ")
    assert small != program
    environment = os.environ | {"PYTHONPATH": str(ROOT), "WANDB_DIR": str(tmp_path), "WANDB_CONSOLE": "off"}
    done = subprocess.run(
        [sys.executable, "-c", small], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    (log,) = tmp_path.glob("wandb/offline-run-*/*.wandb")
    kept = log.read_bytes()
    for name in (b"metrics/loss", b"sdr/pairs/decoder.convs.0_to_convs.1/adaptation"):
        assert kept.count(name) >= 2, name  # along the run
