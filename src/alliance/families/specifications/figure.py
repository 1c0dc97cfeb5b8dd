"""The same question under other means, trends and lags."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure

from alliance.figures import style
from alliance.figures.rows import Line, draw_lines, height_of
from alliance.findings.results import Results

WITHIN = ("within-client", "both")


def draw(results: Results) -> Figure:
    """Return a panel for each fit: the within-client effects."""
    fits = results.of_family("specifications")
    if not fits:
        return style.nothing_to_show(
            "The configuration of this cohort asks no coupling model otherwise."
        )
    lines = [_lines(fit) for fit in fits]
    heights = [height_of(some, 25) if some else 34 for some in lines]
    figure, panels = style.stack([fit["title"] for fit in fits], heights)
    for panel, height, fit, some in zip(panels, heights, fits, lines, strict=True):
        if not some:
            style.say_why(panel.subplots(), fit["message"] or "The model gave no effect.")
            continue
        axes = style.place_axes(panel, height, top_mm=15)
        draw_lines(axes, some, fit["status"] == "failed", some[0].entry["estimate"])
        axes.set_xlabel("Within-client effect, points per point")
        style.mark_status(axes, dict(fit))
    return figure


def _lines(fit: Mapping[str, Any]) -> list[Line]:
    entries = [e for e in fit["estimates"] if e["level"] in WITHIN and e["estimate"] is not None]
    return [
        Line(e["estimator"]["text"].split(", clus")[0], e, main=e["role"] == "main")
        for e in entries
    ]
