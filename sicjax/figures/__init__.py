"""Results to matplotlib figures."""

from sicjax.figures._changes import Change, Course, changes, courses
from sicjax.figures._compare import Dots, Row, compare, forest
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
    "Pathway",
    "Row",
    "Track",
    "blocks",
    "changes",
    "compare",
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
    "table",
    "training",
]
