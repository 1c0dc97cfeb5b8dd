"""One look for all figures: colours, type, sizes, and how they are saved.

Colours are Paul Tol's medium-contrast scheme (technical note SRON/EPS/TN/09-002), told apart by
colour-blind readers and in grey; line style and marker repeat what colour says. The typeface ships
with matplotlib, so that the bytes do not depend on the fonts of a machine.
"""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PatchCollection
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import Rectangle
from matplotlib.transforms import Bbox

from alliance import files
from alliance.figures.fonts import small_fonts
from alliance.figures.svg import compact
from alliance.findings.formats import clean_text
from alliance.findings.marks import mark_of

MILLIMETRE = 1 / 25.4  # in inches
WIDTH = 120 * MILLIMETRE  # a column and a half of a journal; on a phone its type is still legible
DPI = 300
PLACES = 6  # digits of a place as part of the figure

INK = "#1b1f24"
SOFT = "#5c6670"  # secondary text; contrast 5.9 on white
RULE = "#d5d9de"
FILL = "#eef1f4"
BLUE, SKY, OCHRE, WINE, BROWN, ROSE = (
    "#004488",
    "#6699CC",
    "#DDAA33",
    "#994455",
    "#997700",
    "#EE99AA",
)
SERIES = (BLUE, WINE, OCHRE, SKY, BROWN, ROSE)
MARKERS = ("o", "s", "^", "D", "v", "P")
DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1.5, 1.2)), (0, (6, 1.5, 1.5, 1.5)), "--", ":")
WARNING = "#8a1c1c"
# Light to dark blue: more is darker, in grey too.
SHADES = LinearSegmentedColormap.from_list(
    "shades", ["#f7f9fb", "#6699CC", "#004488"]
).with_extremes(bad="#f7f9fb")
MARK, REASON = "_mark", "_reason"  # names of texts that say what is wrong, or why nothing is there

RC: dict[str, Any] = {
    "font.family": ["DejaVu Sans"],
    "font.size": 7.5,
    "axes.labelsize": 7.5,
    "axes.labelcolor": INK,
    "axes.edgecolor": SOFT,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "text.color": INK,
    "text.parse_math": False,  # a dollar sign in a label is a dollar sign
    "text.usetex": False,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "hatch.linewidth": 0.6,
    "lines.linewidth": 1.3,
    "lines.markersize": 3.2,
    "legend.frameon": False,
    "figure.dpi": 100,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "svg.hashsalt": "alliance",
    "svg.fonttype": "path",
    "pdf.fonttype": 42,
    "path.simplify": True,
}


@contextmanager
def in_house_style() -> Iterator[None]:
    """Draw in the house style, whatever matplotlibrc the machine has."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(RC)  # type: ignore[arg-type]
        yield


def new_figure(height_mm: float, width: float = WIDTH) -> Figure:
    """Return an empty figure; its layout keeps labels from overlapping."""
    layout = ConstrainedLayoutEngine(w_pad=0.07, h_pad=0.07, wspace=0.05, hspace=0.05)
    figure = Figure(figsize=(width, height_mm * MILLIMETRE), layout=layout)
    FigureCanvasAgg(figure)
    return figure


def stack(titles: Sequence[str], heights_mm: Sequence[float]) -> tuple[Figure, list[Any]]:
    """Return a figure and its panels from top to bottom, lettered and titled at the left edge.

    A panel is a subfigure of the height given, so that a title may run over the whole width.
    """
    figure = new_figure(sum(heights_mm))
    parts = figure.subfigures(len(titles), 1, height_ratios=heights_mm, squeeze=False)[:, 0]
    for letter, part, title in zip("abcdefghijklmnopqrstuvwxyz", parts, titles, strict=False):
        words = wrapped(title, 62, 2)
        if len(titles) > 1:
            words = f"{letter}   {words}".replace("\n", "\n     ")
        part.suptitle(
            words,
            x=0.013,
            ha="left",
            fontsize=8,
            weight="bold",
        )
    return figure, list(parts)


def place_axes(
    part: Any,
    height_mm: float,
    left: float = 0.335,
    right: float = 0.71,
    bottom_mm: float = 12.0,
    top_mm: float = 11.0,
) -> Axes:
    """Return axes at a fixed place of a panel, so that those of all panels stand in line."""
    bottom = bottom_mm / height_mm
    axes: Axes = part.add_axes((left, bottom, right - left, 1 - bottom - top_mm / height_mm))
    return axes


def nothing_to_show(reason: str, height_mm: float = 38) -> Figure:
    """Return a picture that says why there is nothing to show."""
    figure = new_figure(height_mm)
    axes = figure.add_subplot()
    say_why(axes, reason)
    return figure


def say_why(axes: Axes, reason: str, width: int = 58) -> None:
    """Fill a panel with the reason why it shows nothing."""
    axes.set_axis_off()
    words = "\n".join(textwrap.wrap(clean_text(reason), width)[:8])
    axes.text(
        0.5,
        0.5,
        f"Nothing to show here\n{words}",
        transform=axes.transAxes,
        ha="center",
        va="center",
        color=SOFT,
        label=REASON,
        linespacing=1.5,
        bbox={"boxstyle": "round,pad=0.8", "facecolor": FILL, "edgecolor": "none"},
    )


def short(text: str, most: int = 28) -> str:
    """Return a label that fits: cleaned, and cut with an ellipsis where it is too long."""
    text = " ".join(clean_text(text).split())
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def wrapped(text: str, width: int, lines: int = 3) -> str:
    """Return a label broken into lines of at most `width` characters."""
    broken = textwrap.wrap(" ".join(clean_text(text).split()), width)
    if len(broken) > lines:
        broken = [*broken[: lines - 1], short(" ".join(broken[lines - 1 :]), width)]
    return "\n".join(broken)


def mark_status(axes: Axes, fit: dict[str, Any]) -> None:
    """Write what must stand beside the results of a fit on its panel; nothing if all is well."""
    if note := mark_of(fit):
        remark(axes, note, WARNING if fit["status"] != "singular" else SOFT, MARK)


def remark(axes: Axes, text: str, colour: str = SOFT, label: str = "") -> None:
    """Write a small remark at the upper right, above a panel."""
    axes.text(
        1.0,
        1.0,
        text,
        transform=axes.transAxes,
        ha="right",
        va="bottom",
        fontsize=6.5,
        style="italic",
        color=colour,
        label=label,
    )


def draw_cells(
    axes: Axes,
    corners: Sequence[tuple[float, float]],
    values: Sequence[float | None],
    size: tuple[float, float],
    lightest: float,
    darkest: float,
    **look: Any,
) -> list[float]:
    """Draw rectangles, the darker the higher their value; return how dark each is, from 0 to 1.

    Parameters
    ----------
    corners
        Lower left corner of each.
    values
        Value of each; None is as light as the lightest.
    size
        Width and height of all.
    lightest, darkest
        The values between which shades change.
    look
        Passed on to matplotlib, e.g. the name of the series as `label`.
    """
    numbers = np.ma.masked_invalid([np.nan if v is None else v for v in values])
    shade = Normalize(lightest, darkest, clip=True)
    cells = PatchCollection([Rectangle(corner, *size) for corner in corners], **look)
    cells.set(array=numbers, cmap=SHADES, norm=shade)
    axes.add_collection(cells, autolim=False)
    return [float(depth) for depth in np.ma.filled(shade(numbers), 0.0)]


def save(figure: Figure, path: Path) -> None:
    """Publish a figure as PNG, SVG and PDF without date, creator or path in them."""
    no_names = {
        "png": {"Software": None},
        "svg": {"Date": None, "Creator": None, "Format": None, "Type": None},
        "pdf": {"CreationDate": None, "Creator": None, "Producer": None, "ModDate": None},
    }
    figure.draw_without_rendering()  # lays the figure out
    figure.set_layout_engine("none")  # once, not again for every format
    _round_places(figure)
    for suffix, metadata in no_names.items():
        buffer = io.BytesIO()
        with small_fonts():
            figure.savefig(buffer, format=suffix, dpi=DPI, metadata=metadata)
        content = compact(buffer.getvalue()) if suffix == "svg" else buffer.getvalue()
        files.write_bytes(content, path.with_name(f"{path.name}.{suffix}"))


def _round_places(figure: Any) -> None:
    """Round where panels and axes stand.

    The layout's solver ends at places that differ in the last digit from run to run, and names in
    SVG are hashes of these places.
    """
    for panel in figure.subfigs:
        # matplotlib has no public way to place a subfigure
        panel._redo_transform_rel_fig(Bbox(panel.bbox_relative.get_points().round(PLACES)))
        _round_places(panel)
    for axes in figure._localaxes:
        axes.set_position(Bbox(axes.get_position(original=True).get_points().round(PLACES)))
