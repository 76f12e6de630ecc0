"""Results to matplotlib figures."""

from sicjax.figures._changes import Change, Course, changes, courses
from sicjax.figures._compare import Dots, Row, compare, forest
from sicjax.figures._compositions import compositions
from sicjax.figures._coupling import coupling
from sicjax.figures._directions import directions
from sicjax.figures._distributions import Level, distributions
from sicjax.figures._grids import blocks, table
from sicjax.figures._intervals import intervals
from sicjax.figures._kernels import Composition, kernels
from sicjax.figures._lines import Curve, lines
from sicjax.figures._network import Edge, network_dot, network_tree
from sicjax.figures._pathway import pathway
from sicjax.figures._removal import removal
from sicjax.figures._style import save
from sicjax.figures._training import Track, training

__all__ = [
    "Change",
    "Composition",
    "Course",
    "Curve",
    "Dots",
    "Edge",
    "Level",
    "Row",
    "Track",
    "blocks",
    "changes",
    "compare",
    "coupling",
    "courses",
    "compositions",
    "directions",
    "distributions",
    "forest",
    "intervals",
    "kernels",
    "lines",
    "network_dot",
    "network_tree",
    "pathway",
    "removal",
    "save",
    "table",
    "training",
]
