"""The analysis table that every model reads: one row per client and attended session.

Columns are named by unit and centring; docs/architecture.md lists them. Every transformation that
could look ahead in time says so, because a hazard or a prediction must never use it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from alliance import files
from alliance.config.score_columns import column_of
from alliance.measures.event_columns import with_events
from alliance.panel.ends import (
    BY_STATUS,
    Definitions,
    at_risk,
    dropout_by_definition,
    end_cause,
)
from alliance.persons import Persons

CLIENT = ["site", "client"]
KEY = [*CLIENT, "session"]


def panel_of(
    clients: pd.DataFrame,
    sessions: pd.DataFrame,
    scores: pd.DataFrame,
    measures: Sequence[str],
    dropout_events: Sequence[str] = ("dropout",),
    subscales: Sequence[str] = (),
    definitions: Definitions | None = None,
    definition_in_use: str = BY_STATUS,
) -> pd.DataFrame:
    """Build the panel.

    Parameters
    ----------
    clients, sessions, scores
        The tables of docs/architecture.md.
    measures
        Names of the measures; each gets its centred parts and lags, even if nobody filled it in.
    dropout_events
        Values of `end_status` that count as dropout.
    subscales
        Columns of subscales (`alliance_goal`) that get centred parts and lags too: those that a
        model names. The other subscales have their score alone.
    definitions, definition_in_use
        Further definitions of dropout, and the name of the one that `dropout_event` follows.

    Returns
    -------
    DataFrame
        Sorted by site, client, session.
    """
    panel = sessions.loc[sessions["attended"].astype(bool), [*KEY, "weeks_since_intake"]]
    panel = panel.merge(clients, on=CLIENT, how="left", validate="many_to_one")
    panel = panel.sort_values(KEY, kind="stable", ignore_index=True)
    panel["log_weeks"] = np.log1p(panel["weeks_since_intake"].clip(lower=0))
    for measure in measures:
        panel = _with_scores(panel, scores[scores["measure"] == measure], measure)
    panel = panel.reindex(columns=[*panel, *(c for c in subscales if c not in panel)])
    for column in [*measures, *subscales]:
        panel = _with_parts(panel, column)
    by_definition = dropout_by_definition(
        clients, sessions, scores, dropout_events, definitions or {}
    )
    cause = end_cause(clients, by_definition[definition_in_use])
    return _with_ends(panel, by_definition, cause)


def _with_scores(panel: pd.DataFrame, scores: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Add a measure's scores, a column each."""
    wide = scores.pivot(index=KEY, columns="subscale", values="score")
    wide.columns = [column_of(measure, subscale) for subscale in wide.columns]
    panel = panel.merge(wide.reset_index(), on=KEY, how="left", validate="one_to_one")
    if measure not in panel:
        panel[measure] = np.nan
    return panel


def _with_parts(panel: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Add the centred parts and lags of the score in one column."""
    score = panel[measure]
    by_client = panel.groupby(CLIENT, sort=False)[measure]

    client_mean = by_client.transform("mean")
    # ASSUME the centre of the sample is the mean of its clients, each counted once.
    grand_mean = by_client.mean().mean()
    new = {
        f"{measure}_client_mean": client_mean,  # looks ahead
        f"{measure}_within": score - client_mean,  # looks ahead
        f"{measure}_between": client_mean - grand_mean,  # looks ahead
    }
    known, running_mean = _so_far(panel, measure)
    new |= {
        f"{measure}_known": known,
        f"{measure}_running_mean": running_mean,
        f"{measure}_running_between": running_mean - score.mean(),
        f"{measure}_running_within": known - running_mean,
        f"{measure}_previous": _at_other_session(panel, measure, -1),
        f"{measure}_next": _at_other_session(panel, measure, +1),
    }
    return pd.concat([panel, pd.DataFrame(new, index=panel.index)], axis=1)


def _so_far(panel: pd.DataFrame, measure: str) -> tuple[pd.Series, pd.Series]:
    """Return the last known score, and the mean of the client's scores before that one.

    "So far" means before now: were the present score in its own mean, the deviation from it would
    be (t - 1)/t of the deviation that it is called.
    """
    score, person = panel[measure], [panel[key] for key in CLIENT]
    answered = score.notna()
    before = answered.groupby(person, sort=False).cumsum() - 1
    total = score.fillna(0.0).groupby(person, sort=False).cumsum()
    mean = (total - score) / before.where(before > 0)
    # ASSUME the first score stands for the client's level where there is none before it: the
    # deviation from what came before is then zero.
    mean = mean.where(before > 0, score).where(answered)
    # ASSUME a session without the form is like the last one with it (last known score): a person
    # stays at risk, since skipping a form may itself foretell leaving.
    known = score.groupby(person, sort=False).ffill()
    return known, mean.groupby(person, sort=False).ffill()


def _at_other_session(panel: pd.DataFrame, column: str, step: int) -> pd.Series:
    """Return `column` at session + step of the same client, missing where there is none."""
    # ASSUME "next session" is the next session number: a skipped number breaks the pair.
    other = panel[[*KEY, column]].assign(session=panel["session"] - step)
    return panel[KEY].merge(other, on=KEY, how="left")[column].set_axis(panel.index)


def _with_ends(panel: pd.DataFrame, by_definition: pd.DataFrame, cause: pd.Series) -> pd.DataFrame:
    """Add `last_session`, `end_cause`, `dropout_event` and a column for every definition."""
    last = panel["session"] == panel.groupby(CLIENT, sort=False)["session"].transform("max")
    person = pd.MultiIndex.from_frame(panel[CLIENT])
    ended = pd.Series(cause.reindex(person).to_numpy(dtype=object), index=panel.index)
    event = pd.Series(0.0, index=panel.index)
    event[last & (ended == "dropout")] = 1.0
    event[~at_risk(last, ended)] = np.nan
    own = {
        f"dropout_by_{name}": by_definition[name].reindex(person).to_numpy(float)
        for name in by_definition
    }
    return panel.assign(
        last_session=last, dropout_event=event, end_cause=ended.astype("string"), **own
    )


def build_panel(
    *,
    clients: str | Path,
    sessions: str | Path,
    scores: str | Path,
    measures: Mapping[str, Any],
    dropout: Mapping[str, Any],
    subscales: Sequence[str],
    events: str | Path,
    change: Mapping[str, Any],
    ruptures: Mapping[str, Sequence[Any]],
    panel: str | Path,
) -> None:
    """Build the cohort's panel: tables in, `panel.parquet` out.

    `dropout`, `change` and `ruptures` are the config's entries.
    """
    persons = Persons()
    table = panel_of(
        persons.numbered(files.read_parquet(clients)),
        persons.numbered(files.read_parquet(sessions)),
        persons.numbered(files.read_parquet(scores)),
        list(measures),
        dropout["event"],
        subscales,
        dropout["definitions"],
        dropout["use"],
    )
    happened = persons.numbered(files.read_parquet(events))
    table = with_events(table, happened, list(change), ruptures)
    files.write_parquet(persons.named(table), panel)
