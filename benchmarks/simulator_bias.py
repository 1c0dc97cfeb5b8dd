"""What the demo cohort's models are expected to find, by simulating it many times.

    python benchmarks/simulator_bias.py --cohorts 400

The structural truth of the simulator is not what a regression returns on average: a client's mean
contains the very deviations it is taken from (Nickell bias and its relatives), a lagged outcome is
correlated with the client's intercept, independent residuals are assumed where there is carry-over,
and scores stop at floor and ceiling. This script fits plain estimators of the same
form as the project's models to many simulated cohorts and writes the averages to
`src/alliance/simulate/expected.json`, from where `truth.json` takes them. The estimators here are
written for this purpose and share no code with `alliance.families` or `alliance.mixed`.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy.optimize import minimize

from alliance.files import read_json, write_json
from alliance.panel.build import panel_of
from alliance.simulate import Cohort, Parameters, simulate_courses
from alliance.simulate.parameters import as_table
from alliance.simulate.truth import FIXED_EFFECTS, HAZARD, MIXED

EXPECTED = Path(__file__).parents[1] / "src" / "alliance" / "simulate" / "expected.json"
QUADRATURE_NODES = 21  # few clients a therapist drop out: the integrand is wide and smooth
FIRST_SEED = 1_000_000  # far from the demo's seed and those of the tests
ORDER = (
    "alliance_growth",
    "symptom_growth",
    "alliance_to_symptoms",
    "symptoms_to_alliance",
    "dropout_hazard",
    "cohort",
)
Found = dict[tuple[str, str, str], float]


# ------------------------------------------------------------------------ estimators


def mixed(
    rows: pd.DataFrame, outcome: str, terms: list[str], slope: str | None
) -> tuple[pd.Series, dict[str, float]]:
    """Fit a REML mixed model with therapist intercepts and client intercepts (and slopes).

    Each client's V^-1 comes from the Woodbury identity, each therapist's intercept is a rank-one
    update of the clients' summed cross-products. `rows` must be sorted by therapist, then client.
    """
    x, y = design(rows, terms), rows[outcome].to_numpy(float)
    names = list(x.columns)
    w = np.column_stack([x.to_numpy(float), y])  # first column: 1
    z = np.column_stack([np.ones(len(rows))] + ([rows[slope].to_numpy(float)] if slope else []))
    client = pd.factorize(rows["client"])[0]
    starts = np.flatnonzero(np.r_[True, np.diff(client) != 0])
    therapist = pd.factorize(rows["therapist"].to_numpy()[starts])[0]
    t_starts = np.flatnonzero(np.r_[True, np.diff(therapist) != 0])
    zz = np.add.reduceat(z[:, :, None] * z[:, None, :], starts)
    zw = np.add.reduceat(z[:, :, None] * w[:, None, :], starts)
    ww = w.T @ w
    ww_of = np.add.reduceat(w[:, :1] * w, starts)  # 1'W of every client
    n, p, q = len(rows), x.shape[1], z.shape[1]

    def parts(theta: np.ndarray) -> tuple[np.ndarray, float]:
        root = np.zeros((q, q))
        root[np.tril_indices(q)] = theta[:-1]
        inner = np.eye(q) + root.T @ zz @ root
        factor = np.linalg.cholesky(inner)
        half = np.linalg.solve(factor, root.T @ zw)
        cross = ww - np.einsum("iqa,iqb->ab", half, half)
        ones = ww_of - np.einsum("iq,iqb->ib", half[:, :, 0], half)
        ones = np.add.reduceat(ones, t_starts)
        share = theta[-1] ** 2 / (1.0 + theta[-1] ** 2 * ones[:, 0])
        cross -= (ones * share[:, None]).T @ ones
        log_det = 2 * np.log(np.diagonal(factor, axis1=1, axis2=2)).sum()
        return cross, log_det + np.log1p(theta[-1] ** 2 * ones[:, 0]).sum()

    def deviance(theta: np.ndarray) -> float:
        cross, log_det = parts(theta)
        factor = np.linalg.cholesky(cross)
        log_det_x = 2 * np.log(np.diag(factor)[:p]).sum()
        return log_det + log_det_x + (n - p) * np.log(factor[p, p] ** 2)

    start = np.array([1.0, 0.3] if q == 1 else [1.0, 0.0, 0.05, 0.3])
    theta = minimize(deviance, start, method="BFGS", options={"gtol": 1e-4}).x
    cross, _ = parts(theta)
    b = np.linalg.solve(cross[:p, :p], cross[:p, p])
    residual = float(cross[p, p] - cross[:p, p] @ b) / (n - p)
    root = np.zeros((q, q))
    root[np.tril_indices(q)] = theta[:-1]
    client_cov = residual * root @ root.T
    variances = {"therapist_variance": residual * theta[-1] ** 2, "residual_variance": residual}
    variances["client_intercept_variance"] = client_cov[0, 0]
    if slope:
        variances["client_slope_variance"] = client_cov[1, 1]
        variances["client_intercept_slope_covariance"] = client_cov[0, 1]
    return pd.Series(b, index=names), {k: float(v) for k, v in variances.items()}


def design(rows: pd.DataFrame, terms: list[str]) -> pd.DataFrame:
    """Return 1, the terms, and site contrasts."""
    x = pd.DataFrame({"1": 1.0} | {term: rows[term].astype(float) for term in terms})
    for site in sorted(rows["site"].unique())[1:]:
        x[f"site[{site}]"] = (rows["site"] == site).astype(float)
    return x


def fixed_effects(rows: pd.DataFrame, outcome: str, terms: list[str]) -> pd.Series:
    """Fit a regression with a constant for every client (within transformation)."""
    columns = rows[[outcome, *terms]].astype(float)
    centred = columns - columns.groupby(rows["client"]).transform("mean")
    b = np.linalg.lstsq(centred[terms].to_numpy(), centred[outcome].to_numpy(), rcond=None)[0]
    return pd.Series(b, index=terms)


def hazard(rows: pd.DataFrame) -> pd.Series:
    """Fit the discrete-time logit hazard of the `dropout` family: therapist random intercepts.

    Maximum likelihood by plain Gauss-Hermite quadrature; `rows` must be sorted by therapist.
    """
    rows = rows.assign(log_session=np.log(rows["session"]))
    terms = ["log_session", "alliance_running_within", "alliance_running_between", "symptoms_known"]
    frame, y = design(rows, terms), rows["dropout_event"].to_numpy(float)
    centre, spread = frame.mean().to_numpy(copy=True), frame.std().to_numpy(copy=True)
    centre[0], spread[0] = 0.0, 1.0
    x = (frame.to_numpy() - centre) / spread
    starts = np.flatnonzero(np.r_[True, np.diff(pd.factorize(rows["therapist"])[0]) != 0])
    nodes, weights = np.polynomial.hermite_e.hermegauss(QUADRATURE_NODES)
    log_weights = np.log(weights / weights.sum())

    def minus_log_likelihood(theta: np.ndarray) -> tuple[float, np.ndarray]:
        eta = (x @ theta[:-1])[:, None] + theta[-1] * nodes
        by_group = np.add.reduceat(y[:, None] * eta - np.logaddexp(0, eta), starts) + log_weights
        largest = by_group.max(axis=1, keepdims=True)
        share = np.exp(by_group - largest)
        total = share.sum(axis=1, keepdims=True)
        posterior = np.repeat(share / total, np.diff(np.r_[starts, len(y)]), axis=0)
        residual = posterior * (y[:, None] - 1 / (1 + np.exp(-eta)))
        slope = np.r_[x.T @ residual.sum(axis=1), (residual * nodes).sum()]
        return -float((largest + np.log(total)).sum()), -slope

    plain = sm.GLM(y, x, family=sm.families.Binomial()).fit()
    start = np.r_[plain.params, 0.3]
    end = minimize(minus_log_likelihood, start, jac=True, method="BFGS", options={"gtol": 1e-5})
    b = end.x[:-1] / spread
    b[0] = end.x[0] - (b[1:] * centre[1:]).sum()
    found = pd.Series(b, index=frame.columns)
    found["therapist_variance"] = end.x[-1] ** 2
    return found


# ------------------------------------------------------------------------ the demo's models


def fit_all(cohort: Cohort, families: Sequence[str]) -> Found:
    """Return (model, term, estimator) -> estimate for one cohort."""
    panel = panel_of(cohort.clients, cohort.sessions, cohort.scores, ["alliance", "symptoms"])
    panel = panel.sort_values(["therapist", "client", "session"], kind="stable")
    found: Found = {}
    for family in families:
        found |= FAMILIES[family](panel)
    return {key: float(value) for key, value in found.items()}


def growth_models(panel: pd.DataFrame) -> Found:
    """Fit how alliance and symptoms develop."""
    found: Found = {}
    for model, outcome, clock in (
        ("alliance_growth", "alliance", "log_weeks"),
        ("symptom_growth", "symptoms", "weeks_since_intake"),
    ):
        b, variances = mixed(panel.dropna(subset=[outcome]), outcome, [clock], clock)
        found[model, clock, MIXED] = b[clock]
        found |= {(model, name, MIXED): value for name, value in variances.items()}
    return found


def coupling_models(panel: pd.DataFrame) -> Found:
    """Fit both directions from session to session."""
    found: Found = {}
    for model, predictor, outcome, clock in (
        ("alliance_to_symptoms", "alliance", "symptoms", "weeks_since_intake"),
        ("symptoms_to_alliance", "symptoms", "alliance", "log_weeks"),
    ):
        following = f"{outcome}_next"
        rows = panel.dropna(subset=[following, predictor, outcome])
        parts = [f"{predictor}_within", f"{predictor}_between"]
        # The outcome now as the client's deviation (the project's model), as it stands, and as
        # deviation and client mean.
        for name, now in (
            (MIXED, [f"{outcome}_within"]),
            ("mixed, outcome now not centred", [outcome]),
            ("mixed, outcome now split", [f"{outcome}_within", f"{outcome}_between"]),
        ):
            b, _ = mixed(rows, following, [*parts, *now, clock], None)
            found |= {(model, term, name): b[term] for term in [*parts, *now]}
        b = fixed_effects(rows, following, [predictor, outcome, clock])
        found |= {(model, term, FIXED_EFFECTS): b[term] for term in (predictor, outcome)}
    return found


def dropout_models(panel: pd.DataFrame) -> Found:
    """Fit who leaves."""
    found: Found = {}
    b = hazard(panel.dropna(subset=["dropout_event", "alliance_known", "symptoms_known"]))
    for term in (
        "alliance_running_within",
        "alliance_running_between",
        "symptoms_known",
        "therapist_variance",
    ):
        found["dropout_hazard", term, HAZARD] = b[term]
    return found


FAMILIES = {"growth": growth_models, "coupling": coupling_models, "dropout": dropout_models}


def describe(cohort: Cohort) -> Found:
    """Return facts of one cohort that are no model's."""
    courses = cohort.courses
    status = cohort.clients["end_status"].value_counts(normalize=True)
    by_client = courses.groupby("client")
    outcome_r = np.corrcoef(by_client["alliance"].mean(), by_client["symptoms"].last())[0, 1]
    facts = {
        "alliance_residual_variance": courses["alliance_residual"].var(),
        "symptoms_residual_variance": courses["symptoms_residual"].var(),
        "alliance_at_ceiling": (courses["alliance"] >= 60).mean(),
        "alliance_at_floor": (courses["alliance"] <= 12).mean(),
        "symptoms_at_floor": (courses["symptoms"] <= 0).mean(),
        "symptoms_at_ceiling": (courses["symptoms"] >= 27).mean(),
        "mean_alliance_last_symptoms_correlation": outcome_r,
        "rupture_share": len(cohort.ruptures) / len(cohort.clients),
        "sessions_per_client": len(courses) / len(cohort.clients),
        "one_session_share": (by_client.size() == 1).mean(),
    }
    facts |= {
        f"{end}_share": status.get(end, 0.0)
        for end in ("dropout", "completed", "transferred", "ongoing")
    }
    return {("cohort", name, "count"): float(value) for name, value in facts.items()}


def replicate(
    parameters: Parameters, seeds: range, families: Sequence[str], items: bool = False
) -> pd.DataFrame:
    """Return one row a simulated cohort, one column an estimate."""
    rows = []
    for seed in seeds:
        cohort = simulate_courses(parameters, seed, items=items)
        rows.append(fit_all(cohort, families) | describe(cohort))
    return pd.DataFrame(rows)


def main() -> None:
    """Simulate, fit, average, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--cohorts", type=int, default=400, help="cohorts of the demo's size")
    parser.add_argument("--unbounded", type=int, default=200, help="of them again without bounds")
    parser.add_argument("--large", type=int, default=6, help="cohorts of ten times the size")
    parser.add_argument(
        "--families",
        nargs="+",
        choices=FAMILIES,
        default=list(FAMILIES),
        help="measure these only, and keep what the file says of the others",
    )
    arguments = parser.parse_args()
    began, parameters = time.perf_counter(), Parameters()
    seeds = range(FIRST_SEED, FIRST_SEED + arguments.cohorts)
    families = arguments.families
    design_size = replicate(parameters, seeds, families, items=True)
    print(f"{time.perf_counter() - began:.0f} s", flush=True)
    free = replicate(replace(parameters, bounded=False), seeds[: arguments.unbounded], families)
    same = replicate(parameters, seeds[: arguments.unbounded], families)
    ten_times = replace(parameters, therapists_per_site=(80, 120))
    large = replicate(ten_times, seeds[: arguments.large], families)

    entries: list[dict[str, Any]] = []
    for key in design_size.columns:
        effect = same[key] - free[key]
        entries.append(
            {
                "model": key[0],
                "term": key[1],
                "estimator": key[2],
                "mean": round(float(design_size[key].mean()), 6),
                "monte_carlo_se": round(float(design_size[key].sem()), 6),
                "sd": round(float(design_size[key].std()), 6),
                "large_sample": round(float(large[key].mean()), 6),
                "large_sample_se": round(float(large[key].sem()), 6),
                "effect_of_bounds": round(float(effect.mean()), 6),
                "effect_of_bounds_se": round(float(effect.sem()), 6),
            }
        )
    measured = {entry["model"] for entry in entries}
    if set(families) != set(FAMILIES):
        kept = [e for e in read_json(EXPECTED)["entries"] if e["model"] not in measured]
        entries = sorted([*kept, *entries], key=lambda e: ORDER.index(e["model"]))
    content = {
        "made_by": "benchmarks/simulator_bias.py",
        "cohorts": arguments.cohorts,
        "cohorts_bounds": arguments.unbounded,
        "cohorts_large": arguments.large,
        "parameters": {name: entry["value"] for name, entry in as_table(parameters).items()},
        "entries": entries,
    }
    write_json(content, EXPECTED)
    print(pd.DataFrame(entries).to_string(index=False))
    print(f"{time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
