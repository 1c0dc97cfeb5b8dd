"""Describe who leaves and when, without a model: definitions, curves by cause, rates by session.

One JSON (`workflow/schemas/dropout.schema.yaml`), from which the report's part on dropout is
printed. Groups are formed by what was known early (site, first alliance score): never by sessions
that come later, which only those who stayed have.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from scipy import stats

from alliance import files
from alliance.config.instruments import SCHEMAS, Instrument
from alliance.config.measure_keys import keys_of
from alliance.measures.change import first_scores_of
from alliance.measures.reliable_change import reliable_points
from alliance.panel.ends import BY_STATUS, ENDS, in_words
from alliance.persons import Persons
from alliance.survival import Curve, cumulative_incidence, kaplan_meier, median_time

FEWEST_CLIENTS = 8  # a curve of fewer people would show single persons' ends
EARLY_SESSIONS = 3
THIRDS = ("lowest third", "middle third", "highest third")


def describe_dropout(
    *,
    panel: str | Path,
    measures: Mapping[str, Mapping[str, Any]],
    dropout: Mapping[str, Any],
    instruments: Sequence[str | Path],
    description: str | Path,
) -> None:
    """Write the description of dropout; `dropout` is the config's entry."""
    used = keys_of(measures, instruments)
    rows = Persons().numbered(files.read_parquet(panel))
    content = files.plain(dropout_of(rows, used, dropout))
    import jsonschema

    schema = yaml.safe_load((SCHEMAS / "dropout.schema.yaml").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(content)
    files.write_json(content, description)


def dropout_of(
    panel: pd.DataFrame, measures: Mapping[str, Instrument], dropout: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the description as plain values."""
    people = _people(panel)
    definitions = _definitions(people, panel, dropout)
    message = _why_no_curves(people)
    content: dict[str, Any] = {
        "schema": "alliance-dropout-1",
        "definition": dropout["use"],
        "message": message,
        "definitions": definitions,
        "moves": _moves(people, dropout),
        "staying": [],
        "incidence": [],
        "by_session": [],
        "early_alliance": "",
    }
    if message:
        return content
    thirds, content["early_alliance"] = _early_alliance(panel, people, measures)
    content["staying"] = list(_staying(people, thirds))
    content["incidence"] = list(_incidence(people, thirds))
    content["by_session"] = _by_session(people, sorted(panel["session"].unique()))
    return content


def staying_by_early_alliance(
    panel: pd.DataFrame, measures: Mapping[str, Instrument]
) -> tuple[list[dict[str, Any]], str]:
    """Return the Kaplan-Meier curves by third of the first alliance score, and why there are none.

    Clients who left before giving a score are not in the picture.
    """
    people = _people(panel)
    message = _why_no_curves(people)
    if message:
        return [], message
    thirds, message = _early_alliance(panel, people, measures)
    return [curve for curve in _staying(people, thirds) if curve["by"] == "early_alliance"], message


def _people(panel: pd.DataFrame) -> pd.DataFrame:
    """Return one row a client: last session, cause of the end (0 for none), definitions.

    `exit` is the last session after which the client was at risk: the one before the last for
    those whose way on from there is not known.
    """
    last = panel[panel["last_session"]].set_index("client")
    columns = [column for column in last if str(column).startswith("dropout_by_")]
    people = last[["site", "session", *columns]].copy()
    codes = {cause: code for code, cause in enumerate(ENDS, 1)}
    people["cause"] = last["end_cause"].map(codes).fillna(0).astype(int)
    people["exit"] = people["session"] - (people["cause"] == 0)
    return people


def _why_no_curves(people: pd.DataFrame) -> str:
    if people.empty:
        return "There is no client with an attended session."
    if not (people["cause"] == 1).any():
        return "Nobody is recorded as having dropped out, by the definition in use."
    if len(people) < FEWEST_CLIENTS:
        return "Too few clients for a curve that shows no single person."
    return ""


# ---------------------------------------------------------------------- definitions side by side


def _definitions(
    people: pd.DataFrame, panel: pd.DataFrame, dropout: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Return for each definition how many dropped out by it, of those of whom it can be told."""
    rows = []
    for name in (BY_STATUS, *dropout["definitions"]):
        column = people[f"dropout_by_{name}"]
        left, known = int((column == 1).sum()), int(column.notna().sum())
        # Where only dropouts are on record, their share of the known ends would say nothing.
        base = known if known > left else 0
        low, high = _wilson(left, base)
        rows.append(
            {
                "name": name,
                "words": in_words(dropout["definitions"].get(name), dropout["event"]),
                "in_use": name == dropout["use"],
                "dropouts": left,
                "others": known - left,
                "unknown": len(people) - known,
                "share": left / base if base else None,
                "share_low": low,
                "share_high": high,
                **_threshold(panel, dropout["definitions"].get(name, {})),
            }
        )
    return rows


def _threshold(panel: pd.DataFrame, definition: Mapping[str, Any]) -> dict[str, Any]:
    """Return the measure whose change decides, its reliability, and the points that it must exceed.

    None of them where no change decides.
    """
    measure, reliability = definition.get("measure"), definition.get("reliability")
    points = None
    if measure is not None and measure in panel and reliability is not None:
        first = first_scores_of(panel[panel[measure].notna()], measure)
        points = reliable_points(float(first.std(ddof=1)), reliability) if len(first) > 1 else None
    return {"measure": measure, "reliability": reliability, "reliable_points": points}


def _moves(people: pd.DataFrame, dropout: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return for each further definition how its cases move against the one in use."""
    names = [BY_STATUS, *dropout["definitions"]]
    used = people[f"dropout_by_{dropout['use']}"]
    rows = []
    for name in names:
        if name == dropout["use"]:
            continue
        other = people[f"dropout_by_{name}"]
        both = used.notna() & other.notna()
        one, two = used[both] == 1, other[both] == 1
        counts = [int(x.sum()) for x in (one & two, one & ~two, ~one & two, ~one & ~two)]
        rows.append(
            {
                "name": name,
                "both": counts[0],
                "only_in_use": counts[1],
                "only_this": counts[2],
                "neither": counts[3],
                "kappa": _kappa(counts),
            }
        )
    return rows


def _kappa(counts: Sequence[int]) -> float | None:
    """Cohen's (1960) kappa of a fourfold table; None where chance agreement is complete."""
    n = sum(counts)
    if not n:
        return None
    both, first, second, neither = counts
    by_chance = ((both + first) * (both + second) + (second + neither) * (first + neither)) / n**2
    return ((both + neither) / n - by_chance) / (1 - by_chance) if by_chance < 1 else None


def _wilson(count: int, n: int) -> tuple[float | None, float | None]:
    """Return the Wilson score interval of a share (Wilson, 1927)."""
    if n == 0:
        return None, None
    interval = stats.binomtest(count, n).proportion_ci(0.95, method="wilson")
    return float(interval.low), float(interval.high)


# ---------------------------------------------------------------------- curves


def _groups(people: pd.DataFrame, thirds: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Yield (by, group, people ever at risk), each large enough for a curve."""
    people = people[people["exit"] > 0]
    thirds = thirds[thirds["exit"] > thirds["entry"]]
    yield "all", "all clients", people.assign(entry=0.0)
    if people["site"].nunique() > 1:
        for site, here in people.groupby("site", sort=True):
            if len(here) >= FEWEST_CLIENTS:
                yield "site", str(site), here.assign(entry=0.0)
    for code, words in enumerate(THIRDS):
        if len(thirds):
            yield "early_alliance", words, thirds[thirds["third"] == code]


def _staying(people: pd.DataFrame, thirds: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Kaplan-Meier of dropout: other ends censor."""
    for by, group, here in _groups(people, thirds):
        time, entry = here["exit"].to_numpy(float), here["entry"].to_numpy(float)
        curve = kaplan_meier(time, (here["cause"] == 1).to_numpy(), entry)
        median, low, high = median_time(curve)
        yield {
            "by": by,
            "group": group,
            **_shown(curve, entry, time, 1.0),
            "clients": len(here),
            "events": int((here["cause"] == 1).sum()),
            "median": median,
            "median_low": low,
            "median_high": high,
        }


def _incidence(people: pd.DataFrame, thirds: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Aalen-Johansen: who has left by each cause; causes of few clients together are not told."""
    for by, group, here in _groups(people, thirds):
        time, entry = here["exit"].to_numpy(float), here["entry"].to_numpy(float)
        for code, cause in enumerate(ENDS, 1):
            events = int((here["cause"] == code).sum())
            if not events or (by != "all" and cause != "dropout"):
                continue
            curve = cumulative_incidence(time, here["cause"].to_numpy(), code, entry)
            yield {
                "by": by,
                "group": group,
                "cause": cause,
                **_shown(curve, entry, time, 0.0),
                "clients": len(here),
                "events": events,
            }


def _shown(curve: Curve, entry: np.ndarray, exit: np.ndarray, start: float) -> dict[str, Any]:
    """Return the curve session by session, as far as enough clients are at risk."""
    sessions = np.arange(0, int(exit.max()) + 1)
    at_risk = np.array([((entry < t) & (exit >= t)).sum() for t in sessions])
    at_risk[0] = (entry == 0).sum()
    enough = at_risk >= FEWEST_CLIENTS
    kept = np.cumprod(enough).astype(bool)  # up to the first session with too few
    at = curve.at(sessions[kept].astype(float), start)
    return {"session": sessions[kept], **at, "at_risk": at_risk[kept]}


def _early_alliance(
    panel: pd.DataFrame, people: pd.DataFrame, measures: Mapping[str, Instrument]
) -> tuple[pd.DataFrame, str]:
    """Return the clients by third of their first alliance score, and why there are none."""
    nobody = people.iloc[:0].assign(entry=0.0, third=0)
    named = [m for m, k in measures.items() if k.construct == "alliance" and k.rater == "client"]
    if not named or named[0] not in panel:
        return nobody, "No client-rated alliance in this cohort."
    # ASSUME the early alliance is the first score within the first three sessions, and a client is
    # at risk from then on: nothing later sorts anyone.
    early = panel[(panel["session"] <= EARLY_SESSIONS) & panel[named[0]].notna()]
    first = early.groupby("client").agg(score=(named[0], "first"), entry=("session", "first"))
    if len(first) < 3 * FEWEST_CLIENTS:
        return nobody, "Too few clients with an early alliance score to form thirds."
    rank = first["score"].rank(method="average")  # tied scores stay together
    first["third"] = sum((rank > rank.quantile(edge)).astype(int) for edge in (1 / 3, 2 / 3))
    if first["third"].value_counts().reindex(range(3), fill_value=0).min() < FEWEST_CLIENTS:
        return nobody, "Early alliance scores differ too little to form thirds."
    # A client rated at session 1 is at risk of leaving after session 1: entry is just before.
    first["entry"] = first["entry"] - 1.0
    return first.join(people, how="inner"), ""


def _by_session(people: pd.DataFrame, sessions: Sequence[int]) -> list[dict[str, Any]]:
    """Return the life table: at risk after each session, and the rates of dropping out and ending.

    Those at risk are those of the curves: all whose treatment went on until then, also where a
    session is not on record, but those of whom nothing is known after it.
    """
    rows = []
    for session in sessions:
        n = int((people["exit"] >= session).sum())
        if n < FEWEST_CLIENTS:
            break
        causes = people.loc[people["exit"] == session, "cause"]
        left, other = int((causes == 1).sum()), int((causes > 1).sum())
        low, high = _wilson(left, n)
        rows.append(
            {
                "session": int(session),
                "at_risk": n,
                "dropout_rate": left / n,
                "dropout_low": low,
                "dropout_high": high,
                "other_rate": other / n,
            }
        )
    return rows
