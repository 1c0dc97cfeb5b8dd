"""The means as points with their intervals."""

from alliance.figures import style
from alliance.figures.rows import Line, draw_lines, height_of


def draw(results):
    """Return one panel with a row for each mean."""
    fits = results.of_family("mean_score")
    if not fits:
        return style.nothing_to_show("No mean was asked for.")
    lines = [Line(fit["title"], entry, main=True) for fit in fits for entry in fit["estimates"]]
    figure, panels = style.stack(["Means"], [height_of(lines, 29)])
    draw_lines(style.place_axes(panels[0], height_of(lines, 29), top_mm=15), lines, False)
    return figure
