"""Participant flow: what was read and set aside, who is in the data, how treatments ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from alliance.figures import style
from alliance.findings.formats import format_value
from alliance.findings.leading import leading_models
from alliance.findings.marks import short_mark_of
from alliance.findings.results import Results

ROW = 10.0  # height of a row of boxes, in millimetres
LINE = 2.9  # of small type
MOST_REASONS = 5  # of setting rows aside, told for a kind of row
READ = {"clients": "client rows", "sessions": "session rows", "responses": "answers"}
MOST = 8  # models with a box each; of more, those that lead the page have one

ENDS = {
    "completed": ("completed as agreed", style.BLUE),
    "dropout": ("dropped out", style.OCHRE),
    "transferred": ("transferred", style.SKY),
    "ongoing": ("still in treatment", style.ROSE),
    "end_unknown": ("end not known", style.RULE),
}
# Two of the colours are alike in grey; a number on a hatched bar stands on a plain ground.
HATCHES = {"transferred": "///", "ongoing": "\\\\\\"}
BEHIND = {"facecolor": "white", "edgecolor": "none", "pad": 0.8, "alpha": 0.75}


def draw(results: Results) -> Figure:
    """Return what was read, boxes from sites to forms and models, and bars of endings."""
    flow = {row["site"]: row for row in results.about["flow"]}
    if "all" not in flow or not flow["all"]["clients"]:
        return style.nothing_to_show("No client is left in this cohort after reading the files.")
    sites = [site for site in flow if site != "all"]
    bars = len(sites) + 1 if len(sites) > 1 else 1
    fits = _with_a_box(results.fits)
    rest = len(fits) < len(results.fits)
    read = {row["table"]: row for row in results.about.get("rows_of_all_sites", [])}
    heights = [12 + ROW * max(5, len(fits) + rest), 24 + 5.2 * bars]
    titles = ["Who is in the data, and what each model used", "How treatments ended (clients)"]
    if read:
        heights.insert(0, 12 + _height_of_reading(read))
        titles.insert(0, "What was read, and what was set aside")
    figure, panels = style.stack(titles, heights)
    *reading, boxes, ends = panels
    for panel in reading:
        _draw_reading(panel.subplots(), read)
    _draw_boxes(boxes.subplots(), flow["all"], fits, rest)
    _draw_ends(ends.subplots(), flow, ["all", *sites] if len(sites) > 1 else ["all"])
    return figure


def _height_of_reading(read: Mapping[str, Mapping[str, Any]]) -> float:
    return 2 * ROW + LINE * (max(len(_left_out(row)) for row in read.values()) + 1)


def _left_out(row: Mapping[str, Any]) -> list[str]:
    """Return what was left out of the rows of a kind, a line each."""
    lines = [f"{format_value('count', row['blank'])} blank"] if row["blank"] else []
    lines.append(f"{format_value('count', row['set_aside'])} set aside")
    reasons = sorted(row["reasons"], key=lambda reason: -reason["count"])
    for reason in reasons[:MOST_REASONS]:
        name, count = format_value("words", reason["reason"]), reason["count"]
        lines.append(f"   {style.short(name, 24)}: {format_value('count', count)}")
    return [*lines, "   and further reasons"] if len(reasons) > MOST_REASONS else lines


def _draw_reading(axes: Axes, read: Mapping[str, Mapping[str, Any]]) -> None:
    """Draw, for each kind of row, how many were read, why some were left out, and what was kept."""
    height = _height_of_reading(read)
    axes.set_xlim(0, 114)
    axes.set_ylim(height, 0)
    axes.set_axis_off()
    for k, (table, words) in enumerate((t, w) for t, w in READ.items() if t in read):
        row, x = read[table], k * 39.0
        for y, key, told in ((3.7, "read", f"{words} read"), (height - 4, "kept", "kept")):
            _box(axes, x, y - 3.7, 36, 7.4)
            _number(axes, x + 13.5, y, row[key], f"_{words}, {key}", 7.5)
            axes.text(x + 14.5, y, told, va="center", fontsize=6.6)
        _arrow(axes, (x + 5, 7.8), (x + 5, height - 7.9))
        for line, told in enumerate(_left_out(row)):
            axes.text(x + 8, ROW + LINE * (line + 0.5), told, va="center", fontsize=6.3,
                      color=style.SOFT, label=f"_{words}, left out")  # fmt: skip


def _with_a_box(fits: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """Return the models that have a box: all, or of many those that lead the page."""
    leading = leading_models(fits)
    asked = [fit for fit in fits if fit["model"] in leading]
    return fits if len(fits) <= MOST or not asked else asked


def _draw_boxes(
    axes: Axes, total: Mapping[str, Any], fits: Sequence[Mapping[str, Any]], rest: bool
) -> None:
    """Draw the stations at the left, and at the right the sessions that each model used.

    Coordinates are millimetres, more or less.
    """
    rows = max(5, len(fits) + rest)
    axes.set_xlim(0, 114)
    axes.set_ylim(ROW * rows, 0)
    axes.set_axis_off()
    words = {
        "sites": ("site", "sites"),
        "therapists": ("therapist", "therapists"),
        "clients": ("client", "clients"),
        "sessions": ("session attended", "sessions attended"),
        "forms": ("form filled in", "forms filled in"),
    }
    for k, (key, (one, many)) in enumerate(words.items()):
        y = (k + 0.5) * ROW
        _box(axes, 0, y - 3.7, 47, 7.4)
        if total[key]:
            _number(axes, 15, y, total[key], f"_{many}")
            axes.text(17, y, one if total[key] == 1 else many, va="center")
        else:
            axes.text(23.5, y, f"no {many}", ha="center", va="center", color=style.SOFT)
        if k < len(words) - 1:
            _arrow(axes, (23, y + 3.9), (23, y + ROW - 3.8))
    if rest:
        y = (len(fits) + 0.35) * ROW
        told = "further models: see the sessions that a model could not use"
        axes.text(58, y, style.wrapped(told, 44), va="center", fontsize=6.3, color=style.SOFT)
    if not fits:
        return
    sessions_y = 3.5 * ROW
    ys = [(k + 0.5) * ROW for k in range(len(fits))]
    axes.plot([47.4, 52], [sessions_y] * 2, color=style.SOFT, lw=0.7)
    axes.plot([52, 52], [min(*ys, sessions_y), max(*ys, sessions_y)], color=style.SOFT, lw=0.7)
    for y, fit in zip(ys, fits, strict=True):
        _arrow(axes, (52, y), (57.6, y))
        used = fit["data"]["rows_used"]
        in_panel = format_value("count", fit["data"]["rows_in_panel"])
        refused = fit["status"] == "refused"
        _box(axes, 58, y - 3.9, 56, 7.8, faint=refused)
        name = style.short(fit["model"].replace("_", " "), 30)
        axes.text(60, y - 1.55, name, va="center", fontsize=6.8, weight="bold")
        note = (
            "not fitted"
            if refused
            else f"{format_value('count', used)} of {in_panel} sessions used"
        )
        if not refused and (mark := short_mark_of(fit)):
            note += f", {mark}"
        axes.text(
            60, y + 1.75, note, va="center", fontsize=6.3, color=style.SOFT, label=f"_model {name}"
        )


def _box(axes: Axes, x: float, y: float, width: float, height: float, faint: bool = False) -> None:
    axes.add_patch(
        FancyBboxPatch(
            (x, y),
            width,
            height,
            boxstyle="round,pad=0,rounding_size=1.2",
            facecolor="white" if faint else style.FILL,
            edgecolor=style.SOFT if faint else "none",
            linewidth=0.6,
            linestyle=(0, (3, 2)) if faint else "-",
        )
    )


def _number(axes: Axes, x: float, y: float, count: int, label: str, fontsize: float = 8.5) -> None:
    axes.text(
        x, y, format_value("count", count), ha="right", va="center", weight="bold",
        fontsize=fontsize, label=label,
    )  # fmt: skip


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    axes.annotate(
        "",
        xy=end,
        xytext=start,
        arrowprops={
            "arrowstyle": "-|>,head_width=0.14,head_length=0.28",
            "color": style.SOFT,
            "linewidth": 0.7,
            "shrinkA": 0,
            "shrinkB": 0,
        },
    )


def _draw_ends(axes: Axes, flow: Mapping[str, Mapping[str, Any]], sites: Sequence[str]) -> None:
    """Draw how treatments ended: one bar of all clients a site, counts in the segments."""
    shown = [end for end in ENDS if any(flow[site][end] for site in sites)]
    for y, site in enumerate(sites):
        row, left = flow[site], 0.0
        for end in shown:
            # A bar is a site's clients laid end to end; its length is that of every other bar.
            share = row[end] / row["clients"] if row["clients"] else 0.0
            colour = ENDS[end][1]
            axes.barh(
                y, share, left=left, height=0.72, color=colour, edgecolor="white", linewidth=0.8,
                hatch=HATCHES.get(end), label=f"_{ENDS[end][0]}, share",
            )  # fmt: skip
            if share > 0.055:
                dark = colour in (style.BLUE,)
                axes.text(
                    left + share / 2,
                    y,
                    format_value("count", row[end]),
                    ha="center",
                    va="center",
                    fontsize=6.5,
                    color="white" if dark else style.INK,
                    label=f"_{ENDS[end][0]}, clients",
                    bbox=BEHIND if end in HATCHES else None,
                )
            left += share
    names = ["all sites" if site == "all" else style.short(site, 16) for site in sites]
    axes.set_yticks(range(len(sites)), names)
    axes.set_ylim(len(sites) - 0.4, -0.6)
    axes.set_xlim(0, 1)
    axes.set_xticks([])
    axes.tick_params(axis="y", length=0)
    axes.spines[:].set_visible(False)
    handles = [
        axes.barh(0, 0, color=ENDS[end][1], hatch=HATCHES.get(end), ec="white", lw=0.0,
                  label=ENDS[end][0])
        for end in shown
    ]  # fmt: skip
    axes.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=(0, 0),
        ncols=min(3, len(shown)),
        handlelength=1,
        handleheight=1,
        columnspacing=1.4,
        borderaxespad=0.3,
        fontsize=6.8,
    )
