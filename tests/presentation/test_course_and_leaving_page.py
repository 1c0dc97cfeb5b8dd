"""A course and leaving on the page: its effects, and the sentence."""

import math


def joint(mock, loses=-0.9):
    association = mock.as_odds(
        mock.estimate("leaving: value", -0.12, 0.02, label="Alliance, the client's course",
                      level="client", unit="log odds per point", standardised=-0.56)
    )  # fmt: skip
    change = mock.estimate("log_weeks", 2.2, 0.1, label="Alliance: log weeks", level="time",
                           unit="points per unit")  # fmt: skip
    beside = association | {
        "estimate": -0.1,
        "ratio": math.exp(-0.1),
        "estimator": mock.fact("two_stage", "in two stages"),
    }
    x = [-1.2, -0.6, 0.0, 0.6, 1.2]
    return mock.fit(
        "alliance_and_leaving", "course_and_leaving", title="Alliance and leaving in one model",
        estimates=[association, change], companions=[beside],
        fit_statistics={"change_loses_its_sign_at": None, "change_loses_its_interval_at": loses},
        curves=[{"name": "worsening", "group": "joint model", "x_label": "Log odds of leaving",
                 "y_label": "Mean change", "x": x, "estimate": [2 + k for k in x],
                 "ci_low": [1.8 + k for k in x], "ci_high": [2.2 + k for k in x]}],
    )  # fmt: skip


def test_effects_the_sentence_and_the_methods(mock, results_of, tmp_path):
    cohort = results_of(tmp_path, [*mock.fits(), joint(mock)]).publish(figures=False)
    page = cohort.html()
    assert 'id="course_and_leaving"' in page
    assert "The interval of the mean change reaches zero" in page
    assert not cohort.differences()


def test_without_a_result_the_reason_stands_there(mock, results_of, tmp_path):
    cohort = results_of(tmp_path, [*mock.fits(), mock.refused(joint(mock))]).publish(figures=False)
    assert 'id="course_and_leaving"' in cohort.html()
    assert not cohort.differences()


def test_the_picture_holds_the_curve_and_the_association_estimated(mock):
    from alliance.families.course_and_leaving.figure import draw
    from alliance.figures import style
    from alliance.findings.results import Results

    with style.in_house_style():
        (axes,) = draw(Results([joint(mock)], mock.description(), {})).axes
    assert {"association given", "association estimated"} <= {
        line.get_label() for line in axes.get_lines()
    }
