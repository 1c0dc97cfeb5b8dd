"""Staying in treatment by alliance: what the model predicts, and what was observed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from alliance.figures import style
from alliance.figures.at_risk import FEWEST_AT_RISK, draw_at_risk, ticks
from alliance.findings.results import Results

LOOK = ((style.OCHRE, "-"), (style.SKY, (0, (5, 1.5))), (style.BLUE, (0, (1.5, 1.2))))


def draw(results: Results) -> Figure:
    """Return the model's curves above, the Kaplan-Meier curves with numbers at risk below."""
    models = [fit for fit in results.of_family("hazard") if _curves(fit) or fit["message"]]
    observed = results.about["survival_by_alliance"]
    panels = [(fit, _curves(fit)) for fit in models]
    groups = [group for group in observed["groups"] if group["session"]]
    if not groups and not any(curves for _, curves in panels):
        reasons = [fit["message"] for fit in models if fit["message"]] + [observed["message"]]
        return style.nothing_to_show(
            " ".join(dict.fromkeys(filter(None, reasons)))
            or "There is neither a dropout model nor an observed curve."
        )
    heights = [*(58.0 if curves else 30.0 for _, curves in panels)]
    heights.append(66.0 + 3.4 * len(groups) if groups else 30.0)
    titles = [*("What the model predicts" for _ in panels), "What was observed (Kaplan–Meier)"]
    figure, parts = style.stack(titles, heights)
    axes = [part.subplots() for part in parts]
    last = max(
        [max(c["x"]) for _, curves in panels for c in curves] + [max(g["session"]) for g in groups]
    )
    for panel, (fit, curves) in zip(axes[:-1], panels, strict=True):
        if curves:
            _draw_model(panel, fit, curves)
            _finish(panel, last)
        else:
            style.say_why(panel, fit["message"] or "The model gave no curve.")
    if groups:
        _draw_observed(axes[-1], groups, last)
        _finish(axes[-1], last)
    else:
        style.say_why(axes[-1], observed["message"] or "There is no observed curve.")
    return figure


def _curves(fit: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [curve for curve in fit["curves"] if curve["name"] == "survival" and curve["x"]]


def _draw_model(axes: Axes, fit: Mapping[str, Any], curves: Sequence[Mapping[str, Any]]) -> None:
    for k, curve in enumerate(curves):
        colour, dash = LOOK[k % len(LOOK)]
        axes.fill_between(
            curve["x"], curve["ci_low"], curve["ci_high"], color=colour, alpha=0.16, lw=0,
            label=f"_{curve['group']}",
        )  # fmt: skip
        axes.plot(
            curve["x"],
            curve["estimate"],
            color=colour,
            ls=dash,
            label=style.short(curve["group"], 44),
        )
    style.mark_status(axes, dict(fit))


def _draw_observed(axes: Axes, groups: Sequence[Mapping[str, Any]], last: float) -> None:
    """Draw steps while enough clients are at risk, and a table of how many they are."""
    for k, group in enumerate(groups):
        colour, dash = LOOK[k % len(LOOK)]
        shown = [i for i, n in enumerate(group["at_risk"]) if n >= FEWEST_AT_RISK]
        x, y, low, high = (
            [group[key][i] for i in shown] for key in ("session", "staying", "ci_low", "ci_high")
        )
        name = style.short(group["group"], 44)
        axes.fill_between(
            x, low, high, step="post", color=colour, alpha=0.13, lw=0, label=f"_{name}"
        )
        axes.step(x, y, where="post", color=colour, ls=dash, label=name)
    colours = [LOOK[k % len(LOOK)][0] for k in range(len(groups))]
    draw_at_risk(axes, list(zip(groups, colours, strict=True)), last)


def _finish(axes: Axes, last: float) -> None:
    axes.set_xlim(0, last)
    axes.set_ylim(0, 1.02)
    axes.set_xticks(list(ticks(last)))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, symbol="%"))
    axes.set_xlabel("Session")
    axes.set_ylabel("Still in treatment")
    axes.grid(axis="y", color=style.RULE, linewidth=0.5)
    axes.legend(loc="lower left", fontsize=6.8, handlelength=2.6, borderaxespad=0.4)
