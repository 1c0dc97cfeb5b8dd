"""An attacker who reads a share folder, and nothing else, and reckons what is hidden.

He knows how such tables add up, how counts are rounded, and linear programming. He shares no code
with what chooses the hidden counts but two names and the programme that finds a highest and a
lowest value.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from alliance.sharing.bounds import bound, matrix_of
from alliance.sharing.names import BETWEEN, UNKNOWN
from alliance.sharing.reader import Cell, Interval, Seen, Share, read_folder

ENDS = ("completed", "dropout", "transferred", "ongoing", "end_unknown")


def attack(folder: str | Path) -> dict[Cell, Interval]:
    """Return the lowest and highest value of every hidden count of a share folder.

    Parameters
    ----------
    folder
        With tables, report and `facts.json`, as `make share` writes it.

    Raises
    ------
    Unsolvable
        What stands there contradicts itself, or what the attacker takes it to mean.
    """
    return solve(read_folder(folder))


def solve(seen: Seen) -> dict[Cell, Interval]:
    """Return the bounds of all counts that one place hides, from all that is seen."""
    known = {cell: _of_somebody(cell, *limits) for cell, limits in seen.known.items()}
    hidden = list(seen.hidden)
    equations = _equations(known, seen.shares)
    order = {cell: place for place, cell in enumerate(known)}
    matrix = matrix_of(equations, order)
    lower, upper = (np.array(side, float) for side in zip(*known.values(), strict=True))
    found = {}
    for cell in hidden:
        # Far more than anybody could be: a limit, so that the programme always has an end.
        reach = bound(order[cell], matrix, lower, np.where(np.isinf(upper), 1e6, upper))
        found[cell] = (reach.low, reach.high)
    return found


def _of_somebody(cell: Cell, low: float, high: float) -> Interval:
    return (1.0, high) if math.isinf(high) and low < 1 and _is_somebody(cell) else (low, high)


def _is_somebody(cell: Cell) -> bool:
    """Tell whether a line is printed only because there is somebody to count."""
    table, row, column = cell
    return (
        table in ("staying", "models")
        or (table == "flow" and column in ("clients", "sessions"))
        or (
            table == "characteristics" and column == "all" and row.rpartition(BETWEEN)[2] != UNKNOWN
        )
    )


class _Knowledge:
    """Equations between cells; what lies between two sums is an unknown of its own."""

    def __init__(self, known: dict[Cell, Interval]) -> None:
        self.known = known
        self.equations: list[dict[Cell, float]] = []

    def equal(self, total: Cell, parts: Sequence[Cell]) -> None:
        if all(cell in self.known for cell in (total, *parts)) and parts:
            self._add({total: 1}, dict.fromkeys(parts, -1))

    def share(self, one: Share) -> None:
        """Note that a part is some per cent of a whole, as closely as the percentage is printed."""
        self.above({one.whole: one.high / 100}, {one.part: 1})
        self.above({one.part: 1}, {one.whole: one.low / 100})

    def above(self, larger: dict[Cell, float], smaller: dict[Cell, float]) -> None:
        if all(cell in self.known for cell in (*larger, *smaller)):
            rest = ("", "between", str(len(self.equations)))
            self.known[rest] = (0.0, 1e6)
            self._add(larger, {cell: -factor for cell, factor in smaller.items()}, {rest: -1})

    def _add(self, *sides: Mapping[Cell, float]) -> None:
        self.equations.append({cell: factor for side in sides for cell, factor in side.items()})


def _equations(known: dict[Cell, Interval], shares: Sequence[Share]) -> list[dict[Cell, float]]:
    knowledge = _Knowledge(known)
    for one in shares:
        knowledge.share(one)
    cells = list(known)
    sites = list(dict.fromkeys(row for table, row, _ in cells if table == "flow"))
    everybody = "all" if "all" in sites or not sites else sites[0]
    parts = [site for site in sites if site != "all"]
    _sites(knowledge, cells, parts)
    for site in sites:
        _one_site(knowledge, cells, site)
    for table, row, column in cells:
        if table == "models" and column == "clients":
            clients, rows = ("models", row, "clients"), ("models", row, "rows")
            knowledge.above({("flow", everybody, "clients"): 1}, {clients: 1})
            knowledge.above({("flow", everybody, "sessions"): 1}, {rows: 1})
            knowledge.above({rows: 1}, {clients: 1})
        if table == "change" and column == "clients":
            total = (table, row, "clients")
            classes = [c for c in cells if c[:2] == (table, row) and c != total]
            knowledge.equal(total, classes)
            knowledge.above(
                {("flow", everybody, "clients"): 1},
                {total: 1, ("flow", everybody, "clients_with_one_session"): 1},
            )
    _endings(knowledge, cells, everybody)
    return knowledge.equations


def _sites(knowledge: _Knowledge, cells: list[Cell], parts: list[str]) -> None:
    for table, row, column in cells:
        if table in ("flow", "forms") and row == "all":
            knowledge.equal((table, row, column), [(table, site, column) for site in parts])
        if table == "characteristics" and column == "all":
            knowledge.equal((table, row, column), [(table, row, site) for site in parts])


def _one_site(knowledge: _Knowledge, cells: list[Cell], site: str) -> None:
    clients, sessions, once = (
        ("flow", site, column) for column in ("clients", "sessions", "clients_with_one_session")
    )
    knowledge.equal(clients, [("flow", site, end) for end in ENDS])
    knowledge.above({clients: 1}, {once: 1})
    knowledge.above({sessions: 1, once: 1}, {clients: 2})
    for cell in [c for c in cells if c[0] == "forms" and c[1] == site]:
        knowledge.above({sessions: 1}, {cell: 1})
    of_site = [c for c in cells if c[0] == "characteristics" and c[2] == site]
    for name in dict.fromkeys(row.rpartition(BETWEEN)[0] for _, row, _ in of_site):
        knowledge.equal(clients, [c for c in of_site if c[1].rpartition(BETWEEN)[0] == name])


def _endings(knowledge: _Knowledge, cells: list[Cell], everybody: str) -> None:
    def flow(column: str) -> Cell:
        return ("flow", everybody, column)

    columns = ("dropouts", "others", "unknown")
    for row in dict.fromkeys(row for table, row, _ in cells if table == "dropout_definitions"):
        own = [("dropout_definitions", row, column) for column in columns]
        knowledge.equal(flow("clients"), own)
        if row == "discharge_status":
            knowledge.equal(own[0], [flow("dropout")])
            knowledge.equal(own[1], [flow("completed"), flow("transferred")])
            knowledge.equal(own[2], [flow("ongoing"), flow("end_unknown")])
    sessions = sorted(int(row) for table, row, _ in cells if table == "staying")
    before = flow("clients")
    for place, session in enumerate(sessions):
        here = ("staying", str(session), "clients")
        knowledge.above({before: 1}, {here: 1})
        if place == 1:
            knowledge.above({flow("clients"): 1}, {here: 1, flow("clients_with_one_session"): 1})
        before = here


def too_close(bounds: dict[Cell, Interval], width: float) -> list[Cell]:
    """Return the hidden counts that are bounded more closely than the stated width."""
    return [cell for cell, (low, high) in bounds.items() if high - low < width - 1e-6]
