"""Numbers at risk below a curve over sessions, and the sessions at which its axis is marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes

from alliance.findings.formats import format_value

FEWEST_AT_RISK = 8  # a curve of fewer people would show single persons' ends


def draw_at_risk(axes: Axes, groups: Sequence[tuple[Mapping[str, Any], str]], last: float) -> None:
    """Write the numbers at risk of (group, colour) below the axis, at the sessions of the ticks."""
    axes.annotate(
        "Clients at risk",
        xy=(0, 0),
        xycoords="axes fraction",
        xytext=(0, -31),
        textcoords="offset points",
        fontsize=6.8,
        weight="bold",
        ha="left",
        va="center",
    )
    for row, (group, colour) in enumerate(groups):
        offset = -(41 + 9.2 * row)
        axes.annotate(
            "■",
            xy=(0, 0),
            xycoords="axes fraction",
            xytext=(-14, offset),
            textcoords="offset points",
            fontsize=7,
            ha="center",
            va="center",
            color=colour,
        )
        at = dict(zip(group["session"], group["at_risk"], strict=True))
        for session in ticks(last):
            if session in at:
                n = at[session]
                text = format_value("count", n) if n >= FEWEST_AT_RISK else f"<{FEWEST_AT_RISK}"
                axes.annotate(
                    text,
                    xy=(session, 0),
                    xycoords=axes.get_xaxis_transform(),
                    xytext=(0, offset),
                    textcoords="offset points",
                    fontsize=6.8,
                    ha="center",
                    va="center",
                    label=f"_clients at risk: {group['group']}",
                )


def ticks(last: float) -> range:
    """Return the sessions at which an axis is marked."""
    step = next((s for s in (1, 2, 5, 10, 20, 50) if last / s <= 10), 100)
    return range(0, int(last) + 1, step)
