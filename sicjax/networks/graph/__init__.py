"""The one vocabulary of operations between convolutions, and the graph that derives pairs from them."""

# ruff: noqa: F401  (this is the index of the folder, for the doors)

from sicjax._limits import MOST_CHANNELS, MOST_PARTS
from sicjax.networks.graph._blocks import depth_to_space, space_to_depth
from sicjax.networks.graph._flow import BATCH, CHANNEL, Flow, Source, constant
from sicjax.networks.graph._graph import Graph
from sicjax.networks.graph._join import BOTH, concatenate, either, elementwise, scaling, stack
from sicjax.networks.graph._network import Layer, Network, Pair, Skipped, skipped_lines
from sicjax.networks.graph._reshape import (
    expand,
    flatten,
    move,
    reshape,
    squeeze,
    swap,
    transpose,
    unflatten,
    unsqueeze,
)
from sicjax.networks.graph._rules import Rule, Rules, ends
from sicjax.networks.graph._select import (
    cut,
    even_sizes,
    flip,
    gated,
    repeat,
    select,
    shuffle,
    split,
    take,
    tile,
    unstack,
)
from sicjax.networks.graph._sizes import OPEN_SIZES, image, per_axis, roles, space_of, transposed, windowed
from sicjax.networks.graph._space import filter_along, pad, pool, reduce, resize
from sicjax.networks.graph._unreachable import COMPUTED, DENSE, LOOP, NO_ONE_FILTER, PRODUCT, RECURRENT, Unreachable
