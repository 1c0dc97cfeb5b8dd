"""Plain estimators find, on average over simulated cohorts, what truth.json says they will.

The estimators are written here or are statsmodels' own, and the seeds are others than those from
which the expectations were measured: both sides can only agree if both are right. Tolerance:
four standard errors of the mean over the cohorts simulated here (one in 16,000 by chance).
"""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from alliance.simulate import Parameters, simulate_courses
from alliance.simulate.truth import estimands

KEY = ["site", "client", "session"]
SEEDS = range(500, 516)


def expected(model, term, estimator):
    entry = next(
        e
        for e in estimands(Parameters())
        if (e["model"], e["term"], e["estimator"]) == (model, term, estimator)
    )
    return entry["expected"], entry["sd"]


def panel(seed):
    """Scores side by side with the next session's, from sessions and scores alone."""
    cohort = simulate_courses(Parameters(), seed, items=False)
    wide = cohort.scores.pivot(index=KEY, columns="measure", values="score").reset_index()
    table = cohort.sessions.merge(wide, on=KEY, how="left").merge(cohort.clients)
    table = table.sort_values(["client", "session"], ignore_index=True)
    table["log_weeks"] = np.log(1 + table["weeks_since_intake"])
    by_client = table.groupby("client")
    for measure in ("alliance", "symptoms"):
        table[f"{measure}_next"] = by_client[measure].shift(-1)
    last = table["session"] == by_client["session"].transform("max")
    seen = table["end_status"] != "ongoing"
    table["dropped"] = np.where(
        last, np.where(seen, (table["end_status"] == "dropout") * 1.0, np.nan), 0.0
    )
    return table


@pytest.fixture(scope="module")
def panels():
    return [panel(seed) for seed in SEEDS]


def agrees(estimates, model, term, estimator):
    mean, sd = expected(model, term, estimator)
    assert abs(np.mean(estimates) - mean) < 4 * sd / np.sqrt(len(estimates)), (
        model,
        term,
        np.mean(estimates),
        mean,
    )


def within(table, outcome, terms):
    """Least squares on deviations from the client's mean of the rows used."""
    rows = table.dropna(subset=[outcome, *terms])
    centred = rows[[outcome, *terms]] - rows.groupby("client")[[outcome, *terms]].transform("mean")
    return sm.OLS(centred[outcome], centred[terms]).fit().params


@pytest.mark.parametrize(
    ("model", "predictor", "outcome", "clock"),
    [
        ("alliance_to_symptoms", "alliance", "symptoms", "weeks_since_intake"),
        ("symptoms_to_alliance", "symptoms", "alliance", "log_weeks"),
    ],
)
def test_fixed_effects_find_what_is_expected(panels, model, predictor, outcome, clock):
    found = pd.DataFrame(
        [within(table, f"{outcome}_next", [predictor, outcome, clock]) for table in panels]
    )
    agrees(found[predictor], model, predictor, "fixed effects")


def mean_before(scores):
    """Mean of the scores before the last known one; at the first, that score itself."""
    found, seen = [], []
    for score in scores:
        seen += [score] if score == score else []
        found.append(np.mean(seen[:-1]) if len(seen) > 1 else seen[0] if seen else np.nan)
    return pd.Series(found, scores.index)


def test_the_hazard_finds_what_is_expected_and_that_is_the_truth(panels):
    terms = ["alliance_running_within", "alliance_running_between", "symptoms_known"]
    found = []
    for table in panels:
        last_known = table.groupby("client")[["alliance", "symptoms"]].ffill()
        running = table.groupby("client")["alliance"].transform(mean_before)
        rows = table.assign(
            alliance_running_within=last_known["alliance"] - running,
            alliance_running_between=running,
            symptoms_known=last_known["symptoms"],
            log_session=np.log(table["session"]),
        ).dropna(subset=["dropped", *terms])
        x = sm.add_constant(rows[[*terms, "log_session"]].astype(float))
        sites = pd.get_dummies(rows["site"], drop_first=True, dtype=float)
        found.append(sm.Logit(rows["dropped"], x.join(sites)).fit(disp=0).params)
    table = pd.DataFrame(found)
    for term in terms:
        agrees(table[term], "dropout_hazard", term, "hazard")
    p = Parameters()
    truth = {
        terms[0]: p.dropout_alliance,
        terms[1]: p.dropout_alliance,
        terms[2]: p.dropout_symptoms,
    }
    for term, value in truth.items():
        assert abs(table[term].mean() - value) < 4 * table[term].sem(), term


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("model", "outcome", "clock"),
    [
        ("alliance_growth", "alliance", "log_weeks"),
        ("symptom_growth", "symptoms", "weeks_since_intake"),
    ],
)
def test_growth_finds_what_is_expected(panels, model, outcome, clock):
    """Statsmodels' own mixed model, without the therapist level, which leaves the slope alone."""
    found = []
    for table in panels[:6]:
        rows = table.dropna(subset=[outcome])
        sites = pd.get_dummies(rows["site"], drop_first=True, dtype=float)
        x = sm.add_constant(rows[[clock]]).join(sites)
        z = sm.add_constant(rows[[clock]])
        fit = sm.MixedLM(rows[outcome], x, groups=rows["client"], exog_re=z).fit(method="lbfgs")
        found.append(fit.params[clock])
    agrees(found, model, clock, "mixed")


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("model", "predictor", "outcome", "clock"),
    [
        ("alliance_to_symptoms", "alliance", "symptoms", "weeks_since_intake"),
        ("symptoms_to_alliance", "symptoms", "alliance", "log_weeks"),
    ],
)
def test_mixed_coupling_finds_what_is_expected(panels, model, predictor, outcome, clock):
    """Statsmodels' random-intercept model in the project's terms (see above for therapists)."""
    found, not_centred = [], []
    for table in panels[:8]:
        by_client = table.groupby("client")
        mean = by_client[predictor].transform("mean")
        rows = table.assign(
            **{
                f"{predictor}_within": table[predictor] - mean,
                f"{predictor}_between": mean - by_client[predictor].mean().mean(),
                f"{outcome}_within": table[outcome] - by_client[outcome].transform("mean"),
            }
        )
        parts = [f"{predictor}_within", f"{predictor}_between"]
        rows = rows.dropna(subset=[f"{outcome}_next", predictor, outcome])
        sites = pd.get_dummies(rows["site"], drop_first=True, dtype=float)
        for now, results in ((f"{outcome}_within", found), (outcome, not_centred)):
            x = sm.add_constant(rows[[*parts, now, clock]]).join(sites)
            fit = sm.MixedLM(rows[f"{outcome}_next"], x, groups=rows["client"]).fit()
            results.append(fit.params[[*parts, now]])
    for term, estimates in pd.DataFrame(found).items():
        agrees(estimates, model, term, "mixed")
    # With the outcome now not centred the within-client coefficient is far too small.
    entry = next(e for e in estimands(Parameters()) if (e["model"], e["term"]) == (model, parts[0]))
    other = {o["estimator"]: o["expected"] for o in entry["other_estimators"]}
    mean = pd.DataFrame(not_centred)[parts[0]].mean()
    assert mean == pytest.approx(
        other["mixed, outcome now not centred"], abs=4 * entry["sd"] / np.sqrt(8)
    )
    assert abs(mean) < 0.7 * abs(entry["value"])
