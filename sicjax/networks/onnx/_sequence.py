"""Sequences, which exporters write for chunks and splits."""

from __future__ import annotations

import numpy as np

from sicjax.networks import graph
from sicjax.networks.graph import Flow, Unreachable
from sicjax.networks.onnx._step import Step, Value, known, rules

rules.table(
    {
        "SequenceAt": lambda step: _parts(step)[int(np.asarray(step.constant(1)))],
        "SequenceConstruct": lambda step: _sequence(step.given),
        "SequenceLength": lambda step: known(np.int64(len(_parts(step)))),
    }
)


@rules("SplitToSequence")
def _split_to_sequence(step: Step) -> Value:
    """Parts of one length or of these lengths, or single places, without their axis if so said."""
    x, lengths = step.given[0], step.constant(1)
    axis = x.flow.axis(step.attribute("axis", 0))
    size = x.flow.shape[axis]
    if lengths is None or lengths.ndim == 0:
        sizes = graph.even_sizes(size, 1 if lengths is None else int(lengths))
    else:
        sizes = step.setting("split", 1) or []
    if sum(sizes) != size:
        raise ValueError(f"parts of {sizes!r:.60} places of {size}")
    flows = graph.split(x.flow, axis, sizes)
    if lengths is None and not step.attribute("keepdims", 1):
        flows = [graph.squeeze(flow, [axis]) for flow in flows]
    if x.held is not None and x.held.small:
        arrays = np.split(x.held.value, np.cumsum(sizes)[:-1].tolist(), axis)
        return _sequence([known(a.reshape(f.shape)) for a, f in zip(arrays, flows, strict=True)])
    return _sequence([Value(flow, x.elem, flow.shape) for flow in flows])


@rules("ConcatFromSequence")
def _concat_from_sequence(step: Step) -> Flow | Value:
    parts, axis, new = _parts(step), step.attribute("axis"), step.attribute("new_axis", 0)
    arrays = [part.held.value for part in parts if part.held is not None and part.held.small]
    if arrays and len(arrays) == len(parts):
        return known((np.stack if new else np.concatenate)(arrays, axis))
    return (graph.stack if new else graph.concatenate)([part.flow for part in parts], axis)


def _parts(step: Step) -> tuple[Value, ...]:
    if not step.given or step.given[0].parts is None:
        raise Unreachable("a sequence that is not known")
    return step.given[0].parts


def _sequence(parts: list[Value]) -> Value:
    """What a sequence is to an operator that does not know of them: all the convolutions that reach its parts."""
    sources = tuple(source for part in parts for source in part.flow.sources)
    return Value(Flow((), (), sources), 0, (), parts=tuple(parts))
