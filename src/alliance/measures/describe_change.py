"""`describe_change`: change, sudden gains, ruptures and coders of a cohort in one JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from alliance import files
from alliance.config.closed_schema import schema
from alliance.config.instruments import Instrument
from alliance.config.measure_keys import keys_of
from alliance.measures.change import classes_by_client, describe_measure
from alliance.measures.coders import describe_coders
from alliance.measures.consequences import describe_consequences
from alliance.measures.courses import courses_of
from alliance.measures.describe_ruptures import describe_ruptures
from alliance.measures.events import better_end, least_points
from alliance.measures.reliable_change import Better
from alliance.measures.ruptures.rules import first_known_in_time, rule_from
from alliance.measures.sudden_gains import sudden_changes
from alliance.persons import Persons

FEWEST = 8


def change_of(
    panel: pd.DataFrame,
    events: pd.DataFrame,
    measures: Mapping[str, Mapping[str, Any]],
    keys: Mapping[str, Instrument],
    change: Mapping[str, Mapping[str, Any]],
    ruptures: Mapping[str, Sequence[Any]],
    observers: Sequence[str],
    seed: int,
) -> dict[str, Any]:
    """Return the content of change.json, checked against its schema.

    Parameters
    ----------
    panel, events
        Tables of docs/architecture.md.
    measures, change, ruptures, observers
        The config's entries.
    keys
        Measure to its scoring key.
    seed
        Start of the null's random numbers.
    """
    labels = {name: str(entry.get("label") or name) for name, entry in measures.items()}
    better = {name: better_end(keys[name].direction) for name in {*change, *ruptures}}
    described: dict[str, Any] = {
        "schema": "alliance-change-1",
        "measures": [
            _head(name, labels, keys, better)
            | describe_measure(panel, name, entry, better[name])
            | {"sudden": _sudden(panel, name, entry, better[name])}
            for name, entry in change.items()
        ],
        "ruptures": [
            _head(name, labels, keys, better)
            | {"known_rule": _known_rule(rules)}
            | describe_ruptures(
                panel,
                name,
                rules,
                better[name],
                change.get(name, {}).get("reliability"),
                # a stream a measure: a measure more does not change the others' numbers
                np.random.default_rng([seed, *name.encode()]),
            )
            for name, rules in ruptures.items()
        ],
        "observers": describe_coders(
            panel,
            observers,
            events,
            {rule_from(r).name: name for name, rules in ruptures.items() for r in rules},
        ),
        "consequences": describe_consequences(
            panel, labels, list(change), {name: _known_rule(r) for name, r in ruptures.items()}
        ),
    }
    described["cannot"] = _cannot(described, measures, keys)
    described = files.plain(described)
    _validator().validate(described)
    return described


def _head(
    name: str,
    labels: Mapping[str, str],
    keys: Mapping[str, Instrument],
    better: Mapping[str, Better],
) -> dict[str, Any]:
    return {
        "measure": name,
        "label": labels[name],
        "rater": keys[name].rater,
        "better": better[name],
    }


def _known_rule(rules: Sequence[Any]) -> str | None:
    """Return the rule that the panel's columns follow."""
    rule = first_known_in_time([rule_from(entry) for entry in rules])
    return None if rule is None else rule.name


def _sudden(
    panel: pd.DataFrame, measure: str, entry: Mapping[str, Any], better: Better
) -> dict[str, Any]:
    """Return the counts of sudden gains and losses."""
    courses = courses_of(panel[["site", "client", "session", measure]], measure)
    points = least_points(courses, entry)
    described: dict[str, Any] = {
        "least_points": points,
        "set_in_config": entry.get("sudden_points") is not None,
        "steps_judged": 0,
        "clients_judged": 0,
        "gains": None,
        "losses": None,
        "message": "",
    }
    if points is None:
        described["message"] = (
            "Without a reliability (or `sudden_points`) in the config the least size of a sudden "
            "gain is not known."
        )
        return described
    for key, gains in (("gains", True), ("losses", False)):
        found, judged = sudden_changes(courses.scores, points, better, gains=gains)
        clients = int(judged.any(axis=1).sum()) if judged.size else 0
        described["steps_judged"] = int(judged.sum())
        described["clients_judged"] = clients
        if clients < FEWEST:
            described["message"] = (
                f"Fewer than {FEWEST} clients have two scores before and two after a step, which "
                "the third criterion of a sudden gain needs: nobody's course can be judged."
            )
            return described | {"gains": None, "losses": None}
        many = len(found.row) >= FEWEST
        described[key] = {
            "changes": len(found.row),
            "clients": len(np.unique(found.row)),
            "percent": 100 * len(np.unique(found.row)) / clients,
            "points": float(np.median(found.points)) if many else None,
            "session": float(np.median(found.session)) if many else None,
            "percent_reversed": 100 * float(found.reversed.mean()) if many else None,
        }
    return described


def _cannot(
    described: Mapping[str, Any],
    measures: Mapping[str, Mapping[str, Any]],
    keys: Mapping[str, Instrument],
) -> list[str]:
    """Return in plain sentences what could not be done for this cohort, and why."""
    said = []
    has_alliance = "alliance" in {keys[name].construct for name in measures}
    if measures and not described["measures"]:
        said.append(
            "No measure is named under `change` in the config: reliable change and sudden gains "
            "were not looked for."
        )
    if has_alliance and not described["ruptures"]:
        said.append(
            "No measure is named under `ruptures` in the config: ruptures were not looked for."
        )
    for entry in described["measures"]:
        for part in (entry, entry["sudden"], entry["by_site"] or {}, entry["by_therapist"] or {}):
            if part.get("message"):
                said.append(f"{entry['label']}: {part['message']}")
    for entry in described["ruptures"]:
        if entry["message"]:
            said.append(f"{entry['label']}: {entry['message']}")
        said += [
            f"{entry['label']}, {r['rule']}: {r['message']}" for r in entry["rules"] if r["message"]
        ]
    raters = {keys[name].rater for name in measures if keys[name].construct == "alliance"}
    if has_alliance and "therapist" not in raters:
        said.append(
            "No therapist has rated the alliance: ruptures are seen with the client's eyes only."
        )
    if has_alliance and described["observers"]["message"]:
        said.append(described["observers"]["message"])
    return list(dict.fromkeys(said))


@cache
def _validator() -> Any:
    import jsonschema

    return jsonschema.Draft202012Validator(schema("change"))


def describe_change(
    *,
    panel: str | Path,
    events: str | Path,
    measures: Mapping[str, Mapping[str, Any]],
    instruments: Sequence[str | Path],
    change: Mapping[str, Mapping[str, Any]],
    ruptures: Mapping[str, Sequence[Any]],
    observers: Sequence[str],
    seed: int,
    described: str | Path,
    private: str | Path,
) -> None:
    """Describe the cohort's change: tables `panel` and `events` in, change.json out.

    `private` is where each client's class goes (pseudonyms, readable by its owner only).
    """
    keys = keys_of(measures, instruments)
    persons = Persons()
    table, happened = (persons.numbered(files.read_parquet(path)) for path in (panel, events))
    content = change_of(table, happened, measures, keys, change, ruptures, observers, seed)
    files.write_json(content, described)
    rows = [
        found.assign(measure=name)
        for name, entry in change.items()
        if (found := classes_by_client(table, name, entry, better_end(keys[name].direction)))
        is not None
    ]
    columns = ["measure", "site", "client", "therapist", "first", "last", "class"]
    classes = pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=columns)
    _write_private(persons.named(classes[columns]), private)


def _write_private(classes: pd.DataFrame, path: str | Path) -> None:
    text = classes.map(files.inert_text).to_csv(index=False, lineterminator="\n")
    files.write_text(text, path, mode=0o600)
