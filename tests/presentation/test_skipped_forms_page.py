"""Skipped forms and dropout on the page."""

import math


def skipped(mock):
    now = mock.as_odds(
        mock.estimate("skipped_this_session", 0.7, 0.2, label="Form of this session skipped",
                      level="session", unit="log odds")
    )  # fmt: skip
    score = mock.as_odds(
        mock.estimate("alliance_known", -0.1, 0.03, label="Alliance, last score",
                      level="covariate", unit="log odds per point", role="adjustment")
    )  # fmt: skip
    plain = score | {"estimate": -0.12, "ratio": math.exp(-0.12)}
    return mock.fit(
        "alliance_forms", "skipped_forms", title="Skipped forms and dropout",
        estimates=[now, score], companions=[plain],
        tests=[{"code": "skipped_forms", "name": "skipped forms", "term": "", "label": "",
                "kind": "chi2", "statistic": 9.1, "df": 2.0, "df2": None, "p": 0.011, "note": ""}],
        fit_statistics={"skipped_share": 0.08, "dropout_share_after_skipped": 0.06,
                        "dropout_share_after_filled_in": 0.03},
    )  # fmt: skip


def test_what_a_skipped_form_foretells_stands_there(mock, results_of, tmp_path):
    cohort = results_of(tmp_path, [*mock.fits(), skipped(mock)]).publish(figures=False)
    page = cohort.html()
    assert 'id="skipped_forms"' in page and "beside skipped forms" in page
    assert not cohort.differences()
