"""Path diagram of joint courses: within clients from session to session, and between groups."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from alliance.families.joint_courses.terms import ends_of
from alliance.figures import style
from alliance.findings.formats import format_value
from alliance.findings.results import Results

# Millimetres of the panels' own plane, left to right and top to bottom.
PLANE, BOX, ROW, TOP = 114.0, 26.0, 27.0, 12.0
TITLE, LINK = 9.0, 13.0
LEFT, RIGHT = 1.0, PLANE - BOX - 1.0
WIDEST = 3.2  # points, the line of a standardised effect of one
ABOUT = {"facecolor": "white", "edgecolor": "none", "pad": 1.2}

Block = Mapping[str, Any]
Place = tuple[float, float]
Part = tuple[str, float, Block, Callable[[Axes, Block, Mapping[str, str]], None] | None]


def draw(results: Results) -> Figure:
    """Return for each model its paths within clients, and below it the links between groups."""
    fits = results.of_family("joint_courses")
    if not fits:
        return style.nothing_to_show("The configuration of this cohort asks for no joint courses.")
    parts = [part for fit in fits for part in _parts(fit)]
    figure, panels = style.stack(
        [title for title, *_ in parts], [height for _, height, *_ in parts]
    )
    for panel, (_, height, fit, paint) in zip(panels, parts, strict=True):
        if paint is None:
            style.say_why(panel.subplots(), fit["message"] or "The model gave no result.")
            continue
        axes = panel.subplots()
        axes.set_xlim(0, PLANE)
        axes.set_ylim(height - TITLE, 0)
        axes.set_axis_off()
        paint(axes, fit, _labels(results, fit))
        style.mark_status(axes, dict(fit))
    return figure


def _parts(fit: Block) -> list[Part]:
    """Return title, height, fit and painter of each panel of a fit."""
    if not _paths(fit):
        return [(fit["title"], 34.0, fit, None)]
    height = TITLE + TOP + ROW * (len(_names(fit)) - 1) + 5
    links = _links(fit)
    found: list[Part] = [(fit["title"] + ", within clients", height, fit, _draw_within)]
    if links:
        found.append(
            ("Levels at intake, between groups", TITLE + LINK * len(links) - 3, fit, _draw_between)
        )
    return found


def _paths(fit: Block) -> list[Block]:
    """Return the effects within clients that are drawn: main ones, and what is carried over."""
    return [
        entry
        for entry in fit["estimates"]
        if entry["standardised"] is not None
        and (entry["level"] == "autoregression" or (entry["link"] and entry["role"] == "main"))
    ]


def _links(fit: Block) -> list[Block]:
    return [
        entry
        for entry in fit["estimates"]
        if entry["standardised"] is not None and entry["level"].startswith("between ")
    ]


def _names(fit: Block) -> list[str]:
    return list(fit["outcome"]["column"].split(", "))


def _labels(results: Results, fit: Block) -> dict[str, str]:
    """Return each outcome's name in print; a subscale is called by its column."""
    known = {measure["name"]: measure["label"] for measure in results.about["measures"]}
    return {name: str(known.get(name, name.replace("_", " "))) for name in _names(fit)}


def _draw_within(axes: Axes, fit: Block, labels: Mapping[str, str]) -> None:
    names = _names(fit)
    places = {name: TOP + ROW * k for k, name in enumerate(names)}
    for x, words in ((LEFT, "this session"), (RIGHT, "the next")):
        axes.text(x + BOX / 2, 3.5, words, ha="center", va="center", color=style.SOFT, fontsize=7)
        for name in names:
            _box(axes, x, places[name], labels[name])
    for entry in _paths(fit):
        of, on, in_the_session = ends_of(entry["term"])
        start, end = places[of], places[on]
        if in_the_session:
            x, share = RIGHT + BOX / 2, 0.5
            down = 4.6 if end > start else -4.6
            _arrow(axes, (x, start + down), (x, end - down), entry)
            _say(axes, (x - 13, (start + end) / 2), entry)
            continue
        # Crossing arrows have their numbers near where they begin.
        share = 0.5 if of == on else 0.3
        left, right = LEFT + BOX + 0.6, RIGHT - 0.6
        tilt = 0.0 if of == on else (1.6 if end > start else -1.6)
        _arrow(axes, (left, start + tilt), (right, end - tilt), entry)
        here = (left + share * (right - left), start + tilt + share * (end - start - 2 * tilt))
        _say(axes, here, entry)


def _draw_between(axes: Axes, fit: Block, labels: Mapping[str, str]) -> None:
    for k, entry in enumerate(_links(fit)):
        y = 5.0 + LINK * k
        of, on, _ = ends_of(entry["term"])
        _box(axes, LEFT, y, labels[of])
        _box(axes, RIGHT, y, labels[on])
        _arrow(axes, (LEFT + BOX + 0.6, y), (RIGHT - 0.6, y), entry, both=True)
        _say(axes, (PLANE / 2, y), entry, f"{entry['level']}: ")


def _box(axes: Axes, x: float, y: float, words: str) -> None:
    shape = "round,pad=0,rounding_size=1.2"
    axes.add_patch(
        FancyBboxPatch((x, y - 4), BOX, 8, boxstyle=shape, facecolor=style.FILL, edgecolor="none")
    )
    axes.text(
        x + BOX / 2, y, style.wrapped(words, 16, 2), ha="center", va="center", fontsize=7,
        weight="bold", label="_nolegend_",
    )  # fmt: skip


def _arrow(axes: Axes, start: Place, end: Place, entry: Block, both: bool = False) -> None:
    """Draw a path, the wider the stronger, dashed where its interval holds zero."""
    low, high = entry["standardised_low"], entry["standardised_high"]
    clear = low is not None and high is not None and not low <= 0 <= high
    value = entry["standardised"]
    axes.annotate(
        "",
        xy=end,
        xytext=start,
        arrowprops={
            "arrowstyle": "<|-|>,head_width=0.18,head_length=0.36"
            if both
            else "-|>,head_width=0.18,head_length=0.36",
            "color": style.SOFT if not clear else style.BLUE if value > 0 else style.WINE,
            "linewidth": 0.7 + WIDEST * min(abs(value), 1.0),
            "linestyle": "-" if clear else (0, (4, 2)),
            "shrinkA": 0,
            "shrinkB": 0,
        },
    )


def _say(axes: Axes, place: Place, entry: Block, before: str = "") -> None:
    """Write a standardised effect with its interval on its path."""
    words = before + format_value("correlation", entry["standardised"])
    low, high = entry["standardised_low"], entry["standardised_high"]
    if low is not None and high is not None:
        words += f" [{format_value('correlation', low)}, {format_value('correlation', high)}]"
    axes.text(
        place[0],
        place[1],
        words,
        ha="center",
        va="center",
        fontsize=7,
        bbox=ABOUT,
        label=f"_{entry['label']}",
    )
