"""A table of rules, entered where they are written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

Rule = Callable[..., Any]
R = TypeVar("R", bound=Rule)


class Rules(dict[str, Rule]):
    """Operations of a format by name. Called with names, it gives the decorator that enters a rule under each.

    >>> rules = Rules()
    >>> @rules("Add Sub", "Mul")
    ... def arithmetic(): ...
    >>> sorted(rules)
    ['Add', 'Mul', 'Sub']
    """

    def __call__(self, *names: str) -> Callable[[R], R]:
        """Names, several in one text with spaces between.

        Raises:
            ValueError: a name that has a rule.
        """

        def enter(rule: R) -> R:
            for name in " ".join(names).split():
                if name in self:
                    raise ValueError(f"{name} has two rules")
                self[name] = rule
            return rule

        return enter
