"""Which rules see the same ruptures: agreement on clients and on sessions, as a table in shades."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from alliance.figures import style
from alliance.findings.formats import MISSING, format_value
from alliance.findings.results import Results


def draw(results: Results) -> Figure:
    """Return a triangle of kappa (clients) over one of overlap (sessions of onset)."""
    change = results.further.get("change")
    entries = [] if change is None else [e for e in change["ruptures"] if e["agreement"]]
    if not entries:
        return style.nothing_to_show("Fewer than two rules for ruptures could be applied.")
    entry = entries[0]
    names = [rule["rule"] for rule in entry["rules"] if rule["chance"]]
    height = 46 + 9.5 * len(names)
    figure, parts = style.stack([f"{entry['label']}: agreement between rules"], [height])
    axes = style.place_axes(parts[0], height, left=0.34, right=0.90, bottom_mm=5, top_mm=36)
    _triangles(axes, names, {(p["rule_1"], p["rule_2"]): p for p in entry["agreement"]})
    return figure


def _triangles(
    axes: Axes, names: list[str], pairs: Mapping[tuple[str, str], Mapping[str, Any]]
) -> None:
    for part, name in (("kappa_clients", "kappa (clients)"),
                       ("jaccard_sessions", "overlap (sessions of onset)")):  # fmt: skip
        # agreement on clients above the diagonal, on sessions below it
        above = part == "kappa_clients"
        places = [(x, y) for y in range(len(names)) for x in range(len(names))
                  if (x > y if above else x < y)]  # fmt: skip
        found = [pairs.get((names[y], names[x])) or pairs.get((names[x], names[y]))
                 for x, y in places]  # fmt: skip
        _draw_part(axes, places, [pair[part] if pair else None for pair in found], name)
    labels = [name.replace("_", " ").replace(" sd ", " SD ") for name in names]
    axes.set_yticks(range(len(names)), [style.wrapped(label, 26, 2) for label in labels])
    axes.set_xticks(range(len(names)), [style.wrapped(label, 20, 2) for label in labels],
                    rotation=55, ha="left", rotation_mode="anchor")  # fmt: skip
    axes.xaxis.tick_top()
    axes.set_xlim(-0.5, len(names) - 0.5)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _draw_part(
    axes: Axes, places: list[tuple[int, int]], values: list[float | None], name: str
) -> None:
    corners = [(x - 0.47, y - 0.44) for x, y in places]
    depths = style.draw_cells(axes, corners, values, (0.94, 0.88), 0, 1, label=f"_{name}")
    for (x, y), value, depth in zip(places, values, depths, strict=True):
        axes.text(
            x, y, MISSING if value is None else format_value("correlation", value), ha="center",
            va="center", fontsize=6.8, color="white" if depth > 0.45 else style.INK,
        )  # fmt: skip
