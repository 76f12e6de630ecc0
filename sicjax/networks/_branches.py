"""One flow for the two that a network has after a branch that cannot be decided."""

from __future__ import annotations

from sicjax.networks._flow import Flow
from sicjax.networks._graph import Graph
from sicjax.networks._operations import elementwise

BOTH = (
    "where the program branches on values that are not known, both branches are followed: "
    "a pair may join layers that no one input passes"
)


def either(graph: Graph, a: Flow, b: Flow) -> Flow:
    """What is either of two values: every convolution that reaches one of them reaches it."""
    sourced = [x for x in (a, b) if x.sources]
    if not sourced and a.shape != b.shape:
        return Flow((), (), origin=a.origin or b.origin)
    if len(sourced) < 2:
        return (sourced or [a])[0]
    if a.shape == b.shape and [s.key() for s in a.sources] == [s.key() for s in b.sources]:
        return a
    channels = [{source.channels.shape for source in x.sources} for x in (a, b)]
    if a.axes != b.axes or channels[0] != channels[1]:
        return graph.end([a, b], a.shape, "two branches of the program that give values of different shapes")
    graph.note(BOTH)
    return elementwise([a, b._replace(shape=a.shape)], a.shape)
