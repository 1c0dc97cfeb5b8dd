"""Whether a measure measures the same over sites and over sessions, step by step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from alliance.figures import style
from alliance.figures.measurement import described
from alliance.findings.formats import format_value
from alliance.findings.results import Results

STEPS = {
    "configural": "same factors",
    "metric": "equal loadings",
    "scalar": "equal intercepts",
    "strict": "equal residuals",
}
HOLDS, BROKEN, FIRST = "#dbe7f3", "#f3dde1", style.FILL
ROW = 11.0
NAMES = 0.27  # of the width


def draw(results: Results) -> Figure:
    """Return a table of the steps, shaded by whether they hold."""
    content = described(results)
    if isinstance(content, str):
        return style.nothing_to_show(content)
    rows = content["invariance"]
    steps = {(s["measure"], s["over"], s["step"]): s for s in content["invariance_steps"]
             if not s["partial"]}  # fmt: skip
    if not steps:
        told = dict.fromkeys(row["message"] for row in rows if row["message"])
        return style.nothing_to_show(" ".join(told) or "Nothing could be compared.")
    height = 20 + ROW * len(rows)
    figure = style.new_figure(height)
    axes = figure.add_axes((NAMES, 8 / height, 0.98 - NAMES, 1 - 16 / height))
    figure.set_layout_engine("none")
    for y, row in enumerate(rows):
        own = [steps.get((row["measure"], row["over"], step)) for step in STEPS]
        if any(own):
            _cells(axes, y, own)
        else:
            words = style.wrapped(row["message"] or "not fitted", 62, 2)
            axes.text(0.0, y, words, ha="left", va="center", fontsize=6.3, color=style.SOFT,
                      label="_why not")  # fmt: skip
    axes.set_xlim(-0.5, len(STEPS) - 0.5)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_yticks(range(len(rows)), [_name(row) for row in rows], fontsize=6.8)
    axes.set_xticks(range(len(STEPS)), list(STEPS.values()), fontsize=6.8)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    figure.text(
        NAMES,
        2.5 / height,
        "blue: holds; red, crossed: does not hold; grey: the first model",
        fontsize=6.3,
        style="italic",
        color=style.SOFT,
    )
    return figure


def _name(row: Mapping[str, Any]) -> str:
    return f"{style.wrapped(row['label'], 22, 2)}\nover {row['over']}"


def _cells(axes: Axes, y: int, steps: Sequence[Mapping[str, Any] | None]) -> None:
    for x, step in enumerate(steps):
        if step is None:
            axes.text(x, y, "not reached", ha="center", va="center", fontsize=6.3,
                      color=style.SOFT, label="_change of fit")  # fmt: skip
            continue
        broken = step["holds"] is False
        colour = FIRST if step["holds"] is None else BROKEN if broken else HOLDS
        axes.add_patch(
            Rectangle(
                (x - 0.48, y - 0.44),
                0.96,
                0.88,
                facecolor=colour,
                edgecolor=style.WINE if broken else "none",
                hatch="xx" if broken else None,
                lw=0.0,
                alpha=0.9,
            )
        )
        axes.text(x, y, _in_figures(step), ha="center", va="center", fontsize=6.3, linespacing=1.4,
                  label="_fit" if step["change_cfi"] is None else "_change of fit")  # fmt: skip


def _in_figures(step: Mapping[str, Any]) -> str:
    if not step["converged"]:
        return "no stable\nsolution"
    if step["change_cfi"] is None:
        cfi, rmsea = (format_value("correlation:3", step[name]) for name in ("cfi", "rmsea"))
        return f"CFI {cfi}\nRMSEA {rmsea}"
    cfi, rmsea = (
        ("+" if step[name] > 0 else "") + format_value("correlation:3", step[name])
        for name in ("change_cfi", "change_rmsea")
    )
    return f"ΔCFI {cfi}\nΔRMSEA {rmsea}"
