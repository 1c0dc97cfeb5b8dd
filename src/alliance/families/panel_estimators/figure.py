"""One effect within clients under every estimator: joint courses and the coupling model on top."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from alliance.families.common.links import within_link
from alliance.figures import style
from alliance.figures.rows import Line, draw_lines, height_of
from alliance.findings.results import Results

WITHIN = ("within-client", "both")
USABLE = ("converged", "singular")


def draw(results: Results) -> Figure:
    """Return a panel for each fit."""
    fits = results.of_family("panel_estimators")
    if not fits:
        return style.nothing_to_show(
            "The configuration of this cohort asks no coupling model by panel estimators."
        )
    lines = [_lines(fit, results) for fit in fits]
    heights = [height_of(some, 29) if some else 34 for some in lines]
    figure, panels = style.stack([fit["title"] for fit in fits], heights)
    for panel, height, fit, some in zip(panels, heights, fits, lines, strict=True):
        if not some:
            style.say_why(panel.subplots(), fit["message"] or "The model gave no effect.")
            continue
        axes = style.place_axes(panel, height, top_mm=15)
        draw_lines(axes, some, fit["status"] == "failed", some[0].entry["estimate"])
        axes.set_xlabel("Within-client effect, points per point")
        style.mark_status(axes, dict(fit))
    return figure


def _lines(fit: Mapping[str, Any], results: Results) -> list[Line]:
    own = [e for e in fit["estimates"] if e["level"] in WITHIN and e["estimate"] is not None]
    if not own:
        return []
    joint = joint_effect(fit, results.of_family("joint_courses"))
    reported = [
        e
        for other in results.of_family("coupling")
        if other["model"] == fit["about"] and other["status"] in USABLE
        for e in other["estimates"]
        if e["level"] == "within-client" and e["role"] == "main"
    ]
    return [
        *([Line("joint courses", joint, main=True)] if joint else []),
        *(Line("coupling model, client means", e, main=not joint) for e in reported[:1]),
        *(Line(e["estimator"]["text"].split(", clus")[0], e) for e in own),
    ]


def joint_effect(
    fit: Mapping[str, Any], joint: Sequence[Mapping[str, Any]]
) -> Mapping[str, Any] | None:
    """Return the effect of the same direction by joint courses; None where there is none."""
    predictor = fit["estimates"][0]["term"]
    outcome = fit["outcome"]["column"].removesuffix("_next")
    for other in joint:
        if other["status"] not in USABLE:
            continue
        entry: Mapping[str, Any]
        for entry in other["estimates"]:
            same = entry.get("link") == within_link(predictor, outcome)
            if same and entry["ci_low"] is not None:
                return entry
    return None
