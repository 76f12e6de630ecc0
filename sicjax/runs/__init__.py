"""The directory of a training run: what lies where, who writes it, and how to read it back.

```python
runs.describe("runs/vae").config                # what was trained
runs.log("runs/vae", "metrics")                 # the lines of a log: metrics, scores, sdr
runs.measures("runs/vae")                       # every pair of layers along the training, with its histograms
runs.pictures("runs/vae", "samples", size=64)   # the images drawn along the training
runs.checkpoints("runs/vae")                    # steps; the networks of one: models.load("runs/vae", step="best")
```

It knows arrays and names, not networks: `sicjax.models` builds those from their blueprints, and `sicjax.train` writes
through a `Writer`.
"""

from sicjax.runs._changes import FREE, changes, flag, lasting
from sicjax.runs._checkpoints import checkpoint_files, checkpoints, latest, state
from sicjax.runs._description import Blueprint, Description, describe, is_run
from sicjax.runs._logs import log
from sicjax.runs._measures import Measure, measures
from sicjax.runs._pictures import grid, picture_files, pictures
from sicjax.runs._places import CONTENTS, MEASURES, METRICS, RECONSTRUCTIONS, SAMPLES, SCORES
from sicjax.runs._writer import Writer

__all__ = [
    "CONTENTS",
    "FREE",
    "MEASURES",
    "METRICS",
    "RECONSTRUCTIONS",
    "SAMPLES",
    "SCORES",
    "Blueprint",
    "Description",
    "Measure",
    "Writer",
    "changes",
    "checkpoint_files",
    "checkpoints",
    "describe",
    "flag",
    "grid",
    "is_run",
    "lasting",
    "latest",
    "log",
    "measures",
    "picture_files",
    "pictures",
    "state",
]
