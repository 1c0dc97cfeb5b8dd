"""One figure a model: residuals, random effects, and its main effects without a group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from alliance.figures import style
from alliance.findings.formats import format_value
from alliance.findings.marks import short_mark_of

ROW = 47.0  # millimetres, a row of panels
EFFECT = 13.5  # millimetres, a main effect
FEW = 12  # points that are drawn one by one
BELOW = 15.0  # millimetres for legend and margins of the main effects
LEFT_OUT = {
    "therapist": (style.WINE, "-"),
    "site": (style.OCHRE, (0, (5, 1))),
    "client": (style.SKY, (0, (1.5, 0.8))),
}
Block = Mapping[str, Any]


def draw(fit: Block) -> Figure:
    """Return the figure of one model; where it has no diagnostics, the reason."""
    found = fit.get("diagnostics")
    if found is None or found["message"]:
        return style.nothing_to_show(_why_nothing(fit, found))
    effects = _by_term(found["influence"]["effects"], fit)
    last = BELOW + EFFECT * len(effects) if effects else 30.0
    heights = [ROW, last] if found["calibration"] is not None else [ROW, ROW, last]
    figure = style.new_figure(sum(heights))
    rows = figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
    if found["calibration"] is not None:
        left, right = _two(rows[0], "ab", "Risk as predicted and as observed", "Random effects")
        _calibration(left, found["calibration"])
        _random_effects(right, None, found["random_effects"])
    else:
        left, right = _two(rows[0], "ab", "Residuals: normal?", "Residuals and fitted values")
        _residual_quantiles(left, found["residuals"])
        _residuals_by_fitted(right, found["residuals"])
        left, right = _two(rows[1], "cd", "Random effects: normal?", "")
        _random_effects(left, right, found["random_effects"])
    letter = "c" if found["calibration"] is not None else "d"
    _influence(rows[-1], letter, effects, _why_no_influence(found["influence"]), last)
    if note := short_mark_of(fit):
        rows[-1].text(0.985, 1 - 1.2 / last, note, ha="right", va="top", fontsize=6.5,
                      style="italic", color=style.WARNING)  # fmt: skip
    return figure


def _why_nothing(fit: Block, found: Block | None) -> str:
    if found is not None:
        return str(found["message"])
    if fit["status"] == "failed":
        return "The model did not converge: there is nothing to look at."
    return fit["message"] or "No diagnostics were computed for this fit."


def _two(part: Any, letters: str, first: str, second: str) -> tuple[Axes, Axes]:
    """Return two panels side by side, lettered and titled."""
    left, right = part.subplots(1, 2)
    for axes, letter, title in ((left, letters[0], first), (right, letters[1], second)):
        if title:
            axes.set_title(f"{letter}   {title}", loc="left", fontsize=7.5, pad=9)
    return left, right


def _quiet(axes: Axes, x: str, y: str) -> None:
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.locator_params(nbins=4)


def _quantiles(axes: Axes, pairs: Block, place: int, name: str = "") -> None:
    """Draw the pairs: a line where there are many, points where there are few."""
    few = len(pairs["expected"]) <= FEW
    axes.plot(
        pairs["expected"],
        pairs["observed"],
        ls="none" if few else style.DASHES[place % len(style.DASHES)],
        lw=1.1,
        marker=style.MARKERS[place % len(style.MARKERS)] if few else None,
        ms=3,
        color=style.SERIES[place % len(style.SERIES)],
        label=name,
    )


def _diagonal(axes: Axes) -> None:
    axes.axline((0, 0), slope=1, color=style.SOFT, lw=0.6, zorder=0)


def _residual_quantiles(axes: Axes, blocks: Sequence[Block]) -> None:
    shown = [block for block in blocks if block["normal"] is not None]
    if not shown:
        style.say_why(axes, blocks[0]["message"] if blocks else "No residuals.", 26)
        return
    _diagonal(axes)
    for place, block in enumerate(shown):
        _quantiles(axes, block["normal"], place, style.short(_words(block["outcome"]), 20))
    if len(shown) > 1:
        axes.legend(loc="upper left", fontsize=6.3, handletextpad=0.1, borderaxespad=0.0)
    _quiet(axes, "Normal quantile", "Residual (SD)")


def _residuals_by_fitted(axes: Axes, blocks: Sequence[Block]) -> None:
    shown = [block for block in blocks if block["by_fitted"] is not None]
    if not shown:
        style.say_why(axes, blocks[0]["message"] if blocks else "No residuals.", 26)
        return
    axes.axhline(0, color=style.SOFT, lw=0.6, zorder=0)
    for place, block in enumerate(shown):
        bins, colour = block["by_fixed_part"], style.SERIES[place]
        axes.vlines(bins["x"], bins["mean_low"], bins["mean_high"], color=colour, lw=0.9)
        axes.plot(bins["x"], bins["mean"], ls="none", marker=style.MARKERS[place], ms=3,
                  color=colour, mfc=colour if not place else "white", mew=0.7)  # fmt: skip
        whole = block["by_fitted"]
        axes.plot(whole["x"], whole["sd"], color=colour, lw=0.8, ls=(0, (4, 1.5)))
    _quiet(axes, "Fitted value", "Residual (SD)")
    style.remark(axes, "points: mean, dashes: spread")


def _random_effects(axes: Axes, beside: Axes | None, blocks: Sequence[Block]) -> None:
    """Draw the effects; name them beside, or within where there is no place beside."""
    shown = [block for block in blocks if block["normal"] is not None]
    silent = [block["message"] for block in blocks if block["normal"] is None]
    if shown:
        _diagonal(axes)
        for place, block in enumerate(shown):
            _quantiles(axes, block["normal"], place, _name_of_effect(block))
        _quiet(axes, "Normal quantile", "Random effect (SD)")
    else:
        style.say_why(axes, silent[0] if silent else "The model has no random effects.", 26)
    if beside is None:
        if shown:
            axes.legend(loc="upper left", fontsize=6.3, handletextpad=0.1, borderaxespad=0.0)
        return
    beside.set_axis_off()
    if shown:
        handles, names = axes.get_legend_handles_labels()
        beside.legend(handles, names, loc="upper left", fontsize=6.3, labelspacing=0.7,
                      handletextpad=0.3, borderaxespad=0.0)  # fmt: skip
    if shown and silent:
        beside.text(0.0, 0.0, style.wrapped(silent[0], 42, 2), fontsize=6.3, color=style.SOFT,
                    transform=beside.transAxes, va="bottom")  # fmt: skip


def _name_of_effect(block: Block) -> str:
    outcome, _, term = block["term"].rpartition(": ")
    what = "intercept" if term == "1" else style.short(_words(term), 20)
    whose = f"{block['level']}, {style.short(_words(outcome), 18) + ': ' if outcome else ''}{what}"
    known = f"reliability {format_value('correlation', block['reliability'])}"
    return f"{whose}\n{block['groups']} groups, {known}"


def _words(name: str) -> str:
    return name.replace("_", " ")


def _calibration(axes: Axes, block: Block) -> None:
    if not block["predicted"]:
        style.say_why(axes, block["message"], 26)
        return
    _diagonal(axes)
    axes.vlines(block["predicted"], block["low"], block["high"], color=style.BLUE, lw=0.9)
    axes.plot(block["predicted"], block["observed"], ls="none", marker="o", color=style.BLUE)
    _quiet(axes, "Predicted risk", "Observed share")
    axes.set_ylim(bottom=0)


def _by_term(effects: Sequence[Block], fit: Block) -> list[tuple[Block, list[Block]]]:
    """Return each main effect of the fit with what it is without a group."""
    mains = [row for row in fit["estimates"] if row["role"] == "main"]
    found = [(main, [e for e in effects if e["term"] == main["term"]]) for main in mains]
    return [(main, rows) for main, rows in found if rows]


def _why_no_influence(influence: Block) -> str:
    if "not_made" in influence:
        return str(influence["not_made"]["text"])
    messages = [level["message"] for level in influence["levels"] if level["message"]]
    return messages[0] if messages else "The model has no main effect."


def _influence(
    part: Any,
    letter: str,
    effects: Sequence[tuple[Block, list[Block]]],
    why_none: str,
    height: float,
) -> None:
    """Draw each main effect on an axis of its own, and its range without one group."""
    part.suptitle(f"{letter}   Main effects without one group", x=0.013, ha="left", fontsize=7.5)
    if not effects:
        style.say_why(part.subplots(), why_none)
        return
    several = len({main["label"] for main, _ in effects}) < len(effects)
    for place, (main, rows) in enumerate(effects):
        name = f"{main['label']}, {main['level']}" if several else main["label"]
        bottom = 1 - (6.5 + EFFECT * (place + 1) - 4.5) / height
        axes = part.add_axes((0.34, bottom, 0.37, (EFFECT - 5.0) / height))
        _one_effect(axes, name, main, rows)
    there = [level for level in LEFT_OUT if any(r["left_out"] == level for _, e in effects
                                                for r in e)]  # fmt: skip
    handles = [Line2D([], [], color=style.BLUE, marker="o", ms=3.2, label="estimate, interval")]
    handles += [
        Line2D([], [], color=LEFT_OUT[level][0], ls=LEFT_OUT[level][1], lw=2,
               label=f"without a {level}")
        for level in there
    ]  # fmt: skip
    part.legend(handles=handles, loc="lower center", ncols=len(handles), fontsize=6.3,
                columnspacing=1.0, handlelength=1.8, borderaxespad=0.2)  # fmt: skip


def _one_effect(axes: Axes, name: str, main: Block, rows: Sequence[Block]) -> None:
    if main["ci_low"] is not None and main["ci_high"] is not None:
        axes.plot([main["ci_low"], main["ci_high"]], [0, 0], color=style.BLUE, lw=1.2)
    axes.plot(main["estimate"], 0, marker="o", ms=3.6, ls="none", color=style.BLUE)
    for place, row in enumerate(rows):
        colour, dashes = LEFT_OUT[row["left_out"]]
        y = place + 1.0
        axes.plot([row["lowest"], row["highest"]], [y, y], color=colour, lw=2, ls=dashes,
                  solid_capstyle="butt", dash_capstyle="butt")  # fmt: skip
    low, high = axes.get_xlim()
    if low < 0 < high:
        axes.axvline(0, color=style.INK, lw=0.6)
    axes.set_ylim(3.7, -0.7)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.locator_params(axis="x", nbins=4)
    axes.tick_params(axis="x", labelsize=6.3, pad=1.5)
    axes.text(
        -0.04,
        0.5,
        style.wrapped(name, 29, 3),
        transform=axes.transAxes,
        ha="right",
        va="center",
        fontsize=6.6,
    )
    axes.text(1.04, 0.5, _conclusion(rows), transform=axes.transAxes, va="center", fontsize=6.3)


def _conclusion(rows: Sequence[Block]) -> str:
    """Return whether the interval ever lies otherwise against zero."""
    changes = [row for row in rows if row["conclusion_changes"]]
    if all(row["conclusion_changes"] is None for row in rows):
        return "no interval to judge by"
    if not changes:
        return "same conclusion"
    lines = [
        f"{row['conclusion_changes']} of {row['groups']} {row['left_out']}s" for row in changes
    ]
    return "\n".join(["another conclusion", "without " + lines[0], *lines[1:]])
