"""Gaussian structural models by full information maximum likelihood.

>>> from alliance.sem import factor_model, fit_sem
>>> fit = fit_sem(factor_model({"bond": ["x1", "x2", "x3"]}), rows)
>>> fit.estimates("robust"), fit.indices, fit.convergence
"""

from alliance.sem.clusters import Clusters, clustered
from alliance.sem.description import (
    Covariance,
    Mean,
    Model,
    Path,
    factor_model,
    growth_curve,
    independence_model,
    saturated_model,
)
from alliance.sem.fit import fit_sem
from alliance.sem.incomplete_clusters import IncompleteClusters, clustered_incomplete
from alliance.sem.result import ScoreTest, SemFit
from alliance.sem.sample import Sample, sample, sample_of_moments, sample_of_patterns
from alliance.sem.two_level import fit_two_level

__all__ = [
    "Clusters",
    "Covariance",
    "IncompleteClusters",
    "Mean",
    "Model",
    "Path",
    "Sample",
    "ScoreTest",
    "SemFit",
    "clustered",
    "clustered_incomplete",
    "factor_model",
    "fit_sem",
    "fit_two_level",
    "growth_curve",
    "independence_model",
    "sample",
    "sample_of_moments",
    "sample_of_patterns",
    "saturated_model",
]
