"""The rupture atlas: what each rule finds beside chance, the course around onset, when they begin.

Means over eight ruptures or more; nobody's course.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from alliance.figures import style
from alliance.findings.results import Results

LOOKS: dict[str, dict[str, Any]] = {
    "observed": {"color": style.BLUE, "marker": "o", "ls": "-", "zorder": 4},
    "by chance alone": {"color": style.SOFT, "ls": style.DASHES[1], "lw": 1.1},
    "repaired": {"color": style.SKY, "marker": "^", "ls": style.DASHES[2], "lw": 1.0},
    "not repaired": {"color": style.WINE, "marker": "s", "ls": style.DASHES[3], "lw": 1.0},
}


def draw(results: Results) -> Figure:
    """Return three panels for the first measure with rules for ruptures that can be judged."""
    change = results.further.get("change")
    entries = [] if change is None else change["ruptures"]
    if not entries:
        return style.nothing_to_show("The config names no measure under `ruptures`.")
    entry = next((e for e in entries if e["atlas"]), None)
    if entry is None:
        return style.nothing_to_show(entries[0]["message"] or "No rule could be applied.")
    rules = [rule for rule in entry["rules"] if rule["chance"]]
    heights = [24 + 9 * len(rules), 66, 56]
    figure, parts = style.stack(
        [
            f"{entry['label']}: clients with a rupture, found and by chance alone",
            f"Course around onset ({_first_words(entry['atlas']['rule'])})",
            f"When ruptures begin ({_first_words(entry['atlas']['rule'])})",
        ],
        heights,
    )
    _rules(style.place_axes(parts[0], heights[0], left=0.40, right=0.97), rules)
    _around(parts[1].subplots(), entry["atlas"])
    _onsets(parts[2].subplots(), entry["atlas"]["onsets"])
    return figure


def _first_words(rule: str) -> str:
    return rule.replace("_", " ").replace(" sd ", " SD ")


def _rules(axes: Axes, rules: list[Mapping[str, Any]]) -> None:
    for y, rule in enumerate(rules):
        chance = rule["chance"]
        axes.plot(
            [chance["low"], chance["high"]], [y, y], color=style.RULE, lw=6, solid_capstyle="butt",
            label="_by chance alone",
        )  # fmt: skip
        axes.plot(chance["percent"], y, "|", color=style.SOFT, ms=11, mew=1.2,
                  label="_by chance alone")  # fmt: skip
        axes.plot(rule["percent"], y, "o", color=style.BLUE, ms=4.5, zorder=4, label="_found")
    axes.set_yticks(
        range(len(rules)), [style.wrapped(_first_words(rule["rule"]), 30, 2) for rule in rules]
    )
    axes.set_ylim(len(rules) - 0.5, -0.6)
    axes.set_xlim(left=0)
    axes.set_xlabel("Clients with at least one rupture, % of those judged")
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x", color=style.RULE, linewidth=0.5)
    style.remark(axes, "point: found; band and tick: without any rupture")


def _around(axes: Axes, atlas: Mapping[str, Any]) -> None:
    for line in atlas["around_onset"]:
        if line["offset"]:
            axes.plot(line["offset"], line["points"], label=line["name"], **LOOKS[line["name"]])
    axes.axhline(0, color=style.SOFT, lw=0.5, label="_level before")
    axes.axvline(0, color=style.RULE, lw=0.8, zorder=0, label="_onset")
    axes.set_xlabel("Sessions from onset")
    axes.set_ylabel("Points from the level before")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(axis="y", color=style.RULE, linewidth=0.5)
    axes.legend(
        loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=4, fontsize=6.8, handlelength=2.2
    )


def _onsets(axes: Axes, spans: list[Mapping[str, Any]]) -> None:
    if not spans:
        style.say_why(axes, "Too few ruptures to say when they begin.")
        return
    for key, look in (("observed", "observed"), ("by_chance", "by chance alone")):
        drawn = {k: v for k, v in LOOKS[look].items() if k != "marker"}
        name = "found" if key == "observed" else look
        for k, span in enumerate(spans):
            axes.plot(
                [span["first_session"] - 0.4, span["last_session"] + 0.4],
                [span[key]] * 2,
                label=name if k == 0 else f"_{name}",
                **drawn | {"lw": 2.2 if key == "observed" else 1.3},
            )
    axes.set_ylim(bottom=0)
    axes.margins(y=0.15)
    axes.set_xlabel("Session")
    axes.set_ylabel("Onsets, % of sessions judged")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(axis="y", color=style.RULE, linewidth=0.5)
    axes.legend(
        loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, fontsize=6.8, handlelength=2.2
    )
