"""Files to rows of numbers, and these to tables, histograms and graphs: what `sicjax measure` shows.

```python
measure(["generator.onnx"])                      # rows and histograms of a few files
with Archive("results") as archive:              # records of many, measured once and one by one
    for found in measure_many(find(["checkpoints"]), archive=archive, jobs=8):
        found.record                             # an object of `measure --json`, described by `schema()`
```
"""

from sicjax.measure._archive import Archive
from sicjax.measure._closer import Closer, Place, closer
from sicjax.measure._cluster import Cluster, cluster
from sicjax.measure._compare import Comparison, LayerChange, PairChange, compare
from sicjax.measure._courses import courses
from sicjax.measure._energies import RankTest, rank_test
from sicjax.measure._gather import gather
from sicjax.measure._graphviz import check_graph, write_graph
from sicjax.measure._identity import SCHEMA, Identity, Settings
from sicjax.measure._levels import by_level, shuffled
from sicjax.measure._many import Found, measure_many
from sicjax.measure._meaning import COLUMNS, WORDS
from sicjax.measure._parquet import read_archive, write_parquet
from sicjax.measure._paths import Source, by_number, find, shard
from sicjax.measure._record import Record, as_json, rows_of, schema
from sicjax.measure._rows import EDGES, NEAR_ONE, QUANTILES, Measured, Row, measure
from sicjax.measure._whole import whole
from sicjax.measure._write import print_json, write, write_histograms, write_records
from sicjax.measure._write_changes import comparison_as_json, write_comparisons

__all__ = [
    "COLUMNS",
    "WORDS",
    "EDGES",
    "NEAR_ONE",
    "QUANTILES",
    "SCHEMA",
    "Archive",
    "Closer",
    "Cluster",
    "Comparison",
    "Found",
    "Identity",
    "LayerChange",
    "Measured",
    "PairChange",
    "Place",
    "RankTest",
    "Record",
    "Row",
    "Settings",
    "Source",
    "as_json",
    "by_level",
    "by_number",
    "check_graph",
    "closer",
    "cluster",
    "compare",
    "comparison_as_json",
    "courses",
    "find",
    "gather",
    "measure",
    "measure_many",
    "print_json",
    "rank_test",
    "read_archive",
    "rows_of",
    "schema",
    "shard",
    "shuffled",
    "whole",
    "write",
    "write_comparisons",
    "write_graph",
    "write_histograms",
    "write_parquet",
    "write_records",
]
