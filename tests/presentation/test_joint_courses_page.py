"""Joint courses on the page: they lead it, their paths are drawn, and coupling stands beside."""

import pytest

from alliance.figures import painters
from alliance.figures.data import rows_of
from alliance.findings.leading import leading_models
from alliance.findings.results import Results


def linked(mock, model="alliance_to_symptoms", link="alliance -> symptoms, within client"):
    fit = mock.coupling(model, "Alliance (client)", "Symptoms", -0.1)
    fit["estimates"][1]["link"] = link
    return fit


def test_joint_courses_lead_before_the_regressions_of_the_same_links(mock):
    joint, coupling = mock.otherwise.joint(mock), linked(mock)
    growth = mock.growth("alliance_growth")
    assert leading_models([growth, joint, coupling]) == ["alliance_growth", joint["model"]]
    assert leading_models([growth, coupling]) == ["alliance_growth", "alliance_to_symptoms"]
    other = linked(mock, "therapist", "alliance_therapist -> symptoms, within client")
    assert leading_models([joint, coupling, other]) == [joint["model"], "therapist"]


def test_without_a_result_they_do_not_take_the_lead(mock):
    refused = mock.refused(mock.otherwise.joint(mock))
    assert "alliance_to_symptoms" in leading_models([refused, linked(mock)])


def picture(mock, name, fits):
    from alliance.families.family import load
    from alliance.figures import style

    with style.in_house_style():
        painter = painters()[name]
        return (load(painter) if isinstance(painter, str) else painter)(
            Results(fits, mock.description(), {})
        )


@pytest.mark.parametrize("name", ["joint_courses", "joint_courses_paths"])
def test_pictures_show_the_numbers_of_the_fit(mock, name):
    fit = mock.otherwise.joint(mock)
    rows = rows_of(picture(mock, name, [fit]))
    assert all(row["series"] for row in rows)
    if name == "joint_courses_paths":
        texts = " ".join(row.get("text", "") for row in rows)
        assert "−.15 [−.20, −.10]" in texts and "between therapists" in texts


@pytest.mark.parametrize("name", ["joint_courses", "joint_courses_paths"])
def test_pictures_of_a_refused_fit_say_why(mock, name):
    fit = mock.refused(mock.otherwise.joint(mock)) | {"estimates": [], "curves": []}
    assert {row["kind"] for row in rows_of(picture(mock, name, [fit]))} == {"nothing to show"}
