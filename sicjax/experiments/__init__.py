"""The paper's experiments: one module each; what they find is judged claim by claim.

```python
lab = experiments.open_lab(Path("out"), experiments.PRESETS["tiny"])
for experiment in experiments.chosen(["fig4", "fig5"]):
    experiments.carry_out(lab, experiment)      # out/gan_levels/result.json, fig4.png, fig4.pdf, ...
experiments.write_report([lab.out], lab.out / "report.md")      # and out/claims.json
```
"""

from sicjax.experiments._experiment import Experiment, carry_out
from sicjax.experiments._lab import Lab, Stopped, open_lab
from sicjax.experiments._preset import PRESETS, Preset
from sicjax.experiments._registry import EXPERIMENTS, chosen
from sicjax.experiments._report import results_in, write_report

__all__ = [
    "EXPERIMENTS",
    "PRESETS",
    "Experiment",
    "Lab",
    "Preset",
    "Stopped",
    "carry_out",
    "chosen",
    "open_lab",
    "results_in",
    "write_report",
]
