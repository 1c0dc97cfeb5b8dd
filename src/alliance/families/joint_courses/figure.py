"""How a deviation from the course is answered by the other measure at the sessions after it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from alliance.figures import style
from alliance.findings.results import Results


def draw(results: Results) -> Figure:
    """Return a panel for each direction of each model."""
    fits = results.of_family("joint_courses")
    panels_of = [(fit, curve) for fit in fits for curve in fit["curves"] or [None]]
    if not panels_of:
        return style.nothing_to_show("The configuration of this cohort asks for no joint courses.")
    titles = [curve["group"] if curve else fit["title"] for fit, curve in panels_of]
    figure, panels = style.stack(titles, [46 if curve else 32 for _, curve in panels_of])
    for panel, (fit, curve) in zip(panels, panels_of, strict=True):
        axes = panel.subplots()
        if curve is None:
            style.say_why(axes, fit["message"] or "The model gave no result.")
        else:
            _draw(axes, curve)
            style.mark_status(axes, dict(fit))
    return figure


def _draw(axes: Axes, curve: Mapping[str, Any]) -> None:
    axes.axhline(0.0, color=style.RULE, lw=0.8)
    axes.fill_between(
        curve["x"], curve["ci_low"], curve["ci_high"], color=style.BLUE, alpha=0.18, lw=0
    )
    axes.plot(curve["x"], curve["estimate"], color=style.BLUE, lw=1.6, marker="o", ms=3)
    axes.set_xlabel(curve["x_label"])
    axes.set_ylabel(style.wrapped(curve["y_label"], 28))
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
