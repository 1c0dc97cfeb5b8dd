"""All models at a glance: standardised main effects, and where the variance lies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from alliance.families.registry import that_are
from alliance.figures import style
from alliance.findings.formats import format_value
from alliance.findings.marks import short_mark_of
from alliance.findings.results import Results

LEVELS = {
    "site": style.OCHRE,  # not brown, which in grey is as dark as the client's part
    "therapist": style.BLUE,
    "client": style.SKY,
    "session": style.RULE,
}


def draw(results: Results) -> Figure:
    """Return variance shares by level above, standardised effects below."""
    shares = [(fit, _shares(fit)) for fit in results.fits]
    shares = [(fit, parts) for fit, parts in shares if parts]
    again = that_are("several_models")
    effects = [
        (fit, e)
        for fit in results.fits
        if fit["family"] not in again  # it repeats the effect of the model that it asks again
        for e in fit["estimates"]
        if e["standardised"] is not None and e["role"] == "main"
    ]
    if not shares and not effects:
        reasons = dict.fromkeys(fit["message"] for fit in results.fits if fit["message"])
        return style.nothing_to_show(" ".join(reasons) or "No model gave an estimate.")
    heights = [24 + 7.5 * len(shares) if shares else 30, 22 + 7 * len(effects) if effects else 30]
    titles = (
        "Where the unexplained variance lies (at intake)",
        "Main effects in standard deviations",
    )
    figure, parts = style.stack(titles, heights)
    if shares:
        upper = style.place_axes(parts[0], heights[0], right=0.98, top_mm=9)
        _draw_shares(upper, shares)
    else:
        style.say_why(parts[0].subplots(), "No model has variance components.")
    if effects:
        lower = style.place_axes(parts[1], heights[1], left=0.56, right=0.9, top_mm=9)
        _draw_effects(lower, effects)
    else:
        style.say_why(parts[1].subplots(), "No main effect has a standardised value.")
    return figure


def _shares(fit: Mapping[str, Any]) -> list[tuple[str, float]]:
    return [
        (part["level"], part["share"])
        for part in fit["variance_components"]
        if part["share"] is not None and part["name_1"] == part["name_2"]
    ]


def _label(fit: Mapping[str, Any]) -> str:
    mark = _mark(fit)
    # The mark is never cut off.
    return style.wrapped(style.short(fit["model"].replace("_", " "), 46 - len(mark)) + mark, 24, 3)


def _mark(fit: Mapping[str, Any]) -> str:
    return f" ({words})" if (words := short_mark_of(fit)) else ""


def _draw_shares(
    axes: Axes, shares: Sequence[tuple[Mapping[str, Any], list[tuple[str, float]]]]
) -> None:
    seen: dict[str, str] = {}
    for y, (fit, parts) in enumerate(shares):
        left = 0.0
        for level, share in parts:
            colour = LEVELS.get(level, style.ROSE)
            seen[level] = colour
            axes.barh(
                y,
                share,
                left=left,
                height=0.66,
                color=colour,
                edgecolor="white",
                lw=0.8,
                label=f"_{level}",
                alpha=0.4 if fit["status"] == "failed" else 1,
            )
            if share >= 0.06:
                axes.text(
                    left + share / 2,
                    y,
                    format_value("share:0", share),
                    ha="center",
                    va="center",
                    fontsize=6.5,
                    color="white" if colour == style.BLUE else style.INK,
                )
            left += share
    axes.set_yticks(range(len(shares)), [_label(fit) for fit, _ in shares])
    axes.set_ylim(len(shares) - 0.45, -0.55)
    axes.set_xlim(0, 1)
    axes.set_xticks([])
    axes.tick_params(axis="y", length=0)
    axes.spines[:].set_visible(False)
    handles = [
        axes.barh(0, 0, color=colour, label="session (residual)" if level == "session" else level)
        for level, colour in seen.items()
    ]
    axes.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=(0, 0),
        ncols=4,
        handlelength=1,
        handleheight=1,
        columnspacing=1.4,
        borderaxespad=0.3,
        fontsize=6.8,
    )


def _draw_effects(
    axes: Axes, effects: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]
) -> None:
    names = []
    for y, (fit, effect) in enumerate(effects):
        failed = fit["status"] == "failed"
        colour = style.SOFT if failed else style.BLUE
        value = effect["standardised"]
        stem: dict[str, Any] = {"ls": ":" if failed else "-", "label": "_nolegend_"}
        axes.plot([0, value], [y, y], color=colour, lw=1.0, **stem)
        face = "white" if failed else colour
        axes.plot(value, y, "o", ms=4.5, color=colour, mfc=face, label="_standardised effect")
        axes.text(
            1.03,
            y,
            format_value("decimals:2", value),
            transform=axes.get_yaxis_transform(),
            va="center",
            fontsize=6.8,
        )
        mark = _mark(fit)
        outcome = style.short(fit["outcome"]["label"], 48 - len(mark)) + mark
        names.append(f"{style.short(effect['label'], 48)}\n→ {outcome}")
    axes.set_yticks(range(len(effects)), names, fontsize=6.3)
    axes.set_ylim(len(effects) - 0.5, -0.6)
    axes.axvline(0, color=style.INK, lw=0.6, label="_no effect")
    reach = max(0.3, *(abs(effect["standardised"]) * 1.15 for _, effect in effects))
    axes.set_xlim(-reach, reach)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("SDs of outcome per SD of predictor")
