"""Variance components of a person x occasion table with gaps: REML for two crossed random effects.

    y_pt = m + u_p + v_t + e_pt

Persons are many and occasions few, so persons are eliminated in closed form and what is left is a
matrix of the size of the occasions (Searle, Casella & McCulloch 1992, ch. 6). The engine
`alliance.mixed` is for nested levels; persons and occasions cross. Several columns with one set of
components, each with a mean of its own, are fitted together: contrasts of items are such columns.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize

STARTS = (0.7, 0.1)  # standard deviations over the residual one
SMALLEST_SHARE = 1e-7
"""A component below this share of the residual variance is reported as zero."""
LARGEST_RATIO = 1e4  # of a standard deviation to the residual one


@dataclass(frozen=True, slots=True)
class TwoWay:
    """Variance components.

    Attributes
    ----------
    person, occasion, residual
        Variances; `occasion` is 0 where it was not asked for.
    means
        Generalised least squares mean of each column, shape (q,).
    mean_variance
        Sampling variance of each mean.
    """

    person: float
    occasion: float
    residual: float
    means: np.ndarray
    mean_variance: float


def two_way(y: np.ndarray, person: np.ndarray, occasion: np.ndarray | None = None) -> TwoWay | None:
    """Estimate the components; None where the data cannot tell them apart.

    Parameters
    ----------
    y
        Shape (n, q): one row per cell of the table, one column per variable.
    person, occasion
        Codes from 0 without gaps, shape (n,). Without `occasion` rows are nested in persons.
    """
    n_persons = int(person.max()) + 1 if len(person) else 0
    n_occasions = 1 if occasion is None else int(occasion.max()) + 1
    if n_persons < 2 or len(y) <= n_persons or (occasion is not None and n_occasions < 2):
        return None
    if occasion is not None and len(y) <= n_persons + n_occasions - 1:
        return None
    table = _Table.of(y, person, np.zeros(len(y), int) if occasion is None else occasion)
    if not table.total_square > 0:
        return None
    if occasion is None:
        return _nested(table)
    best = None
    for start in STARTS:
        found = optimize.minimize(
            lambda sd: table.criterion(sd[0] ** 2, sd[1] ** 2),
            np.array([start, start]),
            method="L-BFGS-B",
            bounds=[(0.0, LARGEST_RATIO)] * 2,
            options={"ftol": 1e-14, "gtol": 1e-9},
        )
        if best is None or found.fun < best.fun:
            best = found
    assert best is not None
    return table.at(*(_tidy(sd**2) for sd in best.x))


def _nested(table: _Table) -> TwoWay:
    found = optimize.minimize_scalar(
        lambda log_sd: table.criterion(np.exp(2 * log_sd), 0.0),
        bounds=(np.log(1e-4), np.log(LARGEST_RATIO)),
        method="bounded",
        options={"xatol": 1e-9},
    )
    ratio = float(np.exp(2 * found.x))
    # The search is over logarithms: the boundary itself has to be asked.
    if table.criterion(0.0, 0.0) <= found.fun:
        ratio = 0.0
    return table.at(_tidy(ratio), 0.0)


def _tidy(ratio: float) -> float:
    return 0.0 if ratio < SMALLEST_SHARE else float(ratio)


@dataclass(frozen=True, slots=True)
class _Table:
    """What the criterion needs, persons with as many rows taken together (G kinds of persons).

    Attributes
    ----------
    size, persons
        Rows of a person, and how many such persons there are; shape (G,).
    crossed
        Sum over persons of N'N, N the person's row of the incidence; shape (G, k, k).
    mixed
        Sum over persons of N's, s the person's sums; shape (G, k, q).
    square
        Sum over persons of s's; shape (G,).
    occasion_rows, occasion_sums
        Rows, and sums of y, by occasion; shapes (k,), (k, q).
    total_square
        Sum of all squares.
    """

    size: np.ndarray
    persons: np.ndarray
    crossed: np.ndarray
    mixed: np.ndarray
    square: np.ndarray
    occasion_rows: np.ndarray
    occasion_sums: np.ndarray
    total_square: float
    centre: np.ndarray

    @classmethod
    def of(cls, y: np.ndarray, person: np.ndarray, occasion: np.ndarray) -> _Table:
        centre = y.mean(axis=0)  # squares of large numbers lose digits
        y = y - centre
        n_persons, k, q = int(person.max()) + 1, int(occasion.max()) + 1, y.shape[1]
        incidence = np.zeros((n_persons, k))
        np.add.at(incidence, (person, occasion), 1.0)
        sums = np.zeros((n_persons, q))
        np.add.at(sums, person, y)
        occasion_sums = np.zeros((k, q))
        np.add.at(occasion_sums, occasion, y)
        rows = incidence.sum(axis=1)
        size = np.unique(rows)
        kinds = [rows == m for m in size]
        return cls(
            size=size,
            persons=np.array([kind.sum() for kind in kinds], float),
            crossed=np.array([incidence[kind].T @ incidence[kind] for kind in kinds]),
            mixed=np.array([incidence[kind].T @ sums[kind] for kind in kinds]),
            square=np.array([(sums[kind] ** 2).sum() for kind in kinds]),
            occasion_rows=incidence.sum(axis=0),
            occasion_sums=occasion_sums,
            total_square=float((y**2).sum()),
            centre=centre,
        )

    def _pieces(self, a: float, b: float) -> tuple[float, float, float, np.ndarray]:
        """Return log|V| of one column, 1'V^-1 1, the REML quadratic form and the means.

        V = I + a Z_p Z_p' + b Z_t Z_t'; a and b are ratios to the residual variance.
        """
        d = a / (1.0 + a * self.size)
        within = np.diag(self.occasion_rows) - np.tensordot(d, self.crossed, 1)  # Z_t'V1^-1 Z_t
        sums = self.occasion_sums - np.tensordot(d, self.mixed, 1)  # Z_t'V1^-1 y
        square = self.total_square - float(d @ self.square)  # y'V1^-1 y
        k = len(within)
        inner = np.eye(k) + b * within
        weights = b * np.linalg.solve(inner, np.eye(k))  # of the occasions' elimination
        ones = within.sum(axis=0)  # Z_t'V1^-1 1
        one_one = float(ones.sum() - ones @ weights @ ones)
        one_y = sums.sum(axis=0) - ones @ weights @ sums
        square -= float((sums * (weights @ sums)).sum())
        log_det = float(self.persons @ np.log1p(a * self.size) + np.linalg.slogdet(inner)[1])
        return log_det, one_one, square - float(one_y @ one_y) / one_one, one_y / one_one

    @property
    def _shape(self) -> tuple[int, int]:
        return int(self.size @ self.persons), self.occasion_sums.shape[1]

    def criterion(self, a: float, b: float) -> float:
        """Return -2 log REML likelihood, the residual variance profiled out, up to a constant."""
        n, q = self._shape
        log_det, one_one, square, _ = self._pieces(a, b)
        degrees = q * (n - 1)
        square = max(square, 1e-12 * self.total_square)
        return q * (log_det + float(np.log(one_one))) + degrees * float(np.log(square / degrees))

    def at(self, a: float, b: float) -> TwoWay:
        """Return the components at these ratios."""
        n, q = self._shape
        _, one_one, square, means = self._pieces(a, b)
        residual = square / (q * (n - 1))
        return TwoWay(a * residual, b * residual, residual, means + self.centre, residual / one_one)
