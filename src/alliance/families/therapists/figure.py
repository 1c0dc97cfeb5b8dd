"""Therapists in order of their difference from the average, and how well each is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from alliance.families.therapists.curve_names import (
    EACH,
    EACH_OF_FEW,
    PAIRS_OF_FEW,
    RELIABILITY,
)
from alliance.figures import style
from alliance.findings.results import Results

ALONE = (EACH, EACH_OF_FEW)


def draw(results: Results) -> Figure:
    """Return two panels for each fit: the caterpillar, and reliability by number of clients."""
    fits = results.of_family("therapists")
    if not fits:
        return style.nothing_to_show("The configuration of this cohort asks nothing of therapists.")
    panels_of = [
        (fit, which)
        for fit in fits
        for which in (("caterpillar", "reliability") if fit["curves"] else ("",))
    ]
    titles = [
        f"{fit['title']}: how well each is known" if which == "reliability" else fit["title"]
        for fit, which in panels_of
    ]
    heights = [{"caterpillar": 62, "reliability": 44}.get(which, 34) for _, which in panels_of]
    figure, panels = style.stack(titles, heights)
    for panel, (fit, which) in zip(panels, panels_of, strict=True):
        axes = panel.subplots()
        if which == "caterpillar":
            _caterpillar(axes, fit)
        elif which == "reliability":
            _reliability(axes, fit)
        else:
            style.say_why(axes, fit["message"] or "Therapists do not differ in this outcome.")
    return figure


def _caterpillar(axes: Axes, fit: Mapping[str, Any]) -> None:
    axes.axhline(0.0, color=style.RULE, lw=0.8, label="_zero")
    for curve in fit["curves"]:
        if curve["name"] == RELIABILITY:
            continue
        few, wide = curve["name"] in (EACH_OF_FEW, PAIRS_OF_FEW), curve["name"] in ALONE
        colour = style.OCHRE if few else style.BLUE
        axes.vlines(
            curve["x"], curve["ci_low"], curve["ci_high"], color=colour,
            lw=0.8 if wide else 2.2, label=f"_{curve['name']}, {curve['group']}",
        )  # fmt: skip
        if wide:
            axes.plot(
                curve["x"], curve["estimate"], ls="none", marker="s" if few else "o", ms=3,
                color=colour, mfc="white" if few else colour, label=curve["group"],
            )  # fmt: skip
    first = fit["curves"][0]
    axes.set_xlabel(first["x_label"])
    axes.set_ylabel(style.wrapped(first["y_label"], 26))
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    axes.legend(loc="upper left", ncols=2)
    style.mark_status(axes, dict(fit))


def _reliability(axes: Axes, fit: Mapping[str, Any]) -> None:
    curve = next(curve for curve in fit["curves"] if curve["name"] == RELIABILITY)
    axes.plot(
        curve["x"], curve["estimate"], ls="none", marker="o", ms=3, color=style.BLUE,
        mfc="white", label="a therapist",
    )  # fmt: skip
    axes.set_ylim(0.0, 1.0)
    axes.set_xlabel("Clients of the therapist")
    axes.set_ylabel(curve["y_label"])
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
