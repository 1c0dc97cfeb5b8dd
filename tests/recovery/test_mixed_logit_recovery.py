"""Simulate binary outcomes from a known truth, fit, find it again; and the exact rules.

Fixed seeds, so that a test always passes or always fails. The bands are Monte Carlo bands: with R
replications a coverage of 95 % has a standard error of sqrt(.95 * .05 / R).
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from alliance.mixed import fit_mixed_logit

TRUTH = {"1": -1.2, "log_session": -0.3, "alliance": -0.5, "arm[b]": 0.4}
FIXED = ["1", "log_session", "alliance", "arm"]
SD_SITE, SD_THERAPIST = 0.4, 0.7


def simulate(
    seed: int,
    *,
    sites: int = 12,
    therapists: int = 8,
    clients: int = 10,
    sessions: int = 8,
    link: str = "logit",
    sd_site: float = SD_SITE,
    sd_therapist: float = SD_THERAPIST,
) -> pd.DataFrame:
    """Person-sessions at risk from the discrete-time hazard model with the truth above."""
    rng = np.random.default_rng(seed)
    n_clients = sites * therapists * clients
    therapist = np.arange(n_clients) // clients
    site = therapist // therapists
    intercept = (
        sd_site * rng.normal(size=sites)[site]
        + sd_therapist * rng.normal(size=sites * therapists)[therapist]
    )
    arm = rng.integers(0, 2, n_clients)
    alliance = np.round(rng.normal(size=(n_clients, sessions)), 2)
    log_session = np.log(np.arange(1, sessions + 1))
    eta = (
        TRUTH["1"]
        + TRUTH["log_session"] * log_session
        + TRUTH["alliance"] * alliance
        + (TRUTH["arm[b]"] * arm + intercept)[:, None]
    )
    p = 1 / (1 + np.exp(-eta)) if link == "logit" else -np.expm1(-np.exp(eta))
    event = rng.random(eta.shape) < p
    before = np.cumsum(event, axis=1) - event
    at_risk = before == 0
    client = np.repeat(np.arange(n_clients), at_risk.sum(axis=1))
    return pd.DataFrame(
        {
            "site": site[client],
            "therapist": therapist[client],
            "client": client,
            "log_session": np.broadcast_to(log_session, eta.shape)[at_risk],
            "alliance": alliance[at_risk],
            "arm": np.where(arm[client] == 1, "b", "a"),
            "event": event[at_risk].astype(int),
        }
    )


NESTED = {"site": ["1"], "therapist": ["1"]}


def ask(data: pd.DataFrame, random: dict | None = None, **options):
    return fit_mixed_logit(data, "event", FIXED, NESTED if random is None else random, **options)


# ------------------------------------------------------------------------------------- truth


@pytest.mark.parametrize("link", ["logit", "cloglog"])
def test_coverage_of_the_fixed_effects(link):
    inside, total, z = 0, 0, []
    for seed in range(60):
        table = ask(simulate(seed, link=link), link=link).coefficients.set_index("term")
        for term, truth in TRUTH.items():
            row = table.loc[term]
            inside += row["ci_low"] <= truth <= row["ci_high"]
            total += 1
            z.append((row["estimate"] - truth) / row["se"])
    # 240 intervals: 95 % with a standard error of 1.4 %
    assert 0.905 <= inside / total <= 0.985
    assert np.mean(z) == pytest.approx(0.0, abs=0.25)
    assert np.std(z) == pytest.approx(1.0, abs=0.15)


def test_standard_deviations_are_found():
    found = np.array([ask(simulate(seed)).standard_deviations for seed in range(40)])
    # maximum likelihood with 12 sites: a little too small in the mean
    assert found[:, 0].mean() == pytest.approx(SD_SITE, abs=0.08)
    assert found[:, 1].mean() == pytest.approx(SD_THERAPIST, abs=0.05)


def test_zero_variance_ends_at_the_boundary_about_half_the_time():
    """Self & Liang (1987): with a true variance of zero the estimate is zero half of the time."""
    singular = [
        ask(simulate(seed, sd_site=0.0, sd_therapist=0.0), {"site": ["1"]}).convergence.is_singular
        for seed in range(60)
    ]
    # a little more than half with few groups; standard error 6.5 %
    assert 0.4 <= np.mean(singular) <= 0.8


def test_laplace_comes_closer_to_quadrature_with_more_rows_per_group():
    """The error of Laplace is of order 1 / rows in each group (Tierney & Kadane 1986)."""
    gaps = []
    for clients in (25, 400):
        data = simulate(3, sites=40, therapists=1, clients=clients, sd_site=0.8, sd_therapist=0.0)
        laplace, exact = (ask(data, {"site": ["1"]}, quadrature=q) for q in (1, 31))
        gaps.append(abs(laplace.log_likelihood - exact.log_likelihood))
    assert gaps[1] < 0.25 * gaps[0]


# ------------------------------------------------------------------------------- exact rules


def same(left, right, tolerance: float = 1e-7) -> None:
    assert left.log_likelihood == pytest.approx(right.log_likelihood, rel=1e-10)
    columns = ["estimate", "se"]
    assert left.coefficients[columns].to_numpy() == pytest.approx(
        right.coefficients[columns].to_numpy(), rel=tolerance, abs=tolerance
    )


@pytest.mark.parametrize("quadrature", [1, 7])
def test_shuffled_rows_give_the_same_bytes(quadrature):
    data = simulate(1)
    random = NESTED if quadrature == 1 else {"site": ["1"]}
    given = ask(data, random, quadrature=quadrature)
    shuffled = ask(
        data.sample(frac=1, random_state=5).reset_index(drop=True), random, quadrature=quadrature
    )
    assert given.coefficients.to_csv() == shuffled.coefficients.to_csv()
    assert given.variance_components.to_csv() == shuffled.variance_components.to_csv()
    assert given.log_likelihood == shuffled.log_likelihood


@pytest.mark.exhaustive
def test_the_same_bytes_freshly_compiled_from_the_cache_and_with_two_threads(tmp_path):
    simulate(1).to_csv(tmp_path / "data.csv", index=False)
    program = (
        "import sys, pandas as pd\n"
        "from alliance.mixed import fit_mixed_logit\n"
        "data = pd.read_csv(sys.argv[1])\n"
        "for link, points in (('logit', 1), ('logit', 5), ('cloglog', 1), ('cloglog', 5)):\n"
        "    fit = fit_mixed_logit(data, 'event', ['1', 'log_session', 'alliance', 'arm'],\n"
        "                          {'site': ['1']}, link=link, quadrature=points)\n"
        "    print(fit.coefficients.to_csv(), repr(fit.log_likelihood))\n"
        "    print(fit.average_marginal_effects().to_csv())\n"
    )
    printed = [
        subprocess.run(
            [sys.executable, "-c", program, str(tmp_path / "data.csv")],
            env=os.environ
            | {
                "NUMBA_CACHE_DIR": str(tmp_path / "cache"),
                "OPENBLAS_NUM_THREADS": threads,
                "PYTHONPATH": str(Path(__file__).parents[2] / "src"),
            },
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for threads in ("1", "1", "2")
    ]
    assert printed[0]
    assert printed[0] == printed[1] == printed[2]


def test_relabelled_groups():
    data = simulate(2)
    names = data.assign(
        site="s" + (99 - data["site"]).astype(str), therapist=7 * data["therapist"] + 3
    )
    same(ask(data), ask(names))


def test_other_outcome_turns_the_signs():
    data = simulate(4)
    turned = ask(data.assign(event=1 - data["event"]))
    straight = ask(data)
    assert turned.log_likelihood == pytest.approx(straight.log_likelihood, rel=1e-12)
    assert turned.estimates == pytest.approx(-straight.estimates, rel=1e-7)
    assert turned.standard_deviations == pytest.approx(straight.standard_deviations, rel=1e-7)


def test_two_predictors_in_another_basis_give_the_same_fit():
    data = simulate(5)
    data["sum"], data["gap"] = (
        data["alliance"] + data["log_session"],
        data["alliance"] - data["log_session"],
    )
    other = fit_mixed_logit(data, "event", ["1", "sum", "gap", "arm"], NESTED)
    first = ask(data)
    assert other.log_likelihood == pytest.approx(first.log_likelihood, rel=1e-12)
    b = dict(zip(other.coefficients["term"], other.estimates, strict=True))
    a = dict(zip(first.coefficients["term"], first.estimates, strict=True))
    assert b["sum"] + b["gap"] == pytest.approx(a["alliance"], abs=1e-8)


def test_repeated_rows_weigh_as_often_as_they_stand():
    """Without random effects twice the rows are twice the information."""
    data = simulate(6)
    once, twice = (ask(frame, {}) for frame in (data, pd.concat([data, data])))
    assert twice.log_likelihood == pytest.approx(2 * once.log_likelihood, rel=1e-12)
    assert twice.coefficients["se"].to_numpy() * np.sqrt(2) == pytest.approx(
        once.coefficients["se"].to_numpy(), rel=1e-8
    )


def test_the_pilot_does_not_change_the_end():
    """A data set large enough to start from a part of its groups, and the same without."""
    from alliance.mixed.logit import start as module

    data = simulate(8, sites=1500, therapists=1, clients=20)
    with_pilot = ask(data, {"site": ["1"]})
    assert with_pilot.rows.used > 3 * 30_000
    original = module.PILOT_ROWS
    try:
        module.PILOT_ROWS = 10**9
        without = ask(data, {"site": ["1"]})
        module.PILOT_ROWS = 10_000
        smaller = ask(data, {"site": ["1"]})
    finally:
        module.PILOT_ROWS = original
    same(with_pilot, without)
    same(smaller, without)


# ---------------------------------------------------------------- simulation, refit, averages


def test_simulate_and_refit_recover_the_fit():
    fit = ask(simulate(9, sites=20))
    rng = np.random.default_rng(1)
    again = [fit.refit(fit.simulate(rng)) for _ in range(40)]
    estimates = np.array([other.estimates for other in again])
    se = fit.coefficients["se"].to_numpy()
    assert estimates.mean(axis=0) == pytest.approx(fit.estimates, abs=3.5 / np.sqrt(40) * se.max())
    assert estimates.std(axis=0) == pytest.approx(se, rel=0.4)


def test_refit_to_the_same_outcome_is_the_same_fit():
    data = simulate(10)
    fit = ask(data)
    same(fit.refit(data["event"].to_numpy()), fit, 1e-9)


def test_population_average_is_the_share_of_events():
    """Over many groups the share of events is the population probability, not that of an average
    group. One session each: later sessions are attended by a selected part of the groups."""
    data = simulate(
        11, sites=400, therapists=1, clients=25, sessions=1, sd_site=1.5, sd_therapist=0.0
    )
    fit = fit_mixed_logit(data, "event", ["1", "alliance", "arm"], {"site": ["1"]}, quadrature=15)
    share = data["event"].mean()
    population = fit.predict(levels="none", population=True).mean()
    average_group = fit.predict(levels="none").mean()
    assert population == pytest.approx(share, abs=0.005)
    assert abs(average_group - share) > 0.02


@pytest.mark.parametrize("link", ["logit", "cloglog"])
def test_marginal_effects_are_differences_of_predictions(link):
    data = simulate(12, link=link).assign(session=lambda d: np.exp(d["log_session"]))
    fit = fit_mixed_logit(
        data, "event", ["1", "log(session)", "alliance*arm", "square(alliance)"], NESTED, link=link
    )
    table = fit.average_marginal_effects().set_index("column")
    step = 1e-5
    for column in ("alliance", "session"):
        ends = [
            fit.predict(
                data.assign(**{column: data[column] + side * step}), "none", population=True
            ).mean()
            for side in (1, -1)
        ]
        slope = (ends[0] - ends[1]) / (2 * step)
        assert table.loc[column, "estimate"] == pytest.approx(slope, rel=1e-6)
    by_arm = [
        fit.predict(data.assign(arm=arm), "none", population=True).mean() for arm in ("b", "a")
    ]
    assert table.loc["arm", "estimate"] == pytest.approx(by_arm[0] - by_arm[1], rel=1e-9)
    assert table.loc["arm", "change"] == "b instead of a"
