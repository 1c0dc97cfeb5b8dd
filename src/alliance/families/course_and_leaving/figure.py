"""How the mean change moves as leaving is taken to go with the course the more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from alliance.figures import style
from alliance.findings.results import Results


def draw(results: Results) -> Figure:
    """Return a panel for each model."""
    fits = results.of_family("course_and_leaving")
    if not fits:
        return style.nothing_to_show(
            "The configuration of this cohort asks for no model of a course and leaving."
        )
    figure, panels = style.stack(
        [fit["title"] for fit in fits], [50 if fit["curves"] else 32 for fit in fits]
    )
    for panel, fit in zip(panels, fits, strict=True):
        axes = panel.subplots()
        if fit["curves"]:
            _draw(axes, fit)
            style.mark_status(axes, dict(fit))
        else:
            style.say_why(axes, fit["message"] or "No curve could be computed.")
    return figure


def _draw(axes: Axes, fit: Mapping[str, Any]) -> None:
    (curve,) = fit["curves"]
    axes.axhline(0.0, color=style.RULE, lw=0.8, label="_zero")
    axes.fill_between(
        curve["x"], curve["ci_low"], curve["ci_high"], color=style.BLUE, alpha=0.15, lw=0,
        label="_interval",
    )  # fmt: skip
    axes.plot(
        curve["x"], curve["estimate"], color=style.BLUE, marker="o", ms=3, label="association given"
    )
    for entry in fit["estimates"]:
        if entry["role"] == "main" and entry["standardised"] is not None:
            axes.axvline(
                entry["standardised"], color=style.WINE, ls=style.DASHES[1], lw=1,
                label="association estimated",
            )  # fmt: skip
    axes.set_xlabel(curve["x_label"])
    axes.set_ylabel(style.wrapped(curve["y_label"], 18))
    axes.legend(loc="best")
