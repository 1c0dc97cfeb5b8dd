"""What follows an event: symptoms at the next session, change until the end, leaving early.

A description without a model: sessions with the event beside those without. The config's models
take the same columns as predictors and adjust for what else differs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

FEWEST = 8
CLIENT = ["site", "client"]
WORDS = {
    "gain": "a sudden gain became known",
    "loss": "a sudden loss became known",
    "rupture": "a rupture began",
    "repair": "a rupture was repaired",
}


def describe_consequences(
    panel: pd.DataFrame,
    labels: Mapping[str, str],
    outcomes: Sequence[str],
    rules: Mapping[str, str | None],
) -> list[dict[str, Any]]:
    """Return, for every event column and outcome, what followed with and without the event.

    Parameters
    ----------
    panel
        The analysis table with its columns of events.
    labels
        Measure to its name in print.
    outcomes
        Measures under `change`.
    rules
        Measure to the rule that its columns of ruptures follow.
    """
    described = []
    for measure, label in labels.items():
        for part, words in WORDS.items():
            column = f"{measure}_{part}"
            if column not in panel:
                continue
            for outcome in outcomes:
                described.append(
                    {
                        "event": column,
                        "event_label": f"{label}: {words}",
                        "measure": measure,
                        "kind": part,
                        "rule": rules.get(measure) if part in ("rupture", "repair") else None,
                        "outcome": outcome,
                        "outcome_label": labels[outcome],
                    }
                    | _followed(panel, column, outcome)
                )
    return described


def _followed(panel: pd.DataFrame, column: str, outcome: str) -> dict[str, Any]:
    event = panel[column].to_numpy(float)
    score = panel[outcome].to_numpy(float)
    last = panel.groupby(CLIENT, sort=False)[outcome].transform("last").to_numpy(float)
    last_scored = panel["session"].where(panel[outcome].notna()).groupby(
        [panel[key] for key in CLIENT], sort=False
    ).transform("max")  # fmt: skip
    later = np.where(panel["session"] < last_scored, last - score, np.nan)
    values = {
        "next_change": panel[f"{outcome}_next"].to_numpy(float) - score,
        "later_change": later,
        "dropout_percent": 100 * panel["dropout_event"].to_numpy(float),
    }
    described: dict[str, Any] = {}
    for side, rows in (("with", event == 1), ("without", event == 0)):
        clients = len(panel.loc[rows, CLIENT].drop_duplicates())
        described[side] = {
            "sessions": int(rows.sum()) if clients >= FEWEST else None,
            "clients": clients if clients >= FEWEST else None,
        } | {name: _mean(panel, value, rows) for name, value in values.items()}
    return described


def _mean(panel: pd.DataFrame, value: np.ndarray, rows: np.ndarray) -> float | None:
    """Return the mean where it rests on eight clients or more."""
    used = rows & ~np.isnan(value)
    if len(panel.loc[used, CLIENT].drop_duplicates()) < FEWEST:
        return None
    return float(value[used].mean())
