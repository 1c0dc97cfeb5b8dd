"""What is missing, and what was set aside, by site."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from alliance.figures import style
from alliance.figures.shades import name_places, shaded_table
from alliance.findings.results import Results

MOST_SIDE_BY_SIDE = 3  # measures for which two tables fit beside each other
MOST_UPRIGHT = 8  # columns over the whole width whose names can be written horizontally
FULL = 30.0  # per cent missing that are as dark as it gets

Value = Callable[[str, str], float | None]


def draw(results: Results) -> Figure:
    """Return tables in shades: forms missing, items without answer, problems in the files."""
    about = results.about
    sites = [row["site"] for row in about["flow"] if row["site"] != "all"]
    if not sites:
        return style.nothing_to_show("No site has given any data.")
    rows = [*sites, "all"] if len(sites) > 1 else sites
    measures = {measure["name"]: measure["label"] for measure in about["measures"]}
    rules = {p["rule"]: p["rule"].replace("-", " ") for p in about["problems"]}
    together = 0 < len(measures) <= MOST_SIDE_BY_SIDE
    titles = (
        ["Forms and items missing, in per cent"]
        if together
        else [
            "Sessions without the form, in per cent",
            "Items without a usable answer, in per cent",
        ]
    )
    heights = [(22 if together else 18) + _names_height(measures) + 5 * len(rows) for _ in titles]
    heights.append(18 + _names_height(rules) + 5 * len(sites) if rules else 34)
    figure, parts = style.stack([*titles, "Problems found when the files were read"], heights)
    lacking, blank, found = _values(about)
    if together:
        left, right = parts[0].subplots(1, 2)
        _shade(left, rows, measures, lacking, "decimals:1", FULL, "sessions without the form")
        _shade(right, rows, measures, blank, "decimals:1", FULL, "items without a usable answer")
        right.tick_params(labelleft=False)
    elif measures:
        _shade(parts[0].subplots(), rows, measures, lacking, "decimals:1", FULL)
        _shade(parts[1].subplots(), rows, measures, blank, "decimals:1", FULL)
    else:
        for part in parts[:2]:
            style.say_why(part.subplots(), "No questionnaire is part of this cohort.")
    if rules:
        most = max(problem["problems"] for problem in about["problems"])
        _shade(parts[-1].subplots(), sites, rules, found, "count", max(most, 8))
    else:
        style.say_why(parts[-1].subplots(), "No problem was found when the files were read.")
    return figure


def _values(about: Mapping[str, Any]) -> tuple[Value, Value, Value]:
    """Return what stands in the cells of the three tables."""
    missing = {(row["site"], row["measure"]): row for row in about["missing"]}
    problems = {(row["site"], row["rule"]): row["problems"] for row in about["problems"]}

    def lacking(site: str, measure: str) -> float | None:
        percent = missing.get((site, measure), {}).get("forms_percent")
        return None if percent is None else 100 - percent

    def blank(site: str, measure: str) -> float | None:
        percent: float | None = missing.get((site, measure), {}).get("items_unanswered_percent")
        return percent

    return lacking, blank, lambda site, rule: problems.get((site, rule))


def _names_height(columns: Mapping[str, str]) -> float:
    """Return the room for column names, in millimetres."""
    return 8 if len(columns) <= MOST_UPRIGHT else 26


def _shade(
    axes: Axes,
    rows: Sequence[str],
    columns: Mapping[str, str],
    value: Value,
    format: str,
    most: float,
    title: str = "",
) -> None:
    """Draw a table whose cells are the darker, the more is missing; with the number in the cell."""
    axes.set_title(title, loc="left", fontsize=6.8, color=style.SOFT)
    name = title or ("problems" if format == "count" else "per cent")
    shaded_table(
        axes,
        (len(rows), len(columns)),
        lambda row, column: value(rows[row], list(columns)[column]),
        darkest=most,
        format=format,
        name=name,
    )
    upright = len(columns) <= MOST_UPRIGHT
    width = 13 if title else min(20, 84 // max(len(columns), 2) - 1)
    name_places(
        axes,
        ["all sites" if row == "all" else style.short(row, 16) for row in rows],
        [
            style.wrapped(name, width) if upright else style.short(name, 26)
            for name in columns.values()
        ],
    )
    axes.tick_params(axis="x", labelsize=6.3, rotation=0 if upright else 90)
    axes.set_xlim(0, max(len(columns), 2))
