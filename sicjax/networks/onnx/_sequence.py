"""Sequences of ONNX, which exporters write for chunks and splits, as the plain operators they stand for."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from sicjax.networks._flow import Flow
from sicjax.networks._onnx_step import Step, Value
from sicjax.networks._onnx_tensors import Constant

KINDS = frozenset("SplitToSequence SequenceConstruct SequenceAt SequenceLength ConcatFromSequence".split())
# Parts of one sequence; a file can ask for any number in a few bytes.
_MOST_PARTS = 4096


def follow(step: Step, plain: Callable[[str, list[Value], int, dict[str, Any]], list[Value]]) -> Value | None:
    """The result of an operator on sequences, None where it is not known.

    `plain` follows an operator of the newest kind on these values, with so many outputs and these attributes.
    """
    given = [value for value in step.inputs if value is not None]
    match step.node.op_type:
        case "SequenceConstruct":
            return sequence(given)
        case "SplitToSequence":
            return _split(step, plain)
    parts = given[0].parts if given else None
    if parts is None:
        return None
    match step.node.op_type:
        case "SequenceAt":
            position = step.constant(1)
            return None if position is None else parts[int(position)]
        case "SequenceLength":
            return whole(len(parts))
        case "ConcatFromSequence":
            axis = step.attribute("axis")
            if step.attribute("new_axis", 0):
                parts = [plain("Unsqueeze", [part, whole([axis])], 1, {})[0] for part in parts]
            return plain("Concat", list(parts), 1, {"axis": axis})[0]
    return None


def _split(step: Step, plain: Callable) -> Value | None:
    x = step.inputs[0] if step.inputs else None
    if x is None or not x.shape:
        return None
    axis = step.attribute("axis", 0)
    size = x.shape[axis]
    stated = step.constant(1)
    if stated is None and len(step.inputs) > 1 and step.inputs[1] is not None:
        return None
    lengths = [1] if stated is None else [int(n) for n in np.ravel(stated)]
    if stated is None or stated.ndim == 0:
        (each,) = lengths
        if each < 1 or size // each > _MOST_PARTS:
            return None
        lengths = [each] * (size // each) + ([size % each] if size % each else [])
    if not 0 < len(lengths) <= _MOST_PARTS or math.fsum(lengths) != size:
        return None
    parts = plain("Split", [x, whole(lengths)], len(lengths), {"axis": axis})
    if len(step.inputs) < 2 and not step.attribute("keepdims", 1):
        parts = [plain("Squeeze", [part, whole([axis])], 1, {})[0] for part in parts]
    return sequence(parts)


def sequence(parts: list[Value]) -> Value:
    """What a sequence is to an operator that does not know of them: all the convolutions that reach its parts."""
    sources = tuple(source for part in parts for source in part.flow.sources)
    return Value(Flow((), (), sources), 0, (), parts=tuple(parts))


def whole(numbers: Any) -> Value:
    """A constant of whole numbers."""
    array = np.asarray(numbers, np.int64)
    held = Constant("", array.shape, lambda: array)
    return Value(Flow(array.shape, ()), 7, array.shape, held)
