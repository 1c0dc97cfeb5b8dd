"""A fitted mixed model of a binary outcome."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd

from alliance.errors import FitError
from alliance.mixed.convergence import Convergence
from alliance.mixed.logit.checks import check_data
from alliance.mixed.logit.laplace import Expansion
from alliance.mixed.logit.links import Link
from alliance.mixed.logit.prepare import PreparedBinary, binary_outcome
from alliance.mixed.logit.separation import check_separation
from alliance.mixed.rows import Rows
from alliance.mixed.tables import CONFIDENCE, coefficient_table

SMALLEST_EIGENVALUE = 1e-10
"""Relative to the largest, of the scaled Hessian: below it there are no standard errors."""


@dataclass(eq=False)
class LogitFit:
    """A fitted mixed model of a binary outcome; made by `alliance.mixed.fit_mixed_logit`.

    Attributes
    ----------
    prepared : PreparedBinary
        Rows, groups and columns.
    outcome : numpy.ndarray
        0 or 1 per used row, in the order given.
    link : {"logit", "cloglog"}
    quadrature : int
        Number of quadrature points, 1 for Laplace.
    expansion : Expansion
        The criterion at the optimum, on the internal scale.
    convergence : Convergence
    estimate : callable
        Fits another outcome on the same design; handed in by `alliance.mixed.logit.fit`.
    """

    prepared: PreparedBinary = field(repr=False)
    outcome: np.ndarray = field(repr=False)
    link: Link
    quadrature: int
    expansion: Expansion = field(repr=False)
    convergence: Convergence
    estimate: Callable[[PreparedBinary, np.ndarray, Link, int], LogitFit] = field(repr=False)

    def __post_init__(self) -> None:
        # a fit without standard errors is refused here, not when they are first read
        _ = self.joint_covariance

    # ------------------------------------------------------------------ the fixed part

    @cached_property
    def estimates(self) -> np.ndarray:
        """Fixed effects on the user's scale, shape (p,)."""
        transform = self.prepared.columns.fixed_transform
        return np.linalg.solve(transform, self.expansion.mode.b)

    @cached_property
    def standard_deviations(self) -> np.ndarray:
        """Standard deviation of the random intercepts per level, outermost first."""
        return np.asarray(np.abs(self.expansion.mode.sd[: len(self.prepared.levels)]))

    @cached_property
    def joint_covariance(self) -> np.ndarray:
        """Covariance of the fixed effects and standard deviations, shape (p + levels,) twice.

        Inverse of the Hessian of -log L in both together, so that the standard errors of the fixed
        effects allow for the uncertainty of the variances. Rows of a standard deviation of zero are
        zero: at the boundary it has no standard error, and does not touch the others.
        """
        p, levels = len(self.prepared.fixed), len(self.prepared.levels)
        inner = np.ones(p + levels, dtype=bool)
        inner[p:] = self.standard_deviations > 0
        hessian = self.expansion.hessian[: p + levels, : p + levels][np.ix_(inner, inner)]
        size = np.sqrt(np.maximum(np.diag(hessian), 0.0))
        scaled = hessian / np.outer(size, size) if (size > 0).all() else np.zeros_like(hessian)
        values, vectors = np.linalg.eigh(scaled)
        if not values[0] > SMALLEST_EIGENVALUE * max(float(values[-1]), 1e-300):
            raise FitError(_flat(self.prepared, inner, vectors[:, 0]))
        inverse = (vectors / values) @ vectors.T / np.outer(size, size)
        covariance = np.zeros((p + levels, p + levels))
        covariance[np.ix_(inner, inner)] = inverse
        to_user = np.eye(p + levels)
        to_user[:p, :p] = np.linalg.inv(self.prepared.columns.fixed_transform)
        covariance = to_user @ covariance @ to_user.T
        return 0.5 * (covariance + covariance.T)

    @cached_property
    def covariance(self) -> pd.DataFrame:
        """Covariance of the fixed effects."""
        names = self.prepared.fixed_names
        p = len(names)
        return pd.DataFrame(self.joint_covariance[:p, :p], index=names, columns=names)

    @cached_property
    def coefficients(self) -> pd.DataFrame:
        """Fixed effects: term, estimate, se, df, statistic, p, ci_low, ci_high (95 %).

        On the scale of the link: log odds, or log hazard for the complementary log-log. The tests
        are Wald tests with the normal distribution (df is infinite).
        """
        se = np.sqrt(np.diag(self.covariance))
        return coefficient_table(
            self.prepared.fixed_names, self.estimates, se, np.full(len(se), np.inf)
        )

    # ------------------------------------------------------------------ the random part

    @cached_property
    def variance_components(self) -> pd.DataFrame:
        """level, name_1, name_2, variance_or_covariance, sd_or_correlation.

        A binary outcome has no residual variance to estimate, so there is no row for one.
        """
        sd = self.standard_deviations
        return pd.DataFrame(
            {
                "level": list(self.prepared.levels),
                "name_1": ["1"] * len(sd),
                "name_2": pd.Series([None] * len(sd), dtype=object),
                "variance_or_covariance": sd**2,
                "sd_or_correlation": sd,
            }
        )

    @cached_property
    def random_intercepts(self) -> list[np.ndarray]:
        """Conditional modes of the random intercepts per level, outermost first."""
        mode, tree = self.expansion.mode, self.prepared.tree
        return [
            mode.sd[depth] * mode.effects[tree.level(depth)]
            for depth in range(len(self.prepared.levels))
        ]

    def random_effects(self, level: str) -> pd.DataFrame:
        """Conditional modes of one level, with conditional standard deviations.

        Returns
        -------
        pandas.DataFrame
            One row per group: the ids of its parents and its own, the random intercept ``1`` and
            ``sd(1)``. The standard deviations are given the fixed effects and variances, from the
            curvature at the mode, as in lme4.
        """
        depth = self._depth(level)
        tree = self.prepared.tree
        table: dict[str, Any] = dict(self.prepared.nesting.id_columns(depth))
        table["1"] = self.random_intercepts[depth]
        variances = self.expansion.mode.elimination.effect_variances()[tree.level(depth)]
        table["sd(1)"] = np.sqrt(variances)
        return pd.DataFrame(table)

    def _depth(self, level: str) -> int:
        levels = self.prepared.levels
        if level not in levels:
            raise FitError(f"There is no level '{level}'; the levels are {', '.join(levels)}.")
        return levels.index(level)

    # ------------------------------------------------------------------ the fit as a whole

    @property
    def log_likelihood(self) -> float:
        """Log-likelihood at the optimum, as approximated."""
        return -self.expansion.value

    @property
    def n_parameters(self) -> int:
        """Fixed effects and standard deviations."""
        return len(self.prepared.fixed) + len(self.prepared.levels)

    @property
    def aic(self) -> float:
        """-2 log L + 2 n_parameters."""
        return -2.0 * self.log_likelihood + 2.0 * self.n_parameters

    def bic(self, by: str = "rows") -> float:
        """-2 log L + log(N) n_parameters with N the number of rows, or of groups of a level."""
        count = self.rows.used
        if by != "rows":
            count = self.n_groups[self.prepared.levels[self._depth(by)]]
        return float(-2.0 * self.log_likelihood + np.log(count) * self.n_parameters)

    @property
    def rows(self) -> Rows:
        """Rows used, and rows left out by reason."""
        return self.prepared.rows

    @property
    def n_groups(self) -> dict[str, int]:
        """Number of groups per level, outermost first."""
        counts = self.prepared.nesting.counts
        return {level: counts[level] for level in self.prepared.levels}

    @property
    def method(self) -> str:
        """How the integral over the random intercepts was approximated."""
        if not self.prepared.levels:
            return "ML"
        if self.quadrature == 1:
            return "ML, Laplace approximation"
        return f"ML, adaptive Gauss-Hermite quadrature with {self.quadrature} points"

    @cached_property
    def equation(self) -> str:
        """The model as plain text."""
        parts = [" + ".join(self.prepared.fixed_names)]
        parts += [f"(1 | {level})" for level in self.prepared.levels]
        outcome = self.prepared.specification.outcome
        return f"{self.link} P({outcome} = 1) ~ {' + '.join(parts)}; {self.method}"

    def to_dict(self) -> dict[str, Any]:
        """Give the fit as plain JSON types: no id, no row of the data."""
        from alliance.mixed.logit.export import to_dict

        return to_dict(self)

    # ------------------------------------------------------------------ prediction

    def predict(
        self,
        new_data: pd.DataFrame | None = None,
        levels: Literal["all", "none"] | Sequence[str] = "all",
        interval: Literal["confidence"] | None = None,
        confidence: float = CONFIDENCE,
        *,
        scale: Literal["probability", "link"] = "probability",
        population: bool = False,
    ) -> pd.Series | pd.DataFrame:
        """Predict probabilities of outcome 1.

        Parameters
        ----------
        new_data : pandas.DataFrame, optional
            Predictors (and ids); the rows of the fit by default.
        levels : "all", "none" or sequence of str
            Levels whose random intercepts are added. A group that the fit has not seen, or whose id
            is missing, gets 0: the prediction for an average group.
        interval : {"confidence"}, optional
            Give mean, se, ci_low and ci_high of the fixed part instead (no random effects; se on
            the scale asked for, limits carried over from the scale of the link).
        confidence : float
        scale : {"probability", "link"}
        population : bool
            Average the probability over the normal distribution of the random intercepts that are
            not added, instead of taking them as 0. In a non-linear model the average group and the
            average over groups are two things.

        Returns
        -------
        pandas.Series or pandas.DataFrame
            Indexed like `new_data` (or like the used rows); NaN where a predictor is missing.
        """
        from alliance.mixed.logit.prediction import predict

        return predict(self, new_data, levels, interval, confidence, scale, population)

    def fitted(self) -> np.ndarray:
        """Probabilities with all random intercepts for the used rows in their given order."""
        return np.asarray(self.predict())

    def average_marginal_effects(
        self, columns: Sequence[str] | None = None, *, population: bool = True
    ) -> pd.DataFrame:
        """Average effects of the columns on the probability itself.

        For a numeric column the mean over the used rows of the derivative of the probability; for
        categories, and for columns of 0 and 1, the mean difference to the reference category. All
        terms of a column move together (transforms, interactions).

        Parameters
        ----------
        columns : sequence of str, optional
            Columns of the data; all that stand in the fixed part by default.
        population : bool
            Average over the normal distribution of the random intercepts (default), or take an
            average group, with random intercepts of 0.

        Returns
        -------
        pandas.DataFrame
            column, change, estimate, se, statistic, p, ci_low, ci_high. Standard errors by the
            delta method, the uncertainty of the standard deviations included.
        """
        from alliance.mixed.logit.marginal_effects import average_marginal_effects

        return average_marginal_effects(self, columns, population=population)

    def simulate(self, rng: np.random.Generator) -> np.ndarray:
        """Draw a new outcome from the fitted model with new random intercepts.

        Returns
        -------
        numpy.ndarray
            0 or 1 per used row, in the order of the data given, shape (rows.used,).
        """
        from alliance.mixed.logit.prediction import simulate

        return simulate(self, rng)

    def refit(self, y: np.ndarray | pd.Series) -> LogitFit:
        """Fit the same model to another outcome on the same rows.

        Parameters
        ----------
        y : array (rows.used,)
            New outcome, 0 or 1, for the used rows in the order of the data given.
        """
        values = pd.Series(np.asarray(y))
        if len(values) != self.rows.used:
            raise FitError(
                f"The new outcome must have one value per row of the fit: {self.rows.used}, not "
                f"{len(values)}."
            )
        outcome = binary_outcome(values, self.prepared.specification.outcome)
        prepared = replace(self.prepared, outcome=outcome)
        check_data(prepared)
        check_separation(prepared)
        return self.estimate(prepared, outcome, self.link, self.quadrature)


def _flat(prepared: PreparedBinary, inner: np.ndarray, direction: np.ndarray) -> str:
    """Name the parameters along which the likelihood is flat."""
    names = [
        *(f"the effect of '{name}'" for name in prepared.fixed_names),
        *(f"the variance between groups of '{level}'" for level in prepared.levels),
    ]
    moving = [name for name, is_inner in zip(names, inner, strict=True) if is_inner]
    weight = np.abs(direction)
    culprits = [name for name, w in zip(moving, weight, strict=True) if w > 0.1 * weight.max()]
    return (
        f"The data do not determine {'; '.join(culprits)}: the likelihood is flat there, so that "
        "there are no standard errors. Use fewer terms or fewer levels."
    )
