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
        (items that are easier than others, for everybody or for one person, count as error here).
    error_within_person
        Variance of items around what the person usually answers to them and the form's mean: error
        without the means of items and of person x item.
    mean_within_person
        Variance of a form's mean around the person's mean over all sessions.
    n_items, mean_sessions
        m, and k: the harmonic mean of the number of sessions.
    """

    person: float
    session: float
    error: float
    error_within_person: float
    mean_within_person: float
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
    def change_reliability_items_crossed(self) -> float:
        """R_CN where items cross persons: everybody answers the same items every time.

        The mean of a form can only change by the session or by error within the person, so that its
        reliable part is what that error does not explain. R_CN itself counts how items differ as
        error, which does not change from session to session, and is too low by that.
        """
        if self.mean_within_person <= 0:
            return float("nan")
        return max(0.0, 1.0 - self.error_within_person / self.n_items / self.mean_within_person)

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
    usual = np.zeros((int(person.max()) + 1, m))
    np.add.at(usual, person, within)
    sizes = np.bincount(person)
    own = within - (usual / sizes[:, None])[person]
    return Nested(
        person=means.person,
        session=max(0.0, means.residual - error / m),
        error=error,
        error_within_person=float((own**2).sum() / ((len(items) - len(sizes)) * (m - 1))),
        mean_within_person=means.residual,
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


@dataclass(frozen=True, slots=True)
class NestedDraws:
    """Nested components of resamples of clients; every array has shape (draws,)."""

    person: np.ndarray
    session: np.ndarray
    error: np.ndarray
    error_within_person: np.ndarray
    mean_within_person: np.ndarray
    n_items: int

    def person_reliability(self, sessions: float) -> np.ndarray:
        """R_KRN of every resample."""
        noise = self.session + self.error / self.n_items
        return _shares(self.person, noise / sessions)

    @property
    def change_reliability(self) -> np.ndarray:
        """R_CN of every resample."""
        return _shares(self.session, self.error / self.n_items)

    @property
    def change_reliability_items_crossed(self) -> np.ndarray:
        """R_CN of every resample where items cross persons."""
        error = self.error_within_person / self.n_items
        return np.maximum(0.0, 1.0 - _shares(error, self.mean_within_person - error))


def _shares(signal: np.ndarray, noise: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(signal / (signal + noise))


def nested_draws(
    items: np.ndarray, person: np.ndarray, block: np.ndarray, weights: np.ndarray
) -> NestedDraws:
    """Return the nested components of resamples of clients.

    Parameters
    ----------
    items, person
        As in `nested_components`.
    block
        Each form's block of clients, shape (n_forms,).
    weights
        How often each block is drawn, shape (draws, n_blocks).
    """
    m = items.shape[1]
    form = items.mean(axis=1)
    deviations = items - form[:, None]
    centred = form - form.mean()
    size = np.bincount(person).astype(float)
    mean = np.bincount(person, centred) / size
    of_person = np.zeros(len(size), dtype=int)
    of_person[person] = block
    n_blocks = weights.shape[1]
    sizes, kind = np.unique(size, return_inverse=True)

    def by_kind(values: np.ndarray) -> np.ndarray:
        """Sum a value of persons over the clients of each resample, by number of sessions."""
        table = np.zeros((n_blocks, len(sizes)))
        np.add.at(table, (of_person, kind), values)
        return np.asarray(weights @ table)

    def by_form(values: np.ndarray) -> np.ndarray:
        return np.asarray(weights @ np.bincount(block, values, n_blocks))

    moments = by_kind(np.ones(len(size))), by_kind(mean), by_kind(mean**2)
    within = by_form((centred - mean[person]) ** 2)
    forms = moments[0] @ sizes
    variance, residual = _reml_of_means(sizes, *moments, within)
    squares = by_form((deviations**2).sum(axis=1))
    usual = np.zeros((len(size), m))
    np.add.at(usual, person, deviations)
    own = squares - by_kind((usual**2).sum(axis=1) / size).sum(axis=1)
    error = squares / (forms * (m - 1))
    return NestedDraws(
        person=variance,
        session=np.maximum(0.0, residual - error / m),
        error=error,
        error_within_person=own / ((forms - moments[0].sum(axis=1)) * (m - 1)),
        mean_within_person=residual,
        n_items=m,
    )


def _reml_of_means(
    sizes: np.ndarray, count: np.ndarray, total: np.ndarray, square: np.ndarray, within: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return person and residual variance of the one-way random model, for many resamples.

    Golden-section search over the log ratio of standard deviations, all resamples at once.

    Parameters
    ----------
    sizes
        Numbers of sessions that occur, shape (G,).
    count, total, square
        Persons with that number of sessions, and sums of their means and squared means; shape
        (draws, G).
    within
        Sum of squares of sessions around their person's mean, shape (draws,).
    """
    degrees = count @ sizes - 1.0

    def pieces(ratio: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        spread = 1.0 + ratio[:, None] * sizes
        weight = sizes / spread
        all_weights = (weight * count).sum(axis=1)
        centre = (weight * total).sum(axis=1) / all_weights
        squares = (weight * square).sum(axis=1) - all_weights * centre**2 + within
        squares = np.maximum(squares, 1e-300)
        log_det = (count * np.log(spread)).sum(axis=1) + np.log(all_weights)
        return log_det + degrees * np.log(squares), squares / degrees

    def at(log_sd: np.ndarray) -> np.ndarray:
        return pieces(np.exp(2.0 * log_sd))[0]

    golden = (np.sqrt(5.0) - 1.0) / 2.0
    low, high = np.full(len(count), np.log(1e-4)), np.full(len(count), np.log(1e3))
    for _ in range(40):
        left, right = high - golden * (high - low), low + golden * (high - low)
        is_left = at(left) <= at(right)
        high, low = np.where(is_left, right, high), np.where(is_left, low, left)
    ratio = np.exp(low + high)  # of variances: twice the middle of log standard deviations
    zero = np.zeros_like(ratio)
    ratio = np.where(pieces(zero)[0] <= pieces(ratio)[0], zero, ratio)
    residual = pieces(ratio)[1]
    return ratio * residual, residual
