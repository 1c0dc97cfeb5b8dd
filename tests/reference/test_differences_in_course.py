"""A product of time and a group is a difference between groups; time is the reference group's."""

import numpy as np
import pandas as pd
import pytest

from alliance.config.instruments import load_instruments
from alliance.families.cohort import Cohort
from alliance.families.coupling.model import coupling_fit
from alliance.families.growth.model import growth_fit

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
