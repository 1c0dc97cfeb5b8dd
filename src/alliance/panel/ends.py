"""How treatment ended: what counts as dropout, by one definition or by several side by side.

Definitions of dropout disagree, and which one is used decides how many clients drop out and what
predicts it (Swift & Greenberg, 2012; Hatchett & Park, 2003). The discharge status is always one of
them; the config may name others, and says which one the models use.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from alliance.measures.reliable_change import reliable_points

CLIENT = ["site", "client"]
BY_STATUS = "discharge_status"
# An end that the discharge status calls dropout, but the definition in use does not.
OTHER = "other"

ENDS = ("dropout", "completed", "transferred", OTHER)  # after these there is no session to come

Definitions = Mapping[str, Mapping[str, Any]]


def at_risk(last_session: pd.Series, cause: pd.Series) -> pd.Series:
    """Return after which sessions a client was at risk of every end: the one risk set.

    All who came to a session are at risk after it, of each way to end (cause-specific hazards;
    Prentice et al., 1978; Singer & Willett, 2003, ch. 15): who then completes was at risk of
    dropping out there, and did not. Hazards, Kaplan-Meier, cumulative incidence and life table
    all rest on these sessions, so that a rate is the same number wherever it is printed, and the
    hazards of all ends add up to the share that ends. (A session that is not on record between two
    that are is no row of a hazard model, which needs its scores; curves and life table know that
    treatment went on.)

    Parameters
    ----------
    last_session
        Whether this is the client's last attended session.
    cause
        How treatment ended (`end_cause`), on every row of the client.
    """
    # ASSUME who is still in treatment at the last session on record, or whose end is not known, is
    # like the others: what follows that session has not been seen, so that it counts nowhere.
    return ~last_session | cause.isin(ENDS)


def dropout_by_definition(
    clients: pd.DataFrame,
    sessions: pd.DataFrame,
    scores: pd.DataFrame,
    events: Sequence[str],
    definitions: Definitions,
) -> pd.DataFrame:
    """Return for each client and definition 1.0 (dropped out), 0.0 (did not) or NaN (not known).

    Parameters
    ----------
    clients, sessions, scores
        The tables of docs/architecture.md.
    events
        Values of `end_status` that count as dropout by discharge status.
    definitions
        Name to rule and its numbers, as in the config.

    Returns
    -------
    DataFrame
        Indexed by (site, client), a column for each definition, `discharge_status` first.
    """
    people = clients.set_index(CLIENT)
    status = _status(people)
    found = {BY_STATUS: status.isin(list(events)).astype(float).where(status.notna())}
    for name, definition in definitions.items():
        by_rule = RULES[definition["rule"]](people, sessions, scores, definition)
        by_rule = by_rule.reindex(people.index)
        # ASSUME a transfer is no dropout whatever the number of sessions.
        by_rule = by_rule.mask((status == "transferred") & by_rule.notna(), 0.0)
        found[name] = by_rule
    # ASSUME somebody still in treatment has not dropped out, and has not stayed to an end either.
    return pd.DataFrame(found).mask(status == "ongoing")


def end_cause(clients: pd.DataFrame, dropped_out: pd.Series) -> pd.Series:
    """Return how treatment ended by a definition: dropout, completed, transferred, ongoing, other.

    Missing where it is not known. `dropped_out` is a column of `dropout_by_definition`.
    """
    status = _status(clients.set_index(CLIENT))
    dropped_out = dropped_out.reindex(status.index)
    cause = status.where(status != "dropout", OTHER).astype(object)
    cause = cause.mask(dropped_out == 1.0, "dropout")
    unknown = dropped_out.isna() & ~status.isin(["ongoing", "completed", "transferred"])
    return cause.mask(unknown & (cause == OTHER))


def _status(people: pd.DataFrame) -> pd.Series:
    if "end_status" in people:
        return people["end_status"].astype(object)
    return pd.Series(np.nan, index=people.index, dtype=object)


def _attended(sessions: pd.DataFrame) -> pd.DataFrame:
    return sessions[sessions["attended"].astype(bool)]


def _below_plan(
    people: pd.DataFrame, sessions: pd.DataFrame, scores: pd.DataFrame, rule: Mapping[str, Any]
) -> pd.Series:
    """Fewer attended sessions than this share of those planned; unknown without a plan."""
    counts = _attended(sessions).groupby(CLIENT).size().reindex(people.index)
    if "sessions_planned" not in people:
        return pd.Series(np.nan, index=people.index)
    planned = people["sessions_planned"].astype(float)
    below: pd.Series = (counts < rule["share"] * planned).astype(float)
    return below.where(planned.notna() & counts.notna())


def _few_sessions(
    people: pd.DataFrame, sessions: pd.DataFrame, scores: pd.DataFrame, rule: Mapping[str, Any]
) -> pd.Series:
    """Fewer attended sessions than a number."""
    counts = _attended(sessions).groupby(CLIENT).size().reindex(people.index)
    few: pd.Series = (counts < rule["sessions"]).astype(float)
    return few.where(counts.notna())


def _last_missed(
    people: pd.DataFrame, sessions: pd.DataFrame, scores: pd.DataFrame, rule: Mapping[str, Any]
) -> pd.Series:
    """The last session on record was missed; unknown at sites that record no missed session."""
    ordered = sessions.sort_values([*CLIENT, "session"])
    last = ordered.groupby(CLIENT)["attended"].last().astype(bool)
    records_missed = sessions.groupby("site")["attended"].apply(lambda a: not a.astype(bool).all())
    known = last.index.get_level_values("site").map(records_missed.to_dict()).to_numpy(bool)
    return (~last).astype(float).where(known)


def _no_reliable_change(
    people: pd.DataFrame, sessions: pd.DataFrame, scores: pd.DataFrame, rule: Mapping[str, Any]
) -> pd.Series:
    """Left without reliable improvement: last - first short of `reliable_points`, or worse.

    One score only is no change; no score at all is not known.
    """
    came = _attended(sessions)[[*CLIENT, "session"]]
    own = scores[(scores["measure"] == rule["measure"]) & (scores["subscale"] == "total")]
    own = own.merge(came, on=[*CLIENT, "session"]).sort_values([*CLIENT, "session"])
    by_client = own.dropna(subset="score").groupby(CLIENT)
    first, last = by_client["score"].first(), by_client["score"].last()
    needed = reliable_points(float(first.std()), rule["reliability"])
    better = (first - last) if rule["better"] == "lower" else (last - first)
    unimproved: pd.Series = (better <= needed).astype(float)
    return unimproved.where(first.notna())


RULES = {
    "sessions-below-plan": _below_plan,
    "few-sessions": _few_sessions,
    "last-session-missed": _last_missed,
    "no-reliable-change": _no_reliable_change,
}


def in_words(definition: Mapping[str, Any] | None, events: Sequence[str]) -> str:
    """Return a definition as a sentence; None stands for the discharge status."""
    if definition is None:
        return f"the site recorded the end as {' or '.join(events)}"
    if definition["rule"] == "sessions-below-plan":
        return f"fewer sessions than {definition['share']:.0%} of those planned"
    if definition["rule"] == "few-sessions":
        return f"fewer than {definition['sessions']} sessions"
    if definition["rule"] == "last-session-missed":
        return "the last session on record was missed"
    return f"no reliable improvement in {definition['measure']} from first to last score"
