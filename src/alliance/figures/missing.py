"""What is missing, and what was set aside, by site."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from alliance.figures import style
from alliance.findings.formats import MISSING, format_value

# Light to dark blue: more is darker, in grey too.
SHADES = LinearSegmentedColormap.from_list("shades", ["#f7f9fb", "#6699CC", "#004488"])


def draw(fits: Sequence[Mapping[str, Any]], about: Mapping[str, Any]) -> Figure:
    """Return three tables in shades: forms missing, items unanswered, problems found at intake."""
    sites = [row["site"] for row in about["flow"] if row["site"] != "all"]
    if not sites:
        return style.nothing_to_show("No site has given any data.")
    rows = [*sites, "all"] if len(sites) > 1 else sites
    labels = {measure["name"]: measure["label"] for measure in about["measures"]}
    missing = {(row["site"], row["measure"]): row for row in about["missing"]}
    rules = list(dict.fromkeys(problem["rule"] for problem in about["problems"]))
    found: dict[tuple[str, str], int] = {}
    for problem in about["problems"]:
        found[problem["site"], problem["rule"]] = problem["problems"]
    titles = ("Forms and items missing, in per cent", "Problems found when the files were read")
    figure, (upper, lower) = style.stack(titles, [32 + 5 * len(rows), 26 + 5 * len(sites)])
    left, right = upper.subplots(1, 2)
    measures = list(labels)
    columns = [style.wrapped(labels[measure], 13) for measure in measures]

    def lacking(site: str, measure: str) -> float | None:
        percent = missing.get((site, measure), {}).get("forms_percent")
        return None if percent is None else 100 - percent

    def blank(site: str, measure: str) -> float | None:
        percent: float | None = missing.get((site, measure), {}).get("items_unanswered_percent")
        return percent

    _shade(left, "sessions without the form", rows, measures, columns, lacking, "decimals:1", 30)
    _shade(
        right,
        "items left blank on forms",
        rows,
        measures,
        columns,
        blank,
        "decimals:1",
        30,
    )
    right.set_yticklabels([])
    axes = lower.subplots()
    if rules:
        most = max(found.values())
        names = [style.wrapped(rule.replace("-", " "), 11) for rule in rules]
        _shade(
            axes,
            "",
            sites,
            rules,
            names,
            lambda site, rule: found.get((site, rule)),
            "count",
            max(most, 8),
        )
    else:
        style.say_why(axes, "No problem was found when the files were read.")
    return figure


def _shade(
    axes: Axes,
    title: str,
    rows: Sequence[str],
    columns: Sequence[str],
    names: Sequence[str],
    value: Callable[[str, str], float | None],
    format: str,
    most: float,
) -> None:
    """Draw a table whose cells are the darker, the more is missing; with the number in the cell."""
    axes.set_title(title, loc="left", fontsize=6.8, color=style.SOFT)
    for y, row in enumerate(rows):
        for x, column in enumerate(columns):
            number = value(row, column)
            depth = 0.0 if number is None else min(1.0, number / most)
            axes.add_patch(_cell(x, y, SHADES(depth)))
            text = MISSING if number is None else format_value(format, number)
            axes.text(
                x,
                y,
                text,
                ha="center",
                va="center",
                fontsize=6.8,
                color="white" if depth > 0.45 else style.SOFT if number is None else style.INK,
            )
    axes.set_xlim(-0.5, max(len(columns), 2) - 0.5)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xticks(range(len(columns)), names, fontsize=6.3)
    axes.set_yticks(
        range(len(rows)), ["all sites" if r == "all" else style.short(r, 16) for r in rows]
    )
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _cell(x: float, y: float, colour: Any) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((x - 0.47, y - 0.44), 0.94, 0.88, facecolor=colour, edgecolor="none")
