"""Pattern mixture: a course for each time of leaving, averaged over who left when.

Each pattern has a level and a slope of its own (Hedeker & Gibbons 1997). What identifies the scores
after leaving: a pattern's line goes on as it was seen. The average over the clients, with b the
coefficients and d_i the derivative of client i's own mean course with time,

    mean_i(d_i b),   variance  c' Cov(b) c + variance of the shares of the patterns,

c the mean of d_i. Shares vary over therapists: their part is the variance of a mean of d_i b over
clients, clustered. Taking the patterns' lines k times as unlike that of those who stayed as they
are (k = 0: like theirs, k = 1: as seen) makes the assumption milder or worse.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from alliance.errors import FitError
from alliance.families.common.multilevel import Fitted
from alliance.families.common.with_interval import with_interval
from alliance.families.missing_not_at_random.courses import who_left
from alliance.mixed import MixedFit, fit_mixed

PATTERN = "pattern_of_leaving"
STAYED = "0 not seen to drop out"
MOST = 3
# ASSUME fewer than ten clients with two scores carry no line of a pattern (of a group).
FEWEST = 10
TIMES_AS_UNLIKE = (0.0, 0.5, 1.0, 1.5, 2.0)


@dataclass(frozen=True, slots=True)
class Effect:
    """An effect with its normal interval."""

    estimate: float
    se: float

    def numbers(self) -> dict[str, Any]:
        """Return what an estimate of a fit states."""
        return with_interval(self.estimate, self.se)


@dataclass(frozen=True, slots=True)
class Patterns:
    """The fitted patterns.

    Attributes
    ----------
    names
        Of the patterns of those who dropped out, in words.
    clients
        How many clients each has, those not seen to drop out first.
    found
        By how many times as unlike: the main effects.
    """

    names: list[str]
    clients: list[int]
    found: dict[float, list[Effect]]


def pattern_mixture(
    panel: pd.DataFrame, fitted: Fitted, outcome: str, time: str, column: str,
    groups: Sequence[str],
) -> Patterns:  # fmt: skip
    """Return the main effects averaged over patterns.

    Parameters
    ----------
    panel
        The analysis table, which knows who left when.
    fitted, outcome, time
        The growth model and its columns.
    column, groups
        The groups compared, reference first; none where the model compares none.

    Raises
    ------
    FitError
        Too few clients dropped out, or the patterns' lines cannot be told apart.
    """
    left = who_left(panel)
    rows = fitted.rows.assign(**{PATTERN: STAYED})
    names = _cut(rows, left, column)
    rows[PATTERN] = rows["client"].map(names).fillna(STAYED)
    own = [PATTERN, f"{PATTERN}:{time}"]
    if column:
        own += [f"{PATTERN}:{column}", f"{PATTERN}:{column}:{time}"]
    asked = fitted.fit.prepared.specification
    fit = fit_mixed(
        rows, outcome=outcome, fixed=[*fitted.fixed, *own], random=fitted.random,
        residual=asked.residual, residual_time=asked.residual_time, method=asked.method, df="none",
    )  # fmt: skip
    if not fit.convergence.converged:
        msg = "the model of the patterns did not reach a maximum."
        raise FitError(msg)
    clients = rows.drop_duplicates("client")
    lines, like_who_stayed = (
        _derivatives(fit, clients, time),
        _derivatives(fit, clients.assign(**{PATTERN: STAYED}), time),
    )
    counts = clients[PATTERN].value_counts()
    ordered = sorted(counts.index)
    return Patterns(
        [name.partition(" ")[2] for name in ordered[1:]],
        [int(counts[name]) for name in ordered],
        {
            k: _averaged(fit, clients, like_who_stayed + k * (lines - like_who_stayed), column,
                         groups)
            for k in TIMES_AS_UNLIKE
        },
    )  # fmt: skip


def _cut(rows: pd.DataFrame, left: pd.Series, column: str) -> pd.Series:
    """Return the pattern of each client who left: as many by time of leaving as carry a line."""
    left = left[left.index.isin(rows["client"])].dropna()
    lines = rows.groupby("client").size() > 1
    group = rows.drop_duplicates("client").set_index("client")[column] if column else None
    for most in range(MOST if len(left) else 0, 0, -1):
        edges = np.unique(np.quantile(left, np.linspace(0, 1, most + 1)[1:]))
        code = pd.Series(np.searchsorted(edges, left), index=left.index)
        cells = [code, group.reindex(code.index)] if group is not None else [code]
        counted = lines.reindex(code.index).groupby(cells).sum()
        n_cells = len(edges) * (1 if group is None else group.nunique())
        if len(counted) == n_cells and counted.min() >= FEWEST:
            spans = left.astype(int).groupby(code).agg(["min", "max"])
            words = {k: _in_words(k, *span) for k, span in spans.iterrows()}
            return code.map(words)
    msg = f"fewer than {FEWEST} clients with two scores dropped out (of each group)."
    raise FitError(msg)


def _in_words(k: Any, first: int, last: int) -> str:
    when = f"session {first}" if first == last else f"sessions {first} to {last}"
    return f"{k + 1} left after {when}"


def _derivatives(fit: MixedFit, clients: pd.DataFrame, time: str) -> np.ndarray:
    """Return the derivative of each client's mean course with time, shape (clients, p)."""
    at = [
        fit.prepared.user_matrix(fit.prepared.fixed, clients.assign(**{time: t}))
        for t in (1.0, 2.0)
    ]
    return np.asarray(at[1] - at[0])


def _averaged(
    fit: MixedFit, clients: pd.DataFrame, d: np.ndarray, column: str, groups: Sequence[str]
) -> list[Effect]:
    """Return the mean slope, or each group's less that of the reference group."""
    cluster = "therapist" if "therapist" in fit.prepared.specification.levels else "client"
    codes = pd.factorize(clients[cluster])[0]
    nobody = np.zeros(len(clients))
    pairs = [(np.full(len(clients), 1.0 / len(clients)), nobody)]
    if groups:
        own = [(clients[column] == group).to_numpy(float) for group in groups]
        reference, *others = [one / one.sum() for one in own]
        pairs = [(other, reference) for other in others]
    lines = d @ fit.estimate.coefficients
    found = []
    for of, against in pairs:
        contrast = (of - against) @ d
        off = of * (lines - of @ lines) - against * (lines - against @ lines)
        by_cluster = np.bincount(codes, off)
        of_shares = by_cluster @ by_cluster * len(by_cluster) / (len(by_cluster) - 1)
        variance = contrast @ fit.estimate.covariance @ contrast + of_shares
        found.append(Effect(float((of - against) @ lines), float(np.sqrt(variance))))
    return found
