"""Training the paper's networks, each run in a directory of its own.

```python
train.gan(train.GanConfig(data="celeb_a"), "runs/gan")     # again: goes on where it stopped
train.vae(train.VaeConfig(beta=0.1), "runs/vae")
models.load("runs/vae")["decoder"]                         # the trained networks
```
"""

from sicjax._extras import require

require("train", "sicjax.train", "flax", "optax", "grain", "pillow")

from sicjax.train._config import GROUPS, PRESETS, Config, GanConfig, VaeConfig
from sicjax.train._gan import GanState, gan, gan_task
from sicjax.train._loop import Result, run
from sicjax.train._shown import shown
from sicjax.train._task import Task
from sicjax.train._vae import VaeState, vae, vae_task

__all__ = [
    "GROUPS",
    "PRESETS",
    "Config",
    "GanConfig",
    "GanState",
    "Result",
    "Task",
    "VaeConfig",
    "VaeState",
    "gan",
    "gan_task",
    "run",
    "shown",
    "vae",
    "vae_task",
]
