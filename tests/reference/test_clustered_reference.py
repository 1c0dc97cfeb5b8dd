"""CR2 and Satterthwaite of the regressions beside the models equal clubSandwich's.

Numbers by coupling/clustered.R; Grunfeld (1958) with five and ten clusters, infert with six.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from alliance.families.common.clustered import CLUSTERS_FOR_CR1, takes_cr2
from alliance.families.facts import Estimator
from alliance.families.hazard.population import population_averaged
from alliance.families.panel_estimators.least_squares import panel_estimates
from alliance.mixed import fit_mixed_logit, least_squares_cr2, sandwich_cr2

FOLDER = Path(__file__).parent / "coupling"
R = json.loads((FOLDER / "clustered.json").read_text())
X = ["value", "capital"]
CODES = {
    "within": Estimator.FIXED_EFFECTS,
    "random": Estimator.RANDOM_EFFECTS,
    "anderson_hsiao": Estimator.ANDERSON_HSIAO,
}


@pytest.fixture(scope="module")
def grunfeld():
    rows = pd.read_csv(FOLDER / "grunfeld.csv").rename(columns={"firm": "client"})
    return rows.rename(columns={"year": "session"}).reset_index(drop=True)


@pytest.mark.parametrize("case", [name for name in R if "_by_" in name])
def test_panel_estimators_equal_clubsandwich(grunfeld, case):
    kind, _, by = case.rpartition("_by_")
    firm = grunfeld["client"].to_numpy()
    clusters = firm if by == "firm" else (firm + 1) // 2
    found = panel_estimates(grunfeld, "inv", X, clusters, by, errors="cr2")
    one = next(one for one in found if one.estimator.code == CODES[kind])
    assert "CR2" in one.estimator.text
    # the random effects' variances are linearmodels', which differ from plm's in the seventh digit
    rel = 1e-4 if kind == "random" else 1e-7
    for column in X:
        assert one.coefficients[column] == pytest.approx(R[case]["estimate"][column], rel=rel)
        assert one.se[column] == pytest.approx(R[case]["se"][column], rel=rel)
        assert one.df[column] == pytest.approx(R[case]["df"][column], rel=rel)


@pytest.mark.parametrize("link", ["logit", "cloglog"])
def test_a_binary_outcome_equals_clubsandwich(link):
    rows = pd.read_csv(FOLDER / "infert.csv").rename(columns={"parity": "client"})
    fit = fit_mixed_logit(rows, "case", ["1", "spontaneous", "induced"], {}, link=link)
    found = population_averaged(fit, rows, "cr2")
    assert "CR2" in found.estimator.text
    for row in found.rows:
        term = "(Intercept)" if row["term"] == "1" else row["term"]
        assert row["estimate"] == pytest.approx(R[link]["estimate"][term], rel=1e-6)
        assert row["se"] == pytest.approx(R[link]["se"][term], rel=1e-6)
        assert row["df"] == pytest.approx(R[link]["df"][term], rel=1e-5)


def test_least_squares_is_the_same_however_clusters_are_named():
    rng = np.random.default_rng(4)
    x = np.column_stack([np.ones(60), rng.normal(size=(60, 2))])
    y, clusters = rng.normal(size=60), rng.integers(0, 6, 60)
    one = least_squares_cr2(x, y, clusters)
    names = np.array(list("fbadce"))[clusters]
    covariance, df = sandwich_cr2(x, y - x @ one.coefficients, names)
    assert covariance == pytest.approx(one.covariance, rel=1e-12)
    assert df == pytest.approx(one.df, rel=1e-12)


def test_the_rule_takes_cr2_where_clusters_are_few():
    assert takes_cr2("rule", CLUSTERS_FOR_CR1 - 1) and not takes_cr2("rule", CLUSTERS_FOR_CR1)
    assert takes_cr2("cr2", 500) and not takes_cr2("cr1", 5)


@pytest.mark.slow
def test_intervals_of_few_clusters_hold_what_they_promise():
    """Ten clusters of unequal size, a predictor of the cluster: CR1 holds the truth too rarely."""
    rng, held = np.random.default_rng(11), {"cr1": 0, "cr2": 0}
    from scipy import stats

    sizes = np.array([4, 4, 5, 6, 8, 10, 15, 20, 40, 88])
    clusters = np.repeat(np.arange(10), sizes)
    for _ in range(400):
        z = np.exp(rng.normal(size=10))[clusters]
        y = rng.normal(size=10)[clusters] + rng.normal(size=200)
        x = np.column_stack([np.ones(200), z])
        fit = least_squares_cr2(x, y, clusters)
        b, m = fit.coefficients, np.linalg.inv(x.T @ x)
        e = y - x @ b
        s = np.array([x[clusters == c].T @ e[clusters == c] for c in range(10)])
        cr1 = (10 / 9 * 199 / 198 * m @ s.T @ s @ m)[1, 1] ** 0.5
        held["cr1"] += abs(b[1]) < stats.t.ppf(0.975, 9) * cr1
        held["cr2"] += abs(b[1]) < stats.t.ppf(0.975, fit.df[1]) * fit.covariance[1, 1] ** 0.5
    assert held["cr1"] / 400 < 0.90
    assert 0.92 < held["cr2"] / 400 <= 1.0
