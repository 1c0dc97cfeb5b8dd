"""Residuals of a linear model: their shape, and what they should not depend on.

Conditional residuals e = y - X b - Z u, given fixed and random effects (Snijders & Bosker, 2012,
ch. 10; Loy & Hofmann, 2014). Where the model lets residuals of one client remember one another,
they are made independent first: r_k = (e_k - x e_(k-1)) / sqrt(1 - x^2), x = phi^d for neighbours
at distance d (Pinheiro & Bates, 2000, sect. 5.3.1, "normalised" residuals). Where several outcomes
act on one another, what is new in each is taken (`innovations`).

Random effects fitted to few sessions take up part of the residuals, so that their SD lies below the
model's. They are therefore standardised by their own mean and SD, and that SD is given as a share
of the model's.

With independent residuals X'e = sigma^2 X'V^-1 (y - X b) = 0: residuals do not depend on the fixed
part X b, so a mean off zero along it is a misfit. Along the fitted value with random effects they
rise even where all is well, because random effects are drawn towards zero; there only their spread
is to be read.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtr

from alliance.families.diagnostics.innovations import innovations
from alliance.families.diagnostics.slices import FEWEST, binned, normal_pairs
from alliance.mixed.residual_course import CourseCovariance

TIME = {"weeks_since_intake": "Weeks since intake", "session": "Session"}


def residual_blocks(fit: Any, rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a block for each outcome of a fit of the engine.

    Parameters
    ----------
    fit
        `alliance.mixed.MixedFit`.
    rows
        What it was fitted to, with `client` and `session`.
    """
    names = list(fit.prepared.outcomes.names)
    fitted = fit.fitted().reshape(len(rows), len(names))
    fixed = np.asarray(fit.predict(levels="none")).reshape(len(rows), len(names))
    sigmas = np.sqrt([float(v) for v in fit.residual.variances.values()])
    residuals = rows[names].to_numpy(float) - fitted
    if isinstance(fit.prepared.residual, CourseCovariance):
        residuals = innovations(fit, residuals, rows)
    blocks = []
    for place, name in enumerate(names):
        there = np.isfinite(residuals[:, place])
        own, residual = rows[there], residuals[there, place]
        if fit.residual.phi is not None:
            time = own[fit.prepared.specification.residual_time].to_numpy(float)
            residual = without_memory(residual, own["client"].to_numpy(), time, fit.residual.phi)
        predictions = (fixed[there, place], fitted[there, place])
        blocks.append(_block(name, residual, predictions, own, sigmas[place]))
    return blocks


def without_memory(
    residual: np.ndarray, client: np.ndarray, time: np.ndarray, phi: float
) -> np.ndarray:
    """Return the part of each residual that the client's residual before it does not foretell."""
    order = np.lexsort((time, pd.factorize(client)[0]))
    e, who, when = residual[order], client[order], time[order]
    same = who[1:] == who[:-1]
    weight = np.where(same, np.sign(phi) * np.abs(phi) ** np.diff(when), 0.0)
    fresh = e.copy()
    fresh[1:] = (e[1:] - weight * e[:-1]) / np.sqrt(1.0 - weight**2)
    back = np.empty_like(fresh)
    back[order] = fresh
    return back


def _block(
    name: str,
    residual: np.ndarray,
    predictions: tuple[np.ndarray, np.ndarray],
    rows: pd.DataFrame,
    sigma: float,
) -> dict[str, Any]:
    """Return the numbers and pictures of one outcome's residuals."""
    people = rows["client"].to_numpy()
    clients = len(np.unique(people))
    block: dict[str, Any] = {
        "outcome": name,
        "rows": len(residual),
        "clients": clients,
        **dict.fromkeys(("mean", "sd", "share_of_sigma", "skewness", "excess_kurtosis", "beyond_2",
                         "beyond_3", "autocorrelation", "pairs", "normal",
                         "by_fixed_part", "by_fitted", "by_time")),
        "normal_beyond_2": float(2 * ndtr(-2.0)),
        "normal_beyond_3": float(2 * ndtr(-3.0)),
        "message": "",
    }  # fmt: skip
    mean, sd = float(residual.mean()), float(residual.std())
    if clients < FEWEST or not sd > 0:
        block["message"] = (
            f"Fewer than {FEWEST} clients: their residuals are not shown."
            if clients < FEWEST
            else "The residuals do not vary."
        )
        return block
    z = (residual - mean) / sd
    time = _time_of(rows)
    lagged, pairs = autocorrelation(z, rows)
    return block | {
        "mean": mean,
        "sd": sd,
        "share_of_sigma": sd / sigma,
        "skewness": float(np.mean(z**3)),
        "excess_kurtosis": float(np.mean(z**4) - 3.0),
        "beyond_2": float(np.mean(np.abs(z) > 2)),
        "beyond_3": float(np.mean(np.abs(z) > 3)),
        "autocorrelation": lagged,
        "pairs": pairs,
        "normal": normal_pairs(z, people),
        "by_fixed_part": {"label": "Fitted value, fixed part"} | binned(predictions[0], z, people),
        "by_fitted": {"label": "Fitted value"} | binned(predictions[1], z, people),
        "by_time": {"label": TIME[time]} | binned(rows[time].to_numpy(float), z, people),
    }


def _time_of(rows: pd.DataFrame) -> str:
    """Return the column of time that every row knows: weeks, or else the session's number."""
    weeks = "weeks_since_intake"
    return weeks if weeks in rows and rows[weeks].notna().all() else "session"


def autocorrelation(z: np.ndarray, rows: pd.DataFrame) -> tuple[float | None, int]:
    """Return the correlation of neighbouring sessions' residuals, and how many pairs there are.

    sum z_t z_(t+1) / sqrt(sum z_t^2 sum z_(t+1)^2) over pairs of sessions t, t + 1 of one client.
    """
    order = np.lexsort((rows["session"].to_numpy(), pd.factorize(rows["client"])[0]))
    who, session = rows["client"].to_numpy()[order], rows["session"].to_numpy()[order]
    next_one = (who[1:] == who[:-1]) & (session[1:] == session[:-1] + 1)
    before, after = z[order][:-1][next_one], z[order][1:][next_one]
    if len(np.unique(who[1:][next_one])) < FEWEST:
        return None, len(before)
    size = np.sqrt(float(before @ before) * float(after @ after))
    return (float(before @ after / size) if size > 0 else None), len(before)
