"""A growth model under other assumptions, on the page and in the picture."""

NAME = "Change per week"


def under_other_assumptions(mock, lost=-0.6, turned=None):
    main = mock.estimate("weeks_since_intake", 0.4, 0.05, label=NAME, level="time",
                         unit="points per week")  # fmt: skip
    rows = [main]
    for code, value in (("multiple_imputation", 0.4), ("pattern_mixture", 0.35),
                        ("last_mean", 0.27), ("weighted_for_staying", 0.5)):  # fmt: skip
        one = mock.estimate("weeks_since_intake", value, 0.06, label=NAME, level="time",
                            unit="points per week", role="adjustment")  # fmt: skip
        words = mock.fact(code, code.replace("_", " "))
        rows.append(
            one | {"estimator": words, "assumes": mock.fact("patterns_go_on", "As it was.")}
        )
    x = [-1.0, 0.0, 1.0]

    def curve(name, x):
        estimate = [0.4 + 0.3 * k for k in x]
        return {"name": name, "group": NAME, "x_label": "Points more", "y_label": "Effect", "x": x,
                "estimate": estimate, "ci_low": [k - 0.1 for k in estimate],
                "ci_high": [k + 0.1 for k in estimate]}  # fmt: skip

    seen = curve("seen_and_imputed", [1.0, 2.0, 3.0]) | {"group": "seen"}
    return mock.fit(
        "symptoms_missing", "missing_not_at_random", title="Symptoms, if not at random",
        about="symptom_growth", estimates=rows,
        fit_statistics={
            "imputations": 50, "last_session_imputed": 8, "clients_who_left_before": 40,
            "scores_skipped": 12, "scores_after_leaving": 130, "largest_missing_information": 0.4,
            "largest_monte_carlo_error": 0.002, f"assumptions: {NAME}": 4,
            f"keep the sign: {NAME}": 4, f"keep the interval: {NAME}": 3,
            f"delta_adjusted loses its sign at: {NAME}": turned,
            f"delta_adjusted loses its interval at: {NAME}": lost,
        },
        curves=[curve("delta_adjusted", x), curve("last_mean", [0.0, 0.5, 1.0]), seen],
        assumptions=[mock.fact("missing_at_random", "Missing at random."),
                     mock.fact("other_ends_at_random", "Other ends tell nothing.")],
    )  # fmt: skip


def test_each_assumption_the_sentence_and_the_methods(mock, results_of, tmp_path):
    fits = [*mock.fits(), under_other_assumptions(mock)]
    cohort = results_of(tmp_path, fits).publish(figures=False)
    page = cohort.html()
    assert 'id="missing_not_at_random"' in page
    assert "Its interval would reach zero" in page and "pattern mixture" in page
    assert not cohort.differences()


def test_without_a_result_the_reason_stands_there(mock, results_of, tmp_path):
    fits = [*mock.fits(), mock.refused(under_other_assumptions(mock))]
    cohort = results_of(tmp_path, fits).publish(figures=False)
    assert 'id="missing_not_at_random"' in cohort.html()
    assert not cohort.differences()


def test_the_picture_holds_every_assumption_and_curve(mock):
    from alliance.families.missing_not_at_random.figure import draw
    from alliance.figures import style
    from alliance.findings.results import Results

    with style.in_house_style():
        figure = draw(Results([under_other_assumptions(mock)], mock.description(), {}))
    first, *curves = figure.axes
    assert len(first.get_yticks()) == 5
    assert {"worse at each session", "no further change", "seen"} <= {
        line.get_label() for axes in curves for line in axes.get_lines()
    } | {axes.get_legend_handles_labels()[1][0] for axes in curves if axes.lines}
