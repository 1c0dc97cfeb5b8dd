"""For whom and when: the within-client effect over a moderator and over treatment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from alliance.figures import style
from alliance.findings.results import Results

NAMES = ("effect by moderator", "effect over treatment")


def draw(results: Results) -> Figure:
    """Return a panel for each effect that depends on something."""
    asked = [
        (fit, [curve for curve in fit["curves"] if curve["name"] == name])
        for fit in results.fits
        for name in NAMES
        if any(curve["name"] == name for curve in fit["curves"])
    ]
    if not asked:
        return style.nothing_to_show(
            "No model of this cohort asks for whom or when an effect holds."
        )
    figure, panels = style.stack([_title(fit, curves) for fit, curves in asked], [60] * len(asked))
    for panel, (fit, curves) in zip(panels, asked, strict=True):
        axes = panel.subplots()
        (_draw_line if len(curves[0]["x"]) > 1 else _draw_points)(axes, curves)
        axes.axhline(0, color=style.INK, lw=0.6, label="_no effect")
        axes.set_xlabel(style.short(curves[0]["x_label"], 50))
        axes.set_ylabel(style.wrapped(curves[0]["y_label"], 24))
        style.mark_status(axes, dict(fit))
    return figure


def _title(fit: Mapping[str, Any], curves: Sequence[Mapping[str, Any]]) -> str:
    by = f"by {curves[0]['x_label'].lower()}"
    over = "over treatment" if curves[0]["name"] == NAMES[1] else by
    return f"{fit['title'].split(':')[0]}, {over}"


def _draw_line(axes: Axes, curves: Sequence[Mapping[str, Any]]) -> None:
    curve = curves[0]
    axes.fill_between(curve["x"], curve["ci_low"], curve["ci_high"], color=style.BLUE, alpha=0.18,
                      lw=0, label=f"_{curve['group']}")  # fmt: skip
    axes.plot(curve["x"], curve["estimate"], color=style.BLUE, label=f"_{curve['group']}")
    axes.set_xlim(min(curve["x"]), max(curve["x"]))


def _draw_points(axes: Axes, curves: Sequence[Mapping[str, Any]]) -> None:
    for x, curve in enumerate(curves):
        ends = [curve["ci_low"][0], curve["ci_high"][0]]
        axes.plot([x, x], ends, color=style.BLUE, lw=1.4, label="_effect")
        axes.plot(x, curve["estimate"][0], "o", color=style.BLUE, ms=4, label="_effect")
    axes.set_xticks(range(len(curves)), [style.short(c["group"], 16) for c in curves])
    axes.set_xlim(-0.5, len(curves) - 0.5)
