"""What stands between two convolutions that a pair cannot reach across."""

from __future__ import annotations

from collections.abc import Sequence

# Reasons that every format has.
COMPUTED = "a convolution whose kernel is computed from the input"
DENSE = "a dense layer"
PRODUCT = "a product of two values that depend on the input, as in attention"
RECURRENT = "a recurrent layer"
NO_ONE_FILTER = "an operation with no one filter"
LOOP = "a part of the program that may run any number of times"


class Unreachable(Exception):
    """Raised by an operation that no pair reaches across; `Graph.follow` catches it and ends the chain.

    Arguments:
        reason: in words, such as `a dense layer`.
        name: of what it is, where that is not the operation's own, such as that of its weights.
        shape: of the result, where it is known; formats that state it do not need this one.
        kind: the reason without names of this network, where it has some; layers with the same are told together.
    """

    def __init__(self, reason: str, name: str = "", shape: Sequence[int] = (), kind: str = "") -> None:
        super().__init__(reason)
        self.reason, self.name, self.shape, self.kind = reason, name, tuple(shape), kind or reason
