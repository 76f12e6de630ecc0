"""Files to rows of numbers, and these to tables, histograms and graphs: what `sicjax measure` shows."""

from sicjax.measure._graphviz import write_graph
from sicjax.measure._levels import by_level
from sicjax.measure._rows import EDGES, NEAR_ONE, QUANTILES, Measured, Row, measure
from sicjax.measure._write import as_json, write

__all__ = [
    "EDGES",
    "NEAR_ONE",
    "QUANTILES",
    "Measured",
    "Row",
    "as_json",
    "by_level",
    "measure",
    "write",
    "write_graph",
]
