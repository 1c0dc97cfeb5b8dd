"""Diagnostics of a discrete-time hazard.

A residual of 0 or 1 has no shape of its own, so predicted and observed shares are compared in
tenths of the predicted risk (Hosmer, Lemeshow & Sturdivant, 2013, sect. 5.2.2), with the mean
deviance beside the one that risks as predicted would give. The risks are those of the fit itself,
random intercepts included: the comparison flatters, and cross-validation stands beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from alliance.families.diagnostics.influence import effect_rows, leave_out, summary
from alliance.families.diagnostics.linear import none_of
from alliance.families.diagnostics.random_effects import random_effect_blocks
from alliance.families.diagnostics.reading import Coefficients
from alliance.families.diagnostics.screening import Screen
from alliance.families.diagnostics.slices import FEWEST, bins_of
from alliance.families.fit import Estimate
from alliance.mixed import LogitFit
from alliance.mixed.logit.nearby import leaves_of, nearby_binary

TENTHS = 10
SMALLEST = 1e-12


def diagnose_hazard(
    fit: LogitFit,
    rows: pd.DataFrame,
    estimates: Sequence[Estimate],
    refit: Callable[[pd.DataFrame], LogitFit],
) -> dict[str, Any]:
    """Return the diagnostics of a hazard.

    Parameters
    ----------
    fit
        Of the engine.
    rows
        What it was fitted to, with `dropout_event`, `client`, `site`, `therapist`.
    estimates
        Of the family's fit; those of role `main` are followed.
    refit
        Fits the same model to other rows.
    """
    if not fit.convergence.converged:
        return none_of("The model did not converge.")
    mains = [row for row in estimates if row.role == "main"]
    reader = Coefficients(tuple(row.term for row in mains))

    def without(clients: np.ndarray) -> LogitFit:
        return refit(rows[~rows["client"].isin(clients)])

    refits = [
        leave_out(rows, level, without, reader, fit, _screen(fit, rows, level, reader), mains)
        for level in ("therapist", "site")
        if mains
    ]  # fmt: skip
    return none_of("") | {
        "calibration": calibration(
            rows["dropout_event"].to_numpy(float), fit.fitted(), rows["client"].to_numpy()
        ),
        "random_effects": random_effect_blocks(fit, 1.0),
        "influence": {
            "levels": [summary(found) for found in refits],
            "effects": [row for found in refits for row in effect_rows(found, mains)],
        },
    }


def _screen(
    fit: LogitFit, rows: pd.DataFrame, level: str, reader: Coefficients
) -> Callable[[Sequence[np.ndarray]], Screen] | None:
    """Return what fits without groups of a level near by; None where all are to be refitted.

    Without a site whose rows have a coefficient of its own the model is another one.
    """
    if not fit.prepared.levels or level not in rows or level == "site":
        return None
    used = rows.iloc[fit.rows.used_positions]
    leaves = leaves_of(fit, pd.factorize(used[level], sort=True)[0])
    if leaves is None or used[level].nunique() < rows[level].nunique():
        return None

    def screen(groups: Sequence[np.ndarray]) -> Screen:
        del groups
        return Screen.of(fit, nearby_binary(fit, leaves), reader)

    return screen


def calibration(event: np.ndarray, risk: np.ndarray, people: np.ndarray) -> dict[str, Any]:
    """Return predicted and observed shares in tenths of the risk.

    Parameters
    ----------
    event
        0 or 1.
    risk
        Predicted probability.
    people
        Whose each row is; a bin has `FEWEST` at least. Intervals are Wilson's.
    """
    columns: dict[str, list[float]] = {
        key: [] for key in ("predicted", "observed", "low", "high", "rows", "deviance",
                            "expected_deviance")
    }  # fmt: skip
    p = np.clip(risk, SMALLEST, 1 - SMALLEST)
    deviance = -2 * (event * np.log(p) + (1 - event) * np.log1p(-p))
    expected = -2 * (p * np.log(p) + (1 - p) * np.log1p(-p))
    for here in bins_of(risk, people, TENTHS):
        n, left = len(here), int(event[here].sum())
        band = stats.binomtest(left, n).proportion_ci(0.95, method="wilson")
        numbers = (float(risk[here].mean()), left / n, float(band.low), float(band.high), n,
                   float(deviance[here].mean()), float(expected[here].mean()))  # fmt: skip
        for key, number in zip(columns, numbers, strict=True):
            columns[key].append(number)
    message = "" if columns["rows"] else f"Fewer than {FEWEST} clients: nothing is shown."
    return columns | {
        "inside": sum(low <= p <= high for p, low, high in
                      zip(columns["predicted"], columns["low"], columns["high"], strict=True)),
        "bins": len(columns["rows"]),
        "message": message,
    }  # fmt: skip
