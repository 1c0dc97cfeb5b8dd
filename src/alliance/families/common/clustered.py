"""Cluster-robust standard errors of the regressions without random effects beside the models.

CR1 with clusters - 1 degrees of freedom is too narrow with few clusters. CR2 with Satterthwaite's
(Bell & McCaffrey, 2002; Pustejovsky & Tipton, 2018) keeps its level there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from alliance.families.facts import Assumption, Fact
from alliance.mixed import sandwich_cr2

# ASSUME fewer than fifty clusters are few (Cameron & Miller, 2015: "few" begins somewhere between
# 20 and 50, and above where clusters are of unequal size).
CLUSTERS_FOR_CR1 = 50
LARGEST_OF_A_GLM = 1000
"""Rows of the largest cluster of a generalised linear model for CR2: its matrices are dense."""


BY_CR2 = Fact(
    Assumption.FEW_CLUSTERS_BY_CR2,
    "Cluster-robust standard errors of least squares and logit are CR2 with Satterthwaite's "
    "degrees of freedom, as the configuration has it (its rule: where there are fewer than fifty "
    "clusters).",
)


@dataclass(frozen=True, slots=True)
class Robust:
    """Standard errors and degrees of freedom by column of the regression."""

    se: pd.Series
    df: pd.Series


def takes_cr2(option: str, n_clusters: int) -> bool:
    """Whether an entry's `cluster_errors` (`rule`, `cr1`, `cr2`) asks for CR2 here."""
    return option == "cr2" or (option == "rule" and n_clusters < CLUSTERS_FOR_CR1)


def how_clustered(cr2: bool, level: str) -> str:
    """Return how the standard errors were made, for print."""
    return f"clustered by {level}" + (", CR2 with Satterthwaite's df" if cr2 else "")


def robust_cr2(
    x: pd.DataFrame,
    residuals: np.ndarray,
    clusters: np.ndarray,
    variances: np.ndarray | None = None,
) -> Robust:
    """Return CR2 and Satterthwaite; see `alliance.mixed.sandwich_cr2` for what `x` may be."""
    covariance, df = sandwich_cr2(x.to_numpy(float), residuals, clusters, variances)
    return Robust(
        pd.Series(np.sqrt(np.diag(covariance)), index=x.columns), pd.Series(df, index=x.columns)
    )
