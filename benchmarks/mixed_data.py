"""The data of the benchmark: sessions in clients in therapists, from a growth model.

    session = (t + 1).astype(np.int32)
    if irregular:
        t = t + rng.uniform(0, 0.5, len(t))
    y = 10 - 0.3 t + 0.5 x + v_therapist + u0_client + u1_client t + e

with var(v) = 0.5, cov(u) = [[1, -0.1], [-0.1, 0.04]], var(e) = 1; every client has 4 to 20 weekly
sessions (12 in the mean), every therapist about 20 clients.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

CLIENTS = {"S": 300, "M": 5_000, "L": 100_000, "XL": 1_000_000}
CLIENTS_PER_THERAPIST = 20


def simulate(
    size: str, *, serial: bool = False, irregular: bool = False, seed: int = 20240229
) -> pd.DataFrame:
    """Rows of one size.

    With `serial` the residuals are AR(1), phi .4, and 30 % of the sessions are missed; with
    `irregular` sessions lie up to half a week late, so that no two clients have the same times.
    """
    rng = np.random.default_rng([seed, CLIENTS[size], serial])
    clients = CLIENTS[size]
    therapist_of = np.sort(rng.integers(0, clients // CLIENTS_PER_THERAPIST, clients))
    n_sessions = rng.integers(4, 21, clients)
    client = np.repeat(np.arange(clients), n_sessions)
    first = np.repeat(np.cumsum(n_sessions) - n_sessions, n_sessions)
    t = (np.arange(len(client)) - first).astype(float)
    therapist = therapist_of[client]
    u = rng.standard_normal((clients, 2)) @ np.linalg.cholesky([[1, -0.1], [-0.1, 0.04]]).T
    v = np.sqrt(0.5) * rng.standard_normal(therapist_of.max() + 1)
    x = rng.standard_normal(len(client))
    e = rng.standard_normal(len(client))
    if serial:
        e = _first_order(e, t, 0.4)
    session = (t + 1).astype(np.int32)
    if irregular:
        t = t + rng.uniform(0, 0.5, len(t))
    y = 10 - 0.3 * t + 0.5 * x + v[therapist] + u[client, 0] + u[client, 1] * t + e
    data = pd.DataFrame(
        {
            "therapist": therapist.astype(np.int32),
            "client": client.astype(np.int32),
            "session": session,
            "t": t,
            "x": x,
            "y": y,
        }
    )
    if serial:
        data = data[rng.random(len(data)) > 0.3].reset_index(drop=True)
    return data


CLIENT = np.array(
    [
        [1.0, -0.1, -0.8, 0.05],
        [-0.1, 0.04, 0.1, -0.03],
        [-0.8, 0.1, 2.0, -0.1],
        [0.05, -0.03, -0.1, 0.08],
    ]
)
RESIDUAL = np.array([[1.0, -0.5], [-0.5, 1.5]])


def simulate_several(size: str, *, missing: float = 0.1) -> pd.DataFrame:
    """Two outcomes on the rows of one size, that grow together, each missing now and then.

    alliance = 10 - 0.3 t + u0 + u1 t + e0 and symptoms = 20 - 0.5 t + u2 + u3 t + e1, with
    cov(u) = `CLIENT` and cov(e) = `RESIDUAL`.
    """
    data = simulate(size).drop(columns=["x", "y"])
    rng = np.random.default_rng([20240301, CLIENTS[size]])
    client, t = data["client"].to_numpy(), data["t"].to_numpy()
    u = rng.standard_normal((client.max() + 1, 4)) @ np.linalg.cholesky(CLIENT).T
    e = rng.standard_normal((len(t), 2)) @ np.linalg.cholesky(RESIDUAL).T
    data["alliance"] = 10 - 0.3 * t + u[client, 0] + u[client, 1] * t + e[:, 0]
    data["symptoms"] = 20 - 0.5 * t + u[client, 2] + u[client, 3] * t + e[:, 1]
    for outcome in ("alliance", "symptoms"):
        data.loc[rng.random(len(t)) < missing, outcome] = np.nan
    return data


def _first_order(noise: np.ndarray, t: np.ndarray, phi: float) -> np.ndarray:
    """AR(1) with unit variance, starting anew where t is 0."""
    out = noise.copy()
    for step in range(1, int(t.max()) + 1):
        now = np.flatnonzero(t == step)
        out[now] = phi * out[now - 1] + np.sqrt(1 - phi**2) * noise[now]
    return out
