"""Forest of the alliance effects: within, between, fixed effects; both directions; dropout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from alliance.families.registry import that_are
from alliance.figures import style
from alliance.figures.rows import ratio_axis
from alliance.findings.formats import decimals_for, format_value
from alliance.findings.results import Results


def draw(results: Results) -> Figure:
    """Return a panel for each model of a family that belongs here."""
    chosen = results.of_family(*that_are("in_forest"))
    if not chosen:
        return style.nothing_to_show(
            "The configuration of this cohort names no model of alliance with symptoms or dropout."
        )
    rows = [_rows(fit) for fit in chosen]
    heights = [
        _height(fit, lines) if lines else 34 for fit, lines in zip(chosen, rows, strict=True)
    ]
    figure, panels = style.stack([fit["title"] for fit in chosen], heights)
    for panel, height, fit, lines in zip(panels, heights, chosen, rows, strict=True):
        if lines:
            draw_forest(style.place_axes(panel, height), fit, lines)
        else:
            style.say_why(panel.subplots(), fit["message"] or "The model gave no main effect.")
    return figure


def _height(fit: Mapping[str, Any], lines: Sequence[Mapping[str, Any]]) -> float:
    """Return the height of a panel in millimetres."""
    return 22 + sum(_row_heights(fit, lines))


def _row_heights(fit: Mapping[str, Any], lines: Sequence[Mapping[str, Any]]) -> list[float]:
    """Return how high each row is in millimetres: as its name."""
    return [1.6 + 2.7 * (_name(line, line in fit["companions"]).count("\n") + 1) for line in lines]


def _rows(fit: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return main effects in order, each companion below the effect that it checks."""
    lines = []
    companions = list(fit["companions"])
    for main in (e for e in fit["estimates"] if e["role"] == "main"):
        lines.append(main)
        beside = [c for c in companions if c["level"] == main["level"]]
        lines += beside
        companions = [c for c in companions if c not in beside]
    return [line for line in [*lines, *companions] if line["estimate"] is not None]


def draw_forest(axes: Axes, fit: Mapping[str, Any], lines: Sequence[Mapping[str, Any]]) -> None:
    """Draw estimates with intervals; odds ratios stand on a logarithmic axis."""
    as_ratio = all(line["ratio"] is not None for line in lines)
    keys = ("ratio", "ratio_low", "ratio_high") if as_ratio else ("estimate", "ci_low", "ci_high")
    failed = fit["status"] == "failed"
    # One rounding for the panel, that of its first line, so that the numbers stand in line.
    format = "ratio" if as_ratio else decimals_for(lines[0]["se"], lines[0]["estimate"])
    names = []
    heights = _row_heights(fit, lines)
    ys = [sum(heights[:k]) + height / 2 for k, height in enumerate(heights)]
    for y, line in zip(ys, lines, strict=True):
        value, low, high = (line[key] for key in keys)
        companion = line in fit["companions"]
        colour = style.SOFT if failed else style.SKY if companion else style.BLUE
        if low is not None and high is not None:
            axes.plot(
                [low, high],
                [y, y],
                color=colour,
                lw=1.2,
                ls=":" if failed else "-",
                solid_capstyle="butt",
                label="_check" if companion else "_effect",
            )
        axes.plot(
            value,
            y,
            marker="D" if companion else "o",
            ms=4.2,
            ls="none",
            color=colour,
            mfc="white" if failed or companion else colour,
            mew=1.0,
            label="_check" if companion else "_effect",
        )
        axes.text(
            1.03,
            y,
            _interval(line, keys, format),
            transform=axes.get_yaxis_transform(),
            va="center",
            fontsize=6.8,
            color=style.SOFT if failed else style.INK,
        )
        names.append(_name(line, companion))
    axes.set_yticks(ys, names, fontsize=6.6)
    axes.set_ylim(sum(heights), 0)
    axes.axvline(1 if as_ratio else 0, color=style.INK, lw=0.6, label="_no effect")
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.margins(x=0.12)
    if as_ratio:
        ratio_axis(axes)
        axes.set_xlabel(_ratio_words(fit) + " " + _per(lines))
    else:
        axes.locator_params(axis="x", nbins=5)
        axes.set_xlabel(
            style.wrapped(f"{fit['outcome']['label']}, {lines[0]['unit']}", 70, 2), loc="center"
        )
    style.mark_status(axes, dict(fit))


def _name(line: Mapping[str, Any], companion: bool) -> str:
    if companion:
        return style.wrapped(f"check: {line['estimator']['text'].split('(')[0].strip()}", 28, 3)
    return style.wrapped(line["label"], 28, 3)


def _per(lines: Sequence[Mapping[str, Any]]) -> str:
    units = {line["unit"] for line in lines}
    if len(units) != 1:
        return ""
    unit = units.pop()
    return style.short(unit[unit.find("per ") :] if "per " in unit else "", 30)


def _ratio_words(fit: Mapping[str, Any]) -> str:
    return "Hazard ratio" if "hazard" in fit["outcome"]["unit"] else "Odds ratio"


def _interval(line: Mapping[str, Any], keys: Sequence[str], format: str) -> str:
    value, low, high = (line[key] for key in keys)
    if low is None or high is None:
        return format_value(format, value)
    return (
        f"{format_value(format, value)} [{format_value(format, low)}, {format_value(format, high)}]"
    )
