"""Describe how well this cohort's measures measure: one JSON, `measurement.json`.

Key evidence, missing and prorated forms, reliability, generalizability, variance shares,
invariance and correlations stand beside every result. What cannot be computed is a row with a
sentence instead of numbers.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from alliance import files
from alliance.config.closed_schema import schema
from alliance.config.instruments import Instrument, Score
from alliance.config.measure_keys import keys_of
from alliance.measures import key_facts
from alliance.measures.correlations import correlation_rows
from alliance.measures.forms import ALL, Forms
from alliance.measures.generalizability_rows import generalizability_rows
from alliance.measures.invariance import CFI_MAY_FALL, RMSEA_MAY_RISE
from alliance.measures.reliability import FEWEST_CLIENTS, Consistency, consistency
from alliance.measures.scoring import FORM
from alliance.measures.structure_rows import structure_rows
from alliance.measures.variance_shares import VarianceShares, variance_shares
from alliance.persons import Persons

Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure with all that its description needs.

    Attributes
    ----------
    name, entry
        Its name and entry in the config.
    key
        The instrument.
    forms
        Its forms with keyed answers.
    scores
        Its rows of the table `scores`.
    """

    name: str
    entry: Mapping[str, Any]
    key: Instrument
    forms: Forms
    scores: pd.DataFrame

    @property
    def main(self) -> list[Score]:
        """The total, or every score where the key has none."""
        return key_facts.main_scores(self.key)

    def head(self, score: Score) -> dict[str, Any]:
        """Return what names a row of this measure's score."""
        label = key_facts.score_label(self.name, self.entry, score.name)
        return {"measure": self.name, "score": score.name, "label": label}


def measurement_of(
    *,
    clients: pd.DataFrame,
    sessions: pd.DataFrame,
    responses: pd.DataFrame,
    scores: pd.DataFrame,
    measures: Mapping[str, Mapping[str, Any]],
    keys: Mapping[str, Instrument],
    seed: int,
) -> dict[str, Any]:
    """Return the description (`measurement.schema.yaml`).

    Parameters
    ----------
    clients, sessions, responses, scores
        The tables of docs/architecture.md.
    measures
        The config's mapping.
    keys
        Instruments by id.
    seed
        Of all resampling: each coefficient has random numbers of its own, made from this seed and
        its name, so that adding a measure changes no other's interval.
    """
    parts: dict[str, Rows] = {name: [] for name in PARTS}
    heads: Rows = []
    for name, entry in measures.items():
        key = keys[name]
        forms = Forms.of(responses[responses["measure"] == name], key)
        measure = Measure(name, entry, key, forms, scores[scores["measure"] == name])
        for part, rows in _of_measure(measure, clients, sessions, seed).items():
            parts[part] += rows
        main = {score.name for score in measure.main}
        heads += [{**measure.head(s), "main": s.name in main} for s in key.scores]
    parts |= correlation_rows(scores, sessions, heads)
    return {
        "schema": "alliance-measurement-1",
        "seed": seed,
        "invariance_bounds": {"cfi_may_fall": CFI_MAY_FALL, "rmsea_may_rise": RMSEA_MAY_RISE},
        **parts,
    }


PARTS = (
    "measures",
    "evidence",
    "scores",
    "published_reliability",
    "prorating",
    "items",
    "reliability",
    "generalizability",
    "components",
    "coefficients",
    "decision",
    "sessions_needed",
    "multilevel_omega",
    "variance_shares",
    "variance_notes",
    "invariance",
    "invariance_steps",
    "invariance_releases",
    "score_statistics",
    "correlations",
)


def _of_measure(
    measure: Measure, clients: pd.DataFrame, sessions: pd.DataFrame, seed: int
) -> dict[str, Rows]:
    name, entry, key = measure.name, measure.entry, measure.key
    items, reliability = _reliability(measure, seed)
    return {
        "measures": [key_facts.key_facts(name, entry, key)],
        "evidence": key_facts.evidence(name, key),
        "scores": key_facts.score_rules(name, entry, key),
        "published_reliability": key_facts.published_reliability(name, key),
        "prorating": _prorating(measure, sessions),
        "items": items,
        "reliability": reliability,
        **generalizability_rows(
            {score.name: (measure.head(score), score) for score in key.scores},
            {score.name for score in measure.main},
            measure.forms,
            lambda what: generator(seed, f"{name}/{what}"),
        ),
        **_variance_shares(measure, clients, seed),
        **structure_rows(measure.head(measure.main[0]), key, measure.forms, measure.main),
    }


def generator(seed: int, name: str) -> np.random.Generator:
    """Return random numbers that depend on the seed and on what they are for, on nothing else."""
    return np.random.default_rng([seed, zlib.crc32(name.encode("utf-8"))])


def _reliability(measure: Measure, seed: int) -> tuple[Rows, Rows]:
    """Return the rows of items (of the main scores) and of consistency."""
    rows: Rows = []
    items: Rows = []
    seen: set[tuple[Any, ...]] = set()
    for score in measure.key.scores:
        its = key_facts.items_of(score, measure.key)
        if its in seen:  # the same items under another name or scale: the same reliability
            continue
        seen.add(its)
        columns = measure.forms.columns_of(score)
        for site, session, mask in measure.forms.groups():
            name = f"{measure.name}/{score.name}/{site}/{session}/consistency"
            found = consistency(
                _answered(columns[mask]), _codes(measure, mask, columns), generator(seed, name)
            )
            rows.append(_consistency_row(measure.head(score), site, session, found))
            if score in measure.main and site == ALL and session == ALL:
                items += _item_rows(measure.head(score), its, columns, found)
    return items, rows


def _answered(columns: np.ndarray) -> np.ndarray:
    """Return the forms in which something of the score is answered."""
    return np.asarray(columns[~np.isnan(columns).all(axis=1)])


def _codes(measure: Measure, mask: np.ndarray, columns: np.ndarray) -> np.ndarray:
    answered = mask & ~np.isnan(columns).all(axis=1)
    return measure.forms.client_codes(answered)


def _consistency_row(
    head: Mapping[str, Any], site: str, session: str, found: Consistency
) -> dict[str, Any]:
    return {
        **head,
        "site": site,
        "session": session,
        "clients": found.clients,
        "forms": found.forms,
        "items": found.n_items,
        "alpha": found.alpha.value,
        "alpha_low": found.alpha.low,
        "alpha_high": found.alpha.high,
        "alpha_standardised": found.alpha_standardised,
        "omega": found.omega.value,
        "omega_low": found.omega.low,
        "omega_high": found.omega.high,
        "message": " ".join(found.messages),
    }


def _item_rows(
    head: Mapping[str, Any], its: Sequence[Any], columns: np.ndarray, found: Consistency
) -> Rows:
    rows = []
    for place, item in enumerate(its):
        answered = ~np.isnan(columns[:, place])
        enough = found.clients >= FEWEST_CLIENTS and answered.any()
        words = item if isinstance(item, int) else "highest of " + ", ".join(map(str, item))
        rows.append(
            {
                **head,
                "item": str(words),
                "answered": int(answered.sum()),
                "unanswered_percent": 100 * float(1 - answered.mean()) if len(answered) else None,
                "mean": float(columns[answered, place].mean()) if enough else None,
                "item_rest": found.item_rest[place] if found.item_rest else None,
            }
        )
    return rows


def _prorating(measure: Measure, sessions: pd.DataFrame) -> Rows:
    """Return complete, prorated and refused forms by session; sessions of few clients together."""
    rows = []
    held = sessions[sessions["attended"].astype(bool)].groupby("session").size()
    for score in measure.main:
        own = measure.scores[measure.scores["subscale"] == score.name]
        groups = [(ALL, own, int(held.sum()))]
        groups += [
            (str(number), part, int(held.get(number, 0)))
            for number, part in own.groupby("session")
            if len(part) >= FEWEST_CLIENTS
        ]
        for session, part, sessions_held in groups:
            prorated, refused = int(part["prorated"].sum()), int(part["refused"].sum())
            complete = len(part) - prorated - refused
            missing = max(0, sessions_held - len(part))
            counts = {
                "complete": complete,
                "prorated": prorated,
                "refused": refused,
                "no_form": missing,
            }
            base = sum(counts.values())
            rows.append(
                {
                    **measure.head(score),
                    "session": session,
                    "sessions": sessions_held,
                    "forms": len(part),
                    **counts,
                    **{
                        f"{name}_percent": 100 * count / base if base else None
                        for name, count in counts.items()
                    },
                }
            )
    return rows


def _variance_shares(measure: Measure, clients: pd.DataFrame, seed: int) -> dict[str, Rows]:
    rows: Rows = []
    notes: Rows = []
    who = clients.reindex(columns=["site", "client", "therapist"])
    for score in measure.main:
        own = measure.scores[measure.scores["subscale"] == score.name]
        own = own[own["score"].notna()].sort_values(FORM, kind="stable")
        table = own[[*FORM, "score"]].merge(who, on=["site", "client"], how="left")
        name = f"{measure.name}/{score.name}/variance"
        found = variance_shares(table, zlib.crc32(f"{seed}/{name}".encode()))
        rows += _share_rows(measure.head(score), found)
        notes += [{**measure.head(score), "message": message} for message in found.messages]
    return {"variance_shares": rows, "variance_notes": notes}


def _share_rows(head: Mapping[str, Any], found: VarianceShares) -> Rows:
    columns = ("level", "groups", "variance", "share", "share_low", "share_high",
               "icc", "icc_low", "icc_high")  # fmt: skip
    return [
        {**head, **{column: getattr(level, column) for column in columns}} for level in found.levels
    ]


def describe_measures(
    *,
    clients: str | Path,
    sessions: str | Path,
    responses: str | Path,
    scores: str | Path,
    measures: Mapping[str, Mapping[str, Any]],
    instruments: Sequence[str | Path],
    seed: int,
    measurement: str | Path,
) -> None:
    """Write `measurement.json` of a cohort from its processed tables.

    `measures` is the config's mapping; `instruments` the paths of the keys that it names.
    """
    import jsonschema

    persons = Persons()
    content = files.plain(
        measurement_of(
            clients=persons.numbered(files.read_parquet(clients)),
            sessions=persons.numbered(files.read_parquet(sessions)),
            responses=persons.numbered(files.read_parquet(responses)),
            scores=persons.numbered(files.read_parquet(scores)),
            measures=measures,
            keys=keys_of(measures, instruments),
            seed=seed,
        )
    )
    jsonschema.Draft202012Validator(schema("measurement")).validate(content)
    files.write_json(content, measurement)


__all__ = ["Measure", "describe_measures", "measurement_of"]
