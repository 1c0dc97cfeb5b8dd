"""Who has left by when, and how: cumulative incidence by cause, by early alliance, by site."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from alliance.figures import style
from alliance.figures.at_risk import draw_at_risk, ticks
from alliance.findings.results import Results

CAUSES = {
    "completed": ("completed as agreed", style.BLUE, "-"),
    "dropout": ("dropped out", style.OCHRE, (0, (5, 1.5))),
    "transferred": ("transferred", style.SKY, (0, (1.5, 1.2))),
    "other": ("ended otherwise", style.ROSE, (0, (6, 1.5, 1.5, 1.5))),
}
THIRDS = ((style.OCHRE, "-"), (style.SKY, (0, (5, 1.5))), (style.BLUE, (0, (1.5, 1.2))))
MOST_SITES = 6  # more lines cannot be told apart


def draw(results: Results) -> Figure:
    """Return a panel for all clients by cause, one by early alliance, one by site."""
    told = results.further.get("dropout")
    if told is None or told["message"] or not told["incidence"]:
        reason = told["message"] if told is not None else ""
        return style.nothing_to_show(reason or "There is no description of dropout.")
    by = {
        name: [curve for curve in told["incidence"] if curve["by"] == name and curve["session"]]
        for name in ("all", "early_alliance", "site")
    }
    last = max(max(curve["session"]) for curves in by.values() for curve in curves)
    titles = ["How treatments ended, all clients"]
    heights = [56.0]
    if by["early_alliance"] or told["early_alliance"]:
        titles.append("Dropout by early alliance")
        heights.append(64.0 if by["early_alliance"] else 30.0)
    if by["site"]:
        titles.append("Dropout by site")
        heights.append(48.0)
    figure, parts = style.stack(titles, heights)
    axes = [part.subplots() for part in parts]
    _draw_causes(axes[0], by["all"], last)
    place = 1
    if by["early_alliance"] or told["early_alliance"]:
        _draw_thirds(axes[place], by["early_alliance"], last, told["early_alliance"])
        place += 1
    if by["site"]:
        _draw_sites(axes[place], by["site"], last)
    return figure


def _draw_causes(axes: Axes, curves: Sequence[Mapping[str, Any]], last: float) -> None:
    for curve in curves:
        label, colour, dash = CAUSES[curve["cause"]]
        _step(axes, curve, colour, dash, label)
    if curves:
        draw_at_risk(axes, [(curves[0], style.SOFT)], last)
    _finish(axes, last, 1.0)


def _draw_thirds(
    axes: Axes, curves: Sequence[Mapping[str, Any]], last: float, why_not: str
) -> None:
    if not curves:
        style.say_why(axes, why_not)
        return
    for curve, (colour, dash) in zip(curves, THIRDS, strict=False):
        _step(axes, curve, colour, dash, curve["group"])
    shown = [(curve, colour) for curve, (colour, _) in zip(curves, THIRDS, strict=False)]
    draw_at_risk(axes, shown, last)
    _finish(axes, last, None)


def _draw_sites(axes: Axes, curves: Sequence[Mapping[str, Any]], last: float) -> None:
    for k, curve in enumerate(curves):
        few = len(curves) <= MOST_SITES
        colour = style.SERIES[k] if few else style.SKY
        dash = style.DASHES[k] if few else "-"
        name = style.short(curve["group"], 24)
        label = name if few else "each site" if k == 0 else f"_{name}"
        axes.step(
            curve["session"],
            curve["value"],
            where="post",
            color=colour,
            ls=dash,
            lw=1.3 if few else 0.6,
            label=label,
        )
    style.remark(axes, "without bands, for legibility; sites of eight and more clients")
    _finish(axes, last, None)


def _step(axes: Axes, curve: Mapping[str, Any], colour: str, dash: Any, label: str) -> None:
    x = curve["session"]
    axes.fill_between(
        x, curve["ci_low"], curve["ci_high"], step="post", color=colour, alpha=0.15, lw=0,
        label=f"_{label}",
    )  # fmt: skip
    axes.step(x, curve["value"], where="post", color=colour, ls=dash, label=label)


def _finish(axes: Axes, last: float, top: float | None) -> None:
    axes.set_xlim(0, last)
    axes.set_ylim(0, top)
    axes.set_xticks(list(ticks(last)))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol="%"))
    axes.set_xlabel("After session")
    axes.set_ylabel("Share of clients")
    axes.grid(axis="y", color=style.RULE, linewidth=0.5)
    axes.legend(loc="upper left", fontsize=6.8, handlelength=2.6, borderaxespad=0.4)
