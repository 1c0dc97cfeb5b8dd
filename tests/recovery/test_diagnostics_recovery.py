"""What is planted is found, and where nothing is planted about the nominal share is flagged.

y = 10 + 0.5 t + v_therapist + u_client + e, v ~ N(0, 1), u ~ N(0, 4), e ~ N(0, 1); the model fitted
is the true one, but for what a test plants.
"""

import numpy as np
import pandas as pd
import pytest

from alliance.families.diagnostics.hazard import calibration
from alliance.families.diagnostics.influence import effect_rows, leave_out
from alliance.families.diagnostics.random_effects import random_effect_blocks
from alliance.families.diagnostics.reading import plain_terms
from alliance.families.diagnostics.residuals import residual_blocks
from alliance.families.facts import Estimator, Fact
from alliance.families.fit import estimate
from alliance.mixed import fit_mixed, fit_mixed_logit
from alliance.mixed.leaving_out import LeavingOut

PLANTED = "t04"


def simulate(seed, therapists=20, clients=6, sessions=6, slope_of_one=0.5, bend=0.0, phi=0.0, df=0):
    """Return sessions; a therapist may have a slope of her own, the course a bend, e a memory."""
    rng = np.random.default_rng(seed)
    n = therapists * clients
    client, week = np.repeat(np.arange(n), sessions), np.tile(np.arange(sessions) * 1.0, n)
    therapist = np.array([f"t{k:02d}" for k in client // clients])
    shape = (n, sessions)
    e = (
        rng.normal(size=shape)
        if not df
        else rng.standard_t(df, size=shape) / np.sqrt(df / (df - 2))
    )
    for k in range(1, sessions):
        e[:, k] = phi * e[:, k - 1] + np.sqrt(1 - phi**2) * e[:, k]
    y = 10 + np.where(therapist == PLANTED, slope_of_one, 0.5) * week + bend * week**2 + e.ravel()
    y += rng.normal(size=therapists)[client // clients] + 2 * rng.normal(size=n)[client]
    ids = np.array([f"c{k:03d}" for k in client])
    return pd.DataFrame({"y": y, "weeks_since_intake": week, "session": week.astype(int) + 1,
                         "client": ids, "therapist": therapist, "site": "s"})  # fmt: skip


def fitted(rows):
    random = {"therapist": ["1"], "client": ["1"]}
    return fit_mixed(rows, "y", ["1", "weeks_since_intake"], random)


def left_out(rows):
    fit = fitted(rows)
    refit = LeavingOut(fit)
    found = leave_out(
        rows, "therapist", lambda c: refit(np.isin(refit.clients, c)),
        plain_terms(["weeks_since_intake"]), fit,
    )  # fmt: skip
    main = estimate(
        "weeks_since_intake", label="Week", role="main", level="within-client",
        estimator=Fact(Estimator.MIXED, "mixed model"), unit="points",
        numbers=fit.coefficients.set_index("term").loc["weeks_since_intake"],
    )  # fmt: skip
    return found, effect_rows(found, [main])[0]


def test_a_planted_therapist_is_found():
    """Her clients gain three points a week, where the others gain half a point."""
    found, row = left_out(simulate(1, slope_of_one=3.0))
    estimates = [effects["weeks_since_intake"].estimate for effects in found.effects]
    assert int(np.argmin(estimates)) == 4
    assert row["flagged"] >= 1
    assert row["largest_dfbetas"] > 3 * row["limit"]
    assert row["lowest"] == pytest.approx(0.5, abs=0.1)


@pytest.mark.exhaustive
def test_clean_data_flag_about_one_group_in_twenty():
    """DFBETAS are about normal with variance 1/n, so that 2 / sqrt(n) is passed by 4.6 %.

    Of 40 cohorts with 20 therapists each: 800, Monte Carlo error 0.75 %; the band has three of
    them, and a little more for groups that are few.
    """
    flagged = [left_out(simulate(seed))[1]["flagged"] for seed in range(40)]
    assert 0.02 < sum(flagged) / 800 < 0.08


def test_residuals_show_what_the_model_lacks():
    rows = simulate(2, therapists=12)
    (clean,) = residual_blocks(fitted(rows), rows)
    for key, band in (("skewness", 0.3), ("excess_kurtosis", 0.6)):
        assert abs(clean[key]) < band
    assert clean["beyond_2"] == pytest.approx(clean["normal_beyond_2"], abs=0.03)
    rows = simulate(2, therapists=12, df=3)
    (heavy,) = residual_blocks(fitted(rows), rows)
    assert heavy["excess_kurtosis"] > 1.5
    assert heavy["beyond_3"] > 3 * heavy["normal_beyond_3"]
    rows = simulate(2, therapists=12, phi=0.6)
    (memory,) = residual_blocks(fitted(rows), rows)
    assert memory["autocorrelation"] > 0.2 > 0.05 > clean["autocorrelation"]
    rows = simulate(2, therapists=12, bend=0.2)
    (bent,) = residual_blocks(fitted(rows), rows)
    by_time = bent["by_time"]["mean"]
    assert by_time[0] > 0 > min(by_time) < 0 < by_time[-1]
    assert max(map(abs, clean["by_time"]["mean"])) < 0.3 * max(map(abs, by_time))


def test_residuals_do_not_depend_on_the_fixed_part_of_a_right_model():
    """They rise along the fitted value with random effects, which is no fault of the model."""
    rows = simulate(3)
    (block,) = residual_blocks(fitted(rows), rows)
    fixed, whole = block["by_fixed_part"], block["by_fitted"]
    inside = [a <= 0 <= b for a, b in zip(fixed["mean_low"], fixed["mean_high"], strict=True)]
    assert np.mean(inside) > 0.8
    assert np.polyfit(whole["x"], whole["mean"], 1)[0] > 0


def test_random_effects_of_a_right_model_lie_on_the_line():
    rows = simulate(4, therapists=40)
    therapist, client = random_effect_blocks(fitted(rows), 1.0)
    assert len(therapist["normal"]["expected"]) == 5  # 40 groups, eight a point
    assert client["normal"]["observed"] == pytest.approx(client["normal"]["expected"], abs=0.35)
    assert client["beyond_2"] == pytest.approx(0.0455, abs=0.04)
    # six sessions: 4 / (4 + 1/6), less what six clients do not know of their therapist
    assert 0.75 < client["reliability"] < 4 / (4 + 1 / 6)


def test_a_right_hazard_is_calibrated_and_a_wrong_one_is_not():
    rng = np.random.default_rng(6)
    x = rng.normal(size=4000)
    risk = 1 / (1 + np.exp(2.5 - 0.8 * x - 0.5 * x**2))
    data = pd.DataFrame({"left": (rng.random(4000) < risk).astype(float), "x": x, "xx": x**2})
    people = np.arange(4000)
    event = data["left"].to_numpy()
    right = fit_mixed_logit(data, "left", ["1", "x", "xx"], {})
    wrong = fit_mixed_logit(data, "left", ["1", "x"], {})
    assert calibration(event, right.fitted(), people)["inside"] >= 8
    assert calibration(event, wrong.fitted(), people)["inside"] < 7
