"""How two courses go together: correlations of starts, changes and residuals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure

from alliance.families.facts import CORRELATIONS
from alliance.figures import style
from alliance.figures.rows import Line, draw_lines, height_of
from alliance.findings.results import Results


def draw(results: Results) -> Figure:
    """Return a panel for each parallel process: the correlations across the two measures."""
    fits = results.of_family("parallel_growth")
    if not fits:
        return style.nothing_to_show(
            "The configuration of this cohort asks for no two measures at once."
        )
    lines = [_lines(fit) for fit in fits]
    heights = [height_of(some, 29) if some else 34 for some in lines]
    figure, panels = style.stack([fit["title"] for fit in fits], heights)
    for panel, height, fit, some in zip(panels, heights, fits, lines, strict=True):
        if not some:
            style.say_why(panel.subplots(), fit["message"] or "The model gave no correlation.")
            continue
        axes = style.place_axes(panel, height, top_mm=15)
        draw_lines(axes, some, fit["status"] == "failed")
        axes.set_xlabel("Correlation")
        style.mark_status(axes, dict(fit))
    return figure


def _lines(fit: Mapping[str, Any]) -> list[Line]:
    return [
        Line(f"{entry['level'].removeprefix('correlation, ')}: {entry['label']}", entry, main=True)
        for entry in fit["estimates"]
        if entry["estimator"]["code"] in CORRELATIONS and entry["role"] == "main"
    ]
