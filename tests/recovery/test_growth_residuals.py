"""Growth models take the residuals that the stated rule finds; slopes are then the clients' own."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from alliance.config.instruments import load_instruments
from alliance.families.cohort import Cohort
from alliance.families.growth.model import growth_fit
from alliance.panel.build import panel_of

ENTRY = {"outcome": "symptoms", "time": "weeks_since_intake"}
SLOPE_SD, PHI = 0.30, 0.6


def cohort(seed, phi, clients=120, sessions=12, therapists=12):
    """Weekly courses with lines of their own (slope SD .30) and deviations with memory phi."""
    rng = np.random.default_rng(seed)
    week = np.arange(sessions)
    slope = rng.normal(-0.3, SLOPE_SD, clients)
    deviation = np.zeros((clients, sessions))
    deviation[:, 0] = rng.normal(0, 2.5, clients)
    for t in range(1, sessions):
        step = rng.normal(0, 2.5 * np.sqrt(1 - phi**2), clients)
        deviation[:, t] = phi * deviation[:, t - 1] + step
    score = 14 + rng.normal(0, 3, (clients, 1)) + slope[:, None] * week + deviation
    client = np.repeat([f"c{k:03d}" for k in range(clients)], sessions)
    key = pd.DataFrame({"site": "s", "client": client, "session": np.tile(week + 1, clients)})
    people = pd.DataFrame({"site": "s", "client": np.unique(client), "end_status": "completed"})
    people["therapist"] = [f"t{k % therapists:02d}" for k in range(clients)]
    seen = key.assign(weeks_since_intake=key["session"] - 1.0, attended=True)
    scores = key.assign(measure="symptoms", subscale="total", score=score.ravel())
    return Cohort(
        panel_of(people, seen, scores, ["symptoms"]), "0" * 64,
        {"symptoms": {"label": "Symptoms"}}, {"symptoms": load_instruments()["phq-9"]},
    )  # fmt: skip


def growth(cohort, entry):
    return growth_fit(cohort, "g", entry, diagnosed=False).as_json()


def slope_variance(fit):
    return next(
        row["variance_or_covariance"]
        for row in fit["variance_components"]
        if row["level"] == "client" and row["name_1"] == row["name_2"] == "weeks_since_intake"
    )


def test_memory_is_found_and_does_not_pass_for_slopes():
    found = [growth(cohort(seed, PHI), ENTRY) for seed in (1, 2, 3)]
    plain = ENTRY | {"residual": "independent", "random_slopes": ["client"]}
    without = [growth(cohort(seed, PHI), plain) for seed in (1, 2, 3)]
    assert all(fit["residual"]["phi"] == pytest.approx(PHI, abs=0.15) for fit in found)
    assert all(
        any("correlated residuals" in a["text"] for a in fit["assumptions"]) for fit in found
    )
    truth = SLOPE_SD**2
    assert np.mean([slope_variance(fit) for fit in found]) == pytest.approx(truth, rel=0.3)
    assert np.mean([slope_variance(fit) for fit in without]) > 1.3 * truth


def test_where_nothing_is_remembered_residuals_stay_independent():
    fit = growth(cohort(4, 0.0), ENTRY)
    assert fit["residual"]["phi"] is None
    assert not any(row["level"] == "therapist" and row["name_1"] != "1"
                   for row in fit["variance_components"])  # fmt: skip


def test_few_therapists_can_have_kenward_rogers_degrees_of_freedom():
    few = cohort(5, 0.0, clients=36, sessions=6, therapists=4)
    few = replace(
        few, panel=few.panel.assign(group=few.panel["therapist"].isin(["t00", "t01"]) * 1.0)
    )
    entry = ENTRY | {"fixed": ["group"], "residual": "independent", "random_slopes": ["client"]}
    plain = growth(few, entry)
    ours = growth(few, entry | {"df": "kenward-roger"})
    assert plain["engine"]["df_method"]["code"] == "satterthwaite"
    assert ours["engine"]["df_method"]["code"] == "kenward_roger"
    df = {row["term"]: row["df"] for row in ours["estimates"]}
    assert 1 < df["group"] <= 36
    told = growth(cohort(1, PHI), ENTRY | {"df": "kenward-roger"})
    assert "other_df" in [warning["code"] for warning in told["warnings"]]
