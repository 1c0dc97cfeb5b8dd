"""How a deviation is answered at the sessions after it, and what it adds up to where it lasts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from alliance.figures import style
from alliance.findings.results import Results

KINDS = {
    "response": ("once", style.BLUE, style.DASHES[0], style.MARKERS[0]),
    "lasting": ("at every session", style.WINE, style.DASHES[1], style.MARKERS[1]),
}


def draw(results: Results) -> Figure:
    """Return a panel for each direction of each model."""
    fits = results.of_family("joint_courses")
    parts = [(fit, group, own) for fit in fits for group, own in _groups(fit)]
    if not parts:
        return style.nothing_to_show("The configuration of this cohort asks for no joint courses.")
    heights = [46 if own else 32 for *_, own in parts]
    figure, panels = style.stack([group for _, group, _ in parts], heights)
    for panel, (fit, _, own) in zip(panels, parts, strict=True):
        axes = panel.subplots()
        if own:
            _draw(axes, own)
            style.mark_status(axes, dict(fit))
        else:
            style.say_why(axes, fit["message"] or "The model gave no result.")
    return figure


def _groups(fit: Mapping[str, Any]) -> list[tuple[str, list[Mapping[str, Any]]]]:
    """Return the curves of each direction; of a fit without any its title alone."""
    groups = dict.fromkeys(curve["group"] for curve in fit["curves"])
    found = [(one, [c for c in fit["curves"] if c["group"] == one]) for one in groups]
    return found or [(fit["title"], [])]


def _draw(axes: Axes, curves: Sequence[Mapping[str, Any]]) -> None:
    axes.axhline(0.0, color=style.RULE, lw=0.8, label="_nolegend_")
    for curve in curves:
        name, colour, dashes, marker = KINDS[curve["name"]]
        low, high = curve["ci_low"], curve["ci_high"]
        axes.fill_between(curve["x"], low, high, color=colour, alpha=0.15, lw=0, label=f"_{name}")
        axes.plot(
            curve["x"], curve["estimate"], color=colour, ls=dashes, lw=1.5, marker=marker, ms=3,
            label=name,
        )  # fmt: skip
    axes.set_xlabel(curves[0]["x_label"])
    axes.set_ylabel(style.wrapped(curves[0]["y_label"], 28))
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    axes.legend(title="1 SD above the client's course", loc="center left",
                bbox_to_anchor=(1.02, 0.5), title_fontsize=7, fontsize=7)  # fmt: skip
