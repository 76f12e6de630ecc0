"""One look for all figures: print size, small type, colours that differ in grey."""

from __future__ import annotations

import functools
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, TypeVar

from sicjax._errors import InputError, missing_package

if TYPE_CHECKING:
    from matplotlib.figure import Figure

P = ParamSpec("P")
T = TypeVar("T")

# Width of a page of text, in inches.
PAGE = 6.8
# Dots an inch in a notebook: small type is read on a screen as on paper.
SCREEN = 144
# Okabe and Ito's colours, ordered so that neighbours differ in grey too, with a dash for each.
COLOURS = ("#0072B2", "#E69F00", "#000000", "#CC79A7", "#009E73", "#56B4E9", "#D55E00")
DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1, 1)), (0, (5, 1, 1, 1)), (0, (3, 1)), (0, (7, 2)), (0, (2, 2)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
LOOK: dict[Any, Any] = {
    "font.size": 7,
    "axes.titlesize": 7.5,
    "axes.labelsize": 7,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.labelsize": 6.5,
    "ytick.labelsize": 6.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "legend.fontsize": 6.5,
    "legend.frameon": False,
    "lines.linewidth": 1.1,
    "pdf.fonttype": 42,
}


def styled(function: Callable[P, T]) -> Callable[P, T]:
    """Draws with the look of all figures.

    Raises:
        InputError: by the function, where matplotlib is not installed.
    """

    @functools.wraps(function)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            import matplotlib
        except ImportError as error:
            raise missing_package("matplotlib", "plot", "drawing figures") from error
        with matplotlib.rc_context(LOOK):
            return function(*args, **kwargs)

    return drawn


def new(width: float, height: float) -> Figure:
    """An empty figure of a size in inches, which a notebook shows by itself."""
    return _figure()(figsize=(width, height), layout="constrained")


@functools.cache
def _figure() -> type[Figure]:
    from matplotlib.figure import Figure

    class Shown(Figure):
        """With its PNG, which Jupyter asks for by this name: pyplot, which does it else, would hold every figure."""

        def _repr_png_(self) -> bytes:
            stream = io.BytesIO()
            self.savefig(stream, format="png", dpi=SCREEN)
            return stream.getvalue()

    return Shown


def stamp(figure: Figure, words: str) -> Figure:
    """The figure with words across it that nobody overlooks, for what must not be taken for a result."""
    figure.text(
        0.5, 0.5, words, in_layout=False, ha="center", va="center", rotation=20, fontsize=26, color="#D55E00", alpha=0.3
    )  # fmt: skip
    return figure


@styled
def save(figure: Figure, path: Path, endings: Sequence[Literal[".png", ".pdf"]] = (".png", ".pdf")) -> list[Path]:
    """Writes a figure as PNG, PDF or both, the same bytes for the same figure.

    Arguments:
        figure: to write.
        path: without an ending; its folder is made.
        endings: of the files.

    Returns:
        The files.

    Raises:
        InputError: files that cannot be written.
    """
    files = [path.with_name(path.name + ending) for ending in endings]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for file in files:
            # Without dates and versions.
            stamps = ("Software",) if file.suffix == ".png" else ("CreationDate", "Producer", "Creator")
            figure.savefig(file, dpi=200, metadata=dict.fromkeys(stamps))
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from error
    return files
