"""Both ways of a branch: lists, dictionaries and names are put back after one, then what the two gave is joined."""

from __future__ import annotations

from typing import Any

from sicjax.networks.graph import Graph
from sicjax.networks.torch.aten import joined


class Contents:
    """What the containers that can be reached from some of them hold at one time."""

    def __init__(self, *roots: Any) -> None:
        self.held: dict[int, tuple[Any, Any]] = {}
        stack, seen = list(roots), set()
        while stack:
            part = stack.pop()
            if type(part) not in (list, dict, tuple) or id(part) in seen:
                continue
            seen.add(id(part))
            if type(part) is not tuple:
                self.held[id(part)] = part, part.copy()
            stack.extend(part.values() if type(part) is dict else part)

    def size(self) -> int:
        """How much work it is to keep it."""
        return sum(1 + len(copy) for _, copy in self.held.values())

    def put_back(self) -> None:
        for part, copy in self.held.values():
            _fill(part, copy)

    def join(self, graph: Graph, other: Contents) -> None:
        """Each container holds what it has in either."""
        for key, (part, copy) in self.held.items():
            if key in other.held:
                _fill(part, joined(graph, other.held[key][1], copy))

    def now(self) -> Contents:
        """The same containers as they are now."""
        new = Contents()
        new.held = {key: (part, part.copy()) for key, (part, _) in self.held.items()}
        return new


def _fill(part: Any, contents: Any) -> None:
    """Puts contents into a container, none where they are not known."""
    part.clear()
    if type(part) is dict and type(contents) is dict:
        part.update(contents)
    elif type(part) is list and type(contents) is list:
        part.extend(contents)
