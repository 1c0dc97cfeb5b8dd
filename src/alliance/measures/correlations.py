"""Correlations of scores within clients and between them, and means and deviations at both levels.

Two measures can go together within a client (in a better session both are better) and not between
clients, or the other way round; one correlation over all forms mixes the two.

Within: both scores are taken as deviations from the client's own means over the sessions that have
both; r = sum(dx dy) / sqrt(sum(dx^2) sum(dy^2)), with df = rows - clients - 1, since each client's
mean costs one (Snijders & Bosker 2012, section 3.6; the same as the repeated-measures correlation
of Bakdash & Marusich 2017). Between: the correlation of the clients' means over those sessions,
df = clients - 2.

A client's mean of few sessions holds sessions' chance as well. The corrected correlation between
clients is that of the clients' true means, from the analysis of variance estimators of the two
variances and the covariance (Snijders & Bosker 2012, equations 3.9 to 3.11 and section 3.6):
T = (mean product between - mean product within) / n, where
n = (rows - sum(n_j^2) / rows) / (clients - 1).

Intervals and p of both come from Fisher's z with standard error 1 / sqrt(df - 1).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from alliance.confidence import NORMAL_975
from alliance.measures.reliability import FEWEST_CLIENTS

WHO = ["site", "client", "session"]
CLIENT = ["site", "client"]
# A deviation that is rounding only: a mean of equal scores need not equal them in the last digit.
NEGLIGIBLE = 1e-12


@dataclass(frozen=True, slots=True)
class Correlation:
    """A correlation with its interval, or the reason why there is none.

    Attributes
    ----------
    r, df
        The correlation and its degrees of freedom.
    p, low, high
        Two-sided test of no correlation and 95 % interval; None where r is 1 or -1, or df below 2.
    message
        In plain words why something is None; empty otherwise.
    """

    r: float | None = None
    df: int | None = None
    p: float | None = None
    low: float | None = None
    high: float | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class Spread:
    """Sums of squares and products of one or two scores, divided within and between clients.

    Attributes
    ----------
    rows, clients
        How many sessions and clients they rest on.
    within, between
        Sums of squares and products of deviations from clients' means, and of clients' means
        (weighted by sessions) from the mean of all rows; shape (n_scores, n_scores).
    means
        Clients' means, shape (clients, n_scores).
    sizes
        Sessions of each client, shape (clients,).
    """

    rows: int
    clients: int
    within: np.ndarray
    between: np.ndarray
    means: np.ndarray
    sizes: np.ndarray


def spread_of(values: np.ndarray, clients: np.ndarray) -> Spread:
    """Return the sums of squares and products of scores, shape (rows, n_scores), by client.

    `clients` are codes from 0 without gaps, shape (rows,); no value is missing.
    """
    sizes = np.bincount(clients)
    sums = np.column_stack([np.bincount(clients, column) for column in values.T])
    means = sums / sizes[:, None]
    inner = values - means[clients]
    outer = means - values.mean(axis=0)
    return Spread(
        rows=len(values),
        clients=len(sizes),
        within=inner.T @ inner,
        between=(outer * sizes[:, None]).T @ outer,
        means=means,
        sizes=sizes,
    )


def within_correlation(spread: Spread) -> Correlation:
    """Return the correlation of deviations from clients' own means."""
    df = spread.rows - spread.clients - 1
    if spread.clients < FEWEST_CLIENTS:
        return Correlation(message=_too_few(spread))
    if df < 1:
        return Correlation(message="Too few clients have two sessions with both.")
    if _constant(spread.within, spread):
        return Correlation(message="One of the two never varies within a client.")
    return _tested(_r(spread.within), df)


def between_correlation(spread: Spread) -> Correlation:
    """Return the correlation of clients' means, each client counted once."""
    if spread.clients < FEWEST_CLIENTS:
        return Correlation(message=_too_few(spread))
    centred = spread.means - spread.means.mean(axis=0)
    products = centred.T @ centred
    if _constant(products, spread):
        return Correlation(message="One of the two is the same for all clients.")
    return _tested(_r(products), spread.clients - 2)


def corrected_between(spread: Spread) -> float | None:
    """Return the correlation of clients' true means, freed from the chance of few sessions.

    None where it is not defined: too few clients, nobody with two sessions, a variance between
    clients that is estimated as zero or below, or an estimate outside -1 to 1.
    """
    if spread.clients < FEWEST_CLIENTS or spread.rows <= spread.clients:
        return None
    size = (spread.rows - (spread.sizes**2).sum() / spread.rows) / (spread.clients - 1)
    inner = spread.within / (spread.rows - spread.clients)
    true = (spread.between / (spread.clients - 1) - inner) / size
    if min(true[0, 0], true[1, 1]) <= NEGLIGIBLE:
        return None
    r = float(true[0, 1] / math.sqrt(true[0, 0] * true[1, 1]))
    return r if abs(r) <= 1 else None


def _r(products: np.ndarray) -> float:
    return float(products[0, 1] / math.sqrt(products[0, 0] * products[1, 1]))


def _constant(products: np.ndarray, spread: Spread) -> bool:
    scale = np.maximum(1.0, np.abs(spread.means).max(axis=0)) ** 2 * spread.rows
    return bool((np.diag(products) <= NEGLIGIBLE * scale).any())


def _too_few(spread: Spread) -> str:
    return f"Fewer than {FEWEST_CLIENTS} clients have both."


def _tested(r: float, df: int) -> Correlation:
    """Return r with test and interval by Fisher's z (standard error 1 / sqrt(df - 1))."""
    if df < 2:
        return Correlation(r, df, message="Too few rows for an interval.")
    if abs(r) >= 1 - NEGLIGIBLE:
        return Correlation(r, df, message="The two are the same but for unit and zero.")
    # ASSUME the sessions of a client are independent but for the client's mean.
    z, error = math.atanh(r), 1 / math.sqrt(df - 1)
    low, high = math.tanh(z - NORMAL_975 * error), math.tanh(z + NORMAL_975 * error)
    return Correlation(r, df, float(2 * stats.norm.sf(abs(z) / error)), low, high)


def correlation_rows(
    scores: pd.DataFrame, sessions: pd.DataFrame, heads: Sequence[Mapping[str, Any]]
) -> dict[str, list[dict[str, Any]]]:
    """Return `score_statistics` and `correlations` of `measurement.schema.yaml`.

    Parameters
    ----------
    scores, sessions
        The tables of docs/architecture.md.
    heads
        The scores in the order in which they are to appear: measure, score, label, main.
    """
    named = _columns(scores, sessions, heads)
    statistics = [{**head, **_statistics(column)} for head, column in named]
    pairs: list[dict[str, Any]] = []
    for (one, first), (two, second) in combinations(named, 2):
        both = pd.concat([first, second], axis=1, join="inner").dropna()
        pairs += [{**_pair(one, two), **found} for found in _both_levels(both)]
    return {"score_statistics": statistics, "correlations": pairs}


def _columns(
    scores: pd.DataFrame, sessions: pd.DataFrame, heads: Sequence[Mapping[str, Any]]
) -> list[tuple[dict[str, Any], pd.Series]]:
    """Return every score, and time last, as a series over client and session without gaps."""
    named = []
    for head in heads:
        own = scores[(scores["measure"] == head["measure"]) & (scores["subscale"] == head["score"])]
        named.append((dict(head), own.set_index(WHO)["score"].dropna().astype(float)))
    held = sessions[sessions["attended"].astype(bool)].set_index(WHO)
    weeks = held["weeks_since_intake"].dropna().astype(float)
    label = "Weeks since intake"
    if weeks.empty:  # a cohort without dates still has an order of sessions
        weeks = pd.Series(held.index.get_level_values("session"), held.index, dtype=float)
        label = "Session"
    time = {"measure": "time", "score": "time", "label": label, "main": True}
    return [*named, (time, weeks)]


def _statistics(column: pd.Series) -> dict[str, Any]:
    """Return mean and deviations of one score; none over fewer than eight clients."""
    found: dict[str, Any] = {"clients": 0, "rows": len(column)}
    nothing = dict.fromkeys(("mean", "sd", "sd_within", "sd_between"))
    if column.empty:
        return found | nothing
    codes = np.asarray(column.groupby(CLIENT).ngroup())
    spread = spread_of(column.to_numpy()[:, None], codes)
    found["clients"] = spread.clients
    if spread.clients < FEWEST_CLIENTS:
        return found | nothing
    df = spread.rows - spread.clients
    return found | {
        "mean": float(column.mean()),
        "sd": float(column.std(ddof=1)),
        "sd_within": math.sqrt(float(spread.within[0, 0]) / df) if df else None,
        "sd_between": float(spread.means[:, 0].std(ddof=1)),
    }


def _pair(one: Mapping[str, Any], two: Mapping[str, Any]) -> dict[str, Any]:
    names = {f"{key}_1": one[key] for key in ("measure", "score", "label")}
    names |= {f"{key}_2": two[key] for key in ("measure", "score", "label")}
    return names | {"main": bool(one["main"] and two["main"])}


def _both_levels(both: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Yield the correlation within clients, then the one between them."""
    if both.empty:
        nothing = {"rows": 0, "clients": 0, **_as_row(Correlation(message="No session has both."))}
        yield {"level": "within", **nothing, "corrected": None}
        yield {"level": "between", **nothing, "corrected": None}
        return
    spread = spread_of(both.to_numpy(), np.asarray(both.groupby(CLIENT).ngroup()))
    counts = {"rows": spread.rows, "clients": spread.clients}
    within, between = within_correlation(spread), between_correlation(spread)
    yield {"level": "within", **counts, **_as_row(within), "corrected": None}
    corrected = None if between.r is None else corrected_between(spread)
    yield {"level": "between", **counts, **_as_row(between), "corrected": corrected}


def _as_row(found: Correlation) -> dict[str, Any]:
    return {name: getattr(found, name) for name in ("r", "df", "p", "low", "high", "message")}
