"""One row a client: where the outcome began and ended, the early alliance, how treatment ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

FIRST, LAST, EARLY, DROPOUT = "first", "last", "early_alliance", "dropped_out"
ENDED = ("dropout", "completed", "transferred", "other")


def client_table(panel: pd.DataFrame, entry: Mapping[str, Any]) -> pd.DataFrame:
    """Return the clients whose therapist is known.

    Columns: `site`, `therapist`, `client`, `first` and `last` score of the outcome (missing where
    there are not two), `early_alliance` (the last score up to session `early`), `dropped_out` (1 or
    0; missing where the end is not known or still ahead), and the covariates of the case mix.
    """
    rows = panel[panel["therapist"].notna()].sort_values(["client", "session"])
    by_client = rows.groupby("client")
    people = by_client[["site", "therapist", *covariates(panel, entry["case_mix"])]].first()
    scores = rows[rows[entry["outcome"]].notna()].groupby("client")[entry["outcome"]]
    several = scores.size() > 1
    early = rows[(rows["session"] <= entry["early"]) & rows[entry["alliance"]].notna()]
    ends = by_client["end_cause"].last()
    return people.assign(
        **{
            FIRST: scores.first()[several],
            LAST: scores.last()[several],
            EARLY: early.groupby("client")[entry["alliance"]].last(),
            DROPOUT: ends.eq("dropout").astype(float).where(ends.isin(ENDED)),
        }
    ).reset_index()


def covariates(panel: pd.DataFrame, wanted: Sequence[str]) -> list[str]:
    """Return the covariates that the cohort has and that differ between clients."""
    return [name for name in wanted if name in panel and panel[name].nunique() > 1]
