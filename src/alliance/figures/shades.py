"""Tables in shades: a number in every cell, the darker the more."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from alliance.figures import style
from alliance.findings.formats import MISSING, format_value

GAP = 3.0  # points of white between cells
DARK = 0.45  # a number in a cell darker than this is white
SHADES = style.SHADES.with_extremes(bad=(1, 1, 1, 0))  # where nothing is, another series may be


def shaded_table(
    axes: Axes,
    size: tuple[int, int],
    value: Callable[[int, int], float | None],
    *,
    darkest: float,
    format: str,
    name: str,
    left_out: Collection[tuple[int, int]] = (),
) -> None:
    """Draw a table whose cells are the darker, the higher their value; 0 is the lightest.

    Parameters
    ----------
    size
        Number of rows and of columns.
    value
        Value of a row and column, or None: there stands a dash.
    darkest
        The value from which on cells are as dark as it gets.
    format
        How a value is printed (`findings.formats`).
    name
        Of the series, for the CSV beside the picture.
    left_out
        Cells (row, column) of another series, or of none.
    """
    import seaborn

    table = np.full(size, np.nan)
    for row, column in np.ndindex(*size):
        if (row, column) in left_out:
            continue
        number = value(row, column)
        look: dict[str, Any] = {"color": style.SOFT, "label": f"_{name}"}
        if number is not None:
            table[row, column] = number
            look = {"color": "white" if number / darkest > DARK else style.INK}
        told = MISSING if number is None else format_value(format, number)
        axes.text(column + 0.5, row + 0.5, told, ha="center", va="center", fontsize=6.8, **look)
    seaborn.heatmap(
        table, ax=axes, vmin=0, vmax=darkest, cmap=SHADES, cbar=False, linewidths=GAP,
        linecolor="white", xticklabels=False, yticklabels=False, label=f"_{name}",
    )  # fmt: skip
    axes.tick_params(length=0)


def name_places(axes: Axes, rows: Sequence[str], columns: Sequence[str]) -> None:
    """Write the names of rows and columns beside their cells."""
    axes.set_yticks(np.arange(len(rows)) + 0.5, rows, rotation=0)
    axes.set_xticks(np.arange(len(columns)) + 0.5, columns, rotation=0)
