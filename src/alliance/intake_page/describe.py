"""What the data page says, as one JSON: counts and places, never a client's value.

Nothing is estimated here. Shares over fewer than `FEWEST` clients are left out, so that no picture
shows a single person.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from alliance.ingest.ledger import ACCOUNT
from alliance.ingest.rules import BLANK, KEPT, READ
from alliance.intake_page.coverage import coverage
from alliance.intake_page.words import ACTIONS, DONE, mended_by, ranges_words, rule_words

# Rules that judge whether values that are possible are also likely.
PLAUSIBILITY = frozenset(
    {
        "scale-shifted", "twin-sites", "total-disagrees", "dates-against-sessions",
        "session-before-intake", "long-pause", "first-session-undated",
        "form-at-a-missed-session", "look-alike-id", "missing-code", "implausible-number",
        "month-and-day", "one-date-for-all", "sessions-from-zero", "item-turned-round",
        "item-unrelated", "item-constant", "item-never-answered", "items-exchanged",
        "items-in-other-order", "key-of-another-form", "key-differs", "scale-end-unused",
        "scale-turned-round", "raters-exchanged", "shared-clients", "client-twice",
        "straight-lining", "carried-forward", "totals-for-items", "zeros-for-blanks",
        "rows-mixed-up", "week-unit",
    }
)  # fmt: skip
MOST_PLACES = 400  # places printed on the page; the query lists have all


def describe(tables: Mapping[str, pd.DataFrame], labels: Mapping[str, str]) -> dict[str, Any]:
    """Return what the page prints.

    Parameters
    ----------
    tables
        The five tables of all sites (`alliance.ingest.pool.stacked_sites`).
    labels
        The measures' labels by name.
    """
    quarantine = tables["quarantine"]
    plausible = quarantine["rule"].isin(PLAUSIBILITY)
    blocking = quarantine["action"] == "stopped"
    by_action = quarantine["action"].value_counts()
    listed, unlisted = _places(quarantine[~plausible | blocking])
    odd, odd_unlisted = _places(quarantine[plausible & ~blocking])
    return {
        "usable": not bool(blocking.any()),
        "problems": len(quarantine),
        "by_action": {
            action.replace(" ", "_"): int(by_action.get(action, 0)) for action in ACTIONS
        },
        "people": _people(tables),
        "by_rule": _by_rule(quarantine),
        "places": listed,
        "places_not_listed": unlisted,
        "plausibility": odd,
        "plausibility_not_listed": odd_unlisted,
        "coverage": coverage(tables["clients"], tables["sessions"], tables["responses"], labels),
        "ledger": _ledger(tables["ledger"]),
    }


def _people(tables: Mapping[str, pd.DataFrame]) -> list[dict[str, Any]]:
    """Return what each site gave: clients, therapists, sessions, answers; all sites last."""
    clients, sessions, responses = (tables[k] for k in ("clients", "sessions", "responses"))
    counts = pd.DataFrame(
        {
            "clients": clients.groupby("site").size(),
            "therapists": clients.groupby("site")["therapist"].nunique(),
            "sessions": sessions.groupby("site").size(),
            "dated_sessions": sessions.groupby("site")["weeks_since_intake"].count(),
            "answers": responses.groupby("site").size(),
        }
    ).fillna(0)
    counts = counts.astype("int64").sort_index()
    rows: list[dict[str, Any]] = [
        {"site": str(site), **{str(k): int(v) for k, v in row.items()}}
        for site, row in counts.iterrows()
    ]
    total = {str(name): int(value) for name, value in counts.sum().items()}
    return [*rows, {"site": "all", **total}]


def _by_rule(quarantine: pd.DataFrame) -> list[dict[str, Any]]:
    """Return how often each rule was broken, at which site; the most urgent first."""
    rows = []
    for (action, rule), found in quarantine.groupby(["action", "rule"], sort=False):
        by_site = found.groupby("site").size()
        rows.append(
            {
                "rule": str(rule),
                "words": rule_words(str(rule)),
                "action": str(action),
                "urgency": ACTIONS[str(action)],
                "problems": len(found),
                "sites": [{"site": str(s), "problems": int(n)} for s, n in by_site.items()],
            }
        )
    order = list(ACTIONS)
    return sorted(rows, key=lambda r: (order.index(r["action"]), -r["problems"], r["rule"]))


def _places(quarantine: pd.DataFrame) -> tuple[list[dict[str, Any]], int]:
    """Return the problems, those alike but for their row in one entry, and how many are too many.

    Entries are sorted by urgency, then place; the rows stand in words (`3, 7–9`).
    """
    keys = ["action", "site", "file", "sheet", "column", "rule", "expected", "remedy"]
    entries: list[dict[str, Any]] = []
    for key, found in quarantine.groupby(keys, dropna=False, sort=False):
        texts = {name: _text(value) for name, value in zip(keys, key, strict=True)}
        numbers = [int(row) for row in found["row"].dropna()]
        entries.append(
            texts
            | {
                "words": rule_words(str(texts["rule"])),
                "rows": ranges_words(numbers) if numbers else None,
                "problems": len(found),
                "rows_affected": int(found["rows_affected"].sum()),
                "done": DONE[str(texts["action"])],
                "mended_by": mended_by(str(texts["remedy"])),
            }
        )
    order = list(ACTIONS)
    entries.sort(
        key=lambda e: (
            order.index(e["action"]),
            *(e[name] or "" for name in ("site", "file", "sheet", "rule", "column", "expected")),
        )
    )
    rest = sum(entry["problems"] for entry in entries[MOST_PLACES:])
    return entries[:MOST_PLACES], rest


def _ledger(ledger: pd.DataFrame) -> list[dict[str, Any]]:
    """Return each account of the ledger: read, kept, blank, set aside, and why."""
    rows = []
    for key, entries in ledger.groupby(ACCOUNT, dropna=False, sort=False):
        counts = dict(zip(entries["reason"], entries["count"].astype(int), strict=True))
        reasons = {r: n for r, n in counts.items() if r not in (READ, KEPT, BLANK)}
        rows.append(
            {name: _text(value) for name, value in zip(ACCOUNT, key, strict=True)}
            | {name: counts.get(name, 0) for name in (READ, KEPT, BLANK)}
            | {"set_aside": sum(reasons.values()), "reasons": _reasons(reasons.items())}
        )
    return rows


def _reasons(reasons: Iterable[tuple[str, int]]) -> list[dict[str, Any]]:
    return [{"reason": rule_words(reason), "count": count} for reason, count in sorted(reasons)]


def _text(value: Any) -> str | None:
    return None if pd.isna(value) else str(value)
