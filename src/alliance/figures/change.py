"""Jacobson's plot without persons: clients by first and last score, in squares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from alliance.figures import style
from alliance.findings.results import Results

FULL = 60  # clients in a square that is as dark as it gets, at most
LIGHTEST = 0.14  # where shades begin, below zero clients: no shown square is as light as paper


def draw(results: Results) -> Figure:
    """Return a panel for each measure whose change was judged."""
    change = results.further.get("change")
    if change is None or not change["measures"]:
        return style.nothing_to_show("The config names no measure under `change`.")
    entries = change["measures"]
    heights = [84 if entry["plane"] else 36 for entry in entries]
    titles = [f"{entry['label']}: first and last score" for entry in entries]
    figure, parts = style.stack(titles, heights)
    for part, entry, height in zip(parts, entries, heights, strict=True):
        if entry["plane"] is None:
            style.say_why(part.subplots(), entry["message"] or "Change could not be judged.")
        else:
            axes = style.place_axes(part, height, left=0.13, right=0.79, bottom_mm=13, top_mm=12)
            _plane(axes, entry)
    return figure


def _plane(axes: Axes, entry: Mapping[str, Any]) -> None:
    plane, width = entry["plane"], entry["plane"]["width"]
    most = min(FULL, max((cell["clients"] for cell in plane["cells"]), default=1))
    style.draw_cells(
        axes,
        [(cell["first_low"], cell["last_low"]) for cell in plane["cells"]],
        [cell["clients"] for cell in plane["cells"]],
        (width, width),
        -LIGHTEST * most,
        most,
        edgecolor="white",
        linewidth=0.5,
        label="_clients",
    )
    low, high = plane["low"], plane["high"]
    ends = np.array([low, high])
    band = entry["reliable_points"]
    axes.plot(ends, ends, color=style.SOFT, lw=0.8, label="_no change")
    for shift in (-band, band):
        axes.plot(ends, ends + shift, color=style.WINE, lw=0.9, ls=style.DASHES[1],
                  label="_error of measurement")  # fmt: skip
    cutoff = entry["cutoff"]["value"]
    if low < cutoff < high:
        look: dict[str, Any] = {"color": style.OCHRE, "lw": 0.9, "ls": style.DASHES[3]}
        axes.axhline(cutoff, label="_cut-off", **look)
        axes.axvline(cutoff, label="_cut-off", **look)
    axes.set_xlim(low, high)
    axes.set_ylim(low, high)
    axes.set_aspect("equal")
    axes.set_xlabel("First score, points")
    axes.set_ylabel("Last score, points")
    axes.text(
        0.985, 0.02, "darker: more clients\nwhite: fewer than eight", transform=axes.transAxes,
        ha="right", va="bottom", fontsize=6.3, style="italic", color=style.SOFT,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5},
    )  # fmt: skip
    _name_regions(axes, entry, low, high)
    axes.annotate(
        "no change", (high, high), xytext=(3, 0), textcoords="offset points", va="center",
        fontsize=6.3, color=style.SOFT, annotation_clip=False,
    )  # fmt: skip


def _name_regions(axes: Axes, entry: Mapping[str, Any], low: float, high: float) -> None:
    """Write beyond which lines a client counts as changed."""
    lower = entry["better"] == "lower"
    band, cutoff = entry["reliable_points"], entry["cutoff"]["value"]
    below, above = ("reliably better", "reliably worse")
    if not lower:
        below, above = above, below
    look: dict[str, Any] = {"fontsize": 6.3, "color": style.WINE, "annotation_clip": False}
    axes.annotate(
        f"below: {below}", (high, high - band), xytext=(3, 0), textcoords="offset points",
        va="center", **look,
    )  # fmt: skip
    axes.annotate(
        f"above: {above}", (high - band, high), xytext=(0, 3), textcoords="offset points",
        ha="right", va="bottom", **look,
    )  # fmt: skip
    if low < cutoff < high:
        axes.annotate(
            f"cut-off {entry['cutoff']['kind']}", (high, cutoff), xytext=(3, 0),
            textcoords="offset points", va="center", fontsize=6.3, color=style.BROWN,
            annotation_clip=False,
        )  # fmt: skip
