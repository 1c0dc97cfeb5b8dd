"""How many clients each site has, as bars."""

from __future__ import annotations

from matplotlib.figure import Figure

from alliance.figures import style
from alliance.findings.results import Results


def draw(results: Results) -> Figure:
    """Return a bar for each site."""
    rows = [row for row in results.about["flow"] if row["site"] != "all"]
    if not rows:
        return style.nothing_to_show("No site has given any data.")
    figure = style.new_figure(40)
    axes = figure.add_subplot()
    axes.bar(range(len(rows)), [row["clients"] for row in rows], color=style.BLUE, label="clients")
    axes.set_xticks(range(len(rows)), [style.short(row["site"], 16) for row in rows])
    return figure
