"""Scores that are missing, drawn given those that there are, from a fitted mixed model.

Parameters are drawn first: the model fitted again to outcomes drawn from it (parametric bootstrap),
which never leaves the parameter space. Then, for the clients of one group of the outermost level
together, y_m ~ N(mu_m + V_mo V_oo^-1 (y_o - mu_o), V_mm - V_mo V_oo^-1 V_om): what the scores of a
client and of the same therapist's other clients tell of them is in V. A shift of mu_m alone shifts
the draw by the same, so that every assumption about leavers is the same draw, shifted.

Little & Rubin (2019), ch. 10; Carpenter & Kenward (2013), ch. 9.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
import pandas as pd

from alliance.errors import FitError
from alliance.mixed import MixedFit
from alliance.mixed.inference.bootstrap import refits

LARGEST_BLOCK = 5000
"""Rows of the clients of one therapist (or site): their covariance matrix is dense."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """Of a mixed model: coefficients, covariances by level, residual variance, autocorrelation."""

    coefficients: np.ndarray
    levels: tuple[np.ndarray, ...]
    sigma2: float
    phi: float | None


def parameters_of(fit: MixedFit) -> Parameters:
    """Return the parameters of a fit."""
    at = fit.estimate
    return Parameters(at.coefficients, at.level_covariances, at.sigma2, fit.residual.phi)


def drawn_parameters(fit: MixedFit, n: int, seed: int) -> list[Parameters]:
    """Return `n` draws of the parameters.

    Raises
    ------
    FitError
        More than half of the fits to drawn outcomes do not converge.
    """
    # ASSUME the spread of the estimates over outcomes drawn from the fit stands for how uncertain
    # the parameters are.
    found = (parameters_of(one) for one in refits(fit, 2 * n, seed) if one is not None)
    draws = list(islice(found, n))
    if len(draws) < n:
        msg = "The model cannot be fitted again to outcomes drawn from it: nothing is imputed."
        raise FitError(msg)
    return draws


class Imputer:
    """Draws the missing scores of completed courses.

    Parameters
    ----------
    fit
        The mixed model.
    rows
        Seen and missing, sorted by ids (draws then do not depend on the order of the data).
    outcome
        Column of the scores, missing where they are to be drawn.

    Attributes
    ----------
    x
        Design of the fixed part at every row, shape (n, p).
    """

    def __init__(self, fit: MixedFit, rows: pd.DataFrame, outcome: str) -> None:
        prepared = fit.prepared
        self.x = prepared.user_matrix(prepared.fixed, rows)
        self.z = [prepared.user_matrix(products, rows) for products in prepared.random]
        levels = prepared.specification.levels
        self.codes = [pd.factorize(rows[level])[0] for level in levels]
        time = prepared.specification.residual_time
        self.time = None if time is None else rows[time].to_numpy(float)
        self.y = rows[outcome].to_numpy(float)
        self.missing = np.isnan(self.y)
        self.blocks = list(self._blocks())

    def _blocks(self) -> Iterator[np.ndarray]:
        """Yield the rows of each group of the outermost level in which a score is missing."""
        outer = self.codes[0]
        for code in np.unique(outer[self.missing]):
            rows = np.flatnonzero(outer == code)
            if len(rows) > LARGEST_BLOCK:
                msg = f"A group of the outermost level has more than {LARGEST_BLOCK} sessions."
                raise FitError(msg)
            yield rows

    def covariance(self, at: Parameters, rows: np.ndarray) -> np.ndarray:
        """Return the covariance matrix of the scores of some rows."""
        found = np.zeros((len(rows), len(rows)))
        for z, codes, sigma in zip(self.z, self.codes, at.levels, strict=True):
            same = codes[rows][:, None] == codes[rows][None, :]
            found += same * (z[rows] @ sigma @ z[rows].T)
        if at.phi is None or self.time is None:
            found[np.diag_indices_from(found)] += at.sigma2
            return found
        client = self.codes[-1][rows]
        lag = np.abs(self.time[rows][:, None] - self.time[rows][None, :])
        same = client[:, None] == client[None, :]
        return np.asarray(found + same * at.sigma2 * np.float_power(at.phi, np.where(same, lag, 0)))

    def conditional(self, at: Parameters, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and covariance of the missing scores of a block given those seen."""
        gone = self.missing[rows]
        seen = ~gone
        v, mean = self.covariance(at, rows), self.x[rows] @ at.coefficients
        weights = np.linalg.solve(v[np.ix_(seen, seen)], v[np.ix_(seen, gone)])
        centre = mean[gone] + weights.T @ (self.y[rows][seen] - mean[seen])
        return centre, v[np.ix_(gone, gone)] - weights.T @ v[np.ix_(seen, gone)]

    def draw(self, at: Parameters, rng: np.random.Generator) -> np.ndarray:
        """Return the scores with those that are missing drawn, shape (n,)."""
        y = self.y.copy()
        for rows in self.blocks:
            centre, spread = self.conditional(at, rows)
            values, vectors = np.linalg.eigh(0.5 * (spread + spread.T))
            root = vectors * np.sqrt(np.maximum(values, 0.0))
            y[rows[self.missing[rows]]] = centre + root @ rng.standard_normal(len(centre))
        return y
