"""The courses of alliance and symptoms, session by session, on the observed scale scores."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_discrete_lyapunov

from alliance.simulate.attendance import Attendance
from alliance.simulate.parameters import Parameters

ALLIANCE_RANGE = (12, 60)
SYMPTOMS_RANGE = (0, 27)
THERAPIST_RANGE = (12, 84)
# The therapist's form has 12 items of 1-7, the client's 12 of 1-5: one point of the client's sum
# is worth this many points of the therapist's.
THERAPIST_POINTS = (84 - 12) / (60 - 12)


@dataclass(frozen=True, slots=True)
class Courses:
    """Scale scores as if everybody stayed, each (n_clients, most_sessions), whole numbers.

    `*_residual` is the score minus the client's own course (w in the equations); `rupture_onset`
    and `repair` are session numbers (0: none), (n_clients,).
    """

    alliance: np.ndarray
    symptoms: np.ndarray
    alliance_therapist: np.ndarray
    alliance_residual: np.ndarray
    symptoms_residual: np.ndarray
    rupture_onset: np.ndarray
    sequel: np.ndarray
    repaired: np.ndarray


def lag_matrix(parameters: Parameters) -> np.ndarray:
    """Return the 2 x 2 matrix that carries (w_A, w_S) to the next session."""
    p = parameters
    return np.array(
        [
            [p.alliance_carry_over, p.symptoms_to_alliance],
            [p.alliance_to_symptoms, p.symptoms_carry_over],
        ]
    )


def innovation_covariance(parameters: Parameters) -> np.ndarray:
    """Return the 2 x 2 covariance of the innovations (ruptures and rounding not counted)."""
    sds = np.array([parameters.alliance_innovation_sd, parameters.symptoms_innovation_sd])
    correlation = np.array(
        [[1.0, parameters.innovation_correlation], [parameters.innovation_correlation, 1.0]]
    )
    return np.asarray(np.outer(sds, sds) * correlation)


def residual_covariance(parameters: Parameters) -> np.ndarray:
    """Return the stationary 2 x 2 covariance V of (w_A, w_S): V = F V F' + Q."""
    return np.asarray(
        solve_discrete_lyapunov(lag_matrix(parameters), innovation_covariance(parameters))
    )


def total_alliance_sd(parameters: Parameters) -> float:
    """Return the SD of the client's alliance score over people at intake, sites aside."""
    return float(
        np.sqrt(
            parameters.alliance_therapist_sd**2
            + parameters.alliance_client_sd**2
            + residual_covariance(parameters)[0, 0]
        )
    )


def draw_courses(
    parameters: Parameters, attendance: Attendance, rng: np.random.Generator
) -> Courses:
    """Draw the scores of all clients at all sessions, by the equations of the package docstring."""
    alliance_course, symptoms_course, deviations = _own_courses(parameters, attendance, rng)
    onset, sequel, repaired, ruptures = _ruptures(parameters, alliance_course.shape, rng)
    innovations = _innovations(parameters, alliance_course.shape, rng)
    innovations[:, :, 0] += ruptures

    carry = lag_matrix(parameters)
    start = rng.standard_normal((len(onset), 2)) @ _root(residual_covariance(parameters)).T
    course = np.stack([alliance_course, symptoms_course], axis=2)
    scores = np.empty(course.shape)
    residuals = np.empty(course.shape)
    lowest, highest = np.array([ALLIANCE_RANGE, SYMPTOMS_RANGE], dtype=float).T
    if not parameters.bounded:
        lowest, highest = lowest - np.inf, highest + np.inf
    for t in range(course.shape[1]):
        drawn = start if t == 0 else residuals[:, t - 1] @ carry.T + innovations[:, t]
        # ASSUME people answer in whole points within the form's range. The rounded score is what
        # the next session starts from, so that the lag equations hold for the observed scores:
        # rounding is one more innovation, not an error of measurement.
        scores[:, t] = np.clip(np.rint(course[:, t] + drawn), lowest, highest)
        residuals[:, t] = scores[:, t] - course[:, t]

    rated = _therapist_ratings(parameters, attendance, deviations, residuals[:, :, 0], rng)
    return Courses(
        alliance=scores[:, :, 0].astype(int),
        symptoms=scores[:, :, 1].astype(int),
        alliance_therapist=rated,
        alliance_residual=residuals[:, :, 0],
        symptoms_residual=residuals[:, :, 1],
        rupture_onset=onset,
        sequel=sequel,
        repaired=repaired,
    )


def _own_courses(
    parameters: Parameters, attendance: Attendance, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the clients' own courses of alliance and symptoms, and alliance's client deviation."""
    p = parameters
    n_clients = len(attendance.site_number)
    n_therapists = int(attendance.therapist_number.max()) + 1
    client_sds = np.array(
        [p.alliance_client_sd, p.alliance_growth_sd, p.symptoms_client_sd, p.symptoms_growth_sd]
    )
    client_covariance = np.outer(client_sds, client_sds) * np.array(p.client_correlations)
    therapist_sds = np.array([p.alliance_therapist_sd, p.symptoms_therapist_sd])
    therapist_covariance = np.outer(therapist_sds, therapist_sds) * np.array(
        [[1.0, p.therapist_correlation], [p.therapist_correlation, 1.0]]
    )
    client = rng.standard_normal((n_clients, 4)) @ _root(client_covariance).T
    therapist = rng.standard_normal((n_therapists, 2)) @ _root(therapist_covariance).T
    therapist = therapist[attendance.therapist_number]

    # ASSUME alliance grows with log(1 + weeks), symptoms fall by the week; lags go by session.
    log_weeks, weeks = np.log1p(attendance.weeks), attendance.weeks
    alliance_level = (
        p.alliance_start
        + np.array(p.alliance_site)[attendance.site_number]
        + therapist[:, 0]
        + client[:, 0]
    )
    symptoms_level = (
        p.symptoms_start
        + np.array(p.symptoms_site)[attendance.site_number]
        + therapist[:, 1]
        + client[:, 2]
    )
    alliance = alliance_level[:, None] + (p.alliance_growth + client[:, 1])[:, None] * log_weeks
    symptoms = symptoms_level[:, None] + (p.symptoms_growth + client[:, 3])[:, None] * weeks
    return alliance, symptoms, client[:, 0]


def _root(covariance: np.ndarray) -> np.ndarray:
    """Return L with L L' = covariance; a zero variance gives a row of zeros."""
    sds = np.sqrt(np.diag(covariance))
    scale = np.where(sds > 0, sds, 1.0)
    correlation = covariance / np.outer(scale, scale)
    np.fill_diagonal(correlation, 1.0)
    return sds[:, None] * np.linalg.cholesky(correlation)


def _innovations(
    parameters: Parameters, shape: tuple[int, ...], rng: np.random.Generator
) -> np.ndarray:
    """Return (n_clients, most_sessions, 2) innovations of alliance and symptoms."""
    return np.asarray(rng.standard_normal((*shape, 2)) @ _root(innovation_covariance(parameters)).T)


def _ruptures(
    parameters: Parameters, shape: tuple[int, ...], rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return onset, session of the sequel, whether repaired, and the added innovations of w_A.

    Both parts have mean zero given everything before: the drop because the others get its
    expected share back, the sequel because repair and further drop cancel on average. So the lag
    equations and the mean course hold with ruptures in them.
    """
    p = parameters
    n_clients, n_sessions = shape
    within_sd = float(np.sqrt(residual_covariance(p)[0, 0]))
    first, last = p.rupture_sessions
    ruptured = rng.random(n_clients) < p.rupture_share
    onset = np.where(ruptured, rng.integers(first, last + 1, n_clients), 0)
    delay = rng.integers(1, p.repair_sessions + 1, n_clients)
    repaired = ruptured & (rng.random(n_clients) < p.repair_share)
    sequel = np.where(ruptured, onset + delay, 0)

    session = np.arange(1, n_sessions + 1)
    expected = p.rupture_share / (last - first + 1) * ((session >= first) & (session <= last))
    drop = (session == onset[:, None]) - expected
    further_drop = p.repair_push * p.repair_share / (1.0 - p.repair_share)
    size = np.where(repaired, p.repair_push, -further_drop)
    push = (session == sequel[:, None]) * size[:, None]
    return onset, sequel, repaired, within_sd * (push - p.rupture_depth * drop)


def _therapist_ratings(
    parameters: Parameters,
    attendance: Attendance,
    client_deviation: np.ndarray,
    alliance_residual: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return the therapist's rating at every session (which of them are given is decided later).

    Between clients and within a client it correlates with the client's rating at
    `therapist_agreement`, and has the client's variances in its own, wider points.
    """
    p = parameters
    r, alone = p.therapist_agreement, np.sqrt(1.0 - p.therapist_agreement**2)
    n_clients, n_sessions = alliance_residual.shape
    within_sd = np.sqrt(residual_covariance(p)[0, 0])
    between = r * client_deviation + alone * p.alliance_client_sd * rng.standard_normal(n_clients)
    within = r * alliance_residual + alone * within_sd * rng.standard_normal(
        (n_clients, n_sessions)
    )
    n_therapists = int(attendance.therapist_number.max()) + 1
    habit = p.alliance_therapist_sd * rng.standard_normal(n_therapists)
    # ASSUME therapists see the alliance grow as clients do, from a lower level.
    client_points = (
        p.alliance_start
        - p.therapist_rating_lower * total_alliance_sd(p)
        + np.array(p.alliance_site)[attendance.site_number][:, None]
        + p.alliance_growth * np.log1p(attendance.weeks)
        + (habit[attendance.therapist_number] + between)[:, None]
        + within
    )
    points = THERAPIST_RANGE[0] + THERAPIST_POINTS * (client_points - ALLIANCE_RANGE[0])
    return np.asarray(np.clip(np.rint(points), *THERAPIST_RANGE).astype(int))
