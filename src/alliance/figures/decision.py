"""How many sessions it takes: reliability of a client's mean by the number of sessions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from alliance.figures import style
from alliance.figures.measurement import described, of_main_scores
from alliance.findings.formats import format_value
from alliance.findings.results import Results

TARGETS = (0.7, 0.8, 0.9)
HEIGHT = 74.0


def draw(results: Results) -> Figure:
    """Return a curve with a band for each measure."""
    content = described(results)
    if isinstance(content, str):
        return style.nothing_to_show(content)
    curves = {label: rows for label, rows in of_main_scores(content, "decision").items() if rows}
    if not curves:
        told = dict.fromkeys(row["message"] for row in content["generalizability"])
        return style.nothing_to_show(" ".join(filter(None, told)) or "Nothing could be computed.")
    figure = style.new_figure(HEIGHT)
    _curves(figure.add_subplot(), dict(list(curves.items())[: len(style.SERIES)]))
    return figure


def _curves(axes: Axes, curves: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    for k, (label, rows) in enumerate(curves.items()):
        sessions = [row["sessions"] for row in rows]
        colour = style.SERIES[k]
        banded = [row for row in rows if row["low"] is not None]
        axes.fill_between(
            [row["sessions"] for row in banded],
            [row["low"] for row in banded],
            [row["high"] for row in banded],
            color=colour,
            alpha=0.14,
            lw=0,
            label=f"_{label}",
        )
        axes.plot(
            sessions,
            [row["reliability"] for row in rows],
            color=colour,
            ls=style.DASHES[k],
            marker=style.MARKERS[k],
            label=style.short(label, 40),
        )
    for target in TARGETS:
        axes.axhline(target, color=style.RULE, lw=0.8, zorder=0, label="_target")
        axes.text(
            1.01,
            target,
            format_value("correlation:1", target),
            transform=axes.get_yaxis_transform(),
            va="center",
            fontsize=6.5,
            color=style.SOFT,
        )
    axes.set_ylim(0, 1)
    axes.set_xlim(left=0.6)
    axes.set_xlabel("Sessions that the mean is taken over")
    axes.set_ylabel("Reliability of a client's mean")
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    axes.legend(loc="lower right", fontsize=6.8)
