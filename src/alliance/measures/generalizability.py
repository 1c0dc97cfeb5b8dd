"""How well a score tells clients, and sessions of one client, apart (Cranford et al. 2006).

Two designs. *Nested*, the default for therapy: sessions of two clients with the same number have
nothing in common. *Crossed*: session t is the same occasion for everybody, items are the same
questions. In the crossed design the likelihood of complete forms splits exactly into that of the
mean over items and that of the contrasts between items, each a person x session table with gaps
(`alliance.measures.two_way`):

    variance of        mean over items       item contrasts
    person             P + PI / m            PI
    session            T + TI / m            TI
    person x session   PT + E / m            E

so that no engine for crossed levels is needed, whatever the number of sessions of each client.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import linalg

from alliance.measures.two_way import TwoWay, two_way

NESTED_SESSIONS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20)


@dataclass(frozen=True, slots=True)
class Nested:
    """Components with sessions nested in persons, items as error (Cranford et al. 2006).

    Attributes
    ----------
    person, session, error
        Variance between persons, between a person's sessions, and of items around their form's mean
        (items that are easier than others count as error here).
    error_of_items_alike
        The same once the items' own means are taken out.
    n_items, mean_sessions
        m, and k: the harmonic mean of the number of sessions.
    """

    person: float
    session: float
    error: float
    error_of_items_alike: float
    n_items: int
    mean_sessions: float

    def person_reliability(self, sessions: float) -> float:
        """R_KRN: reliability of a person's mean over so many sessions."""
        noise = self.session / sessions + self.error / (sessions * self.n_items)
        return _share(self.person, noise)

    @property
    def change_reliability(self) -> float:
        """R_CN: share of a session's deviation from the person's mean that is no error."""
        return _share(self.session, self.error / self.n_items)

    @property
    def change_reliability_of_items_alike(self) -> float:
        """R_CN with the items' own means taken out of the error: everybody answers the same."""
        return _share(self.session, self.error_of_items_alike / self.n_items)

    def sessions_for(self, target: float) -> int | None:
        """Return the fewest sessions whose mean reaches the reliability, or None beyond 1,000."""
        if self.person <= 0:
            return None
        noise = self.session + self.error / self.n_items
        sessions = int(np.ceil(target / (1 - target) * noise / self.person - 1e-9))
        return max(1, sessions) if sessions <= 1000 else None


@dataclass(frozen=True, slots=True)
class Crossed:
    """Components with sessions, items and persons crossed.

    Attributes
    ----------
    person, session, item, person_session, person_item, session_item, residual
        Variances; one that came out negative by subtraction is 0 and named in `negative`.
    """

    person: float
    session: float
    item: float
    person_session: float
    person_item: float
    session_item: float
    residual: float
    n_items: int
    mean_sessions: float
    negative: tuple[str, ...] = ()

    @property
    def _person(self) -> float:
        return self.person + self.person_item / self.n_items

    def fixed_mean(self, sessions: float) -> float:
        """R_KF: a person's mean over the same fixed sessions for everybody (R_1F: one session)."""
        return _share(self._person, self.residual / (sessions * self.n_items))

    def random_mean(self, sessions: float) -> float:
        """R_KR: a person's mean over sessions that differ by chance (R_1R: one session)."""
        noise = self.session + self.person_session + self.residual / self.n_items
        return _share(self._person, noise / sessions)

    @property
    def change(self) -> float:
        """R_C: reliability of a person's change from session to session."""
        return _share(self.person_session, self.residual / self.n_items)


def _share(signal: float, noise: float) -> float:
    return signal / (signal + noise) if signal + noise > 0 else float("nan")


def complete_forms(items: np.ndarray) -> np.ndarray:
    """Return which forms have every item of the score answered, shape (n_forms,)."""
    return np.asarray(~np.isnan(items).any(axis=1))


def harmonic_mean_sessions(person: np.ndarray) -> float:
    """Return the harmonic mean of the number of forms a person, k where they differ."""
    sizes = np.bincount(person)
    return float(1.0 / np.mean(1.0 / sizes[sizes > 0]))


def nested_components(items: np.ndarray, person: np.ndarray) -> Nested | None:
    """Estimate the nested design by REML.

    Parameters
    ----------
    items
        Complete keyed answers, shape (n_forms, m), m at least 2.
    person
        Codes from 0 without gaps, shape (n_forms,).

    Returns
    -------
    Nested or None
        None where persons and sessions cannot be told apart (everybody has one session).
    """
    m = items.shape[1]
    means = two_way(items.mean(axis=1, keepdims=True), person)
    if means is None:
        return None
    within = items - items.mean(axis=1, keepdims=True)
    error = float((within**2).sum() / (len(items) * (m - 1)))
    alike = within - within.mean(axis=0)
    error_alike = float((alike**2).sum() / ((len(items) - 1) * (m - 1)))
    return Nested(
        person=means.person,
        session=max(0.0, means.residual - error / m),
        error=error,
        error_of_items_alike=error_alike,
        n_items=m,
        mean_sessions=harmonic_mean_sessions(person),
    )


def crossed_components(
    items: np.ndarray, person: np.ndarray, session: np.ndarray
) -> Crossed | None:
    """Estimate the crossed design by REML; `items` as in `nested_components`.

    Parameters
    ----------
    session
        Codes of the sessions from 0 without gaps, shape (n_forms,).
    """
    m = items.shape[1]
    means = two_way(items.mean(axis=1, keepdims=True), person, session)
    contrasts = two_way(items @ _contrasts(m), person, session)
    if means is None or contrasts is None:
        return None
    return _subtracted(means, contrasts, m, harmonic_mean_sessions(person))


def _contrasts(m: int) -> np.ndarray:
    """Return m - 1 orthonormal contrasts between items, shape (m, m - 1)."""
    return np.asarray(linalg.helmert(m).T)


def _subtracted(means: TwoWay, contrasts: TwoWay, m: int, sessions: float) -> Crossed:
    item = float(np.mean(contrasts.means**2) - contrasts.mean_variance)
    raw = {
        "person": means.person - contrasts.person / m,
        "session": means.occasion - contrasts.occasion / m,
        "item": item,
        "person_session": means.residual - contrasts.residual / m,
    }
    kept = {name: max(0.0, value) for name, value in raw.items()}
    return Crossed(
        **kept,
        person_item=contrasts.person,
        session_item=contrasts.occasion,
        residual=contrasts.residual,
        n_items=m,
        mean_sessions=sessions,
        negative=tuple(name for name, value in raw.items() if value < 0),
    )


def nested_draws(
    items: np.ndarray, person: np.ndarray, weights: np.ndarray, block: np.ndarray
) -> list[Nested]:
    """Return the nested components of resamples of clients.

    Parameters
    ----------
    items, person
        As in `nested_components`.
    weights
        How often each block of clients is drawn, shape (draws, n_blocks).
    block
        Each person's block, shape (n_persons,).
    """
    m = items.shape[1]
    totals = _PersonTotals.of(items, person)
    return [_nested_of(totals, draw[block], m) for draw in weights]


@dataclass(frozen=True, slots=True)
class _PersonTotals:
    """Of each person: number of forms, mean over forms, squares within; all of shape (n_persons,)
    but `item_sums`, (n_persons, m)."""

    size: np.ndarray
    mean: np.ndarray
    within: np.ndarray
    error: np.ndarray
    item_sums: np.ndarray

    @classmethod
    def of(cls, items: np.ndarray, person: np.ndarray) -> _PersonTotals:
        form = items.mean(axis=1)
        deviations = items - form[:, None]
        size = np.bincount(person).astype(float)
        mean = np.bincount(person, form) / size
        item_sums = np.zeros((len(size), items.shape[1]))
        np.add.at(item_sums, person, deviations)
        return cls(
            size=size,
            mean=mean,
            within=np.bincount(person, (form - mean[person]) ** 2),
            error=np.bincount(person, (deviations**2).sum(axis=1)),
            item_sums=item_sums,
        )


def _nested_of(totals: _PersonTotals, times: np.ndarray, m: int) -> Nested:
    """Return the components of a resample in which person i is drawn `times[i]` times."""
    forms = float(times @ totals.size)
    person, residual = _reml_of_means(totals, times)
    error = float(times @ totals.error) / (forms * (m - 1))
    item_sums = times @ totals.item_sums
    alike = float(times @ totals.error) - float(item_sums @ item_sums) / forms
    return Nested(
        person=person,
        session=max(0.0, residual - error / m),
        error=error,
        error_of_items_alike=alike / ((forms - 1) * (m - 1)),
        n_items=m,
        mean_sessions=float(times.sum() / (times @ (1.0 / totals.size))),
    )


def _reml_of_means(totals: _PersonTotals, times: np.ndarray) -> tuple[float, float]:
    """Return person and residual variance of the one-way random model from person totals.

    Newton's method would need care at the boundary; a fixed number of golden-section steps over the
    log ratio of standard deviations is exact enough for an interval.
    """
    drawn = times > 0
    n, times = totals.size[drawn], times[drawn]
    mean, within = totals.mean[drawn], float(times @ totals.within[drawn])
    degrees = float(times @ n) - 1.0

    def pieces(ratio: float) -> tuple[float, float]:
        spread = 1.0 + ratio * n
        weight = times * n / spread
        centre = float(weight @ mean) / float(weight.sum())
        square = within + float(weight @ (mean - centre) ** 2)
        log_det = float(times @ np.log(spread)) + np.log(float(weight.sum()))
        return log_det + degrees * np.log(max(square, 1e-300)), square

    low, high = np.log(1e-4), np.log(1e3)
    golden = (np.sqrt(5.0) - 1.0) / 2.0
    inner = [high - golden * (high - low), low + golden * (high - low)]
    values = [pieces(np.exp(2 * x))[0] for x in inner]
    for _ in range(36):
        if values[0] <= values[1]:
            high, inner[1], values[1] = inner[1], inner[0], values[0]
            inner[0] = high - golden * (high - low)
            values[0] = pieces(np.exp(2 * inner[0]))[0]
        else:
            low, inner[0], values[0] = inner[0], inner[1], values[1]
            inner[1] = low + golden * (high - low)
            values[1] = pieces(np.exp(2 * inner[1]))[0]
    ratio = float(np.exp(2 * inner[0]))
    if pieces(0.0)[0] <= values[0]:
        ratio = 0.0
    residual = pieces(ratio)[1] / degrees
    return ratio * residual, residual


def reliabilities(nested: Nested, sessions: Sequence[int]) -> list[float]:
    """Return R_KRN for these numbers of sessions."""
    return [nested.person_reliability(k) for k in sessions]
