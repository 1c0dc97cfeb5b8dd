"""Where scores vary: between sites, therapists, clients, and sessions of one client."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from alliance.figures import style
from alliance.figures.estimates import LEVELS
from alliance.figures.measurement import described, of_main_scores
from alliance.findings.formats import format_value
from alliance.findings.results import Results

ROW = 7.5
LEAST_LABELLED = 0.06


def draw(results: Results) -> Figure:
    """Return stacked bars above, intraclass correlations with their intervals below."""
    content = described(results)
    if isinstance(content, str):
        return style.nothing_to_show(content)
    shares = {
        label: rows for label, rows in of_main_scores(content, "variance_shares").items() if rows
    }
    if not shares:
        told = dict.fromkeys(row["message"] for row in content["variance_notes"])
        return style.nothing_to_show(" ".join(told) or "Nothing could be computed.")
    lines = [
        (label, row) for label, rows in shares.items() for row in rows if row["icc"] is not None
    ]
    heights = [24 + ROW * len(shares), 22 + 5.2 * len(lines)]
    titles = ("Share of the variance at each level", "Intraclass correlations")
    figure, parts = style.stack(titles, heights)
    _bars(style.place_axes(parts[0], heights[0], right=0.98, top_mm=9), shares)
    _correlations(style.place_axes(parts[1], heights[1], right=0.76, top_mm=9), lines)
    return figure


def _bars(axes: Axes, shares: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    seen: dict[str, str] = {}
    for y, rows in enumerate(shares.values()):
        left = 0.0
        for row in rows:
            colour = LEVELS[row["level"]]
            seen[row["level"]] = colour
            axes.barh(
                y, row["share"], left=left, height=0.66, color=colour, ec="white", lw=0.8,
                label=f"_{row['level']}",
            )  # fmt: skip
            if row["share"] >= LEAST_LABELLED:
                dark = colour == style.BLUE
                axes.text(
                    left + row["share"] / 2,
                    y,
                    format_value("share:0", row["share"]),
                    ha="center",
                    va="center",
                    fontsize=6.5,
                    color="white" if dark else style.INK,
                )
            left += row["share"]
    axes.set_yticks(range(len(shares)), [style.wrapped(label, 24, 2) for label in shares])
    axes.set_ylim(len(shares) - 0.45, -0.55)
    axes.set_xlim(0, 1)
    axes.set_xticks([])
    axes.tick_params(axis="y", length=0)
    axes.spines[:].set_visible(False)
    handles = [
        axes.barh(0, 0, color=colour, label="session and error" if level == "session" else level)
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


def _correlations(axes: Axes, lines: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
    for y, (label, row) in enumerate(lines):
        if row["icc_low"] is not None:
            axes.plot([row["icc_low"], row["icc_high"]], [y, y], color=style.BLUE, lw=1.3,
                      label=f"_{label}")  # fmt: skip
        axes.plot(row["icc"], y, "o", color=style.BLUE, ms=3.6, label=f"_{label}")
        axes.text(
            1.03,
            y,
            _in_figures(row),
            transform=axes.get_yaxis_transform(),
            va="center",
            fontsize=6.5,
        )
    names = []
    before = None
    for label, row in lines:
        names.append(
            f"{style.short(label, 19)}, {row['level']}" if label != before else row["level"]
        )
        before = label
    axes.set_yticks(range(len(lines)), names)
    axes.set_ylim(len(lines) - 0.4, -0.6)
    axes.set_xlim(0, 1)
    axes.grid(axis="x", color=style.RULE, lw=0.5)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)


def _in_figures(row: Mapping[str, Any]) -> str:
    value = format_value("correlation:2", row["icc"])
    if row["icc_low"] is None:
        return value
    ends = [format_value("correlation:2", row[end]) for end in ("icc_low", "icc_high")]
    return f"{value} [{ends[0]}, {ends[1]}]"
