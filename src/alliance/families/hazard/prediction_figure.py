"""How well the hazard foretells: calibration, discrimination and accuracy over sessions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from alliance.figures import style
from alliance.findings.marks import short_mark_of
from alliance.findings.results import Results

PANELS = {
    "calibration": "Observed dropouts",
    "discrimination": "AUC",
    "brier": "Brier score",
}
LOOK = ((style.BLUE, "o", "-"), (style.OCHRE, "s", (0, (5, 1.5))))


def draw(results: Results) -> Figure:
    """Return a row of three panels for each dropout model."""
    models = results.of_family("hazard")
    shown = [fit for fit in models if _curves(fit, "calibration")]
    if not shown:
        reasons = dict.fromkeys(fit["message"] for fit in models if fit["message"])
        return style.nothing_to_show(" ".join(reasons) or "No dropout model was cross-validated.")
    # what is wrong with a fit stands in front, where no long title can push it out
    titles = [" · ".join(filter(None, (short_mark_of(fit), fit["title"]))) for fit in shown]
    figure, parts = style.stack(titles, [56.0 for _ in shown])
    for part, fit in zip(parts, shown, strict=True):
        axes = part.subplots(1, len(PANELS))
        for panel, name in zip(axes, PANELS, strict=True):
            _draw(panel, fit, name)
    return figure


def _curves(fit: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    return [curve for curve in fit["curves"] if curve["name"] == name and curve["x"]]


def _draw(axes: Axes, fit: Mapping[str, Any], name: str) -> None:
    curves = _curves(fit, name)
    if not curves:
        style.say_why(axes, "Too few dropouts.", 16)
        return
    for curve, (colour, marker, dash) in zip(curves, LOOK, strict=False):
        faint = fit["status"] == "failed"
        colour = style.SOFT if faint else colour
        axes.vlines(curve["x"], curve["ci_low"], curve["ci_high"], color=colour, lw=0.9, alpha=0.7,
                    label=f"_{curve['group']}")  # fmt: skip
        axes.plot(
            curve["x"],
            curve["estimate"],
            color=colour,
            marker=marker,
            ms=2.8,
            lw=0.8,
            ls=dash,
            label=curve["group"] if len(curves) > 1 else f"_{curve['group']}",
        )
    axes.set_xlabel(curves[0]["x_label"])
    axes.set_ylabel(PANELS[name])
    axes.grid(axis="y", color=style.RULE, linewidth=0.5)
    if name == "calibration":
        top = max(max(curves[0]["x"]), max(curves[0]["ci_high"])) * 1.05
        axes.plot([0, top], [0, top], color=style.SOFT, lw=0.6, ls=":", label="_right risks")
        axes.set_xlim(0, top)
        axes.set_ylim(0, top)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol="%"))
            axis.set_major_locator(_few_ticks())
        return
    axes.xaxis.set_major_locator(_few_ticks(integer=True))
    if name == "discrimination":
        axes.axhline(0.5, color=style.SOFT, lw=0.6, ls=":", label="_a coin")
        axes.set_ylim(min(0.2, *curves[0]["ci_low"]), 1)
    else:
        axes.set_ylim(0, max(max(curve["ci_high"]) for curve in curves) * 1.45)
        axes.legend(loc="upper right", fontsize=6.3, handlelength=1.4, borderaxespad=0.1)


def _few_ticks(integer: bool = False) -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(3, integer=integer, steps=[1, 2, 5, 10])
