"""A fitted mixed model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd

from alliance.errors import FitError
from alliance.mixed import components
from alliance.mixed.components import ResidualEstimate
from alliance.mixed.convergence import Convergence
from alliance.mixed.criterion import Criterion, Expansion
from alliance.mixed.degrees_of_freedom import (
    KenwardRoger,
    Satterthwaite,
    kenward_roger,
    satterthwaite,
)
from alliance.mixed.effects import LevelEffects, random_effects
from alliance.mixed.estimate import Estimate
from alliance.mixed.inference import contrasts as inference_contrasts
from alliance.mixed.inference import explained
from alliance.mixed.inference.contrasts import JointTest
from alliance.mixed.inference.explained import RSquared
from alliance.mixed.optimise import Optimum
from alliance.mixed.prepare import Prepared
from alliance.mixed.refitting import Engine, refit
from alliance.mixed.rows import Rows
from alliance.mixed.tables import CONFIDENCE, coefficient_table


@dataclass(eq=False)
class MixedFit:
    """A fitted linear mixed model; made by `alliance.mixed.fit_mixed`.

    Attributes
    ----------
    prepared : Prepared
        Rows, groups and columns.
    criterion : Criterion
    optimum : Optimum
    estimate : Estimate
        Parameters on the user's scale.
    convergence : Convergence
    engine : Engine
    """

    prepared: Prepared = field(repr=False)
    criterion: Criterion = field(repr=False)
    optimum: Optimum[Expansion] = field(repr=False)
    estimate: Estimate = field(repr=False)
    convergence: Convergence
    engine: Engine = field(repr=False)

    @cached_property
    def coefficients(self) -> pd.DataFrame:
        """Fixed effects: term, estimate, se, df, statistic, p, ci_low, ci_high (95 %)."""
        names = self.prepared.fixed_names
        estimates = self.estimate.coefficients
        se = np.sqrt(np.diag(self.covariance))
        df = np.array([self.degrees_of_freedom(row) for row in np.eye(len(names))])
        return coefficient_table(names, estimates, se, df)

    @cached_property
    def covariance(self) -> pd.DataFrame:
        """Covariance of the fixed effects (adjusted if Kenward-Roger was asked for)."""
        names = self.prepared.fixed_names
        matrix = self.estimate.covariance
        if self.prepared.specification.df == "kenward-roger":
            to_user = self.estimate.to_user
            matrix = to_user @ self._kenward_roger.adjusted @ to_user.T
            if not (np.diag(matrix) > 0).all():
                raise FitError(
                    "Kenward-Roger's adjustment is larger than the variances that it adjusts: the "
                    "data are too few for it. Use df='satterthwaite'."
                )
        return pd.DataFrame(matrix, index=names, columns=names)

    def degrees_of_freedom(self, contrast: np.ndarray) -> float:
        """Denominator degrees of freedom of a linear combination of the fixed effects.

        Parameters
        ----------
        contrast : array (p,)
            Weights of the coefficients, on the user's scale.
        """
        internal = self.estimate.to_user.T @ np.asarray(contrast, dtype=float)
        method = self.prepared.specification.df
        if method == "satterthwaite":
            return self._satterthwaite.df(internal)
        if method == "kenward-roger":
            return self._kenward_roger.df(internal)[0]
        return np.inf

    @cached_property
    def _satterthwaite(self) -> Satterthwaite:
        return satterthwaite(self.criterion, self.optimum.theta, self.optimum.expansion)

    @cached_property
    def _kenward_roger(self) -> KenwardRoger:
        if not self.criterion.reml:
            raise FitError("Kenward-Roger is defined for REML fits only; refit with method='REML'.")
        return kenward_roger(
            self.criterion, self.optimum.theta, self.optimum.expansion.profile.sigma2
        )

    # ------------------------------------------------------------------ the random part

    @cached_property
    def variance_components(self) -> pd.DataFrame:
        """level, name_1, name_2, variance_or_covariance, sd_or_correlation.

        As in lme4, a variance has no name_2; the last row is the residual variance. With several
        outcomes the last rows are their residual variances and covariances, named by outcome.
        """
        return components.variance_components(self)

    @cached_property
    def residual(self) -> ResidualEstimate:
        """Residual standard deviation, autocorrelation, variances by group or outcome."""
        return components.residual_estimate(self)

    @cached_property
    def _effects(self) -> list[LevelEffects]:
        return random_effects(
            self.criterion.problem,
            self.prepared.nesting,
            self.optimum.theta,
            self.criterion.fixed,
            self.optimum.expansion.profile.coefficients,
        )

    def random_effects(self, level: str) -> pd.DataFrame:
        """Empirical Bayes modes of one level, with conditional standard deviations.

        Returns
        -------
        pandas.DataFrame
            One row per group: the ids of its parents and its own, one column per random effect,
            and one ``sd(effect)`` each. The standard deviations are given the fixed effects and
            variances, as in lme4.
        """
        return components.random_effects_table(self, level, self._effects)

    def depth_of(self, level: str) -> int:
        """Place of a level, 0 for the outermost."""
        levels = self.prepared.specification.levels
        if level not in levels:
            raise FitError(f"There is no level '{level}'; the levels are {', '.join(levels)}.")
        return levels.index(level)

    # ------------------------------------------------------------------ the fit as a whole

    @property
    def log_likelihood(self) -> float:
        """Log-likelihood at the optimum: REML or ML, whichever was fitted."""
        return self.estimate.log_likelihood

    @property
    def n_parameters(self) -> int:
        """Fixed effects, covariance parameters and the residual variance."""
        return len(self.criterion.fixed) + self.criterion.problem.layout.n_parameters + 1

    @property
    def aic(self) -> float:
        """-2 log L + 2 n_parameters, with REML log-likelihood for REML fits (as lme4)."""
        return -2.0 * self.log_likelihood + 2.0 * self.n_parameters

    def bic(self, by: str = "rows") -> float:
        """-2 log L + log(N) n_parameters with N the number of rows, or of groups of a level.

        With several outcomes the rows are their values, added up over the outcomes.
        """
        count = (
            self.rows.values
            if by == "rows"
            else self.n_groups[self.prepared.specification.levels[self.depth_of(by)]]
        )
        return float(-2.0 * self.log_likelihood + np.log(count) * self.n_parameters)

    @property
    def rows(self) -> Rows:
        """Rows used, and rows left out by reason."""
        return self.prepared.rows

    @property
    def n_groups(self) -> dict[str, int]:
        """Number of groups per level, outermost first."""
        return self.prepared.nesting.counts

    @property
    def method(self) -> str:
        """``"REML"`` or ``"ML"``."""
        return self.prepared.specification.method

    @cached_property
    def equation(self) -> str:
        """The model as plain text."""
        spec = self.prepared.specification
        parts = [" + ".join(self.prepared.fixed_names)]
        for depth, level in enumerate(spec.levels):
            parts.append(f"({' + '.join(self.prepared.random_names(depth))} | {level})")
        residual = {"iid": "independent residuals"}.get(
            spec.residual, f"{spec.residual.upper()} residuals over {spec.residual_time}"
        )
        if spec.outcomes and spec.residual == "iid":
            residual = "residuals of one row correlated, those of different rows independent"
        if spec.residual_by:
            what = "variance" if not spec.outcomes else "set of coefficients"
            residual += f", one {what} per {spec.residual_by}"
        return f"{spec.outcome} ~ {' + '.join(parts)}; {residual}; {spec.method}"

    def to_dict(self) -> dict[str, Any]:
        """Give the fit as plain JSON types (no ids, no rows of the data)."""
        from alliance.mixed.export import to_dict

        return to_dict(self)

    # ------------------------------------------------------------------ inference

    def contrast(
        self, contrasts: Mapping[str, Mapping[str, float]], confidence: float = CONFIDENCE
    ) -> pd.DataFrame:
        """Linear combinations of the fixed effects, each with its own degrees of freedom.

        Parameters
        ----------
        contrasts : mapping
            Name of each contrast to its weights by term, for example
            ``{"between minus within": {"ab": 1, "aw": -1}}``.
        """
        return inference_contrasts.contrast(self, contrasts, confidence)

    def joint_test(self, contrasts: Sequence[Mapping[str, float]]) -> JointTest:
        """F test that several linear combinations are zero together."""
        return inference_contrasts.joint_test(self, contrasts)

    def joint_degrees_of_freedom(self, matrix: np.ndarray) -> tuple[float, float]:
        """Denominator df and scale of the F statistic for L b = 0, L of shape (q, p)."""
        if self.prepared.specification.df == "kenward-roger":
            return self._kenward_roger.df(np.asarray(matrix) @ self.estimate.to_user)
        if self.prepared.specification.df == "satterthwaite":
            return inference_contrasts.fai_cornelius(self, np.asarray(matrix)), 1.0
        return np.inf, 1.0

    def intervals(
        self,
        method: Literal["wald", "profile"] = "wald",
        confidence: float = CONFIDENCE,
        likelihood: Literal["ML", "same"] = "ML",
        parameters: Literal["all", "random", "fixed"] = "all",
    ) -> pd.DataFrame:
        """Intervals for standard deviations, correlations, residual parameters and fixed effects.

        Parameters
        ----------
        method : {"wald", "profile"}
            Wald intervals on the scale of log standard deviations and Fisher's z, or profile
            likelihood.
        confidence : float
        likelihood : {"ML", "same"}
            Profile the ML criterion, as lme4 does, or for the random part that of the fit (REML).
        parameters : {"all", "random", "fixed"}

        Returns
        -------
        pandas.DataFrame
            level, name_1, name_2, kind, estimate, ci_low, ci_high. NaN where a Wald interval does
            not exist (at a boundary).
        """
        if method == "wald":
            from alliance.mixed.inference.wald import wald_intervals

            return wald_intervals(self, confidence, parameters)
        if method == "profile":
            from alliance.mixed.inference.profile import profile_intervals

            return profile_intervals(self, confidence, likelihood, parameters)
        raise FitError("method must be 'wald' or 'profile'.")

    def correlations(
        self,
        interval: Literal["delta", "profile", "bootstrap"] = "delta",
        confidence: float = CONFIDENCE,
        draws: int = 1000,
        seed: int = 1,
    ) -> pd.DataFrame:
        """Correlations of every level's effects, and of the residuals of several outcomes.

        Parameters
        ----------
        interval : {"delta", "profile", "bootstrap"}
            Delta method on Fisher's z; profile likelihood of the fit; percentiles of a parametric
            bootstrap.
        confidence : float
        draws, seed : int
            Refits of the bootstrap and the seed of their random numbers.

        Returns
        -------
        pandas.DataFrame
            level (``residual`` for the residuals within a row), effect_1, effect_2, correlation,
            se, ci_low, ci_high, note. A level at the boundary has no interval, and the note says
            why.
        """
        from alliance.mixed.inference.correlations import correlations

        return correlations(self, interval, confidence, draws, seed)

    def r_squared(self) -> RSquared:
        """Marginal and conditional R2 (Nakagawa & Schielzeth 2013, Johnson 2014)."""
        return explained.r_squared(self)

    def variance_decomposition(self, level: str | None = None) -> pd.DataFrame:
        """Full decomposition into f1, f2, v, m and residual (Rights & Sterba 2019)."""
        return explained.variance_decomposition(self, level)

    def icc(self) -> pd.DataFrame:
        """Variance shares and intraclass correlations of the random intercepts."""
        return explained.icc(self)

    def cluster_robust(
        self, level: str | np.ndarray | pd.Series, confidence: float = CONFIDENCE
    ) -> pd.DataFrame:
        """Test fixed effects with cluster-robust CR2 standard errors and Satterthwaite df.

        Parameters
        ----------
        level : str or array
            The outermost level, or one cluster id per row of the data (clusters of its groups).
        """
        from alliance.mixed.inference.robust import cluster_robust

        return cluster_robust(self, level, confidence)

    # ------------------------------------------------------------------ prediction

    def predict(
        self,
        new_data: pd.DataFrame | None = None,
        levels: Literal["all", "none"] | Sequence[str] = "all",
        interval: Literal["confidence"] | None = None,
        confidence: float = CONFIDENCE,
    ) -> pd.Series | pd.DataFrame:
        """Predict the outcome.

        Parameters
        ----------
        new_data : pandas.DataFrame, optional
            Predictors (and ids); the rows of the fit by default.
        levels : "all", "none" or sequence of str
            Levels whose random effects are added. A group that the fit has not seen, or whose id is
            missing, gets 0: the prediction for an average group.
        interval : {"confidence"}, optional
            Give mean, se, ci_low and ci_high of the fixed part instead (no random effects).
        confidence : float

        Returns
        -------
        pandas.Series or pandas.DataFrame
            Indexed like `new_data` (or like the used rows); NaN where a predictor is missing. With
            several outcomes one column per outcome, also where it was not measured; with an
            interval the columns have two levels, outcome first.
        """
        from alliance.mixed.prediction import predict

        return predict(self, new_data, levels, interval, confidence)

    def fitted(self) -> np.ndarray:
        """Predictions with all random effects for the used rows in their given order."""
        return np.asarray(self.predict())

    def simulate(self, rng: np.random.Generator) -> np.ndarray:
        """Draw a new outcome from the fitted model with new random effects.

        Returns
        -------
        numpy.ndarray
            One value per used row, in the order of the data given, shape (rows.used,); with several
            outcomes one column each, NaN where the fit used no value, shape (rows.used, outcomes).
        """
        from alliance.mixed.simulation import simulate

        return simulate(self, rng)

    def refit(self, y: np.ndarray | pd.Series | pd.DataFrame) -> MixedFit:
        """Fit the same model to another outcome on the same rows.

        Parameters
        ----------
        y : array (rows.used,) or (rows.used, outcomes)
            New outcome, or outcomes, for the used rows in the order of the data given. With several
            outcomes only the cells count that the fit used.
        """
        return refit(self, y)
