"""All diagnostics of a linear multilevel model in the form of a fit's JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from alliance.families.diagnostics.influence import (
    LEVELS,
    Refits,
    effect_rows,
    leave_out,
    summary,
)
from alliance.families.diagnostics.random_effects import random_effect_blocks
from alliance.families.diagnostics.reading import NearReader, plain_terms
from alliance.families.diagnostics.residuals import residual_blocks
from alliance.families.diagnostics.screening import Screen
from alliance.families.facts import Fact
from alliance.families.fit import Estimate
from alliance.mixed import MixedFit
from alliance.mixed.leaving_out import LeavingOut
from alliance.mixed.nearby import nearby


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
    reader: NearReader | None = None,
    without_influence: Fact | None = None,
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
    without_influence
        Why the model is not fitted again without each group; None: it is.
    """
    if not fit.convergence.converged:
        return none_of("The model did not converge.")
    mains = [row for row in estimates if row.role == "main"]
    reader = reader or plain_terms([row.term for row in mains])
    residual = float(np.mean(list(fit.residual.variances.values())))
    refits = _refits(fit, rows, reader, mains) if mains and not without_influence else []
    return none_of("") | {
        "residuals": residual_blocks(fit, rows),
        "random_effects": random_effect_blocks(fit, residual),
        "influence": {
            "levels": [summary(found) for found in refits],
            "effects": [row for found in refits for row in effect_rows(found, mains)],
        }
        | ({"not_made": without_influence} if without_influence else {}),
    }


def _refits(
    fit: MixedFit, rows: pd.DataFrame, reader: NearReader, mains: Sequence[Estimate]
) -> list[Refits]:
    """Return the fits without one group of each level."""
    leaving_out = LeavingOut(fit)
    places = pd.Index(leaving_out.clients)

    def without(clients: np.ndarray) -> MixedFit:
        return leaving_out(np.isin(leaving_out.clients, clients))

    def screen(groups: Sequence[np.ndarray]) -> Screen:
        there = (places.get_indexer(clients) for clients in groups)
        return Screen.of(fit, nearby(fit, [np.sort(own[own >= 0]) for own in there]), reader)

    return [leave_out(rows, level, without, reader, fit, screen, mains) for level in LEVELS]
