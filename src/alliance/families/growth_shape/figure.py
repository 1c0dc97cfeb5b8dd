"""Which shape the courses have: the chosen one with its band, the others as thin lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from alliance.families.facts import ALL_SITES
from alliance.figures import style
from alliance.findings.marks import mark_of
from alliance.findings.results import Results

LOOKS = dict(zip(("-", "--", ":", "-."), style.SERIES[1:5], strict=True))


def draw(results: Results) -> Figure:
    """Return a panel for each ladder."""
    ladders = results.of_family("growth_shape")
    if not ladders:
        return style.nothing_to_show("The configuration of this cohort names no growth ladder.")
    heights = [62 if fit["curves"] else 32 for fit in ladders]
    figure, panels = style.stack([fit["title"] for fit in ladders], heights)
    for panel, fit in zip(panels, ladders, strict=True):
        if fit["curves"]:
            _draw_panel(panel.subplots(), fit)
        else:
            style.say_why(panel.subplots(), fit["message"] or "The ladder gave no course.")
    return figure


def _draw_panel(axes: Axes, fit: Mapping[str, Any]) -> None:
    chosen = [c for c in fit["curves"] if c["name"] == "chosen_course" and c["x"]]
    shapes = [c for c in fit["curves"] if c["name"] == "shape" and c["x"]]
    main = next((c for c in chosen if c["group"] == ALL_SITES), chosen[0])
    band = (main["x"], main["ci_low"], main["ci_high"])
    axes.fill_between(*band, color=style.BLUE, alpha=0.18, lw=0, label="_chosen")
    axes.plot(main["x"], main["estimate"], color=style.BLUE, lw=2.0, label="chosen")
    for k, curve in enumerate(shapes):
        axes.plot(
            curve["x"],
            curve["estimate"],
            color=style.SERIES[(k + 1) % len(style.SERIES)],
            ls=style.DASHES[(k + 1) % len(style.DASHES)],
            lw=0.9,
            label=style.short(curve["group"].split(",")[0], 24),
        )
    axes.set_xlabel(style.short(main["x_label"], 40))
    axes.set_ylabel(style.wrapped(main["y_label"], 34))
    axes.set_xlim(min(main["x"]), max(main["x"]))
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.grid(axis="y", color=style.RULE, linewidth=0.5)
    axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), fontsize=6.6, handlelength=2.2)
    if mark_of(fit):
        style.mark_status(axes, dict(fit))
    else:
        style.remark(axes, "band: covers the whole chosen course with 95%")
