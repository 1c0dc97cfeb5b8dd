"""Every site's own estimate, their mean, where a further site would lie, and the one model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure

from alliance.families.facts import Estimator
from alliance.figures import style
from alliance.figures.rows import Line, draw_lines, height_of
from alliance.findings.results import Results

# What has a long name in words, as it stands below the mean of the sites.
SHORT = {Estimator.SYNTHESIS_WITH_FLOOR: "the same, wider interval"}


def draw(results: Results) -> Figure:
    """Return a panel for each main effect of the fits of family `by_site`."""
    fits = results.of_family("by_site")
    if not fits:
        return style.nothing_to_show(
            "The configuration of this cohort asks no model site by site (family by_site)."
        )
    panels_of = [(fit, main) for fit in fits for main in fit["estimates"] or [None]]
    lines = [_lines(fit, main) if main else [] for fit, main in panels_of]
    heights = [height_of(some, 23) if some else 34 for some in lines]
    titles = [
        f"{fit['title']}: {main['label']}" if main else fit["title"] for fit, main in panels_of
    ]
    figure, panels = style.stack(titles, heights)
    for panel, height, (fit, main), some in zip(panels, heights, panels_of, lines, strict=True):
        if not some or main is None:
            style.say_why(panel.subplots(), fit["message"] or "There is nothing to put together.")
            continue
        axes = style.place_axes(panel, height, top_mm=14)
        draw_lines(axes, some, fit["status"] == "failed", main["ratio"] or main["estimate"])
        unit = main["unit"].removeprefix("log odds ")
        outcome = style.short(fit["outcome"]["label"], 36)
        axes.set_xlabel(f"Odds ratio {unit}" if main["ratio"] else f"{outcome}, {unit}")
        style.mark_status(axes, dict(fit))
    return figure


def _lines(fit: Mapping[str, Any], main: Mapping[str, Any]) -> list[Line]:
    beside = [c for c in fit["companions"] if c["term"] == main["term"]]
    sites = [c for c in beside if c["estimator"]["code"] == Estimator.SITE_ALONE]
    others = [c for c in beside if c not in sites]
    found = [Line(c["estimator"]["text"].removesuffix(" alone"), c) for c in sites]
    found.append(Line(main["estimator"]["text"].split(",")[0], main, main=True, pooled=True))
    return found + [
        Line(
            SHORT.get(how["code"], how["text"]),
            c,
            pooled=True,
            bare=how["code"] == Estimator.FURTHER_SITE,
        )
        for c, how in ((c, c["estimator"]) for c in others)
    ]
