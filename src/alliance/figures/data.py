"""The numbers behind a picture, read off the finished picture: what is drawn, and nothing else.

A row is one mark on the page: a point, a corner of a line, an interval, a bar, a cell, a printed
number. A figure names what it draws by `label`; names that begin with an underscore are those that
do not stand in the legend, and `_nolegend_` (matplotlib's word) is decoration and left out.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PatchCollection, PolyCollection, QuadMesh
from matplotlib.container import BarContainer
from matplotlib.contour import QuadContourSet
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Annotation, Text
from matplotlib.ticker import FixedFormatter, FixedLocator, FuncFormatter

from alliance import files
from alliance.figures.style import MARK, REASON
from alliance.findings.formats import MINUS

COLUMNS = (
    "facet", "series", "kind", "row", "column", "x_label", "x", "x_low", "x_high", "y_label", "y",
    "y_low", "y_high", "value", "text", "mark",
)  # fmt: skip
DECORATION = "_nolegend_"

Row = dict[str, Any]


def write_data(figure: Figure, path: str | Path) -> None:
    """Publish what a figure shows as CSV (UTF-8, full precision, text inert in a spreadsheet)."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for row in rows_of(figure):
        writer.writerow({column: _cell(value) for column, value in row.items()})
    files.write_text(stream.getvalue(), path)


def rows_of(figure: Figure) -> list[Row]:
    """Return what a figure shows, panel by panel, in the order in which it was drawn.

    Each row has some of `COLUMNS`. Where an axis names rows or columns, their names stand in place
    of the coordinate. `mark` is what the panel says about the fit behind it.
    """
    found: list[Row] = []
    parts: list[Any] = list(figure.subfigs) or [figure]
    for part in parts:
        # matplotlib has no public way to the title of a subfigure
        title = " ".join(part._suptitle.get_text().split()) if part._suptitle else ""
        for axes in part._localaxes:
            if axes.get_label() != "<colorbar>":
                found += _of_axes(axes, title)
    return found


def _of_axes(axes: Axes, title: str) -> list[Row]:
    marks = [text.get_text() for text in axes.texts if text.get_label() == MARK]
    common = {"facet": ": ".join(filter(None, (title, axes.get_title(loc="left"))))}
    if axes.axison:
        common |= {"x_label": _plain(axes.get_xlabel()), "y_label": _plain(axes.get_ylabel())}
    common |= {"mark": " ".join(marks)}
    return [common | row for row in _marks(axes)]


def _marks(axes: Axes) -> Iterator[Row]:
    """Yield what is drawn on axes: bars, collections, lines, printed numbers."""
    if axes.axison:
        for container in axes.containers:
            if isinstance(container, BarContainer):
                yield from _named(axes, container, _bars(container))
        for artist in (*axes.collections, *axes.lines):
            yield from _named(axes, artist, _corners(axes, artist))
    for text in axes.texts:
        if text.get_label() and text.get_label() != MARK:
            yield from _named(axes, text, [_number(axes, text)])


def _corners(axes: Axes, artist: Any) -> list[Row]:
    if isinstance(artist, Line2D):
        return _line(axes, artist)
    if isinstance(artist, QuadContourSet):
        return _contours(artist)
    if isinstance(artist, PatchCollection):
        return _cells(artist)
    if isinstance(artist, QuadMesh):
        return _shades(artist)
    if isinstance(artist, LineCollection):
        return [_interval(np.asarray(segment)) for segment in artist.get_segments()]
    return _band(artist) if isinstance(artist, PolyCollection) else []


def _named(axes: Axes, artist: Any, rows: Sequence[Row]) -> Iterator[Row]:
    """Yield rows with the name of their series, and the names of table rows and columns."""
    label = str(artist.get_label())
    if label == DECORATION:
        return
    series = "" if label.startswith("_child") else label.lstrip("_")
    columns, lines = _names(axes.xaxis), _names(axes.yaxis)
    for row in rows:
        found: Row = {"series": series} | row
        for (names, first), axis, place in ((columns, "x", "column"), (lines, "y", "row")):
            if names and axis in found:
                # a mark may stand a little beside its row
                found[place] = names[round(found.pop(axis) - first)]
                found = {k: v for k, v in found.items() if k not in (f"{axis}_low", f"{axis}_high")}
        yield found


def _names(axis: Any) -> tuple[list[str], float]:
    """Return the names that an axis gives to places one apart, and the first place; or no names.

    The places are whole numbers, or the middles of cells.
    """
    places = list(axis.get_majorticklocs())
    named = isinstance(axis.get_major_formatter(), FixedFormatter | FuncFormatter)
    first = places[0] if places else 0
    if not named or not isinstance(axis.get_major_locator(), FixedLocator):
        return [], 0
    if first not in (0, 0.5) or places != [first + k for k in range(len(places))]:
        return [], 0
    return [_plain(label.get_text()) for label in axis.get_majorticklabels()], first


def _line(axes: Axes, line: Line2D) -> list[Row]:
    """Return the corners of a line, its points, or the interval or reference that it is."""
    in_x, in_y = line.get_transform().contains_branch_seperately(axes.transData)
    places = np.asarray(line.get_xydata(), float)
    if not (in_x and in_y):
        # a line across the whole panel: one coordinate says where
        return [{"kind": "reference", "x": places[0, 0]} if in_x
                else {"kind": "reference", "y": places[0, 1]}]  # fmt: skip
    places = places[np.isfinite(places).all(axis=1)]
    bare = line.get_marker() in ("", "None", None)
    stepped = line.get_drawstyle().startswith("steps")
    if len(places) == 2 and bare and not stepped and (places[0] == places[1]).any():
        return [_interval(places)]
    kind = "points" if line.get_linestyle() == "None" else "steps" if stepped else "line"
    return [{"kind": kind, "x": x, "y": y} for x, y in places]


def _interval(ends: np.ndarray) -> Row:
    """Return a straight line along one axis by its place and its two ends."""
    along = "x" if ends[0, 1] == ends[1, 1] else "y"
    k = "xy".index(along)
    place = {"y" if along == "x" else "x": ends[0, 1 - k]}
    return {"kind": "interval", **place, f"{along}_low": ends[:, k].min(),
            f"{along}_high": ends[:, k].max()}  # fmt: skip


def _band(band: PolyCollection) -> list[Row]:
    """Return the lower and upper edge of a filled band at each x."""
    found = []
    for path in band.get_paths():
        corners: Any = np.asarray(path.vertices)
        # start, one edge, turning point, the other edge backwards, start again
        n = (len(corners) - 3) // 2
        # of a step's two corners at one x the later one holds from there on
        one = dict(corners[1 : n + 1].tolist())
        other = dict(corners[n + 2 : 2 * n + 2][::-1].tolist())
        found += [
            {"kind": "band", "x": x, "y_low": min(y, other[x]), "y_high": max(y, other[x])}
            for x, y in one.items()
        ]
    return found


def _bars(bars: BarContainer) -> list[Row]:
    found = []
    for bar in bars.patches:
        (x, y), width, height = bar.get_xy(), bar.get_width(), bar.get_height()
        if not (width and height):
            continue  # an empty bar stands in the legend only
        if bars.orientation == "horizontal":
            place: Row = {"y": y + height / 2, "x_low": x, "x_high": x + width}
        else:
            place = {"x": x + width / 2, "y_low": y, "y_high": y + height}
        found.append({"kind": "bar", **place})
    return found


def _cells(cells: PatchCollection) -> list[Row]:
    """Return cells of a table, or of a plane, with the value that shades them."""
    found = []
    values: Any = np.ma.filled(np.ma.asarray(cells.get_array(), float), np.nan)
    for path, value in zip(cells.get_paths(), values, strict=True):
        box = path.get_extents()
        found.append(
            {
                "kind": "cell", "x": (box.x0 + box.x1) / 2, "x_low": box.x0, "x_high": box.x1,
                "y": (box.y0 + box.y1) / 2, "y_low": box.y0, "y_high": box.y1, "value": value,
            }
        )  # fmt: skip
    return found


def _shades(mesh: QuadMesh) -> list[Row]:
    """Return the cells of a table in shades that hold a number."""
    values: Any = mesh.get_array()
    return [
        {
            "kind": "cell", "x": column + 0.5, "x_low": column, "x_high": column + 1,
            "y": row + 0.5, "y_low": row, "y_high": row + 1, "value": value,
        }
        for (row, column), value in np.ndenumerate(np.ma.filled(values, np.nan))
        if np.isfinite(value)
    ]  # fmt: skip


def _contours(contours: QuadContourSet) -> list[Row]:
    """Return the corners of contour lines; the shades between them say no more."""
    if contours.filled:
        return []
    return [
        {"kind": "contour", "value": level, "text": f"piece {k + 1}", "x": x, "y": y}
        for level, path in zip(contours.levels, contours.get_paths(), strict=True)
        for k, piece in enumerate(path.to_polygons(closed_only=False))
        for x, y in np.asarray(piece).tolist()
    ]


def _number(axes: Axes, text: Text) -> Row:
    """Return a printed number with its place, as far as the place means something."""
    shown = _plain(text.get_text())
    if text.get_label() == REASON:
        return {"series": "", "kind": "nothing to show", "text": shown}
    place_of: Any = text.get_transform()
    x, y = text.get_position()
    if isinstance(text, Annotation):  # it stands beside the place that it belongs to
        (x, y), place_of = text.xy, text.xycoords
    in_x, in_y = place_of.contains_branch_seperately(axes.transData)
    place = {"x": x} if in_x and axes.axison else {}
    place |= {"y": y} if in_y and axes.axison else {}
    return {"kind": "printed", **place, "value": _value(shown), "text": shown}


def _value(text: str) -> float:
    try:
        return float(text.replace(",", "").replace(MINUS, "-"))
    except ValueError:
        return np.nan


def _plain(text: str) -> str:
    """Return a text in one line; a word that was broken at its hyphen is whole again."""
    return " ".join(text.replace("-\n", "-").split())


def _cell(value: Any) -> object:
    """Return a cell of the file: every digit of a number, nothing for none, text inert."""
    if isinstance(value, str):
        return files.inert_text(value)
    number = float(value)
    if not np.isfinite(number):
        return ""
    return int(number) if number.is_integer() else repr(number)
