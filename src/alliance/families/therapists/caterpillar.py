"""Each therapist's difference from the average, drawn to zero by how little is known of it.

Empirical Bayes estimates of a random intercept with their standard errors; reliability is
1 - SE^2 / tau^2, the share of the truth in a therapist's own mean (Raudenbush & Bryk, 2002, eq.
3.42). Of two therapists whose bars of 1.39 SE do not touch, the difference is beyond chance at
about 5 % (Goldstein & Healy, 1995). Therapists are numbered by rank: the ids stay where they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from alliance.mixed import MixedFit

COMPARED = 1.39
"""Standard errors at either side that make pairs of intervals comparable."""


@dataclass(frozen=True, slots=True)
class Therapists:
    """Therapists in order of their estimate.

    Attributes
    ----------
    estimate, se
        Empirical Bayes estimate and standard error, shape (therapists,).
    reliability
        Of the estimate; empty where the variance is zero.
    clients
        Number of clients.
    """

    estimate: np.ndarray
    se: np.ndarray
    reliability: np.ndarray
    clients: np.ndarray

    @property
    def apart(self) -> tuple[int, int]:
        """How many lie below and above the average with their whole 95 % interval."""
        reach = stats.norm.ppf(0.975) * self.se
        below = int((self.estimate + reach < 0).sum())
        return below, int((self.estimate - reach > 0).sum())


def therapists_of(fit: MixedFit, rows: pd.DataFrame) -> Therapists:
    """Return the therapists of a model of one value a client; `rows` are those that it used."""
    table = fit.random_effects("therapist").sort_values("1", kind="stable")
    clients = rows.groupby("therapist").size().reindex(table["therapist"]).to_numpy(int)
    variance = _variance(fit)
    se = table["sd(1)"].to_numpy(float)
    reliability = 1.0 - se**2 / variance if variance > 0 else np.empty(0)
    return Therapists(table["1"].to_numpy(float), se, reliability, clients)


def _variance(fit: MixedFit) -> float:
    parts = fit.variance_components
    own = parts[(parts["level"] == "therapist") & parts["name_2"].isna()]
    return float(own["variance_or_covariance"].iloc[0])
