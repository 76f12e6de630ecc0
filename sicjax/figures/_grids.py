"""Images in labelled rows and columns: Fig. 6, 7, 10, 11 and 13."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import UInt8

from sicjax.figures._style import PAGE, new, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# White pixels between images.
GAP = 2


def sheet(images: UInt8[np.ndarray, "rows columns h w 3"], wide_after: int = 0) -> UInt8[np.ndarray, "y x 3"]:
    """Images side by side, white between them, more of it after so many columns."""
    rows, columns, height, width, _ = images.shape
    gap, lefts = _places(columns, height, width, wide_after)
    page = np.full((rows * (height + gap) - gap, lefts[-1] + width, 3), 255, np.uint8)
    for row in range(rows):
        for column, x in enumerate(lefts):
            y = row * (height + gap)
            page[y : y + height, x : x + width] = images[row, column]
    return page


def _places(columns: int, height: int, width: int, wide_after: int) -> tuple[int, list[int]]:
    """The gap, and where each column starts."""
    gap = max(GAP * height // 32, 1)
    return gap, [x * (width + gap) + (4 * gap if wide_after and x >= wide_after else 0) for x in range(columns)]


@styled
def table(
    images: UInt8[np.ndarray, "rows columns h w 3"],
    *,
    columns: Sequence[str],
    rows: Sequence[str] = (),
    width: float = PAGE,
    notes: Sequence[str] = (),
    gap_after: int = 0,
    title: str = "",
) -> Figure:
    """A table of images, one a cell.

    Arguments:
        images: by row and column.
        columns: headings.
        rows: headings, or none.
        width: of the figure in inches.
        notes: a line under each column, or none.
        gap_after: a wider gap after so many columns.
        title: above all of it.

    Raises:
        InputError: matplotlib is not installed.
    """
    page = sheet(images, gap_after)
    inner = width - (0.75 if rows else 0.1)
    lines = 1 + max((heading.count("\n") for heading in columns), default=0) if any(columns) else 0
    lines += 1 if title else 0
    extra = 0.13 * lines + 0.1 + (0.14 * (1 + max(note.count("\n") for note in notes)) if notes else 0)
    figure = new(width, inner * page.shape[0] / page.shape[1] + extra)
    panel = figure.subplots()
    _show(panel, page)
    _, count, high, wide, _ = images.shape
    _, lefts = _places(count, high, wide, gap_after)
    if title:
        figure.suptitle(title, fontsize=7.5)
    for k, heading in enumerate(columns):
        x = lefts[k] + wide / 2
        panel.text(x, -0.01 * page.shape[1], heading, ha="center", va="bottom", fontsize=6.5)
        if notes:
            panel.text(x, page.shape[0] * 1.0 + 0.012 * page.shape[1], notes[k], ha="center", va="top", fontsize=6)
    for k, heading in enumerate(rows):
        y = (k + 0.5) / len(images) * page.shape[0]
        panel.text(-0.012 * page.shape[1], y, heading, ha="right", va="center", fontsize=6.5)
    return figure


@styled
def blocks(
    images: Mapping[tuple[str, str], UInt8[np.ndarray, "n h w 3"]], *, across: int = 6, width: float = PAGE
) -> Figure:
    """Blocks of images by the heading of their row and of their column, as in the paper's Fig. 7.

    Raises:
        InputError: matplotlib is not installed.
    """
    rows, columns = (list(dict.fromkeys(key[axis] for key in images)) for axis in (0, 1))
    pages = {key: sheet(_folded(block, across)) for key, block in images.items()}
    shape = next(iter(pages.values())).shape
    each = width / len(columns)
    figure = new(width, len(rows) * (each * shape[0] / shape[1] + 0.06) + 0.2)
    panels = figure.subplots(len(rows), len(columns), squeeze=False)
    for panel_row, row in zip(panels, rows, strict=True):
        for panel, column in zip(panel_row, columns, strict=True):
            if (row, column) in pages:
                _show(panel, pages[row, column])
            if row == rows[0]:
                panel.set_title(column)
        panel_row[0].set_ylabel(row)
    return figure


def _folded(images: np.ndarray, across: int) -> np.ndarray:
    kept = len(images) // across * across
    return images[:kept].reshape(-1, across, *images.shape[1:])


def _show(panel: Axes, page: np.ndarray) -> None:
    panel.imshow(page, interpolation="nearest")
    panel.set_xticks([])
    panel.set_yticks([])
    panel.spines[:].set_visible(False)
