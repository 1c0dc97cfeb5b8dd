"""Internal consistency of each score: alpha and omega over all forms, by session and by site."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator

from alliance.figures import style
from alliance.figures.measurement import described, of_main_scores
from alliance.findings.formats import format_value
from alliance.findings.results import Results

ROW = 5.6  # millimetres
MOST_SITES = 12
SESSIONS = {"1": "session 1", "3": "session 3", "last": "last session"}
COEFFICIENTS = {
    "alpha": ("alpha", style.BLUE, "o", -0.16, True),
    "omega": ("omega", style.WINE, "D", 0.16, False),
}
ACCEPTED = 0.8


def draw(results: Results) -> Figure:
    """Return a panel for each measure."""
    content = described(results)
    if isinstance(content, str):
        return style.nothing_to_show(content)
    panels = {label: _shown(rows) for label, rows in of_main_scores(content, "reliability").items()}
    panels = {label: rows for label, rows in panels.items() if rows}
    if not panels:
        return style.nothing_to_show("No questionnaire is part of this cohort.")
    heights = [22 + ROW * len(rows) if _known(rows) else 32 for rows in panels.values()]
    figure, parts = style.stack([style.short(label, 56) for label in panels], heights)
    lowest = _lowest(panels.values())
    for part, rows, height in zip(parts, panels.values(), heights, strict=True):
        if _known(rows):
            axes = style.place_axes(part, height, left=0.24, right=0.74, bottom_mm=10, top_mm=9)
            _forest(axes, rows, lowest)
        else:
            style.say_why(part.subplots(), rows[0]["message"] or "Nothing could be computed.")
    return figure


def _shown(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return all forms first, then sessions, then sites (unless they are many)."""
    whole = [row for row in rows if row["site"] == "all" and row["session"] == "all"]
    sessions = [row for row in rows if row["session"] != "all"]
    sites = [row for row in rows if row["site"] != "all"]
    return [*whole, *sessions, *(sites if len(sites) <= MOST_SITES else [])]


def _known(rows: Sequence[Mapping[str, Any]]) -> bool:
    return any(row["alpha"] is not None for row in rows)


def _lowest(panels: Any) -> float:
    """Return where the axes begin: a tenth below the lowest interval, from 0 to .6."""
    ends = [
        row[f"{name}_low"]
        for rows in panels
        for row in rows
        for name in COEFFICIENTS
        if row[f"{name}_low"] is not None
    ]
    return max(0.0, min(0.6, int(10 * min([0.6, *ends])) / 10))


def _forest(axes: Axes, rows: Sequence[Mapping[str, Any]], lowest: float) -> None:
    for y, row in enumerate(rows):
        for name, (_, colour, marker, shift, filled) in COEFFICIENTS.items():
            value, low, high = row[name], row[f"{name}_low"], row[f"{name}_high"]
            if value is None:
                continue
            if low is not None:
                ends = [max(low, lowest), high]
                axes.plot(ends, [y + shift] * 2, color=colour, lw=1.1, label=f"_{name}")
            if value >= lowest:
                face = colour if filled else "white"
                axes.plot(
                    value, y + shift, marker, color=colour, mfc=face, ms=3.6, label=f"_{name}"
                )
        axes.text(
            1.03,
            y,
            _in_figures(row),
            transform=axes.get_yaxis_transform(),
            va="center",
            fontsize=6.5,
            color=style.INK if row["alpha"] is not None else style.SOFT,
        )
    axes.axvline(ACCEPTED, color=style.RULE, lw=0.8, zorder=0, label="_good enough for groups")
    axes.set_yticks(range(len(rows)), [_name(row) for row in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlim(lowest, 1)
    axes.xaxis.set_major_locator(MultipleLocator(0.1))
    axes.text(
        1.03,
        -0.95,
        "alpha / omega",
        transform=axes.get_yaxis_transform(),
        va="center",
        fontsize=6.5,
        color=style.SOFT,
    )
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    handles = [
        axes.plot([], [], marker, color=colour, mfc=colour if filled else "white", label=label)[0]
        for label, colour, marker, _, filled in COEFFICIENTS.values()
    ]
    axes.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=2,
        fontsize=6.5,
        borderaxespad=0.1,
        handletextpad=0.2,
    )


def _name(row: Mapping[str, Any]) -> str:
    if row["site"] != "all":
        return style.short(row["site"], 16)
    return SESSIONS.get(row["session"], "all forms")


def _in_figures(row: Mapping[str, Any]) -> str:
    if row["alpha"] is None:
        return "not computed" if row["forms"] else "no form"
    values = [
        "–" if row[name] is None else format_value("correlation:2", row[name])
        for name in COEFFICIENTS
    ]
    return f"{values[0]} / {values[1]}   ({format_value('count', row['clients'])} clients)"
