"""How a measure developed: observed means by session, and the model's course with its band."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from alliance.figures import style
from alliance.findings.marks import mark_of
from alliance.findings.results import Results

MOST_NAMED_SITES = 6
ALL_SITES = "all sites"
GAP = 0.08  # between names at the ends of lines, as part of the axis


def draw(results: Results) -> Figure:
    """Return a panel for each growth model, one below the other."""
    growth = results.of_family("growth")
    if not growth:
        return style.nothing_to_show("The configuration of this cohort names no growth model.")
    heights = [68 if _curves(fit) else 32 for fit in growth]
    figure, panels = style.stack([fit["title"] for fit in growth], heights)
    for panel, fit in zip(panels, growth, strict=True):
        if _curves(fit):
            _draw_panel(panel.subplots(), fit, results.about["observed_courses"])
        else:
            style.say_why(panel.subplots(), fit["message"] or "The model gave no course.")
    return figure


def _curves(fit: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [curve for curve in fit["curves"] if curve["name"] == "course" and curve["x"]]


def _draw_panel(axes: Axes, fit: Mapping[str, Any], observed: Sequence[Mapping[str, Any]]) -> None:
    curves = {curve["group"]: curve for curve in _curves(fit)}
    sites = [group for group in curves if group != ALL_SITES]
    some = next(iter(curves.values()))
    in_weeks = "week" in some["x_label"].lower()
    means = {
        row["site"]: row
        for row in observed
        if row["measure"] == fit["outcome"]["column"] and row["session"]
    }
    axes.margins(y=0.08)
    if 1 < len(sites) <= MOST_NAMED_SITES:
        _draw_sites(axes, curves, sites, means, in_weeks)
    else:
        _draw_many(axes, curves, sites, means, in_weeks)
    axes.set_xlabel(style.short(some["x_label"], 40))
    axes.set_ylabel(style.wrapped(some["y_label"], 34))
    axes.set_xlim(left=min(some["x"]), right=max(some["x"]))
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.grid(axis="y", color=style.RULE, linewidth=0.5)
    if mark_of(fit):
        style.mark_status(axes, dict(fit))
    else:
        style.remark(axes, "points: observed means; lines: the model, with 95% bands")


def _draw_sites(
    axes: Axes,
    curves: Mapping[str, Mapping[str, Any]],
    sites: Sequence[str],
    means: Mapping[str, Mapping[str, Any]],
    in_weeks: bool,
) -> None:
    """Draw every site in its own colour, line and marker, named at the end of its line."""
    ends = []
    for k, site in enumerate(sites):
        colour, curve = style.SERIES[k], curves[site]
        axes.fill_between(
            curve["x"], curve["ci_low"], curve["ci_high"], color=colour, alpha=0.13, lw=0,
            label=f"_{site}",
        )  # fmt: skip
        axes.plot(curve["x"], curve["estimate"], color=colour, ls=style.DASHES[k], label=f"_{site}")
        _points(
            axes, means.get(site), in_weeks, max(curve["x"]), color=colour,
            marker=style.MARKERS[k], label=f"_{site}",
        )  # fmt: skip
        ends.append((curve["estimate"][-1], style.short(site, 14), colour, style.MARKERS[k]))
    _name_ends(axes, ends)


def _draw_many(
    axes: Axes,
    curves: Mapping[str, Mapping[str, Any]],
    sites: Sequence[str],
    means: Mapping[str, Mapping[str, Any]],
    in_weeks: bool,
) -> None:
    """Draw all sites together in front of thin lines of each."""
    for site in sites:
        axes.plot(
            curves[site]["x"], curves[site]["estimate"], color=style.SKY, lw=0.5, alpha=0.75,
            label=f"_{site}",
        )  # fmt: skip
    main = curves.get(ALL_SITES) or curves[sites[0]]
    name = ALL_SITES if len(sites) > 1 else "model"
    look: dict[str, Any] = {"color": style.BLUE, "label": f"_{name}"}
    axes.fill_between(main["x"], main["ci_low"], main["ci_high"], alpha=0.2, lw=0, **look)
    axes.plot(main["x"], main["estimate"], lw=1.8, **look)
    _points(axes, means.get("all"), in_weeks, max(main["x"]), marker="o", **look)
    ends = [(main["estimate"][-1], name, style.BLUE, "")]
    if len(sites) > 1:
        axes.plot([], [], color=style.SKY, lw=0.8, label="each site")
        axes.legend(loc="best", fontsize=6.8, handlelength=1.4)
    _name_ends(axes, ends)


def _points(
    axes: Axes, row: Mapping[str, Any] | None, in_weeks: bool, last: float, **look: Any
) -> None:
    """Draw observed means as far as the model's course reaches."""
    if row is None:
        return
    times = row["weeks"] if in_weeks else row["session"]
    points = [
        (time, mean)
        for time, mean in zip(times, row["mean"], strict=True)
        if time is not None and time <= last
    ]
    if points:
        axes.plot(
            *zip(*points, strict=True), ls="none", ms=2.6, mew=0.5, mec="white", alpha=0.95, **look
        )


def _name_ends(axes: Axes, ends: Sequence[tuple[float, str, str, str]]) -> None:
    """Write names at the right ends of lines, pushed apart where they would overlap."""
    axes.autoscale_view()
    low, high = axes.get_ylim()
    gap = (high - low) * GAP
    ordered = sorted(ends)
    places: list[float] = []
    for value, *_ in ordered:
        places.append(max(value, places[-1] + gap) if places else value)
    # Push back down by half of what the last one was pushed up: names stay near their lines.
    overshoot = max(0.0, places[-1] - ordered[-1][0]) / 2
    for (value, name, colour, _), place in zip(ordered, places, strict=True):
        axes.annotate(
            name,
            xy=(1, value),
            xycoords=("axes fraction", "data"),
            xytext=(1.035, place - overshoot),
            textcoords=("axes fraction", "data"),
            va="center",
            fontsize=7,
            color=colour if colour not in (style.OCHRE, style.ROSE, style.SKY) else style.INK,
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": colour, "lw": 0.7, "shrinkA": 0, "shrinkB": 0},
        )
