"""Who stays, and how treatment ends, session by session.

Each end has a hazard by session, pooled until eight clients stand behind it. For dropout a fitted
model of the run (`family: hazard`) takes the place of these rates, with all its terms that can be
computed as treatment goes on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from alliance.twin.margins import SMALLEST, in_bands, share

DROPOUT, UNKNOWN = "dropout", "not told"
PARTS = re.compile(r"(.+)_(known|running_within|running_between)")
BASE = ("1", "log(session)")


@dataclass(frozen=True, slots=True)
class Ends:
    """How treatment ends.

    Attributes
    ----------
    longest
        The last session that eight clients reached.
    hazards
        By end: probability after each session, (longest,).
    dropout
        Terms of the fitted hazard of dropout to coefficients; empty where there is none.
    means
        Mean of each measure's scores, which running means are centred at.
    last
        How treatment ends for those who reach the last session and have not ended yet.
    """

    longest: int
    hazards: dict[str, np.ndarray]
    dropout: dict[str, float]
    means: dict[str, float]
    last: str


def ends_of(
    clients: pd.DataFrame, sessions: pd.DataFrame, fit: Mapping[str, Any] | None,
    means: Mapping[str, float],
) -> Ends:  # fmt: skip
    """Return how treatment ends.

    Parameters
    ----------
    clients, sessions
        Of the cohort.
    fit
        The fitted hazard of dropout, if any.
    means
        Mean score by measure.
    """
    attended = sessions[sessions["attended"]]
    last = attended.groupby("client")["session"].max()
    counts = np.array([(last >= s).sum() for s in range(1, int(last.max()) + 1)])
    longest = max(1, int((counts >= SMALLEST).sum()))
    how = clients.set_index("client")["end_status"].reindex(last.index).fillna(UNKNOWN)
    hazards = {}
    for end in sorted(how.unique()):
        events = np.array([((last == s) & (how == end)).sum() for s in range(1, longest + 1)])
        hazards[str(end)] = np.zeros(longest)
        for band in in_bands(events.tolist()):
            at = list(band)
            hazards[str(end)][at] = share(events[at].sum(), counts[at].sum())
    terms = {r["term"]: r["estimate"] for r in fit["estimates"]} if fit else {}
    terms = terms if set(BASE) <= set(terms) else {}
    others = how[how != DROPOUT]
    final = str(others.mode().iloc[0]) if len(others) >= SMALLEST else UNKNOWN
    return Ends(longest, hazards, terms, dict(means), final)


@dataclass(slots=True)
class SoFar:
    """What is known of each client's scores of one measure as treatment goes on, shape (n,)."""

    known: np.ndarray
    mean_before: np.ndarray
    total: np.ndarray
    count: np.ndarray

    @classmethod
    def nothing(cls, n: int) -> SoFar:
        """Return the state before the first session."""
        return cls(np.full(n, np.nan), np.full(n, np.nan), np.zeros(n), np.zeros(n))

    def add(self, scores: np.ndarray) -> None:
        """Take in the scores of a session (NaN: no form)."""
        new = ~np.isnan(scores)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.where(self.count > 0, self.total / self.count, scores)
        self.mean_before = np.where(new, mean, self.mean_before)
        self.known = np.where(new, scores, self.known)
        self.total += np.where(new, scores, 0.0)
        self.count += new


def draw_ends(
    ends: Ends, scores: Mapping[str, np.ndarray], facts: pd.DataFrame, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return the last session and the end of each client.

    Parameters
    ----------
    ends
        How treatment ends.
    scores
        By measure (n, longest), NaN where there is no form.
    facts
        One row a client: `site` and what terms of the hazard name.
    rng
        Source of chance.
    """
    n = len(facts)
    last, how = np.full(n, ends.longest), np.full(n, ends.last, dtype=object)
    staying = np.ones(n, dtype=bool)
    so_far = {measure: SoFar.nothing(n) for measure in scores}
    names = list(ends.hazards)
    for s in range(1, ends.longest + 1):
        for measure, state in so_far.items():
            state.add(scores[measure][:, s - 1])
        chance = np.column_stack([np.full(n, ends.hazards[name][s - 1]) for name in names])
        if ends.dropout and DROPOUT in names:
            chance[:, names.index(DROPOUT)] = _dropout(ends, s, so_far, facts)
        chance /= np.maximum(chance.sum(axis=1), 1.0)[:, None]
        drawn = rng.random(n)
        position = (drawn[:, None] >= chance.cumsum(axis=1)).sum(axis=1)
        now = staying & (position < len(names))
        last[now] = s
        how[now] = np.array([*names, UNKNOWN], dtype=object)[position[now]]
        staying &= ~now
    how[how == UNKNOWN] = None
    return last, how


def _dropout(
    ends: Ends, session: int, so_far: Mapping[str, SoFar], facts: pd.DataFrame
) -> np.ndarray:
    """Return each client's hazard of dropout after a session; before any score, the usual rate."""
    values = np.full(len(facts), ends.dropout["1"] + ends.dropout["log(session)"] * np.log(session))
    for value in _terms(ends, so_far, facts):
        values += value
    usual = np.clip(ends.hazards[DROPOUT][session - 1], 1e-6, 1 - 1e-6)
    return np.asarray(expit(np.where(np.isnan(values), logit(usual), values)))


def _terms(ends: Ends, so_far: Mapping[str, SoFar], facts: pd.DataFrame) -> Iterator[np.ndarray]:
    for term, coefficient in ends.dropout.items():
        part = PARTS.fullmatch(term)
        if part and part[1] in so_far:
            state = so_far[part[1]]
            yield (
                coefficient
                * {
                    "known": state.known,
                    "running_within": state.known - state.mean_before,
                    "running_between": state.mean_before - ends.means[part[1]],
                }[part[2]]
            )
        elif term not in BASE:
            yield coefficient * fact_of(term, facts)


def fact_of(term: str, facts: pd.DataFrame) -> np.ndarray:
    """Return the value of a term of facts, (n,): `site[north]`, `age_years`, `center(age)`.

    A term of which nothing is known here is zero: it is not kept.
    """
    name, _, word = term.removesuffix("]").partition("[")
    if word and name in facts:
        return np.asarray((facts[name] == word).to_numpy(dtype=float))
    inner = re.fullmatch(r"center\((.+)\)", term)
    name = inner[1] if inner else term
    if name not in facts:
        return np.zeros(len(facts))
    values = pd.to_numeric(facts[name], errors="coerce")
    return np.asarray((values - values.mean() if inner else values).fillna(0.0).to_numpy(float))
