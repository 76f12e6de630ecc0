"""Results to matplotlib figures: what `sicjax reproduce` and `sicjax measure --out` draw, and pictures of one's own.

```python
net = networks.from_file("generator.pth", stride=2)
pair = net.pairs[0].cascade
i, m, o = sdr.extremes(pair, 1).highest_at[0]    # the pathway of the highest ratio
figures.save(figures.pathway(pair, i, m, o, names=("main.0", "main.3")), Path("pathway"))  # pathway.png, pathway.pdf
```

Each function returns a `matplotlib.figure.Figure`, drawn with one look and no global state; `save` writes it.

* one network: `pathway` (two kernels, their spectra on one frequency axis, the product), `kernels`, `coupling`,
  `network_dot` and `network_tree` (its layers and pairs)
* its ratios: `distributions` (level by level, with the null and what the mean is made of), `directions`
* several networks or versions: `compare`, `forest`, `intervals`, `changes`, `courses`
* along training: `training`, `lines`
* images: `table`, `blocks`, and `removal` for what editing did to them
"""

from sicjax.figures._changes import Change, Course, changes, courses
from sicjax.figures._compare import Dots, Row, compare, forest
from sicjax.figures._compositions import compositions
from sicjax.figures._coupling import coupled_spectra, coupling
from sicjax.figures._directions import directions
from sicjax.figures._distributions import Level, distributions
from sicjax.figures._grids import blocks, table
from sicjax.figures._intervals import intervals
from sicjax.figures._kernels import Composition, kernels
from sicjax.figures._lines import Curve, lines
from sicjax.figures._network import Edge, network_dot, network_tree
from sicjax.figures._pathway import Pathway, pathway, pathway_parts
from sicjax.figures._removal import removal
from sicjax.figures._style import save, stamp
from sicjax.figures._training import Track, training

__all__ = [
    "Change",
    "Composition",
    "Course",
    "Curve",
    "Dots",
    "Edge",
    "Level",
    "Pathway",
    "Row",
    "Track",
    "blocks",
    "changes",
    "compare",
    "compositions",
    "coupled_spectra",
    "coupling",
    "courses",
    "directions",
    "distributions",
    "forest",
    "intervals",
    "kernels",
    "lines",
    "network_dot",
    "network_tree",
    "pathway",
    "pathway_parts",
    "removal",
    "save",
    "stamp",
    "table",
    "training",
]
