"""Which rules see the same ruptures: agreement on clients and on sessions, as a table in shades."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from alliance.figures import style
from alliance.figures.shades import name_places, shaded_table
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
    size = (len(names), len(names))
    for part, name in (("kappa_clients", "kappa (clients)"),
                       ("jaccard_sessions", "overlap (sessions of onset)")):  # fmt: skip
        # agreement on clients above the diagonal, on sessions below it
        above = part == "kappa_clients"

        def value(row: int, column: int, part: str = part) -> float | None:
            pair = pairs.get((names[row], names[column])) or pairs.get((names[column], names[row]))
            return pair[part] if pair else None

        others = [place for place in np.ndindex(*size) if (place[1] > place[0]) != above
                  or place[0] == place[1]]  # fmt: skip
        shaded_table(axes, size, value, darkest=1, format="correlation", name=name, left_out=others)
    labels = [name.replace("_", " ").replace(" sd ", " SD ") for name in names]
    name_places(
        axes,
        [style.wrapped(label, 26, 2) for label in labels],
        [style.wrapped(label, 20, 2) for label in labels],
    )
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.set_xticks(axes.get_xticks(), [text.get_text() for text in axes.get_xticklabels()],
                    rotation=55, ha="left", rotation_mode="anchor")  # fmt: skip
