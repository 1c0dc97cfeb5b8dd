"""All diagnostics of a linear multilevel model in the form of a fit's JSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from alliance.errors import FitError
from alliance.families.diagnostics.influence import (
    LEVELS,
    Refits,
    cooks_distance,
    effect_rows,
    groups_of,
    leave_out,
    summary,
)
from alliance.families.diagnostics.random_effects import random_effect_blocks
from alliance.families.diagnostics.reading import Contrasts, Effect, Reader, plain_terms
from alliance.families.diagnostics.residuals import residual_blocks
from alliance.families.fit import Estimate
from alliance.mixed import MixedFit
from alliance.mixed.leaving_out import LeavingOut
from alliance.mixed.tables import t_quantile

MOST_CLIENTS = 2000
"""With more clients one of them cannot matter, and a refit for each would take minutes."""

FEW_CLIENTS = 100
"""Up to this many, variances are estimated again without each client; with more they are held."""

TOO_MANY = "One client at a time is left out of models with fewer clients only."
CORRELATIONS = "Clients are not left out one by one: correlations take too long to fit again."


def none_of(reason: str) -> dict[str, Any]:
    """Return the block of a model that has no diagnostics, with the reason."""
    return {
        "message": reason,
        "residuals": [],
        "random_effects": [],
        "calibration": None,
        "influence": {"levels": [], "effects": []},
    }


def diagnose(
    fit: MixedFit,
    rows: pd.DataFrame,
    estimates: Sequence[Estimate],
    reader: Reader | None = None,
) -> dict[str, Any]:
    """Return the diagnostics of a linear model.

    Parameters
    ----------
    fit
        Of the engine.
    rows
        What it was fitted to: the outcomes, `client`, `session`, `site`, and `therapist` where it
        is known.
    estimates
        Of the family's fit; those of role `main` are followed.
    reader
        Reads them off a refit; by default they are coefficients.
    """
    if not fit.convergence.converged:
        return none_of("The model did not converge.")
    mains = [row for row in estimates if row.role == "main"]
    reader = reader or plain_terms([row.term for row in mains])
    residual = float(np.mean(list(fit.residual.variances.values())))
    refits = _refits(fit, rows, reader) if mains else []
    return none_of("") | {
        "residuals": residual_blocks(fit, rows),
        "random_effects": random_effect_blocks(fit, residual),
        "influence": {
            "levels": [summary(found) for found in refits],
            "effects": [row for found in refits for row in effect_rows(found, mains)],
        },
    }


def _refits(fit: MixedFit, rows: pd.DataFrame, reader: Reader) -> list[Refits]:
    """Return the refits without one group of each level."""
    leaving_out = LeavingOut(fit)

    def without(clients: np.ndarray) -> MixedFit:
        return leaving_out(np.isin(leaving_out.clients, clients))

    exact = list(LEVELS) if len(leaving_out.clients) <= FEW_CLIENTS else list(LEVELS[:-1])
    found = [leave_out(rows, level, without, reader, fit) for level in exact]
    return found if "client" in exact else [*found, _without_clients(leaving_out, rows, reader)]


def _without_clients(leaving_out: LeavingOut, rows: pd.DataFrame, reader: Reader) -> Refits:
    """Leave out one of many clients at a time: variances and degrees of freedom are held."""
    _, found = groups_of(rows, "client")
    if not isinstance(reader, Contrasts):
        found.message = CORRELATIONS
        return found
    if found.groups > MOST_CLIENTS:
        found.message = TOO_MANY
    if found.message:
        return found
    read = _quick_reader(leaving_out, reader)
    for place in range(len(leaving_out.clients)):
        out = np.zeros(len(leaving_out.clients), dtype=bool)
        out[place] = True
        try:
            effects, distance = read(out)
        except FitError:
            found.failed += 1
            continue
        found.effects.append(effects)
        if distance is not None:
            found.cooks.append(distance)
    return found


def _quick_reader(
    leaving_out: LeavingOut, reader: Contrasts
) -> Callable[[np.ndarray], tuple[dict[str, Effect], float | None]]:
    """Return a function from clients to the effects without them, and Cook's distance."""
    whole = leaving_out.fit
    names = list(whole.prepared.fixed_names)
    terms, matrix = reader.matrix(names)
    df = np.array([whole.degrees_of_freedom(row) for row in matrix])
    t = dict(zip(terms, t_quantile(0.975, df), strict=True))
    inverse, b = np.linalg.inv(whole.covariance.to_numpy()), whole.estimate.coefficients

    def read(out: np.ndarray) -> tuple[dict[str, Effect], float | None]:
        own, values, covariance = leaving_out.quickly(out)
        there, weights = (terms, matrix) if own == names else reader.matrix(own)
        estimate = weights @ values
        se = np.sqrt(np.einsum("ij,jk,ik->i", weights, covariance, weights))
        effects = {
            term: Effect(value, error, value - t[term] * error, value + t[term] * error)
            for term, value, error in zip(there, estimate, se, strict=True)
        }
        return effects, cooks_distance(b - values, inverse) if own == names else None

    return read
