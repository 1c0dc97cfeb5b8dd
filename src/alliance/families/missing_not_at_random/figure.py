"""One main effect under each assumption, and how it moves as the assumption worsens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from alliance.families.facts import Estimator
from alliance.families.missing_not_at_random.beside import joint_model_of
from alliance.figures import style
from alliance.figures.rows import Line, draw_lines, height_of
from alliance.findings.results import Results

Entry = Mapping[str, Any]
TOGETHER = (
    (Estimator.DELTA_ADJUSTED,),
    (Estimator.JUMP_TO_REFERENCE, Estimator.COPY_INCREMENTS, Estimator.LAST_MEAN,
     Estimator.BASELINE_MEAN),
    (Estimator.PATTERN_MIXTURE,),
    ("worsening",),
    ("seen_and_imputed",),
)  # fmt: skip
"""Names of the curves that share a panel."""
NAMES = {
    Estimator.DELTA_ADJUSTED: "worse at each session",
    Estimator.JUMP_TO_REFERENCE: "jump to reference",
    Estimator.COPY_INCREMENTS: "copy increments",
    Estimator.LAST_MEAN: "no further change",
    Estimator.BASELINE_MEAN: "back to the beginning",
    Estimator.PATTERN_MIXTURE: "pattern mixture",
    "worsening": "joint model",
}
GROWTH_MODEL = "growth model, missing at random"
SHARE = "Share of the way to the assumption"
ROW_MM, COLUMNS = 43.0, 2


def draw(results: Results) -> Figure:
    """Return two panels for each model: the effects, and how they move."""
    fits = results.of_family("missing_not_at_random")
    if not fits:
        return style.nothing_to_show(
            "The configuration of this cohort asks no growth model under other assumptions about "
            "scores after leaving."
        )
    titles: list[str] = []
    heights: list[float] = []
    parts: list[tuple[Entry, list[Line], list[list[Entry]]]] = []
    for fit in fits:
        joint = joint_model_of(results.of_family("course_and_leaving"), fit)
        lines, panels = _lines(fit, joint), _panels(fit, joint)
        titles.append(fit["title"])
        heights.append(height_of(lines, 25) if lines else 34.0)
        parts.append((fit, lines, []))
        if panels:
            titles.append("As the assumption worsens")
            heights.append(8.0 + ROW_MM * -(-len(panels) // COLUMNS))
            parts.append((fit, lines, panels))
    figure, places = style.stack(titles, heights)
    for place, height, (fit, lines, panels) in zip(places, heights, parts, strict=True):
        if panels:
            _draw_panels(place, panels)
        elif lines:
            axes = style.place_axes(place, height, top_mm=15)
            draw_lines(axes, lines, fit["status"] == "failed", lines[0].entry["estimate"])
            axes.set_xlabel(
                style.wrapped(f"{lines[0].entry['label']}, {lines[0].entry['unit']}", 44)
            )
            style.mark_status(axes, dict(fit))
        else:
            style.say_why(place.subplots(), fit["message"] or "The model gave no effect.")
    return figure


def _lines(fit: Entry, joint: Entry | None) -> list[Line]:
    rows = [row for row in fit["estimates"] if row["estimate"] is not None]
    several = len({row["term"] for row in rows}) > 1
    lines = [
        Line(
            (GROWTH_MODEL if row["role"] == "main" else row["estimator"]["text"])
            + (f" ({row['group']})" if several else ""),
            row,
            main=row["role"] == "main",
        )
        for row in rows
    ]
    if joint is not None and rows:
        terms = {row["term"] for row in rows}
        lines += [
            Line("joint model of course and leaving", row)
            for row in joint["estimates"]
            if row["term"] in terms
        ]
    return lines


def _panels(fit: Entry, joint: Entry | None) -> list[list[Entry]]:
    curves = [*fit["curves"], *(joint["curves"] if joint is not None else [])]
    found = [[curve for curve in curves if curve["name"] in names] for names in TOGETHER]
    return [one for one in found if one]


def _draw_panels(place: Any, panels: Sequence[Sequence[Entry]]) -> None:
    rows = -(-len(panels) // COLUMNS)
    grid = place.subplots(rows, COLUMNS, squeeze=False).ravel()
    for axes in grid[len(panels) :]:
        axes.set_axis_off()
    for axes, curves in zip(grid, panels, strict=False):
        _draw_curves(axes, curves)


def _draw_curves(axes: Axes, curves: Sequence[Entry]) -> None:
    effect = curves[0]["name"] != "seen_and_imputed"
    if effect:
        axes.axhline(0.0, color=style.RULE, lw=0.8, label="_zero")
    several = len({curve["name"] for curve in curves}) > 1
    for k, curve in enumerate(curves):
        name = NAMES[curve["name"]] if effect else curve["group"]
        if effect and not several and len(curves) > 1:
            name = curve["group"]
        colour = style.SERIES[k % len(style.SERIES)]
        axes.fill_between(
            np.asarray(curve["x"]), curve["ci_low"], curve["ci_high"], color=colour,
            alpha=0.13, lw=0, label=f"_{name}",
        )  # fmt: skip
        axes.plot(
            curve["x"], curve["estimate"], marker=style.MARKERS[k % len(style.MARKERS)], ms=2.4,
            ls=style.DASHES[k % len(style.DASHES)], color=colour, label=style.short(name, 34),
        )  # fmt: skip
    axes.set_xlabel(style.wrapped(SHARE if several else curves[0]["x_label"], 28))
    axes.set_ylabel(style.wrapped("Effect" if effect else curves[0]["y_label"], 20))
    axes.legend(loc="best", fontsize=6.2, handlelength=2.2, borderaxespad=0.3)
