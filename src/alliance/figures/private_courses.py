"""Every client's course, for the clinic's own eyes: the one picture that shows persons.

The one exception among the figures: it reads the panel, since no description may hold a row per
person. It writes into the private folder alone, readable by its owner, and every page says that it
must not be shared. Clients stand under their pseudonyms.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure

from alliance import files
from alliance.figures import style

if TYPE_CHECKING:
    import pandas as pd

COLUMNS, ROWS = 4, 7  # clients on a page
PAGE = (210 * style.MILLIMETRE, 297 * style.MILLIMETRE)
MOST_MEASURES = 3
LOOKS: tuple[tuple[str, str], ...] = tuple(
    zip((style.BLUE, style.WINE, style.BROWN), ("o", "s", "^"), strict=True)
)
WARNING = "Private: courses of single clients. Not to be shared, sent or published."
ENDS = {
    "completed": "completed as agreed",
    "dropout": "dropped out",
    "transferred": "transferred",
    "ongoing": "still in treatment",
    "other": "ended otherwise",
}
EVENTS: dict[str, tuple[str, dict[str, Any]]] = {
    "rupture": ("rupture begins", {"marker": "v", "color": style.WARNING}),
    "repair": ("rupture repaired", {"marker": "^", "color": style.WARNING, "mfc": "white"}),
    "gain": ("sudden gain", {"marker": "*", "color": style.OCHRE}),
    "loss": ("sudden loss", {"marker": "X", "color": style.OCHRE}),
}
NAMES = {"CreationDate": None, "Creator": None, "Producer": None, "ModDate": None}


@dataclass(frozen=True, slots=True)
class Scale:
    """What is the same in every client's picture.

    Attributes
    ----------
    labels
        The measures drawn, by name.
    ranges
        Lowest and highest score of each in this cohort: foot and top of its strip.
    longest
        Sessions of the longest treatment: the width of a picture.
    """

    labels: Mapping[str, str]
    ranges: Mapping[str, tuple[float, float]]
    longest: int

    @property
    def step(self) -> float:
        """Width of a session, where a cell is one wide."""
        return 0.9 / max(self.longest, 2)


def draw_private_courses(
    *, panel: str | Path, measures: Mapping[str, Mapping[str, Any]], courses: str | Path
) -> None:
    """Write the course of every client as a PDF that its owner alone may read.

    Parameters
    ----------
    panel
        `data/processed/<cohort>/panel.parquet`.
    measures
        The config's measures by name; the first three that the panel has are drawn.
    courses
        `private/<cohort>/courses.pdf`: pages of small pictures, site by site. The same panel gives
        the same bytes.
    """
    table = files.read_parquet(panel)
    known = [name for name in measures if name in table and table[name].notna().any()]
    labels = {name: str(measures[name]["label"]) for name in known[:MOST_MEASURES]}
    buffer = io.BytesIO()
    with style.in_house_style(), PdfPages(buffer, metadata=NAMES) as book:
        for page in _pages(table, labels):
            book.savefig(page)
    files.write_private_bytes(buffer.getvalue(), courses)


def _pages(table: pd.DataFrame, labels: Mapping[str, str]) -> Iterator[Figure]:
    """Yield the pages: a site begins on a new one."""
    if table.empty or not labels:
        page = _empty_page("No client has a score.")
        style.say_why(page.add_axes((0.1, 0.4, 0.8, 0.2)), "No client of this cohort has a score.")
        yield page
        return
    ranges = {name: (float(table[name].min()), float(table[name].max())) for name in labels}
    scale = Scale(labels, ranges, int(table["session"].max()))
    for site, of_site in table.groupby("site", sort=True):
        clients = [rows for _, rows in of_site.groupby("client", sort=True)]
        starts = range(0, len(clients), COLUMNS * ROWS)
        for number, start in enumerate(starts, start=1):
            page = _empty_page(f"{site}, page {number} of {len(starts)}")
            _fill(page, clients[start : start + COLUMNS * ROWS], scale)
            yield page


def _empty_page(title: str) -> Figure:
    page = Figure(figsize=PAGE)
    page.text(0.06, 0.972, WARNING, color=style.WARNING, weight="bold", fontsize=9)
    page.text(0.06, 0.954, style.short(title, 80), fontsize=9)
    return page


def _fill(page: Figure, clients: Sequence[pd.DataFrame], scale: Scale) -> None:
    """Draw clients in rows; all of a page share one axes, where a cell is one wide and one high."""
    axes = page.add_axes((0.06, 0.07, 0.9, 0.865))
    axes.set_axis_off()
    axes.set_xlim(0, COLUMNS)
    axes.set_ylim(ROWS, 0)
    for k, rows in enumerate(clients):
        _client(axes, float(k % COLUMNS), float(k // COLUMNS), rows, scale)
    _key(page, scale)


def _client(axes: Axes, left: float, top: float, rows: pd.DataFrame, scale: Scale) -> None:
    """Draw one client: pseudonym and end above, below them a strip for each measure."""
    first, last = rows.iloc[0], int(rows["session"].max())
    cause = str(first["end_cause"])
    words = f"{ENDS.get(cause, 'end not known')}, {last} {'session' if last == 1 else 'sessions'}"
    axes.text(left, top + 0.055, str(first["client"]), fontsize=6.2, weight="bold")
    axes.text(left, top + 0.125, words, fontsize=6, color=style.SOFT)
    height = 0.78 / len(scale.labels)
    for k, (name, look) in enumerate(zip(scale.labels, LOOKS, strict=False)):
        _strip(axes, left, top + 0.15 + (k + 1) * height, height, rows, name, look, scale)
    if cause in ENDS and cause != "ongoing":
        end = left + last * scale.step
        dashes = style.DASHES[1] if cause == "dropout" else "-"
        axes.plot([end, end], [top + 0.17, top + 0.93], color=style.INK, lw=0.7, ls=dashes)


def _strip(
    axes: Axes,
    left: float,
    foot: float,
    height: float,
    rows: pd.DataFrame,
    name: str,
    look: tuple[str, str],
    scale: Scale,
) -> None:
    """Draw the scores of one measure over the line at its foot, with its events."""
    low, high = scale.ranges[name]
    scored = rows[rows[name].notna()]
    x = left + (scored["session"] - 0.5) * scale.step
    # the axis points down
    y = foot - height * (0.06 + 0.86 * (scored[name] - low) / ((high - low) or 1.0))
    axes.plot([left, left + 0.9], [foot, foot], color=style.RULE, lw=0.5)
    axes.plot(x, y, color=look[0], marker=look[1], ms=1.8, lw=0.8)
    for event, (_, mark) in EVENTS.items():
        if f"{name}_{event}" in scored:
            there = scored[f"{name}_{event}"] == 1
            axes.plot(x[there], y[there], ls="none", ms=4.5, mew=0.8, **mark)


def _key(page: Figure, scale: Scale) -> None:
    """Write at the foot of a page what its lines and marks mean."""
    axes = page.add_axes((0.06, 0.012, 0.9, 0.05))
    axes.set_axis_off()
    for (name, label), (colour, marker) in zip(scale.labels.items(), LOOKS, strict=False):
        low, high = scale.ranges[name]
        words = f"{style.short(label, 30)}, {low:.3g} to {high:.3g} from foot to top of a strip"
        axes.plot([], [], color=colour, marker=marker, ms=3, lw=0.9, label=words)
    for words, mark in EVENTS.values():
        axes.plot([], [], ls="none", ms=4.5, mew=0.8, label=words, **mark)
    look: dict[str, Any] = {"color": style.INK, "lw": 0.7}
    axes.plot([], [], ls=style.DASHES[1], label="dropped out", **look)
    axes.plot([], [], label=f"ended otherwise (width: {scale.longest} sessions)", **look)
    axes.legend(loc="upper left", ncols=3, fontsize=6, borderaxespad=0)
