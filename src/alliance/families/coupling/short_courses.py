"""What client means alone do to the carry-over in courses of these lengths.

The deviations w_it of a client's scores from the client's level carry over by phi. Their mean over
the client's n scores is not the level: it holds the deviations themselves, so that carry-over comes
out too low (Nickell, 1981). Nickell's own formula is for courses of one length T and large T. Here
the limit is exact for the sessions that are there: over all clients,

    E[phi estimated] = sum E[z' W y] / sum E[z' W z],    z_t = w_t - mean(w),  y_t = w_t+1,

W = I - tau2/(sigma2 + T tau2) J the weights of the mixed model with its random intercept, and
E[w_s w_t] = phi^|s - t|. Clients with one pair, who carry hardly any information, hardly count.
Both sums are polynomials in phi, whose coefficients are the same for every client of one pattern of
sessions. The phi that gives the estimate is solved for: a biased phi put into a formula for the
bias would understate it.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd
from scipy.optimize import brentq

NEARLY_ONE = 0.999


def short_course_bias(
    pairs: pd.DataFrame, scored: pd.DataFrame, phi: float, tau2: float, sigma2: float
) -> float | None:
    """Return estimate minus truth of a carry-over that client means alone would give.

    ASSUME deviations are stationary with one phi for all, clients have no lines of their own, and
    the other terms of the model take nothing of the deviations away: what lines of their own add
    (they pass for carry-over) is not in it.

    Parameters
    ----------
    pairs
        `client`, `session` of the first of two successive sessions, a row of the model each.
    scored
        `client`, `session` of every score of the outcome: those behind the client means.
    phi
        The estimated carry-over.
    tau2, sigma2
        Variances of the client's random intercept and of the residuals.

    Returns
    -------
    float or None
        None where no stationary carry-over gives such an estimate.
    """
    of_products, of_squares = _polynomials(pairs, scored, tau2, sigma2)
    powers = np.arange(len(of_products))

    def expected(truth: float) -> float:
        p = truth**powers
        return float(of_products @ p) / float(of_squares @ p)

    if of_squares[0] <= 0 or not expected(-NEARLY_ONE) < phi < expected(NEARLY_ONE):
        return None
    return phi - float(brentq(lambda truth: expected(truth) - phi, -NEARLY_ONE, NEARLY_ONE))


def _polynomials(
    pairs: pd.DataFrame, scored: pd.DataFrame, tau2: float, sigma2: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the coefficients of phi^0, phi^1, ... in sum E[z' W y] and sum E[z' W z]."""
    behind = _sessions(scored)
    patterns = Counter((used, behind[client]) for client, used in _sessions(pairs).items())
    longest = int(scored["session"].max() - scored["session"].min()) + 1
    products, squares = np.zeros(longest + 1), np.zeros(longest + 1)
    for (used, all_scores), clients in patterns.items():
        position = {session: place for place, session in enumerate(all_scores)}
        n, t = len(all_scores), len(used)
        centred = np.full((t, n), -1.0 / n)
        following = np.zeros((t, n))
        for row, session in enumerate(used):
            centred[row, position[session]] += 1.0
            following[row, position[session + 1]] = 1.0
        weighted = centred - tau2 / (sigma2 + t * tau2) * centred.sum(axis=0)
        lag = np.abs(np.subtract.outer(all_scores, all_scores)).astype(int)
        for total, other in ((products, following), (squares, centred)):
            np.add.at(total, lag, clients * (weighted.T @ other))
    return products, squares


def _sessions(rows: pd.DataFrame) -> dict[str, tuple[int, ...]]:
    """Return the sessions of each client, in order."""
    found: dict[str, list[int]] = {}
    for client, session in zip(rows["client"], rows["session"], strict=True):
        found.setdefault(client, []).append(int(session))
    return {client: tuple(sorted(sessions)) for client, sessions in found.items()}
