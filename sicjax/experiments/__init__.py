"""The paper's experiments: one module each; what they find is judged claim by claim.

```python
lab = experiments.open_lab(Path("out"), experiments.PRESETS["tiny"])
for experiment in experiments.chosen(["fig4", "fig5"]):
    experiments.carry_out(lab, experiment)      # out/gan_levels/result.json, fig4.png, fig4.pdf, ...
experiments.write_report([lab.out], lab.out / "report.md")      # and out/claims.json
```

A new one is a module that makes an `Experiment`, with its figures, numbers and claims, and its name in `_registry.py`.
"""

from sicjax.experiments._carry_on import carry_on, missing
from sicjax.experiments._claim import Claim, claim
from sicjax.experiments._experiment import Chapter, Drawing, Experiment, carry_out
from sicjax.experiments._lab import Lab, Stopped, open_lab
from sicjax.experiments._preset import PRESETS, UNTRAINED, Preset
from sicjax.experiments._registry import CLAIMS, EXPERIMENTS, FIGURES, chosen, judge_all, results_in
from sicjax.experiments._report import write_report
from sicjax.experiments._reproduction import write_reproduction
from sicjax.experiments._untrained import write_untrained

__all__ = [
    "CLAIMS",
    "EXPERIMENTS",
    "FIGURES",
    "PRESETS",
    "UNTRAINED",
    "Chapter",
    "Claim",
    "Drawing",
    "Experiment",
    "Lab",
    "Preset",
    "Stopped",
    "carry_on",
    "carry_out",
    "chosen",
    "claim",
    "judge_all",
    "missing",
    "open_lab",
    "results_in",
    "write_report",
    "write_reproduction",
    "write_untrained",
]
