"""Observers' codes of ruptures (3RS: withdrawal, confrontation, resolution) and their agreement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from alliance.measures.ruptures.agreement import intraclass_agreement, jaccard, kappa

KEY = ["site", "client", "session"]
RUPTURE_CODES = ("withdrawal", "confrontation")
CODES = (*RUPTURE_CODES, "resolution")
CODED_FROM = 3
"""Mean rating (1 to 5) from which a session counts as one with a rupture."""
FEWEST_SESSIONS = 8


def describe_coders(
    panel: pd.DataFrame, coders: Sequence[str], events: pd.DataFrame, rules: Mapping[str, str]
) -> dict[str, Any]:
    """Return agreement between coders, and of the codes with the self-report rules.

    Parameters
    ----------
    panel
        With the columns `<coder>_withdrawal`, `<coder>_confrontation`, `<coder>_resolution`.
    coders
        Measures, one a coder.
    events
        Table `events`.
    rules
        Rule to the measure that it looks at.
    """
    described: dict[str, Any] = {
        "coders": len(coders),
        "sessions_coded": 0,
        "sessions_with_rupture": None,
        "coded_from": CODED_FROM,
        "agreement": [],
        "rules": [],
        "message": "",
    }
    if not coders:
        described["message"] = "No observer has coded sessions of this cohort."
        return described
    codes = {
        code: panel.reindex(columns=[f"{coder}_{code}" for coder in coders]).to_numpy(float)
        for code in CODES
    }
    coded = ~np.isnan(codes["withdrawal"]).all(axis=1)
    described["sessions_coded"] = int(coded.sum())
    if coded.sum() < FEWEST_SESSIONS:
        described["message"] = f"Fewer than {FEWEST_SESSIONS} sessions have been coded."
        return described
    described["agreement"] = [_agreement(code, codes[code], len(coders)) for code in CODES]
    rupture = observed_ruptures(codes)
    described["sessions_with_rupture"] = int((rupture & coded).sum())
    for rule, measure in rules.items():
        told = _told_by(panel, events, rule, measure)
        both = coded & panel[measure].notna().to_numpy()
        described["rules"].append(
            {
                "rule": rule,
                "measure": measure,
                "sessions": int(both.sum()),
                "kappa": kappa(rupture[both], told[both]),
                "jaccard": jaccard(rupture[both], told[both]),
            }
        )
    return described


def observed_ruptures(codes: Mapping[str, np.ndarray]) -> np.ndarray:
    """Say in which sessions the coders' mean of withdrawal or confrontation reaches 3 of 5."""
    means = []
    for code in RUPTURE_CODES:
        seen = ~np.isnan(codes[code])
        total = np.where(seen, codes[code], 0.0).sum(axis=1)
        means.append(np.where(seen.any(axis=1), total / np.maximum(seen.sum(axis=1), 1), 0.0))
    return np.maximum(*means) >= CODED_FROM


def _agreement(code: str, ratings: np.ndarray, coders: int) -> dict[str, Any]:
    complete = ratings[~np.isnan(ratings).any(axis=1)]
    entry: dict[str, Any] = {
        "code": code,
        "sessions": len(complete),
        "icc": None,
        "ci_low": None,
        "ci_high": None,
        "message": "",
    }
    if coders < 2:
        entry["message"] = "There is one coder: agreement cannot be said."
    elif len(complete) < FEWEST_SESSIONS:
        entry["message"] = f"Fewer than {FEWEST_SESSIONS} sessions were coded by all coders."
    else:
        found = intraclass_agreement(complete)
        if found is None:
            entry["message"] = "The codes do not vary: agreement is not defined."
        else:
            entry |= {"icc": found.icc, "ci_low": found.ci_low, "ci_high": found.ci_high}
    return entry


def _told_by(panel: pd.DataFrame, events: pd.DataFrame, rule: str, measure: str) -> np.ndarray:
    """Say in which of the panel's sessions a rule sees the onset of a rupture."""
    mine = events[
        (events["rule"] == rule) & (events["measure"] == measure) & (events["kind"] == "rupture")
    ]
    onset = mine[KEY].drop_duplicates().assign(told=True)
    return panel[KEY].merge(onset, on=KEY, how="left")["told"].notna().to_numpy()
