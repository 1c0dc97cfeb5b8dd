"""How many ruptures a rule would find where there are none.

The null: every client keeps the own course (level and trend, and the early bend that all clients
share), the deviations from it are first-order autoregressive with the client's own spread and
autocorrelation, part of them is error of measurement, and nothing ever ruptures. A rule is worth
what it finds beyond that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from alliance.measures.ruptures.atlas import Profile, profile_of
from alliance.measures.ruptures.detect import Scale, detect, own_line
from alliance.measures.ruptures.rules import Rule

SHRINKAGE = 4.0  # the others' spread counts like so many scores of the client's own
HIGHEST = 0.95  # of an autocorrelation
LARGEST_ERROR_SHARE = 0.9


@dataclass(frozen=True, slots=True)
class NullModel:
    """Parameters of courses without rupture.

    Attributes
    ----------
    line
        Expected scores, shape (n_clients, n_sessions).
    true_sd
        SD of the deviations without error of measurement, shape (n,).
    autocorrelation
        Of those from session to session, shape (n,).
    error_sd
        SD of the error of measurement, shape (n,).
    seen
        Where there is a score, shape (n_clients, n_sessions).
    lowest, highest
        Scores are kept within these.
    whole
        Whether scores are whole points: then so are drawn ones.
    """

    line: np.ndarray
    true_sd: np.ndarray
    autocorrelation: np.ndarray
    error_sd: np.ndarray
    seen: np.ndarray
    lowest: float
    highest: float
    whole: bool


MOSTLY = 0.9  # so many whole scores make a form that is answered in whole points


def null_model(scores: np.ndarray, error_of_measurement: float | None) -> NullModel:
    """Estimate the null from courses with at least three scores.

    Parameters
    ----------
    scores
        Shape (n_clients, n_sessions), NaN where missing; every client with three scores or more.
    error_of_measurement
        In points; None where no reliability is known: then all deviations count as true.

    Notes
    -----
    Residuals from a client's own line hide part of the deviations and of what they carry over, the
    more so the shorter the course. So spread and autocorrelation are found by moments: those values
    for which the expected sum of squares and of products of neighbours of such residuals, summed
    over clients, equal the observed ones. Error of measurement adds to the squares and carries
    nothing over. A client's own values are drawn towards these by how little a short course says
    (sampling variance of a ratio of two quadratic forms).
    """
    seen = ~np.isnan(scores)
    n = seen.sum(axis=1)
    line = own_course(scores)
    residual = np.where(seen, scores - line, np.nan)
    squares = np.nansum(residual**2, axis=1)
    products, pairs = _products(residual)
    error2 = 0.0 if error_of_measurement is None else error_of_measurement**2
    error2 = min(error2, LARGEST_ERROR_SHARE * squares.sum() / max(np.maximum(n - 2, 0).sum(), 1))
    moments = {int(count): _Moments.of(int(count)) for count in np.unique(n)}
    phi, tau2 = _pooled(moments, n, squares.sum(), products.sum(), error2)
    at = {count: m.at(phi, tau2, error2) for count, m in moments.items()}
    expected = np.array([at[count] for count in n.tolist()]).reshape(-1, 4)
    relative = (squares / expected[:, 0] * (n - 2) + SHRINKAGE) / (n - 2 + SHRINKAGE)
    # ASSUME what a client's spread has beyond the others' is not error of measurement.
    variance = relative * (tau2 + error2)
    error = np.minimum(error2, LARGEST_ERROR_SHARE * variance)
    own = _own_autocorrelation(products, squares, pairs, n, expected, phi)
    line = line + _slope_correction(line, seen, n, phi, tau2, error2)
    kept = scores[seen]
    lowest, highest = (kept.min(), kept.max()) if len(kept) else (-np.inf, np.inf)
    return NullModel(
        line,
        np.sqrt(variance - error),
        own,
        np.sqrt(error),
        seen,
        float(lowest),
        float(highest),
        whole=bool(np.mean(kept == np.rint(kept)) > MOSTLY) if len(kept) else False,
    )


def own_course(scores: np.ndarray) -> np.ndarray:
    """Return every client's line plus a multiple of log(session) that all clients share.

    Alliance rises fast at first and slowly later; without the bend a straight line would take the
    first sessions for low ones. The multiple is the least-squares one within clients.
    """
    seen = ~np.isnan(scores)
    bend = np.where(seen, np.log(np.arange(1.0, scores.shape[1] + 1)), np.nan)
    bend_left, score_left = bend - own_line(bend), scores - own_line(scores)
    size = np.nansum(bend_left**2)
    multiple = np.nansum(bend_left * score_left) / size if size > 1e-9 else 0.0
    shared = multiple * np.log(np.arange(1.0, scores.shape[1] + 1))
    return np.asarray(own_line(scores - shared) + shared)


GRID = np.linspace(-HIGHEST, HIGHEST, 39)


@dataclass(frozen=True, slots=True)
class _Moments:
    """Expected squares and products of residuals from a line through n sessions, over `GRID`.

    For deviations of variance one: `squares` and `products`, shape (39,); `noise` and
    `noise_products` for deviations that carry nothing over. `maker` and `neighbours` are the
    matrices of these quadratic forms, shape (n, n).
    """

    squares: np.ndarray
    products: np.ndarray
    noise: float
    noise_products: float
    maker: np.ndarray
    neighbours: np.ndarray

    @classmethod
    def of(cls, n: int) -> _Moments:
        x = np.column_stack([np.ones(n), np.arange(n)])
        maker = np.eye(n) - x @ np.linalg.solve(x.T @ x, x.T)
        neighbours = maker @ (_lags(n) == 1) @ maker / 2
        correlation = np.stack([_carried(phi, n) for phi in GRID])
        return cls(
            np.einsum("ij,gij->g", maker, correlation),
            np.einsum("ij,gij->g", neighbours, correlation),
            float(n - 2),
            float(np.trace(neighbours)),
            maker,
            neighbours,
        )

    def at(self, phi: float, tau2: float, error2: float) -> tuple[float, float, float, float]:
        """Return expected squares, expected ratio, its slope in phi, and its variance."""
        squares = tau2 * self.squares + error2 * self.noise
        ratios = (tau2 * self.products + error2 * self.noise_products) / np.maximum(squares, 1e-12)
        expected = max(float(np.interp(phi, GRID, squares)), 1e-12)
        ratio = float(np.interp(phi, GRID, ratios))
        slope = float(np.interp(phi, GRID, np.gradient(ratios, GRID)))
        n = len(self.maker)
        form = (self.neighbours - ratio * self.maker) @ (
            tau2 * _carried(phi, n) + error2 * np.eye(n)
        )
        variance = 2 * float(np.trace(form @ form)) / expected**2
        return expected, ratio, max(slope, 0.05), max(variance, 1e-6)


def _lags(n: int) -> np.ndarray:
    return np.asarray(np.abs(np.subtract.outer(np.arange(n), np.arange(n))))


def _carried(phi: float, n: int) -> np.ndarray:
    """Return the correlations of a first-order autoregression over n sessions."""
    return np.asarray(np.sign(phi) ** _lags(n) * np.abs(phi) ** _lags(n))


def _pooled(
    moments: dict[int, _Moments], n: np.ndarray, squares: float, products: float, error2: float
) -> tuple[float, float]:
    """Return autocorrelation and variance of the true deviations that fit the pooled sums."""
    counts, clients = np.unique(n, return_counts=True)
    weighted = list(zip(counts.tolist(), clients.tolist(), strict=True))
    per_variance = sum(c * moments[k].squares for k, c in weighted)
    noise = error2 * sum(c * moments[k].noise for k, c in weighted)
    tau2 = np.maximum(squares - noise, 0.0) / np.maximum(per_variance, 1e-12)
    fitted = tau2 * sum(c * moments[k].products for k, c in weighted)
    fitted = fitted + error2 * sum(c * moments[k].noise_products for k, c in weighted)
    order = np.argsort(fitted, kind="stable")
    phi = float(np.interp(products, fitted[order], GRID[order]))
    return phi, float(np.interp(phi, GRID, tau2))


def _slope_correction(
    line: np.ndarray, seen: np.ndarray, n: np.ndarray, phi: float, tau2: float, error2: float
) -> np.ndarray:
    """Return what to add to the own lines so that their slopes vary no more than true ones do.

    A slope fitted to a short course is mostly chance; drawn courses would have that chance twice.
    Each slope is drawn towards the mean slope by its sampling variance, as in empirical Bayes.
    """
    session = np.arange(1.0, line.shape[1] + 1)
    centred = session - ((seen * session).sum(axis=1) / np.maximum(n, 1))[:, None]
    slope = line[:, 1] - line[:, 0] if line.shape[1] > 1 else np.zeros(len(n))
    variance = {}
    for count in np.unique(n):
        time = np.arange(count) - (count - 1) / 2
        weights = time / (time**2).sum()
        spread = tau2 * _carried(phi, count) + error2 * np.eye(count)
        variance[count] = float(weights @ spread @ weights)
    sampling = np.array([variance[count] for count in n])
    mean = float(np.average(slope, weights=1 / sampling))
    between = max(float(np.average((slope - mean) ** 2 - sampling, weights=1 / sampling)), 0.0)
    excess = sampling / (between + sampling) * (slope - mean)
    return np.asarray(-excess[:, None] * centred)


def _products(residual: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each client's sum of products of neighbours, as if none were missing, and pairs."""
    pair = residual[:, :-1] * residual[:, 1:]
    pairs = (~np.isnan(pair)).sum(axis=1)
    n = (~np.isnan(residual)).sum(axis=1)
    return np.nansum(pair, axis=1) * (n - 1) / np.maximum(pairs, 1), pairs


def _own_autocorrelation(
    products: np.ndarray,
    squares: np.ndarray,
    pairs: np.ndarray,
    n: np.ndarray,
    expected: np.ndarray,
    phi: float,
) -> np.ndarray:
    """Return each client's autocorrelation, drawn towards the pooled one, shape (n,)."""
    _, ratio, slope, sampling = expected.T
    usable = (pairs >= 3) & (squares > 0)
    if not usable.any():
        return np.full(len(n), phi)
    off = np.where(usable, products / np.where(squares > 0, squares, 1.0) - ratio, 0.0)
    between = max(float(np.average(off**2 - sampling, weights=usable / sampling)), 0.0)
    own = phi + between / (between + sampling) * off / slope
    return np.asarray(np.clip(np.where(usable, own, phi), -HIGHEST, HIGHEST))


def draw(model: NullModel, rng: np.random.Generator) -> np.ndarray:
    """Draw one course for every client, missing where the real one is."""
    n, n_sessions = model.line.shape
    shocks = rng.standard_normal((n, n_sessions))
    deviation = np.empty((n, n_sessions))
    deviation[:, 0] = shocks[:, 0]
    fresh = np.sqrt(1 - model.autocorrelation**2)
    for t in range(1, n_sessions):
        deviation[:, t] = model.autocorrelation * deviation[:, t - 1] + fresh * shocks[:, t]
    error = rng.standard_normal((n, n_sessions)) * model.error_sd[:, None]
    drawn = model.line + model.true_sd[:, None] * deviation + error
    if model.whole:
        drawn = np.rint(drawn)
    # ASSUME people answer within the range that was seen: ceilings make drops rarer.
    drawn = np.clip(drawn, model.lowest, model.highest)
    return np.where(model.seen, drawn, np.nan)


@dataclass(frozen=True, slots=True)
class FalseAlarms:
    """What rules find in courses without rupture.

    Attributes
    ----------
    clients, ruptures
        Rule to the clients flagged and the ruptures found in each replicate, shape (replicates,).
    profiles
        Rule to the profile of all ruptures found.
    """

    clients: dict[str, np.ndarray]
    ruptures: dict[str, np.ndarray]
    profiles: dict[str, Profile]


def false_alarms(
    model: NullModel,
    rules: Sequence[Rule],
    scale: Scale,
    replicates: int,
    rng: np.random.Generator,
) -> FalseAlarms:
    """Draw cohorts without rupture and show each to all rules."""
    found = FalseAlarms(
        {rule.name: np.zeros(replicates, dtype=int) for rule in rules},
        {rule.name: np.zeros(replicates, dtype=int) for rule in rules},
        {},
    )
    for k in range(replicates):
        drawn = draw(model, rng)
        for rule in rules:
            ruptures = detect(drawn, rule, scale)
            found.clients[rule.name][k] = len(np.unique(ruptures.row))
            found.ruptures[rule.name][k] = len(ruptures.row)
            profile = profile_of(drawn, ruptures)
            so_far = found.profiles.get(rule.name)
            found.profiles[rule.name] = profile if so_far is None else so_far + profile
    return found
