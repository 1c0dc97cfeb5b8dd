"""What a fit gives back: estimates, standard errors, fit, convergence, and score tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy import stats

from alliance.errors import FitError
from alliance.sem.comparison import Top
from alliance.sem.description import Covariance, Mean, Model, Path
from alliance.sem.indices import FitIndices, p_of
from alliance.sem.likelihood import EXPECTED, Likelihood, Moments, Objective
from alliance.sem.structure import Implied, Structure, structures


@dataclass(frozen=True, slots=True)
class Convergence:
    """How a fit ended.

    Attributes
    ----------
    converged : bool
        Negligible distance to the optimum, no negative curvature, nothing flat.
    objective : float
        -2 log-likelihood.
    gradient_norm : float
        Largest absolute gradient of -log L per standard error of its parameter.
    decrement : float
        Newton's predicted gain (squared distance in standard errors).
    hessian_eigenvalues : tuple of float
        Of the observed information scaled to unit diagonal, ascending.
    iterations, evaluations : int
    heywood : tuple of str
        Estimates that no population can have: negative variances, correlations beyond 1.
    not_identified : tuple of str
        Parameters that these data leave undetermined at the solution.
    optimiser : str
    """

    converged: bool
    objective: float
    gradient_norm: float
    decrement: float
    hessian_eigenvalues: tuple[float, ...]
    iterations: int
    evaluations: int
    heywood: tuple[str, ...]
    not_identified: tuple[str, ...]
    optimiser: str = "Fisher scoring, then Newton with exact Hessian"


@dataclass(frozen=True, slots=True)
class ScoreTest:
    """A score (Lagrange multiplier) test of freeing something: a modification index.

    Attributes
    ----------
    chi2, df, p : float, int, float
    change : dict
        Expected change of each parameter of the freer model (one scoring step).
    """

    chi2: float
    df: int
    p: float
    change: dict[str, float]


@dataclass(frozen=True, slots=True)
class SemFit:
    """A fitted structural model.

    Attributes
    ----------
    models : dict
        Group (or group and level) to its model.
    names : tuple of str
        Free parameters.
    theta : numpy.ndarray, shape (n_theta,)
        Their estimates.
    covariance : numpy.ndarray, shape (n_theta, n_theta)
        Inverse observed information; NaN where the model is not identified.
    covariance_expected : numpy.ndarray
        Inverse expected information.
    covariance_robust : numpy.ndarray or None
        Huber-White sandwich (over clusters where the sample has them); None without rows.
    indices : FitIndices or None
        None if not asked for, or if `warnings` say that it cannot be had.
    convergence : Convergence
    n : int
    n_groups : int
    warnings : tuple of str
        What could not be done.
    implied : tuple of (means, covariance)
        Per block.
    structures, likelihood, top
        What was fitted and its saturated model, for tests that build on it.
    """

    models: dict[str, Model]
    names: tuple[str, ...]
    theta: np.ndarray
    covariance: np.ndarray
    covariance_expected: np.ndarray
    covariance_robust: np.ndarray | None
    indices: FitIndices | None
    convergence: Convergence
    warnings: tuple[str, ...]
    n: int
    n_groups: int
    implied: tuple[Moments, ...]
    structures: tuple[Structure, ...] = field(repr=False)
    likelihood: Likelihood = field(repr=False)
    top: Top | None = field(repr=False)

    def covariance_of(self, se: str) -> np.ndarray:
        """Return the covariance of the estimates: 'robust', 'observed' or 'expected'."""
        if se == "observed":
            return self.covariance
        if se == "expected":
            return self.covariance_expected
        if se != "robust":
            raise ValueError(f"se is 'robust', 'observed' or 'expected', not '{se}'")
        if self.covariance_robust is None:
            raise FitError(
                "Robust standard errors need the rows of the data; only moments were given."
            )
        return self.covariance_robust

    def value(self, name: str) -> float:
        """Return the estimate of a parameter by its name or label."""
        return float(self.theta[self.names.index(name)])

    def estimates(self, se: str = "observed", level: float = 0.95) -> pd.DataFrame:
        """Return all entries of all groups.

        Columns: group, parameter (name or label; empty if fixed), entry, kind (`path`,
        `covariance`, `mean`), left, right, estimate, se, z, p, ci_low, ci_high, standardised.
        """
        error = np.sqrt(np.maximum(np.diag(self.covariance_of(se)), 0.0))
        rows = [row for st in self.structures for row in _rows(st, self.theta, error, self.names)]
        table = pd.DataFrame(rows)
        with np.errstate(invalid="ignore", divide="ignore"):
            table["z"] = table["estimate"] / table["se"]
        table["p"] = 2.0 * stats.norm.sf(table["z"].abs())
        width = stats.norm.ppf(0.5 + level / 2.0) * table["se"]
        table["ci_low"], table["ci_high"] = table["estimate"] - width, table["estimate"] + width
        order = [*COLUMNS[:-1], "z", "p", "ci_low", "ci_high", "standardised"]
        return table[order]

    def defined(
        self, function: Callable[[Mapping[str, complex]], complex], se: str = "observed"
    ) -> tuple[float, float]:
        """Return a function of the parameters and its standard error by the delta method.

        Parameters
        ----------
        function
            Takes a mapping from parameter name to value. Made of sums, products and powers: its
            derivatives are taken by complex steps, which leave no rounding error.
        se
            'robust', 'observed' or 'expected'.
        """
        value = float(np.real(function(dict(zip(self.names, self.theta, strict=True)))))
        slope = np.empty(len(self.theta))
        for k in range(len(self.theta)):
            moved = self.theta.astype(complex)
            moved[k] += 1e-30j
            slope[k] = np.imag(function(dict(zip(self.names, moved, strict=True)))) / 1e-30
        return value, float(np.sqrt(max(slope @ self.covariance_of(se) @ slope, 0.0)))

    def score_test(self, freer: Mapping[str, Model]) -> ScoreTest:
        """Test this model against a freer one without fitting that (expected information).

        Parameters
        ----------
        freer
            The same blocks with equalities released or fixed values freed. Everything that it
            frees begins where this model has it.
        """
        names, blocks = structures(list(freer.items()))
        theta = np.full(len(names), np.nan)
        for own, wide in zip(self.structures, blocks, strict=True):
            a, s, m = own.matrices(self.theta)
            for kind, i, j, index in zip(wide.kind, wide.row, wide.column, wide.theta, strict=True):
                theta[index] = (a[i, j], s[i, j], m[i])[kind]
        at = Objective(blocks, self.likelihood).expand(theta, EXPECTED)
        if at is None:
            raise FitError("The score test is not defined: the fitted covariance is singular.")
        step = -np.linalg.lstsq(at.hessian, at.gradient, rcond=1e-12)[0]
        chi2, df = float(-at.gradient @ step), len(names) - len(self.names)
        return ScoreTest(
            chi2, df, p_of(chi2, df), dict(zip(names.names, step.tolist(), strict=True))
        )


def _rows(
    structure: Structure, theta: np.ndarray, error: np.ndarray, names: Sequence[str]
) -> list[dict[str, object]]:
    implied = structure.implied(theta)
    a, s, m = structure.matrices(theta)
    place = {name: i for i, name in enumerate(structure.model.variables)}
    parameter = dict(zip(structure.free, structure.theta, strict=True))
    rows = []
    for entry in structure.model.entries:
        if isinstance(entry, Path):
            i, j = place[entry.target], place[entry.source]
            kind, left, right, value = "path", entry.source, entry.target, a[i, j]
        elif isinstance(entry, Covariance):
            i, j = place[entry.first], place[entry.second]
            kind, left, right, value = "covariance", entry.first, entry.second, s[i, j]
        else:
            i = j = place[entry.variable]
            kind, left, right, value = "mean", entry.variable, "", m[i]
        index = parameter.get(entry)
        rows.append(
            {
                "group": structure.group,
                "parameter": "" if index is None else names[index],
                "entry": entry.name,
                "kind": kind,
                "left": left,
                "right": right,
                "estimate": float(value),
                "se": float("nan") if index is None else float(error[index]),
                "standardised": _standardised(entry, implied, s, i, j, float(value)),
            }
        )
    return [dict(sorted(row.items(), key=_column)) for row in rows]


COLUMNS = ("group", "parameter", "entry", "kind", "left", "right", "estimate", "se", "standardised")


def _column(item: tuple[str, object]) -> int:
    return COLUMNS.index(item[0])


def _standardised(
    entry: Path | Covariance | Mean, implied: Implied, s: np.ndarray, i: int, j: int, value: float
) -> float:
    """Return the estimate for variables of variance 1; residual covariances as correlations."""
    variance = np.diag(implied.c)
    if isinstance(entry, Path):
        square = variance[j] / variance[i] if variance[i] > 0 else np.nan
        return value * float(np.sqrt(square)) if square >= 0 else float("nan")
    if isinstance(entry, Mean):
        return value / float(np.sqrt(variance[i])) if variance[i] > 0 else float("nan")
    if i == j:
        return value / float(variance[i]) if variance[i] > 0 else float("nan")
    product = s[i, i] * s[j, j]
    return value / float(np.sqrt(product)) if product > 0 else float("nan")


def heywood_cases(structures: Sequence[Structure], theta: np.ndarray) -> tuple[str, ...]:
    """Name negative variances, and covariance matrices of factors that no population can have."""
    found = []
    for structure in structures:
        _, s, _ = structure.matrices(theta)
        variables = structure.model.variables
        suffix = f" [{structure.group}]" if len(structures) > 1 else ""
        negative = [i for i in range(structure.v) if s[i, i] < -1e-12]
        found += [f"variance of {variables[i]}{suffix} is negative" for i in negative]
        for i in range(structure.v):
            for j in range(i):
                product = s[i, i] * s[j, j]
                if s[i, i] > 0 and s[j, j] > 0 and s[i, j] ** 2 > product * (1 + 1e-9):
                    found.append(
                        f"correlation of {variables[j]} and {variables[i]}{suffix} is beyond 1"
                    )
    return tuple(found)
