"""What scores rest on: complete, prorated, refused and missing forms, session by session."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from alliance.figures import style
from alliance.figures.measurement import described, of_main_scores
from alliance.findings.results import Results

PARTS = {
    "complete_percent": ("complete", style.BLUE, ""),
    "prorated_percent": ("prorated", style.SKY, "////"),
    "refused_percent": ("refused", style.WINE, "xxxx"),
    "no_form_percent": ("no form", style.RULE, ""),
}
HEIGHT = 50.0


def draw(results: Results) -> Figure:
    """Return a panel of stacked bars for each measure."""
    content = described(results)
    if isinstance(content, str):
        return style.nothing_to_show(content)
    panels = of_main_scores(content, "prorating")
    if not panels:
        return style.nothing_to_show("No questionnaire is part of this cohort.")
    heights = [HEIGHT if _by_session(rows) else 30.0 for rows in panels.values()]
    figure, parts = style.stack([style.short(label, 56) for label in panels], heights)
    for part, rows in zip(parts, panels.values(), strict=True):
        sessions = _by_session(rows)
        if sessions:
            _bars(part.subplots(), sessions)
        else:
            style.say_why(part.subplots(), "No session has eight forms.")
    return figure


def _by_session(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [row for row in rows if row["session"] != "all" and row["complete_percent"] is not None]


def _bars(axes: Axes, rows: Sequence[Mapping[str, Any]]) -> None:
    sessions = [int(row["session"]) for row in rows]
    bottom = [0.0] * len(rows)
    for column, (name, colour, hatch) in PARTS.items():
        heights = [row[column] for row in rows]
        axes.bar(
            sessions,
            heights,
            bottom=bottom,
            width=0.86,
            color=colour,
            hatch=hatch,
            edgecolor="white",
            linewidth=0.5,
            label=name,
        )
        bottom = [b + h for b, h in zip(bottom, heights, strict=True)]
    axes.set_ylim(0, 100)
    axes.set_xlim(min(sessions) - 0.6, max(sessions) + 0.6)
    axes.set_ylabel("Per cent of sessions")
    axes.set_xlabel("Session")
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    axes.legend(
        loc="upper left",
        bbox_to_anchor=(0.0, 1.14),
        ncols=4,
        fontsize=6.5,
        handlelength=1.2,
        handleheight=0.9,
        columnspacing=1.2,
        borderaxespad=0.0,
    )
