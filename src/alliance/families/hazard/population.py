"""The hazard averaged over therapists: a regression without random effects, by statsmodels.

Where the mixed model has no random part, or all its variances are zero, it is the same model, and
the second engine.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from alliance.families.common.clustered import (
    LARGEST_OF_A_GLM,
    Robust,
    how_clustered,
    robust_cr2,
    takes_cr2,
)
from alliance.families.common.levels import clusters_of
from alliance.families.common.second_engine import compared, no_comparison
from alliance.families.facts import Estimator, Fact
from alliance.families.fit import SecondEngine
from alliance.mixed import LogitFit


@dataclass(frozen=True, slots=True)
class PopulationAveraged:
    """A regression without random effects.

    Attributes
    ----------
    rows
        One per term: term, estimate, se, df, statistic, p, ci_low, ci_high.
    estimator
        Which one.
    estimates
        Shape (n_terms,).
    log_likelihood
        At its end.
    converged
        Whether it says so.
    by_cr2
        Whether its standard errors are CR2.
    """

    rows: list[dict[str, Any]]
    estimator: Fact
    estimates: np.ndarray
    log_likelihood: float
    converged: bool
    by_cr2: bool


def population_averaged(
    fit: LogitFit, rows: pd.DataFrame, errors: str = "rule"
) -> PopulationAveraged | None:
    """Fit the terms of `fit` without its random part, with cluster-robust standard errors.

    Clusters are therapists where there are ten or more, else clients; t with clusters - 1 degrees
    of freedom, or CR2 with Satterthwaite's where `errors` (`rule`, `cr1`, `cr2`) asks for it. None
    where the regression breaks down.
    """
    import statsmodels.api as sm

    design = fit.prepared.design(fit.prepared.used)
    links = {"logit": sm.families.links.Logit(), "cloglog": sm.families.links.CLogLog()}
    clusters, cluster_name = clusters_of(rows)
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        try:
            result = sm.GLM(fit.outcome, design, family=sm.families.Binomial(links[fit.link])).fit(
                cov_type="cluster", cov_kwds={"groups": clusters}, tol=1e-12
            )
        except (RuntimeWarning, np.linalg.LinAlgError):
            return None
    n_clusters, names = len(np.unique(clusters)), fit.prepared.fixed_names
    cr2 = takes_cr2(errors, n_clusters) and np.bincount(clusters).max() <= LARGEST_OF_A_GLM
    if cr2:
        robust = _robust(pd.DataFrame(design, columns=names), result, clusters)
        ses, dfs = robust.se.to_numpy(), robust.df.to_numpy()
    else:
        ses, dfs = result.bse, np.full(len(names), n_clusters - 1.0)
    table = []
    for term, value, se, df in zip(names, result.params, ses, dfs, strict=True):
        critical = float(stats.t.ppf(0.975, df))
        table.append(
            {
                "term": term,
                "estimate": float(value),
                "se": float(se),
                "df": float(df),
                "statistic": float(value / se),
                "p": float(2 * stats.t.sf(abs(value / se), df)),
                "ci_low": float(value - critical * se),
                "ci_high": float(value + critical * se),
            }
        )
    return PopulationAveraged(
        rows=table,
        estimator=_estimator(cluster_name, how_clustered(cr2, cluster_name)),
        estimates=np.asarray(result.params, dtype=float),
        log_likelihood=float(result.llf),
        converged=bool(result.converged),
        by_cr2=bool(cr2),
    )


def _robust(design: pd.DataFrame, result: Any, clusters: np.ndarray) -> Robust:
    """CR2 at the end of a GLM: its working model has the variances of the fitted means."""
    family, mu = result.model.family, np.asarray(result.mu)
    x = design.div(family.link.deriv(mu), axis=0)
    return robust_cr2(x, result.model.endog - mu, clusters, family.variance(mu))


def _estimator(cluster_name: str, clustered: str) -> Fact:
    how = f"GLM, {clustered}"
    if cluster_name == "therapist":
        return Fact(Estimator.AVERAGED_OVER_THERAPISTS, f"averaged over therapists: {how}")
    return Fact(Estimator.WITHOUT_RANDOM_EFFECTS, how)


def same_model(fit: LogitFit, glm: PopulationAveraged) -> SecondEngine | None:
    """Return the comparison of the engines, or None where the mixed model has a random part."""
    if (fit.standard_deviations > 0).any():
        return None
    if not glm.converged:
        return no_comparison("GLM", "did not reach a maximum")
    difference = np.abs(glm.estimates - fit.estimates) / fit.coefficients["se"].to_numpy()
    return compared("GLM", glm.log_likelihood - fit.log_likelihood, float(difference.max()))
