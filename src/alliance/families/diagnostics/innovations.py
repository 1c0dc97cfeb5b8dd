"""What is new in each residual of a fit with residual dynamics.

Residuals w of a client with covariance S = L L' (L triangular, sessions in order) are L z with z
independent; the part of session t that no earlier one foretells is L_tt z_t, where L_tt is the
block of that session (the innovations form; Durbin & Koopman, 2012, ch. 4). Gaps and single missing
outcomes need no care of their own: a missing cell is uncorrelated with all.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from alliance.mixed.dynamics import Point, course_structure

CLIENTS_AT_ONCE = 2000
"""Of so many the covariances are in memory together."""


def innovations(fit: Any, residual: np.ndarray, rows: pd.DataFrame) -> np.ndarray:
    """Return the innovations, each with the SD of its outcome's residual.

    Parameters
    ----------
    fit
        `alliance.mixed.MixedFit` with `residual="var1"` or `"cvar1"`.
    residual
        Shape (rows, outcomes), NaN where an outcome is missing.
    rows
        What it was fitted to, with `client` and the time of the residuals.

    Returns
    -------
    numpy.ndarray
        Shape (rows, outcomes).
    """
    specification = fit.prepared.specification
    time = rows[specification.residual_time].to_numpy(float)
    client = pd.factorize(rows["client"])[0]
    order = np.lexsort((time, client))
    group = _groups(fit, rows)
    found = np.full(residual.shape, np.nan)
    for some in _portions(client[order]):
        places = order[some]
        found[places] = _of_clients(
            fit, residual[places], client[places], time[places], group[places]
        )
    return found


def _groups(fit: Any, rows: pd.DataFrame) -> np.ndarray:
    """Return the place of each row's group of dynamics."""
    groups = course_structure(fit).parameters.groups
    if not groups:
        return np.zeros(len(rows), dtype=int)
    values: np.ndarray = pd.Index(groups).get_indexer(rows[fit.prepared.specification.residual_by])
    return values


def _portions(client: np.ndarray) -> list[np.ndarray]:
    """Return the sorted rows of so many clients at a time."""
    number = np.cumsum(np.append(False, client[1:] != client[:-1]))
    return np.split(
        np.arange(len(client)),
        np.searchsorted(number, np.arange(CLIENTS_AT_ONCE, number[-1] + 1, CLIENTS_AT_ONCE)),
    )


def _of_clients(
    fit: Any, residual: np.ndarray, client: np.ndarray, time: np.ndarray, group: np.ndarray
) -> np.ndarray:
    """Return the innovations of sorted rows of some clients."""
    opens = np.append(True, client[1:] != client[:-1])
    who = np.cumsum(opens) - 1
    place = np.arange(len(client)) - np.flatnonzero(opens)[who]
    p = residual.shape[1]
    shape = (who[-1] + 1, place.max() + 1)
    covariance = _covariance(fit, who, place, np.where(opens, 0.0, np.diff(time, prepend=0)), group)
    w = np.full((*shape, p), np.nan)
    w[who, place] = residual
    w = w.reshape(shape[0], -1)
    there = np.isfinite(w)
    covariance = np.where(there[:, :, None] & there[:, None, :], covariance, 0.0)
    sizes = np.sqrt(np.einsum("caa->ca", covariance))
    cells = np.arange(w.shape[1])
    covariance[:, cells, cells] += ~there
    factor = np.linalg.cholesky(covariance)
    z = np.linalg.solve(factor, np.where(there, w, 0.0)[:, :, None])[:, :, 0]
    session = cells // p
    own = np.where(session[:, None] == session, factor, 0.0)
    new = np.einsum("cab,cb->ca", own, z) / np.sqrt(np.einsum("cab,cab->ca", own, own)) * sizes
    innovations: np.ndarray = np.where(there, new, np.nan).reshape(*shape, p)[who, place]
    return innovations


def _covariance(
    fit: Any, who: np.ndarray, place: np.ndarray, step: np.ndarray, group: np.ndarray
) -> np.ndarray:
    """Return Cov(w) of each client, shape (clients, cells, cells), a session's outcomes together.

    Cov(w_t, w_s) = A_t Cov(w_(t-1), w_s) for t > s, A_t the coefficients over the step to t.
    """
    point, structure = Point.of(fit), course_structure(fit)
    own, p = structure.parameters, len(structure.outcomes)
    kinds, kind = np.unique(np.stack([group, step]), axis=1, return_inverse=True)
    steps = np.stack([point.phi(int(g), d) if d > 0 else np.eye(p) for g, d in kinds.T])
    clients, sessions = who[-1] + 1, place.max() + 1
    move = np.broadcast_to(np.eye(p), (clients, sessions, p, p)).copy()
    move[who, place] = steps[kind.ravel()]
    within = np.stack([point.within(g) for g in range(own.n_within)])
    error = np.stack([point.errors(g) for g in range(own.n_within)])
    of = np.zeros((clients, sessions), dtype=int)
    of[who, place] = group if own.by_client else 0
    found = np.zeros((clients, sessions, p, sessions, p))
    for s in range(sessions):
        block = within[of[:, s]]
        found[:, s, :, s] = block + error[of[:, s]][:, :, None] * np.eye(p)
        for t in range(s + 1, sessions):
            block = move[:, t] @ block
            found[:, t, :, s] = block
            found[:, s, :, t] = block.transpose(0, 2, 1)
    return found.reshape(clients, sessions * p, sessions * p)
