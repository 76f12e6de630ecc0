"""A table of rules, entered where they are written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, NoReturn, TypeVar

from sicjax.networks.graph._unreachable import Unreachable

Rule = Callable[..., Any]
F = TypeVar("F", bound=Rule)
R = TypeVar("R", bound=Rule)


class Rules(dict[str, R], Generic[R]):
    """Operations of a format by name. Called with names, it gives the decorator that enters a rule under each.

    >>> rules = Rules()
    >>> @rules("Add Sub", "Mul")
    ... def arithmetic(): ...
    >>> rules.table({"Relu Elu": lambda: ...})
    >>> sorted(rules)
    ['Add', 'Elu', 'Mul', 'Relu', 'Sub']
    """

    def __call__(self, *names: str) -> Callable[[F], F]:
        def enter(rule: F) -> F:
            self.table({" ".join(names): rule})  # type: ignore[dict-item]
            return rule

        return enter

    def table(self, rows: Mapping[str, R]) -> None:
        """Enters rules that are one expression, each under its names, with spaces between.

        Raises:
            ValueError: a name that has a rule.
        """
        for name, rule in ((name, rule) for names, rule in rows.items() for name in names.split()):
            if name in self:
                raise ValueError(f"{name} has two rules")
            self[name] = rule


def ends(reason: str) -> Callable[..., NoReturn]:
    """The rule of what no pair reaches across."""

    def rule(*_: Any, **__: Any) -> NoReturn:
        raise Unreachable(reason)

    return rule
