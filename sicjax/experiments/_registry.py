"""Which experiment draws which figure."""

from __future__ import annotations

from collections.abc import Sequence

from sicjax._errors import InputError
from sicjax.experiments import dropout, gan_levels, illustration, penalty, public, removal, sweep, vae_levels
from sicjax.experiments._experiment import Experiment

EXPERIMENTS: tuple[Experiment, ...] = (
    illustration.EXPERIMENT,
    gan_levels.EXPERIMENT,
    vae_levels.EXPERIMENT,
    removal.EXPERIMENT,
    sweep.EXPERIMENT,
    dropout.EXPERIMENT,
    penalty.EXPERIMENT,
    public.EXPERIMENT,
)


def chosen(names: Sequence[str]) -> list[Experiment]:
    """The experiments of figures (`fig4`), by their own names (`penalty`), or `all`; each once, in their order.

    Raises:
        InputError: a name that there is not.
    """
    known = {experiment.name for experiment in EXPERIMENTS} | {f for e in EXPERIMENTS for f in e.figures} | {"all"}
    # The paper's halves of a figure are drawn together.
    given = [name.removesuffix("a").removesuffix("b") if name in ("fig3a", "fig3b") else name for name in names]
    unknown = [name for name in given if name not in known]
    if unknown:
        figures = sorted((f for e in EXPERIMENTS for f in e.figures), key=lambda name: int(name.removeprefix("fig")))
        others = [experiment.name for experiment in EXPERIMENTS]
        raise InputError(
            f"nothing to reproduce is called {', '.join(unknown)}; there are {', '.join(figures)}, all, and the "
            f"experiments {', '.join(others)}"
        )
    return [e for e in EXPERIMENTS if "all" in given or e.name in given or set(e.figures) & set(given)]
