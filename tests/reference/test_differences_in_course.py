"""A product of time and a group is a difference between groups; time is the reference group's."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from alliance.config.instruments import load_instruments
from alliance.errors import ConfigError
from alliance.families.cohort import Cohort
from alliance.families.common.references import with_references
from alliance.families.common.times import times_of, with_times
from alliance.families.coupling.model import coupling_fit
from alliance.families.growth.model import growth_fit
from alliance.mixed import fit_mixed

SLOPES = {"TAU": -0.5, "CBT": -1.5}  # points per session


@pytest.fixture(scope="module")
def cohort():
    """Both groups get better, the treated one faster: its difference is no rise and no fall."""
    rng = np.random.default_rng(20)
    rows = []
    for client in range(120):
        group = "CBT" if client % 2 else "TAU"
        level, age = rng.normal(14, 2), 20.0 + client % 40
        for session in range(1, 7):
            score = level + SLOPES[group] * session + rng.normal(0, 1)
            rows.append(("a", f"c{client:03}", None, session, group, age, score))
    columns = ["site", "client", "therapist", "session", "treatment", "age_years", "symptoms"]
    panel = pd.DataFrame(rows, columns=columns)
    panel["symptoms_within"] = panel["symptoms"] - panel.groupby("client")["symptoms"].transform(
        "mean"
    )
    return Cohort(
        panel=panel,
        panel_sha256="0" * 64,
        measures={"symptoms": {"label": "Symptoms"}},
        instruments={"symptoms": load_instruments()["phq-9"]},
    )


def mains(cohort, *fixed):
    entry = {"outcome": "symptoms", "time": "session", "fixed": list(fixed)}
    fit = growth_fit(cohort, "course", entry, diagnosed=False).as_json()
    assert fit["status"] in ("converged", "singular"), fit["message"]
    return {row["term"]: row for row in fit["estimates"] if row["role"] == "main"}


def test_without_products_the_course_is_everybodys(cohort):
    (row,) = mains(cohort, "treatment").values()
    assert (row["level"], row["group"]) == ("time", "")
    assert row["label"] == "Change per session"


def test_a_product_with_a_category_compares_two_groups(cohort):
    found = mains(cohort, "treatment", "session:treatment")
    course, difference = found["session"], found["session:treatment[TAU]"]
    assert course["group"] == "Treatment: CBT"
    assert course["label"] == "Change per session (Treatment: CBT)"
    assert course["estimate"] == pytest.approx(SLOPES["CBT"], abs=0.15)
    assert difference["level"] == "difference in course"
    assert difference["group"] == "Treatment: TAU against CBT"
    assert difference["estimate"] == pytest.approx(SLOPES["TAU"] - SLOPES["CBT"], abs=0.2)


@pytest.mark.parametrize(
    ("term", "whose", "compared"),
    [
        ("age_years", "Age years: 0", "one more of age years"),
        ("center(age_years)", "Age years: its mean", "one more of age years"),
    ],
)
def test_a_product_with_a_number_says_where_it_is_zero(cohort, term, whose, compared):
    course, difference = mains(cohort, term, f"session:{term}").values()
    assert course["group"] == whose
    assert difference["group"] == compared


def test_an_effect_beside_its_moderator_is_the_reference_groups(cohort):
    panel = cohort.panel.copy()
    rng = np.random.default_rng(3)
    panel["alliance"] = rng.normal(40, 5, len(panel))
    panel["alliance_client_mean"] = panel.groupby("client")["alliance"].transform("mean")
    panel["alliance_within"] = panel["alliance"] - panel["alliance_client_mean"]
    panel["alliance_between"] = panel["alliance_client_mean"] - panel["alliance"].mean()
    panel["symptoms_client_mean"] = panel["symptoms"] - panel["symptoms_within"]
    panel["symptoms_next"] = panel.groupby("client")["symptoms"].shift(-1)
    both = Cohort(
        panel=panel,
        panel_sha256="0" * 64,
        measures=dict(cohort.measures) | {"alliance": {"label": "Alliance"}},
        instruments=dict(cohort.instruments) | {"alliance": load_instruments()["wai-sr-c"]},
    )
    entry = {"predictor": "alliance", "outcome": "symptoms", "time": "session"}
    fit = coupling_fit(both, "link", entry | {"moderator": "treatment"}, diagnosed=False).as_json()
    groups = {row["level"]: row["group"] for row in fit["estimates"] if row["role"] == "main"}
    assert groups == {"within-client": "Treatment: CBT", "between-client": ""}


def fitted(cohort, **entry):
    whole = {"outcome": "symptoms", "time": "session"} | entry
    fit = growth_fit(cohort, "course", whole, diagnosed=False)
    return fit, {row.term: row for row in fit.estimates}


def test_a_named_reference_turns_the_comparison_round(cohort):
    fixed = ["treatment", "session:treatment"]
    panel = with_references(cohort.panel, {"treatment": "TAU"})
    _, rows = fitted(replace(cohort, panel=panel), fixed=fixed)
    _, before = fitted(cohort, fixed=fixed)
    assert rows["session"].group == "Treatment: TAU"
    turned, other = rows["session:treatment[CBT]"], before["session:treatment[TAU]"]
    assert turned.estimate == pytest.approx(-other.estimate, abs=1e-4)
    assert turned.group == "Treatment: CBT against TAU"


@pytest.mark.parametrize(
    ("references", "told"),
    [
        (
            {"treatment": "ACT"},
            "treatment has no category “ACT” in these data; there are: CBT, TAU",
        ),
        ({"age_years": "20"}, "“age_years” is no column of categories"),
        ({"arm": "TAU"}, "“arm” is no column of categories"),
    ],
)
def test_a_reference_that_is_not_there_is_told(cohort, references, told):
    with pytest.raises(ConfigError, match=re.escape(told)):
        with_references(cohort.panel, references)


def test_a_knot_parts_the_course_in_two(cohort):
    """Truth: no change up to session 3, then one point less a session."""
    rng = np.random.default_rng(8)
    panel = cohort.panel.copy()
    level = panel["client"].map({client: rng.normal(14, 2) for client in panel["client"].unique()})
    late = np.clip(panel["session"] - 3, 0, None)
    panel["symptoms"] = level - 1.0 * late + rng.normal(0, 0.7, len(panel))
    fit, rows = fitted(replace(cohort, panel=panel), knot=3, random_slopes=[])
    assert fit.status in ("converged", "singular"), fit.message
    assert rows["session"].estimate == pytest.approx(0, abs=0.12)
    assert rows["session"].group == "up to session 3"
    assert rows["after_knot"].estimate == pytest.approx(-1, abs=0.2)
    assert rows["after_knot"].group == "after session 3 against before"
    assert rows["after_knot"].level == "difference in course"
    (curve,) = [curve for curve in fit.curves if curve.name == "course"]
    assert curve.estimate[0] - curve.estimate[-1] == pytest.approx(3, abs=0.4)


def test_a_knot_beyond_the_sessions_is_refused(cohort):
    fit, _ = fitted(cohort, knot=40)
    assert fit.status == "refused"
    assert "lies on one side of the knot at 40" in fit.message


@pytest.mark.parametrize(("time", "made"), [("log_session", np.log), ("sqrt_session", np.sqrt)])
def test_time_may_be_a_logarithm_or_a_root_of_the_session(cohort, time, made):
    panel = with_times(cohort.panel)
    assert np.allclose(panel[time], made(cohort.panel["session"]))
    fit, rows = fitted(replace(cohort, panel=panel), time=time)
    curve = fit.curves[-1]
    assert fit.status in ("converged", "singular") and curve.x_label == "Session"
    start, end = made(np.array([curve.x[0], curve.x[-1]]))
    rise = curve.estimate[-1] - curve.estimate[0]
    assert rise == pytest.approx(rows[time].estimate * (end - start))


def test_weeks_give_days_and_roots():
    found = times_of({"weeks_since_intake": np.array([-1.0, 0.0, 4.0])})
    assert np.allclose(found["days_since_intake"], [-7, 0, 28])
    assert np.allclose(found["sqrt_weeks"], [0, 0, 2])
    assert np.allclose(found["log_weeks"], np.log1p([0, 0, 4]))


def test_plain_maximum_likelihood_is_what_it_says(cohort):
    plain = {"random_slopes": [], "residual": "independent"}
    by_ml, _ = fitted(cohort, estimation="ml", **plain)
    by_reml, _ = fitted(cohort, **plain)
    assert (by_ml.engine.estimator.code, by_reml.engine.estimator.code) == ("ml", "reml")
    assert by_ml.second_engine.agrees and by_reml.second_engine.agrees
    own = fit_mixed(cohort.panel, outcome="symptoms", fixed=["1", "session"],
                    random={"client": ["1"]}, method="ML")  # fmt: skip
    assert by_ml.fit_statistics["log_likelihood"] == pytest.approx(own.log_likelihood)
    assert by_ml.fit_statistics["log_likelihood"] > by_reml.fit_statistics["log_likelihood"]
