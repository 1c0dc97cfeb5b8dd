"""Two views of one alliance: how both develop, and what their agreement means for the outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from alliance.figures import style
from alliance.findings.results import Results

LOOKS = {"client": (style.BLUE, "-", "o"), "therapist": (style.WINE, (0, (5, 1.5)), "s")}
BANDS = 9
HEIGHTS = {"agreement": 58, "surface": 78}  # millimetres


def draw(results: Results) -> Figure:
    """Return a panel for each agreement and each surface."""
    fits = results.of_family("agreement", "surface")
    if not fits:
        return style.nothing_to_show(
            "The configuration of this cohort compares no two views of the alliance (families "
            "agreement, surface)."
        )
    heights = [
        (58 if fit["family"] == "agreement" else 74) if fit["curves"] else 32 for fit in fits
    ]
    figure, panels = style.stack([fit["title"] for fit in fits], heights)
    for panel, fit in zip(panels, fits, strict=True):
        axes = panel.subplots()
        if not any(curve["x"] for curve in fit["curves"]):
            style.say_why(axes, fit["message"] or "Too few clients at every session.")
            continue
        (_draw_courses if fit["family"] == "agreement" else _draw_surface)(axes, fit["curves"])
        style.mark_status(axes, dict(fit))
    return figure


def _draw_courses(axes: Axes, curves: Sequence[Mapping[str, Any]]) -> None:
    for curve in curves:
        colour, dash, marker = LOOKS[curve["group"]]
        axes.fill_between(
            curve["x"], curve["ci_low"], curve["ci_high"], color=colour, alpha=0.13, lw=0,
            label=f"_{curve['group']}",
        )  # fmt: skip
        axes.plot(
            curve["x"], curve["estimate"], color=colour, ls=dash, marker=marker, ms=3,
            label=curve["group"],
        )  # fmt: skip
    axes.set_xlabel(curves[0]["x_label"])
    axes.set_ylabel(style.wrapped(curves[0]["y_label"], 30))
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    axes.grid(axis="y", color=style.RULE, linewidth=0.5)
    axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), fontsize=6.8, handlelength=2.4)


def _draw_surface(axes: Axes, curves: Sequence[Mapping[str, Any]]) -> None:
    """Draw the surface from above: contour bands, the lines of agreement and disagreement."""
    x = np.asarray(curves[0]["x"], float)
    y = np.asarray([float(curve["group"]) for curve in curves])
    z = np.asarray([curve["estimate"] for curve in curves], float)
    most = float(np.abs(z).max()) or 1.0
    levels = np.linspace(-most, most, BANDS)
    shown = axes.contourf(x, y, z, levels=levels, cmap="PuOr")
    # in grey the two ends of the scale look alike: below zero the lines are dotted
    lines = axes.contour(x, y, z, levels=levels, colors=style.INK, linewidths=0.6,
                         negative_linestyles="dotted")  # fmt: skip
    lines.set_label("_" + curves[0]["y_label"])
    axes.plot(x, x, color=style.INK, lw=1.1, label="_agreement")
    axes.plot(x, -x, color=style.INK, lw=1.1, ls=(0, (6, 2)), label="_disagreement")
    axes.set_aspect("equal")
    axes.set_xlabel(style.wrapped(curves[0]["x_label"], 40))
    axes.set_ylabel(style.wrapped(curves[0]["x_label"].replace("Client", "Therapist"), 34))
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_locator(MaxNLocator(5, prune="upper"))  # room for the mark above
    bar = axes.figure.colorbar(shown, ax=axes, shrink=0.8, ticks=levels[::2], format="%.2g")
    bar.set_label(style.wrapped(curves[0]["y_label"], 30), fontsize=6.8)
    bar.ax.tick_params(labelsize=6.5)
