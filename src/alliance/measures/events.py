"""Events of therapy: sudden gains and losses, ruptures and repairs, each with when it is known.

Found before the panel is built, from scores alone, so that every model can use them. An event that
needs later sessions to be seen says so: `known_session` is the session by which it is certain, and
missing where that is only the end of treatment. The panel takes events over at that session.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from alliance import files
from alliance.config.measure_keys import keys_of
from alliance.measures.courses import Courses, courses_of, first_scores
from alliance.measures.reliable_change import Better, reliable_points
from alliance.measures.ruptures.detect import (
    OUTCOMES,
    REPAIRED,
    UNREPAIRED,
    Ruptures,
    detect,
    scale_of,
)
from alliance.measures.ruptures.rules import Rule, rule_from
from alliance.measures.sudden_gains import sudden_changes
from alliance.persons import Persons

SUDDEN = "tang-derubeis"
KEY = ["site", "client", "session", "measure", "kind", "rule"]
COLUMNS = {
    **dict.fromkeys(("site", "client"), "str"),
    "session": "int64",
    **dict.fromkeys(("measure", "kind", "rule"), "str"),
    "points": "float64",
    "units": "float64",
    "outcome": "str",
    "end_session": "Int64",
    "speed": "float64",
    "known_session": "Int64",
}


def better_end(direction: str) -> Better:
    """Return which end of a scale is the better one, from its key's `direction`.

    Raises
    ------
    ValueError
        The key says that a high score means neither.
    """
    if direction == "none":
        msg = "The scoring key does not say whether high scores are good or bad."
        raise ValueError(msg)
    return "higher" if direction == "higher-is-better" else "lower"


def events_of(
    scores: pd.DataFrame,
    better: Mapping[str, Better],
    change: Mapping[str, Mapping[str, Any]],
    ruptures: Mapping[str, Sequence[str | Mapping[str, Any]]],
) -> pd.DataFrame:
    """Find every event of a cohort.

    Parameters
    ----------
    scores
        Table `scores` (docs/architecture.md).
    better
        Measure to the better end of its scale.
    change, ruptures
        The config's entries.

    Returns
    -------
    DataFrame
        Table `events`, sorted by its key.
    """
    totals = scores[scores["subscale"] == "total"]
    tables = []
    for measure, entry in change.items():
        courses = courses_of(totals[totals["measure"] == measure])
        tables.append(_sudden(courses, measure, better[measure], entry))
    for measure, rules in ruptures.items():
        courses = courses_of(totals[totals["measure"] == measure])
        reliability = change.get(measure, {}).get("reliability")
        for rule in map(rule_from, rules):
            tables.append(_ruptures(courses, measure, better[measure], rule, reliability))
    found = pd.concat([_empty(), *tables], ignore_index=True) if tables else _empty()
    return found.astype(COLUMNS).sort_values(KEY, kind="stable", ignore_index=True)


def least_points(courses: Courses, entry: Mapping[str, Any]) -> float | None:
    """Return the first criterion of sudden changes in points, None where it cannot be formed."""
    if entry.get("sudden_points") is not None:
        return float(entry["sudden_points"])
    first = first_scores(courses.scores)
    first = first[~np.isnan(first)]
    if entry.get("reliability") is None or len(first) < 2 or np.ptp(first) == 0:
        return None
    return reliable_points(float(np.std(first, ddof=1)), float(entry["reliability"]))


def _sudden(
    courses: Courses, measure: str, better: Better, entry: Mapping[str, Any]
) -> pd.DataFrame:
    points = least_points(courses, entry)
    if points is None or not courses.scores.size:
        return _empty()
    tables = []
    for kind, gains in (("gain", True), ("loss", False)):
        found, _ = sudden_changes(courses.scores, points, better, gains=gains)
        table = courses.clients.iloc[found.row].assign(
            session=found.session,
            measure=measure,
            kind=kind,
            rule=SUDDEN,
            points=found.points,
            units=found.points / points,
            outcome=np.where(found.reversed, "reversed", "kept"),
            end_session=pd.array([pd.NA] * len(found.row), dtype="Int64"),
            speed=np.nan,
            known_session=found.known_session,
        )
        tables.append(table)
    return pd.concat(tables).astype(COLUMNS)


def _ruptures(
    courses: Courses, measure: str, better: Better, rule: Rule, reliability: float | None
) -> pd.DataFrame:
    upwards = courses.scores if better == "higher" else -courses.scores
    scale = scale_of(upwards, reliability)
    if not courses.scores.size or (
        rule.unit == "reliable_change" and scale.difference_error is None
    ):
        return _empty()
    found = detect(upwards, rule, scale)
    in_time = not rule.looks_ahead
    repaired = found.outcome == REPAIRED
    rupture = courses.clients.iloc[found.row].assign(
        session=found.onset,
        measure=measure,
        kind="rupture",
        rule=rule.name,
        points=found.depth,
        units=found.depth / found.unit,
        outcome=np.array(OUTCOMES, dtype=object)[found.outcome],
        end_session=pd.array(_ends(found, rule), dtype="Int64"),
        speed=found.speed,
        known_session=pd.array(found.onset if in_time else -np.ones_like(found.onset), "Int64"),
    )
    rupture["end_session"] = rupture["end_session"].mask(rupture["end_session"] < 0)
    rupture["known_session"] = rupture["known_session"].mask(rupture["known_session"] < 0)
    repair = rupture[repaired].assign(
        session=found.repair[repaired],
        kind="repair",
        points=(found.repaired_at - found.lowest)[repaired],
        units=((found.repaired_at - found.lowest) / found.unit)[repaired],
        end_session=pd.NA,
    )
    repair["known_session"] = pd.array(
        found.repair[repaired] if in_time else [pd.NA] * int(repaired.sum()), dtype="Int64"
    )
    both: pd.DataFrame = pd.concat([rupture.astype(COLUMNS), repair.astype(COLUMNS)])
    return both


def _ends(found: Ruptures, rule: Rule) -> np.ndarray:
    """Return the session of repair, or by which it should have come; -1 where the course ended."""
    too_late = found.onset + (rule.repair.within or 0)
    return np.select(
        [found.outcome == REPAIRED, found.outcome == UNREPAIRED], [found.repair, too_late], -1
    )


def _empty() -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in COLUMNS.items()})


def find_events(
    *,
    scores: str | Path,
    measures: Mapping[str, Mapping[str, Any]],
    instruments: Sequence[str | Path],
    change: Mapping[str, Mapping[str, Any]],
    ruptures: Mapping[str, Sequence[str | Mapping[str, Any]]],
    events: str | Path,
) -> None:
    """Find the cohort's events: table `scores` in, table `events` out.

    `measures`, `change` and `ruptures` are the config's entries; `instruments` the paths of the
    keys that the measures name.
    """
    keys = keys_of(measures, instruments)
    named = sorted({*change, *ruptures})
    better = {name: better_end(keys[name].direction) for name in named}
    persons = Persons()
    table = events_of(persons.numbered(files.read_parquet(scores)), better, change, ruptures)
    files.write_parquet(persons.named(table), events)
