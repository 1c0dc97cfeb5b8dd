"""Diagnostics of models on literal numbers: the arithmetic stands in the comments."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from alliance.errors import FitError
from alliance.families.diagnostics import diagnose, none_of
from alliance.families.diagnostics.hazard import calibration
from alliance.families.diagnostics.influence import Refits, effect_rows, groups_of, summary
from alliance.families.diagnostics.reading import Effect
from alliance.families.diagnostics.residuals import autocorrelation, without_memory
from alliance.families.diagnostics.slices import binned, bins_of, normal_pairs
from alliance.families.facts import Estimator, Fact
from alliance.families.fit import estimate
from alliance.mixed import fit_mixed
from alliance.mixed.leaving_out import LeavingOut

NUMBERS = dict.fromkeys(("se", "df", "statistic", "p")) | {
    "estimate": 1.0,
    "ci_low": 0.2,
    "ci_high": 1.8,
}
MAIN = estimate(
    "x",
    label="X",
    role="main",
    level="within-client",
    estimator=Fact(Estimator.MIXED, "mixed model"),
    unit="points",
    numbers=NUMBERS,
)


def test_quantiles_are_means_of_slices_of_eight():
    # 16 values make two slices of 8; means of -8..-1 and of 1..8 are -4.5 and 4.5. The expected
    # quantiles are symmetric, too.
    values = np.array([*range(-8, 0), *range(1, 9)], dtype=float)[::-1]
    pairs = normal_pairs(values, np.arange(16))
    assert pairs["observed"] == [-4.5, 4.5]
    assert pairs["expected"][0] == pytest.approx(-pairs["expected"][1])


def test_a_slice_of_fewer_than_eight_people_is_not_shown():
    # the eight highest values are one person's
    people = np.array([*range(8), *[99] * 8])
    pairs = normal_pairs(np.arange(16.0), people)
    assert pairs["observed"] == [3.5]
    assert normal_pairs(np.arange(7.0), np.arange(7)) == {"expected": [], "observed": []}


def test_bins_hold_equal_values_together_and_eight_people():
    x = np.array([0.0] * 10 + [1.0] * 10 + [2.0] * 3)
    people = np.array([*range(10), *range(10), 0, 1, 2])
    # the three rows at 2 are of three people: they join the bin before
    assert [len(rows) for rows in bins_of(x, people)] == [10, 13]
    assert bins_of(np.arange(7.0), np.arange(7)) == []


def test_binned_residuals_have_mean_interval_and_spread():
    # eight values 0 0 0 0 2 2 2 2: mean 1, SD sqrt(8/7), half 1.96 sqrt(8/7) / sqrt(8)
    found = binned(np.zeros(8), np.array([0.0] * 4 + [2.0] * 4), np.arange(8))
    assert found["mean"] == [1.0]
    assert found["sd"] == [pytest.approx(np.sqrt(8 / 7))]
    assert found["mean_high"][0] - 1 == pytest.approx(1.959964 / np.sqrt(7), rel=1e-6)


def test_autocorrelation_counts_successive_sessions_only():
    # eight clients with sessions 1, 2 and 4: one pair each, (1, 1); session 4 has no neighbour
    rows = pd.DataFrame({"client": np.repeat(np.arange(8), 3), "session": [1, 2, 4] * 8})
    z = np.tile([1.0, 1.0, -5.0], 8)
    assert autocorrelation(z, rows) == (pytest.approx(1.0), 8)
    few = rows["client"] < 7
    assert autocorrelation(z[few], rows[few]) == (None, 7)


def test_memory_is_taken_out_by_distance_and_within_clients():
    # phi = 0.5, distances 1 and 2: x = 0.5 and 0.25. Client b's first has no forerunner.
    #   a: 2; (3 - 0.5 * 2) / sqrt(0.75); (1 - 0.25 * 3) / sqrt(1 - 0.0625)
    found = without_memory(
        np.array([1.0, 2.0, 7.0, 3.0]), np.array(["a", "a", "b", "a"]),
        np.array([4.0, 1.0, 1.0, 2.0]), 0.5,
    )  # fmt: skip
    wanted = [0.25 / np.sqrt(0.9375), 2.0, 7.0, 2.0 / np.sqrt(0.75)]
    assert found == pytest.approx(wanted)


def test_influence_counts_flags_signs_and_conclusions():
    # Four groups: limit 2 / sqrt(4) = 1. Changes (1 - b) / se: 0.4, -0.5, 3.0; one refit failed.
    # Intervals: above zero, above zero, holding zero. Signs: +, +, -.
    found = Refits("therapist", 4, failed=1)
    found.effects = [
        {"x": Effect(0.8, 0.5, 0.1, 1.5)},
        {"x": Effect(1.2, 0.4, 0.5, 1.9)},
        {"x": Effect(-0.2, 0.4, -0.9, 0.5)},
    ]
    (row,) = effect_rows(found, [MAIN])
    assert (row["lowest"], row["highest"]) == (-0.2, 1.2)
    assert row["largest_dfbetas"] == pytest.approx(3.0)
    assert row["limit"] == 1.0
    assert (row["refits"], row["failed"], row["flagged"]) == (3, 1, 1)
    assert (row["sign_changes"], row["conclusion_changes"]) == (1, 1)
    (row,) = effect_rows(found, [replace(MAIN, ci_low=None)])
    assert row["conclusion_changes"] is None


def test_levels_that_cannot_be_left_out_say_why():
    rows = pd.DataFrame({"client": ["a", "b"], "site": ["s", "s"], "therapist": [None, None]})
    assert groups_of(rows, "therapist")[1].message == "No therapist is known."
    assert "one site only" in groups_of(rows, "site")[1].message
    everything_failed = Refits("therapist", 2, failed=2)
    assert (
        summary(everything_failed)["message"] == "Without any one therapist the model has no fit."
    )


def test_calibration_compares_tenths_of_the_risk():
    # 80 rows of 80 people, risks 0.1 and 0.5 in halves, 4 and 20 events: observed as predicted
    risk = np.repeat([0.1, 0.5], 40)
    event = np.array([1.0] * 4 + [0.0] * 36 + [1.0] * 20 + [0.0] * 20)
    found = calibration(event, risk, np.arange(80))
    assert found["predicted"] == [pytest.approx(0.1), 0.5]
    assert found["observed"] == [0.1, 0.5]
    assert (found["inside"], found["bins"]) == (2, 2)
    # -2 [0.1 log 0.1 + 0.9 log 0.9] = 0.650, expected and, as shares are equal, observed
    assert found["deviance"][0] == pytest.approx(0.65017, abs=1e-5)
    assert found["deviance"] == pytest.approx(found["expected_deviance"])
    assert calibration(event[:7], risk[:7], np.arange(7))["message"]


def panel(seed=3, sites=2, therapists=6, clients=5, sessions=6):
    """Return sessions from y = 10 + 0.5 t + therapist + client + e."""
    rng = np.random.default_rng(seed)
    n = therapists * clients
    rows = pd.DataFrame({"client": np.repeat(np.arange(n), sessions)})
    rows["therapist"] = rows["client"] // clients
    rows["site"] = rows["therapist"] % sites
    rows["session"] = np.tile(np.arange(1, sessions + 1), n)
    rows["weeks_since_intake"] = rows["session"] - 1.0
    rows["y"] = (
        10.0 + 0.5 * rows["weeks_since_intake"]
        + rng.normal(size=therapists)[rows["therapist"]]
        + 2.0 * rng.normal(size=n)[rows["client"]] + rng.normal(size=len(rows))
    )  # fmt: skip
    for level in ("client", "therapist", "site"):
        rows[level] = level[0] + rows[level].astype(str).str.zfill(3)
    return rows


def fitted(rows, sites=True):
    fixed = ["1", "weeks_since_intake", *(["site"] if sites else [])]
    return fit_mixed(rows, "y", fixed, {"therapist": ["1"], "client": ["1"]})


def mains_of(fit, term="weeks_since_intake"):
    row = fit.coefficients.set_index("term").loc[term].to_dict()
    return [replace(MAIN, term=term, label="Change", **row)]


def test_leaving_out_is_fitting_the_other_rows():
    rows = panel()
    fit = fitted(rows)
    refit = LeavingOut(fit)
    other = rows[rows["therapist"] != "t002"]
    out = np.isin(refit.clients, rows.loc[rows["therapist"] == "t002", "client"])
    anew, found = fitted(other), refit(out)
    assert found.estimate.coefficients == pytest.approx(anew.estimate.coefficients, rel=1e-6)
    assert found.coefficients["df"].to_numpy() == pytest.approx(anew.coefficients["df"], rel=1e-4)


@pytest.mark.parametrize("site", ["s000", "s001", "s002"])
def test_a_site_that_is_left_out_takes_its_dummy_along(site):
    """Also where it is the reference: the last of the others then takes its place."""
    rows = panel(sites=3)
    refit = LeavingOut(fitted(rows))
    other = rows[rows["site"] != site]
    found = refit(np.isin(refit.clients, rows.loc[rows["site"] == site, "client"]))
    own = found.coefficients.set_index("term")["estimate"]
    anew = fitted(other).coefficients.set_index("term")["estimate"]
    assert len(own) == len(anew) == 3
    assert own["weeks_since_intake"] == pytest.approx(anew["weeks_since_intake"], rel=1e-6)


def test_what_is_left_must_have_two_groups_at_every_level():
    rows = panel(therapists=2)
    refit = LeavingOut(fitted(rows, sites=False))
    with pytest.raises(FitError, match="only one therapist"):
        refit(np.isin(refit.clients, rows.loc[rows["therapist"] == "t000", "client"]))
    with pytest.raises(FitError, match="nobody"):
        refit(np.ones(len(refit.clients), dtype=bool))


def test_all_diagnostics_of_a_small_model():
    rows = panel()
    fit = fitted(rows)
    found = diagnose(fit, rows, mains_of(fit))
    (residuals,) = found["residuals"]
    assert residuals["rows"] == 180
    assert residuals["share_of_sigma"] < 1
    assert sum(residuals["by_fixed_part"]["rows"]) == 180
    assert [(e["level"], e["groups"]) for e in found["random_effects"]] == [
        ("therapist", 6), ("client", 30),
    ]  # fmt: skip
    assert "Fewer than 8 therapists" in found["random_effects"][0]["message"]
    assert [e["left_out"] for e in found["influence"]["effects"]] == ["therapist", "site", "client"]
    assert [level["refits"] for level in found["influence"]["levels"]] == [6, 2, 30]


def test_one_site_one_therapist_and_two_therapists_are_said():
    rows = panel(sites=1, therapists=2)
    fit = fitted(rows, sites=False)
    levels = diagnose(fit, rows, mains_of(fit))["influence"]["levels"]
    assert [level["message"] for level in levels] == [
        "Without any one therapist the model has no fit.",
        "There is one site only: nothing is left without it.",
        "",
    ]
    rows["therapist"] = None
    alone = fit_mixed(rows, "y", ["1", "weeks_since_intake"], {"client": ["1"]})
    levels = diagnose(alone, rows, mains_of(alone))["influence"]["levels"]
    assert levels[0]["message"] == "No therapist is known."


def test_a_variance_of_zero_has_no_random_effects_to_show():
    rows = panel(therapists=10)
    rows["y"] -= rows.groupby("therapist")["y"].transform("mean")  # no therapist differs at all
    fit = fitted(rows)
    assert fit.convergence.is_singular
    found = diagnose(fit, rows, mains_of(fit))
    therapist = found["random_effects"][0]
    assert (
        therapist["message"]
        == "These data do not tell therapists apart: their variance is estimated as zero."
    )
    assert therapist["normal"] is None
    assert found["influence"]["levels"][0]["failed"] == 0  # a singular refit is a fit


def test_no_main_effect_no_refits():
    rows = panel()
    assert diagnose(fitted(rows), rows, [])["influence"] == none_of("")["influence"]


def test_the_order_of_rows_changes_nothing():
    rows = panel()
    shuffled = rows.sample(frac=1, random_state=1)
    one, other = (diagnose(fitted(r), r, mains_of(fitted(r))) for r in (rows, shuffled))
    assert one["influence"] == other["influence"]
    assert one["random_effects"] == other["random_effects"]
    assert one["residuals"][0]["normal"]["observed"] == pytest.approx(
        other["residuals"][0]["normal"]["observed"]
    )
