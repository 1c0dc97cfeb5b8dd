"""Describe the cohort: counts, sums and observed means that rest on no model.

One JSON (`workflow/schemas/description.schema.yaml`) from which the flow, the sample table, the
missing-data table, the observed courses and the Kaplan-Meier curves are printed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import yaml
from scipy import stats

from alliance import files
from alliance.config.instruments import SCHEMAS, Instrument
from alliance.config.measure_keys import keys_of
from alliance.config.score_columns import FIRST_SCORE
from alliance.panel.describe_dropout import staying_by_early_alliance
from alliance.persons import Persons

ALL = "all"
END_STATUS = ("dropout", "completed", "transferred", "ongoing")
KNOWN_COLUMNS = {"site", "client", "therapist", "end_status"}
FEWEST_CLIENTS_FOR_A_MEAN = 8
CONFIDENCE = 0.95


class Processed(NamedTuple):
    """Where the processed tables of a cohort lie."""

    clients: str | Path
    responses: str | Path
    quarantine: str | Path
    ledger: str | Path
    scoring_ledger: str | Path
    panel: str | Path


def describe_cohort(
    *,
    cohort: str,
    title: str,
    simulated: bool,
    measures: Mapping[str, Mapping[str, Any]],
    dropout: Mapping[str, Any],
    instruments: Sequence[str | Path],
    processed: Processed,
    description: str | Path,
    subscales: Sequence[str] = (),
) -> None:
    """Write `description.json` of a cohort from its processed tables.

    `subscales` are the panel's columns of subscales that a model names: their courses are told too.
    """
    used = keys_of(measures, instruments)
    persons = Persons()
    tables = {
        "clients": persons.numbered(files.read_parquet(processed.clients)),
        "responses": persons.numbered(files.read_parquet(processed.responses)),
        "panel": persons.numbered(files.read_parquet(processed.panel)),
    }
    sites = sorted(tables["clients"]["site"].unique())
    content = files.plain(
        {
            "schema": "alliance-description-1",
            "cohort": cohort,
            "title": title,
            "simulated": simulated,
            "measures": [_measure(name, measures[name], key) for name, key in used.items()],
            "flow": _flow(**tables, sites=sites, events=dropout["event"]),
            "sample": _sample(tables["clients"], tables["panel"], measures, sites),
            "rows": _rows(rows_read := files.read_parquet(processed.ledger)),
            "rows_of_all_sites": _rows(rows_read.assign(site=ALL)),
            "missing": _missing(
                tables["panel"],
                tables["responses"],
                files.read_parquet(processed.scoring_ledger),
                used,
                sites,
            ),
            "problems": _problems(files.read_parquet(processed.quarantine)),
            "observed_courses": _courses(tables["panel"], [*measures, *subscales], sites),
            "survival_by_alliance": _survival_by_alliance(tables["panel"], used),
        }
    )
    import jsonschema

    schema = yaml.safe_load((SCHEMAS / "description.schema.yaml").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(content)
    files.write_json(content, description)


def _measure(name: str, entry: Mapping[str, Any], key: Instrument) -> dict[str, Any]:
    low, high = key.definition["scores"].get("total", {}).get("range") or (None, None)
    reference = key.definition.get("reference", {})
    return {
        "name": name,
        "label": entry.get("label") or name,
        "instrument": key.id,
        "abbreviation": key.abbreviation,
        "rater": key.rater,
        "construct": key.construct,
        "status": key.status,
        "direction": key.direction,
        "unit": "points",
        "lowest": low,
        "highest": high,
        "accept_unverified_key": bool(entry.get("accept_unverified_key", False)),
        "language": entry.get("language", ""),
        "reference": ". ".join(
            str(reference[part]) for part in ("authors", "year", "journal") if part in reference
        ),
    }


def _sites(table: pd.DataFrame, sites: Sequence[str]) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the whole table as `all`, then the part of each of the cohort's sites, if empty too."""
    yield ALL, table
    for site in sites:
        yield site, table[table["site"] == site]


def _flow(
    clients: pd.DataFrame,
    responses: pd.DataFrame,
    panel: pd.DataFrame,
    sites: Sequence[str],
    events: Sequence[str],
) -> list[dict[str, Any]]:
    rows = []
    forms = responses[["site", "client", "session", "measure"]].drop_duplicates()
    for site, people in _sites(clients, sites):
        visits = panel if site == ALL else panel[panel["site"] == site]
        status = people["end_status"] if "end_status" in people else pd.Series(dtype=object)
        known = int(status.isin(END_STATUS).sum())
        ended = int(status.isin([end for end in END_STATUS if end != "ongoing"]).sum())
        left = int(status.isin(list(events)).sum())
        # Where only dropouts are on record, their share of the known ends would say nothing.
        base = ended if ended > left else 0
        low, high = _wilson(left, base)
        therapists = people["therapist"].nunique() if "therapist" in people else 0
        rows.append(
            {
                "site": site,
                "sites": people["site"].nunique(),
                "therapists": therapists,
                "clients": len(people),
                "sessions": len(visits),
                "forms": len(forms) if site == ALL else int((forms["site"] == site).sum()),
                "clients_with_one_session": int((visits.groupby("client").size() == 1).sum()),
                **{end: int((status == end).sum()) for end in END_STATUS},
                "end_unknown": len(people) - known,
                "dropout_share": 100 * left / base if base else None,
                "dropout_share_low": low,
                "dropout_share_high": high,
            }
        )
    return rows


def _wilson(count: int, n: int) -> tuple[float | None, float | None]:
    """Return the Wilson score interval of a percentage (Wilson, 1927)."""
    if n == 0:
        return None, None
    interval = stats.binomtest(count, n).proportion_ci(CONFIDENCE, method="wilson")
    return 100 * float(interval.low), 100 * float(interval.high)


def _sample(
    clients: pd.DataFrame,
    panel: pd.DataFrame,
    measures: Mapping[str, Mapping[str, Any]],
    sites: Sequence[str],
) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    covariates = [str(column) for column in clients if column not in KNOWN_COLUMNS]
    for column in covariates:
        name, unit = _name_and_unit(column)
        for site, people in _sites(clients, sites):
            values = people[column].dropna()
            if pd.api.types.is_numeric_dtype(values):
                rows.append(_summary(name, site, values.astype(float), unit))
            else:
                rows += _categories(name, site, values, clients[column])
    per_client = panel.groupby(["site", "client"]).size().rename("n").reset_index()
    for site, people in _sites(per_client, sites):
        rows.append(_summary("Sessions attended", site, people["n"].astype(float), "sessions"))
    for measure, entry in measures.items():
        first = panel[panel[measure].notna()].groupby(["site", "client"])[measure].first()
        for site, scores in _sites(first.reset_index(), sites):
            label = f"{entry.get('label') or measure}{FIRST_SCORE}"
            rows.append(_summary(label, site, scores[measure], "points") | {"measure": measure})
    return rows


def _name_and_unit(column: str) -> tuple[str, str]:
    """Return `Age` and `years` for `age_years`: columns are named with their unit."""
    words = column.split("_")
    unit = words.pop() if len(words) > 1 and words[-1] in ("years", "weeks", "days") else ""
    return " ".join(words).capitalize(), unit


def _summary(characteristic: str, site: str, values: pd.Series, unit: str) -> dict[str, Any]:
    n = len(values)
    return {
        "characteristic": characteristic,
        "category": None,
        "unit": unit,
        "site": site,
        "n": n,
        "mean": values.mean() if n else None,
        "sd": values.std() if n > 1 else None,
        "median": values.median() if n else None,
        "minimum": values.min() if n else None,
        "maximum": values.max() if n else None,
        "count": None,
        "percent": None,
    }


def _categories(
    characteristic: str, site: str, values: pd.Series, every: pd.Series
) -> list[dict[str, Any]]:
    empty = _summary(characteristic, site, pd.Series(dtype=float), "clients")
    return [
        empty
        | {
            "category": str(category),
            "n": len(values),
            "count": int((values == category).sum()),
            "percent": 100 * float((values == category).mean()) if len(values) else None,
        }
        for category in sorted(every.dropna().unique(), key=str)
    ]


def _rows(ledger: pd.DataFrame) -> list[dict[str, Any]]:
    rows = []
    for keys, part in ledger.groupby(["site", "table", "unit"], sort=True):
        counts = part.groupby("reason")["count"].sum()
        reasons = counts.drop(["read", "kept", "blank"], errors="ignore")
        reasons = reasons[reasons > 0]
        rows.append(
            {
                **dict(zip(("site", "table", "unit"), keys, strict=True)),
                "read": int(counts.get("read", 0)),
                "kept": int(counts.get("kept", 0)),
                "blank": int(counts.get("blank", 0)),
                "set_aside": int(reasons.sum()),
                "reasons": [{"reason": str(r), "count": int(n)} for r, n in reasons.items()],
            }
        )
    return rows


def _missing(
    panel: pd.DataFrame,
    responses: pd.DataFrame,
    scoring: pd.DataFrame,
    measures: Mapping[str, Instrument],
    sites: Sequence[str],
) -> list[dict[str, Any]]:
    rows = []
    for measure, key in measures.items():
        answers = responses[responses["measure"] == measure]
        totals = scoring[(scoring["measure"] == measure) & (scoring["subscale"] == "total")]
        for site, visits in _sites(panel, sites):
            here = answers if site == ALL else answers[answers["site"] == site]
            scored = totals if site == ALL else totals[totals["site"] == site]
            forms = len(here[["site", "client", "session"]].drop_duplicates())
            printed = forms * key.n_items
            rows.append(
                {
                    "site": site,
                    "measure": measure,
                    "sessions": len(visits),
                    "forms": forms,
                    "forms_percent": 100 * forms / len(visits) if len(visits) else None,
                    **{
                        # a key without a total has no score that a whole form could rest on
                        count: int(scored[count].sum()) if len(totals) else None
                        for count in ("complete", "prorated", "refused")
                    },
                    "items_unanswered_percent": 100 * (printed - len(here)) / printed
                    if printed
                    else None,
                }
            )
    return rows


def _problems(quarantine: pd.DataFrame) -> list[dict[str, Any]]:
    keys = ["site", "rule", "action", "expected", "remedy"]
    if quarantine.empty:
        return []
    grouped = quarantine.assign(rule=quarantine["rule"].astype(str)).groupby(
        ["site", "rule", "action"], sort=True, dropna=False
    )
    counted = grouped.agg(
        problems=("rule", "size"),
        rows_affected=("rows_affected", "sum"),
        expected=("expected", "first"),
        remedy=("remedy", "first"),
    ).reset_index()
    rows = counted[[*keys, "problems", "rows_affected"]].to_dict("records")
    return [{str(key): value for key, value in row.items()} for row in rows]


def _courses(
    panel: pd.DataFrame, measures: Sequence[str], sites: Sequence[str]
) -> list[dict[str, Any]]:
    rows = []
    for measure in measures:
        scored = panel[panel[measure].notna()]
        for site, part in _sites(scored, sites):
            by_session = part.groupby("session").agg(
                weeks=("weeks_since_intake", "mean"),
                mean=(measure, "mean"),
                sd=(measure, "std"),
                n=(measure, "size"),
            )
            enough = by_session[by_session["n"] >= FEWEST_CLIENTS_FOR_A_MEAN]
            rows.append(
                {
                    "site": site,
                    "measure": measure,
                    "session": enough.index.tolist(),
                    **{column: enough[column].tolist() for column in ("weeks", "mean", "sd", "n")},
                }
            )
    return rows


def _survival_by_alliance(
    panel: pd.DataFrame, measures: Mapping[str, Instrument]
) -> dict[str, Any]:
    """Kaplan-Meier by third of the client's first alliance score: the curves of `dropout.json`."""
    curves, message = staying_by_early_alliance(panel, measures)
    groups = [
        {
            "group": f"Early alliance: {curve['group']}",
            "staying": curve["value"],
            **{
                name: curve[name]
                for name in ("clients", "events", "session", "ci_low", "ci_high", "at_risk")
            },
        }
        for curve in curves
    ]
    return {"message": message, "groups": groups}
