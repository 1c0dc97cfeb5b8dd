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

from alliance.families.common.levels import clusters_of
from alliance.families.common.second_engine import TOLERANCE_IN_SE, difference_in_words
from alliance.mixed import LogitFit


@dataclass(frozen=True, slots=True)
class PopulationAveraged:
    """A regression without random effects.

    Attributes
    ----------
    rows
        One per term: term, estimate, se, df, statistic, p, ci_low, ci_high.
    estimator
        In words.
    estimates
        Shape (n_terms,).
    log_likelihood
        At its end.
    converged
        Whether it says so.
    """

    rows: list[dict[str, Any]]
    estimator: str
    estimates: np.ndarray
    log_likelihood: float
    converged: bool


def population_averaged(fit: LogitFit, rows: pd.DataFrame) -> PopulationAveraged | None:
    """Fit the terms of `fit` without its random part, with cluster-robust standard errors.

    Clusters are therapists where there are ten or more, else clients; t with clusters - 1 degrees
    of freedom. None where the regression breaks down.
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
    df = int(len(np.unique(clusters)) - 1)
    critical = float(stats.t.ppf(0.975, df))
    table = []
    for term, value, se in zip(fit.prepared.fixed_names, result.params, result.bse, strict=True):
        table.append(
            {
                "term": term,
                "estimate": float(value),
                "se": float(se),
                "df": df,
                "statistic": float(value / se),
                "p": float(2 * stats.t.sf(abs(value / se), df)),
                "ci_low": float(value - critical * se),
                "ci_high": float(value + critical * se),
            }
        )
    return PopulationAveraged(
        rows=table,
        estimator=f"averaged over therapists: GLM, clustered by {cluster_name}"
        if cluster_name == "therapist"
        else f"GLM, clustered by {cluster_name}",
        estimates=np.asarray(result.params, dtype=float),
        log_likelihood=float(result.llf),
        converged=bool(result.converged),
    )


def same_model(fit: LogitFit, glm: PopulationAveraged) -> dict[str, Any] | None:
    """Return the comparison of the engines, or None where the mixed model has a random part."""
    if (fit.standard_deviations > 0).any():
        return None
    import statsmodels

    difference = np.abs(glm.estimates - fit.estimates) / fit.coefficients["se"].to_numpy()
    verdict: dict[str, Any] = {
        "name": "statsmodels GLM",
        "version": statsmodels.__version__,
        "converged": glm.converged,
        "log_likelihood_difference": glm.log_likelihood - fit.log_likelihood,
        "largest_difference_in_se": float(difference.max()),
        "agrees": glm.converged and bool(difference.max() < TOLERANCE_IN_SE),
        "message": "statsmodels did not reach a maximum: no comparison.",
    }
    if glm.converged:
        verdict["message"] = difference_in_words(verdict)
    return verdict
