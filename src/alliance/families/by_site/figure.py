"""Every site's own estimate, their mean, where a further site would lie, and the one model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure

from alliance.families.facts import Estimator
from alliance.figures import style
from alliance.figures.rows import Line, draw_lines
from alliance.findings.marks import mark_of
from alliance.findings.results import Results

# What has a long name in words, as it stands below the mean of the sites.
SHORT = {Estimator.SYNTHESIS_WITH_FLOOR: "the same, wider interval"}
SIDE_BY_SIDE = 2  # effects of one model, which have their rows in common
LEFT, BETWEEN, RIGHT = 0.32, 0.04, 0.98  # shares of the width
TITLE, ABOVE, MARK, BELOW, ROW = 8.0, 7.0, 4.0, 10.0, 3.3  # millimetres
ONE_LINE = 58  # characters of a panel's title
LONGEST_NAME = 27  # characters of a row's name, which has one line


def draw(results: Results) -> Figure:
    """Return a panel for each fit of family `by_site`; the effects of one fit share their rows.

    The numbers stand in the table of sites, not in the picture.
    """
    fits = results.of_family("by_site")
    if not fits:
        return style.nothing_to_show(
            "The configuration of this cohort asks no model site by site (family by_site)."
        )
    heights = [_height(fit) for fit in fits]
    figure, panels = style.stack([fit["title"] for fit in fits], heights)
    for panel, height, fit in zip(panels, heights, fits, strict=True):
        if not fit["estimates"]:
            style.say_why(panel.subplots(), fit["message"] or "There is nothing to put together.")
            continue
        _draw_effects(panel, height, fit)
    return figure


def _height(fit: Mapping[str, Any]) -> float:
    """Return the height of a model's panel in millimetres."""
    mains = fit["estimates"]
    if not mains:
        return 34.0
    below_one_another = -(-len(mains) // SIDE_BY_SIDE)
    return _titled(fit) + below_one_another * (_above(fit) + BELOW + ROW * len(_names(fit)))


def _titled(fit: Mapping[str, Any]) -> float:
    """Return the room for the title of a model's panel, of one or two lines."""
    return TITLE if len(fit["title"]) <= ONE_LINE else 1.5 * TITLE


def _above(fit: Mapping[str, Any]) -> float:
    """Return the room for the name of an effect, and below it for what is wrong with the model."""
    return ABOVE + (MARK if mark_of(fit) else 0.0)


def _names(fit: Mapping[str, Any]) -> list[str]:
    """Return the names of the rows that the effects of a fit have in common, in order."""
    of_effects = [[line.name for line in _lines(fit, main)] for main in fit["estimates"]]
    longest = max(of_effects, key=len)
    return list(dict.fromkeys([*longest, *(name for names in of_effects for name in names)]))


def _in_rows(names: list[str], main: Mapping[str, Any], lines: list[Line]) -> list[Line]:
    """Return a line for every row; one that an effect does not have stays empty."""
    own = {line.name: line for line in lines}
    empty = {**main, **dict.fromkeys(("ci_low", "ci_high", "ratio_low", "ratio_high"))}
    return [own.get(name, Line(name, empty, bare=True)) for name in names]


def _label(fit: Mapping[str, Any], main: Mapping[str, Any]) -> str:
    """Return what an effect is called, with its level where another one is called the same."""
    alike = [one for one in fit["estimates"] if one["label"] == main["label"]]
    return f"{main['label']}, {main['level']}" if len(alike) > 1 else main["label"]


def _draw_effects(panel: Any, height: float, fit: Mapping[str, Any]) -> None:
    """Draw the effects of a fit side by side, two in a row; only the first of a row has names."""
    width = (RIGHT - LEFT - BETWEEN) / SIDE_BY_SIDE
    names = _names(fit)
    above = _above(fit)
    one = above + BELOW + ROW * len(names)
    for k, main in enumerate(fit["estimates"]):
        across, down = k % SIDE_BY_SIDE, k // SIDE_BY_SIDE
        bottom = height - _titled(fit) - (down + 1) * one + BELOW
        place = (LEFT + across * (width + BETWEEN), bottom / height, width,
                 (one - above - BELOW) / height)  # fmt: skip
        axes = panel.add_axes(place)
        draw_lines(axes, _in_rows(names, main, _lines(fit, main)), fit["status"] == "failed",
                   main["ratio"] or main["estimate"], numbers=False)  # fmt: skip
        axes.locator_params(axis="x", nbins=4)
        if across:
            axes.set_yticklabels([])
        axes.set_title(style.wrapped(_label(fit, main), 30, 2), fontsize=6.8, loc="left",
                       pad=2 if above == ABOVE else 13)  # fmt: skip
        unit = main["unit"].removeprefix("log odds ")
        axes.set_xlabel(style.short(f"Odds ratio {unit}" if main["ratio"] else unit, 36))
        style.mark_status(axes, dict(fit))


def _lines(fit: Mapping[str, Any], main: Mapping[str, Any]) -> list[Line]:
    beside = [c for c in fit["companions"] if c["term"] == main["term"]]
    sites = [c for c in beside if c["estimator"]["code"] == Estimator.SITE_ALONE]
    others = [c for c in beside if c not in sites]
    found = [Line(_short(c["estimator"]["text"].removesuffix(" alone")), c) for c in sites]
    found.append(
        Line(_short(main["estimator"]["text"].split(",")[0]), main, main=True, pooled=True)
    )
    return found + [
        Line(
            _short(SHORT.get(how["code"], how["text"])),
            c,
            pooled=True,
            bare=how["code"] == Estimator.FURTHER_SITE,
        )
        for c, how in ((c, c["estimator"]) for c in others)
    ]


def _short(name: str) -> str:
    return style.short(name, LONGEST_NAME)
