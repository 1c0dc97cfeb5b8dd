"""The same model without some of its clients, from its own optimum.

What the engine needs of the data is a sum over clients (`alliance.mixed.problem`), so clients are
taken out by subtraction, without another pass over the rows. All variances are estimated again;
the design stays as it was learnt (knots of splines, centres), so that terms mean the same.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.linalg.lapack import dpotrf

from alliance.errors import FitError
from alliance.mixed.compress import compress
from alliance.mixed.criterion import Criterion
from alliance.mixed.dependence import COLLINEAR
from alliance.mixed.design import build_columns
from alliance.mixed.fit import as_fit
from alliance.mixed.optimise import EXACT, minimise
from alliance.mixed.prepare import Prepared
from alliance.mixed.problem import Problem
from alliance.mixed.result import MixedFit

CLOSE = 1e-9
"""Stop where another step would gain less in -2 log L: its root bounds the distance of the variance
parameters from their optimum in standard errors, and fixed effects are less sensitive still."""


class LeavingOut:
    """Refits a model without clients.

    Parameters
    ----------
    fit : MixedFit

    Attributes
    ----------
    clients : numpy.ndarray
        Their ids, in the order of the masks.
    """

    def __init__(self, fit: MixedFit) -> None:
        self.fit = fit
        self.clients = fit.prepared.nesting.labels[-1].to_numpy()
        self._size = np.diag(self._gram(fit.criterion.problem))

    def __call__(self, out: np.ndarray) -> MixedFit:
        """Fit without some clients, their variances estimated again.

        Parameters
        ----------
        out : array of bool (clients,)
            Which of `clients` to leave out.

        Returns
        -------
        MixedFit
            With its own estimates, covariances and convergence. Fixed terms that the other clients
            cannot tell apart (the dummy of a site that is left out) are dropped from the end, as
            lme4 does. `rows`, `n_groups` and the likelihood are still those of the whole fit.

        Raises
        ------
        FitError
            A level with one group left, or no maximum.
        """
        prepared, criterion = self._reduced(out)
        tolerance = CLOSE / max(criterion.degrees, 1)
        best = minimise(criterion, self.fit.optimum.theta, tolerance=tolerance)
        if best is None or not best.converged or best.expansion.profile.sigma2 < EXACT:
            raise FitError("Without these clients the likelihood has no maximum.")
        return as_fit(prepared, criterion, best, 0.0)

    def _reduced(self, out: np.ndarray) -> tuple[Prepared, Criterion]:
        """Give the design and the criterion of the other clients."""
        prepared = self.fit.prepared
        problem = self._without(out)
        self._check_groups(problem)
        columns = self._independent(self._gram(problem))
        if len(columns) < len(self._size):
            prepared = _with_fixed(prepared, columns)
            problem = compress(prepared, np.flatnonzero(~out))
        return prepared, Criterion(problem, prepared.columns.fixed_index, self.fit.criterion.reml)

    def _without(self, out: np.ndarray) -> Problem:
        """Subtract the clients' cross-products."""
        whole, nesting = self.fit.criterion.problem, self.fit.prepared.nesting
        if out.all():
            raise FitError("Without these clients nobody is left.")
        part = compress(self.fit.prepared, np.flatnonzero(out))
        counts = np.diff(whole.entry_pointer)
        entries = np.repeat(~out, counts)
        rows = np.flatnonzero(np.repeat(~out, np.diff(nesting.starts[-1])))
        parents, kept = list(whole.parents), np.flatnonzero(~out)
        for depth in reversed(range(1, len(parents))):
            kept, parents[depth] = np.unique(parents[depth][kept], return_inverse=True)
        return Problem(
            whole.layout,
            whole.residual.restricted(rows),
            whole.n_rows - part.n_rows,
            whole.n_random,
            whole.level_columns,
            whole.totals - part.totals,
            np.concatenate(([0], np.cumsum(counts[~out]))),
            whole.entry_class[entries],
            whole.cross[entries],
            parents,
            len(kept),
        )

    def _check_groups(self, problem: Problem) -> None:
        """Refuse where a level has one group left: its variance cannot be estimated."""
        levels = self.fit.prepared.specification.levels
        counts = [problem.n_outermost, *(len(parents) for parents in problem.parents[1:])]
        for level, count in zip(levels, counts, strict=True):
            if count < 2:
                raise FitError(f"Without these clients there is only one {level}.")

    def _gram(self, problem: Problem) -> np.ndarray:
        """X'X with equal, independent residuals, shape (p, p)."""
        x = self.fit.criterion.fixed
        weights = problem.residual.weights(problem.residual.start()).value
        return np.asarray(np.tensordot(weights, problem.totals, axes=1)[np.ix_(x, x)])

    def _independent(self, gram: np.ndarray) -> list[int]:
        """Columns that no earlier ones make up, ascending."""
        size = np.diag(gram)
        if (size > COLLINEAR * self._size).all():
            scaled = gram / np.sqrt(np.outer(size, size))
            # A pivot is the share that a column's forerunners leave of it.
            chol, failed = dpotrf(scaled, lower=1)
            if not failed and (np.diag(chol) ** 2 > COLLINEAR).all():
                return list(range(len(size)))
        kept: list[int] = []
        for column in np.flatnonzero(size > COLLINEAR * self._size):
            own = gram[kept, column]
            left = size[column] - own @ np.linalg.solve(gram[np.ix_(kept, kept)], own)
            if left > COLLINEAR * size[column]:
                kept.append(int(column))
        return kept


def _with_fixed(prepared: Prepared, columns: list[int]) -> Prepared:
    """Keep some of the fixed terms."""
    terms = list(prepared.fixed.items())
    fixed = dict(terms[column] for column in columns)
    levels = [list(products) for products in prepared.random]
    return replace(
        prepared, fixed=fixed, columns=build_columns(list(fixed), levels, prepared.factor_values)
    )
