"""Take from the results what could be shared: counts with their equations, means, effects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from alliance.sharing.counts import Counts, Place
from alliance.sharing.names import BETWEEN, UNKNOWN

ENDS = ("completed", "dropout", "transferred", "ongoing", "end_unknown")
STEP = 4  # sessions from one point of a curve to the next
ALL = "all"
SAME = 1e-6  # of a sum reckoned back from its mean
# ASSUME a sum is dominated where all clients but the two with most could tell what the one with
# most adds to within 10 % (the p % rule).
DOMINANCE_SHARE = 0.10
Row = Mapping[str, Any]


def gather_counts(description: Row, dropout: Row, change: Row, fits: Sequence[Row]) -> Counts:
    """Return all counts that the shared tables might print.

    Parameters
    ----------
    description, dropout, change
        The cohort's descriptions, as in their JSON files.
    fits
        The fits, as in theirs.
    """
    counts = Counts()
    flow = [row for row in description["flow"] if row["site"] == ALL and row["clients"]]
    sites = [row for row in description["flow"] if row["site"] != ALL and row["clients"]]
    rows = [*flow, *(sites if len(sites) > 1 or not flow else [])]
    basis = _basis_of_sums(description, rows)
    _flow(counts, rows, basis)
    _forms(counts, description["missing"], basis)
    _characteristics(counts, description["sample"], rows)
    if flow:
        _definitions(counts, dropout["definitions"], flow[0])
        _staying(counts, dropout["staying"])
        _change(counts, change["measures"])
        _models(counts, fits, basis[ALL])
    return counts


def is_sum_of_sessions(row: Row, sessions: int) -> bool:
    """Tell whether a characteristic is the number of sessions, whose sum is a count in print."""
    return bool(row["n"] and row["mean"]) and abs(row["n"] * row["mean"] - sessions) < SAME


def _basis_of_sums(description: Row, rows: Sequence[Row]) -> dict[str, int]:
    """Return how many clients sums of sessions rest on: one where one has nearly all (p % rule)."""
    basis = {}
    for flow in rows:
        of_site = (row for row in description["sample"] if row["site"] == flow["site"])
        own = next((row for row in of_site if is_sum_of_sessions(row, flow["sessions"])), None)
        most = flow["sessions"] if own is None else own["maximum"]
        spread = flow["sessions"] - 2 * most >= DOMINANCE_SHARE * most
        basis[flow["site"]] = flow["clients"] if spread else 1
    return basis


def _flow(counts: Counts, rows: Sequence[Row], basis: Mapping[str, int]) -> None:
    columns = ("therapists", "clients", *ENDS, "clients_with_one_session", "sessions")
    for row in rows:
        site = row["site"]
        keys = {
            column: counts.show(
                Place("flow", site, column),
                row[column],
                basis=basis[site] if column == "sessions" else None,
                least=int(column in ("clients", "sessions")),
            )
            for column in columns
        }
        counts.total(keys["clients"], [keys[end] for end in ENDS])
        once = {keys["clients_with_one_session"]: 1}
        counts.at_most(once, {keys["clients"]: 1})
        counts.at_most({keys["clients"]: 2}, {keys["sessions"]: 1, **once})
    for column in columns:
        _over_sites(counts, "flow", column, [row["site"] for row in rows])


def _over_sites(counts: Counts, table: str, column: str, sites: Sequence[str]) -> None:
    if ALL in sites and len(sites) > 1:
        keys = {site: counts.printed[Place(table, site, column)] for site in sites}
        counts.total(keys.pop(ALL), list(keys.values()))


def _forms(counts: Counts, missing: Sequence[Row], basis: Mapping[str, int]) -> None:
    measures = list(dict.fromkeys(row["measure"] for row in missing))
    at = {(row["site"], row["measure"]): row["forms"] for row in missing}
    for measure in measures:
        for site, n in basis.items():
            forms = counts.show(Place("forms", site, measure), at.get((site, measure), 0), basis=n)
            counts.at_most({forms: 1}, {counts.printed[Place("flow", site, "sessions")]: 1})
        _over_sites(counts, "forms", measure, list(basis))


def _characteristics(counts: Counts, sample: Sequence[Row], rows: Sequence[Row]) -> None:
    clients = {row["site"]: row["clients"] for row in rows}
    known = [r for r in sample if r["category"] is not None and r["count"] is not None]
    for name in dict.fromkeys(row["characteristic"] for row in known):
        of = [row for row in known if row["characteristic"] == name]
        # A category that nobody has is not listed; so one that is has somebody.
        categories = list(dict.fromkeys(row["category"] for row in of if row["count"]))
        at = {(row["site"], row["category"]): row["count"] for row in of}
        for site, everybody in clients.items():
            told = {category: at.get((site, category), 0) for category in categories}
            told[UNKNOWN] = told.get(UNKNOWN, 0) + everybody - sum(told.values())
            parts = [
                counts.show(
                    Place("characteristics", _line(name, category), site),
                    count,
                    least=int(site == ALL and category != UNKNOWN),
                )
                for category, count in told.items()
            ]
            counts.total(counts.printed[Place("flow", site, "clients")], parts)
        if ALL in clients and len(clients) > 1:
            for category in (*categories, UNKNOWN):
                row = _line(name, category)
                keys = {s: counts.printed[Place("characteristics", row, s)] for s in clients}
                counts.total(keys.pop(ALL), list(keys.values()))


def _line(name: str, category: str) -> str:
    """Return what heads the line of a category; the sign between the two stands in it once."""
    return f"{name}{BETWEEN}{category.replace(BETWEEN, '/')}"


def _of_all(counts: Counts, column: str) -> str:
    return counts.printed[Place("flow", ALL, column)]


def _definitions(counts: Counts, definitions: Sequence[Row], flow: Row) -> None:
    for row in definitions:
        if None in (row["dropouts"], row["others"], row["unknown"]):
            continue  # a definition that could not be applied here
        name, same = row["name"], ""
        if name == "discharge_status" and row["dropouts"] == flow["dropout"]:
            same = _of_all(counts, "dropout")
        keys = {
            column: counts.show(Place("dropout_definitions", name, column), row[column], key=key)
            for column, key in (("dropouts", same), ("others", ""), ("unknown", ""))
        }
        counts.total(_of_all(counts, "clients"), list(keys.values()))
        if same:
            left = [_of_all(counts, end) for end in ("completed", "transferred")]
            counts.total(keys["others"], left)
            counts.total(keys["unknown"], [_of_all(counts, e) for e in ("ongoing", "end_unknown")])


def _staying(counts: Counts, curves: Sequence[Row]) -> None:
    """Note who is still in treatment, at every fourth session only."""
    curve = next((row for row in curves if row["by"] == ALL), None)
    if curve is None:
        return
    at_risk = dict(zip(curve["session"], curve["at_risk"], strict=True))
    before, once = _of_all(counts, "clients"), _of_all(counts, "clients_with_one_session")
    for session in range(1, max(at_risk) + 1, STEP):
        if not at_risk.get(session):
            break
        here = counts.show(
            Place("staying", str(session), "clients"), int(at_risk[session]), least=1
        )
        counts.at_most({here: 1}, {before: 1})
        if session == 1 + STEP:
            counts.at_most({here: 1, once: 1}, {_of_all(counts, "clients"): 1})
        before = here


def _change(counts: Counts, measures: Sequence[Row]) -> None:
    for row in measures:
        chosen = next((m for m in row.get("methods") or () if m["chosen"]), None)
        if chosen is None or not chosen["classes"]:
            continue
        name = row["measure"]
        used = counts.show(Place("change", name, "clients"), chosen["clients"])
        parts = [
            counts.show(Place("change", name, entry["class"]), entry["clients"])
            for entry in chosen["classes"]
        ]
        counts.total(used, parts)
        once, clients = (_of_all(counts, c) for c in ("clients_with_one_session", "clients"))
        counts.at_most({used: 1, once: 1}, {clients: 1})


def _models(counts: Counts, fits: Sequence[Row], basis: int) -> None:
    for fit in fits:
        groups = {group["level"]: group["n"] for group in fit["data"]["groups"]}
        if not groups.get("client"):
            continue
        model, n = fit["model"], groups["client"]
        clients = counts.show(Place("models", model, "clients"), n, least=1)
        rows = counts.show(
            Place("models", model, "rows"), fit["data"]["rows_used"], basis=min(n, basis), least=1
        )
        counts.at_most({clients: 1}, {_of_all(counts, "clients"): 1})
        counts.at_most({rows: 1}, {_of_all(counts, "sessions"): 1})
        counts.at_most({clients: 1}, {rows: 1})
