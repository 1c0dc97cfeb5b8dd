"""Skipped forms: what they foretell, and what is refused."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from alliance.families.cohort import Cohort
from alliance.families.skipped_forms.model import skipped_forms_fit
from alliance.families.skipped_forms.options import BEFORE, NOW

ENTRY = {"family": "skipped_forms", "measure": "alliance", "levels": []}
ODDS = 1.2
"""Log odds of leaving after a session whose form is skipped."""


def drawn(key, clients=800, seed=2):
    """A quarter of the forms is skipped, and leaving goes with a form skipped at the session."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(clients):
        for session in range(1, 9):
            skipped = session > 1 and rng.random() < 0.25
            left = rng.random() < 1 / (1 + np.exp(2.8 - ODDS * skipped))
            score = np.nan if skipped else 40 + 3 * rng.normal()
            rows.append(("a", "t0", f"c{i:03d}", session, score, float(left)))
            if left:
                break
    names = ["site", "therapist", "client", "session", "alliance", "dropout_event"]
    panel = pd.DataFrame(rows, columns=names).assign(end_cause="other")
    panel["alliance_known"] = panel.groupby("client")["alliance"].ffill()
    return Cohort(panel, "0" * 64, {"alliance": {"label": "Alliance"}}, {"alliance": key})


@pytest.fixture(scope="module")
def cohort():
    from types import SimpleNamespace

    scores = [SimpleNamespace(name="total")]
    return drawn(SimpleNamespace(scores=scores, definition={"scores": {"total": {}}}))


def test_a_form_skipped_at_the_session_foretells_leaving_and_an_earlier_one_does_not(cohort):
    fit = skipped_forms_fit(cohort, "skipped", ENTRY)
    assert fit.usable and fit.as_json()["family"] == "skipped_forms"
    now, before = fit.main
    assert (now.term, before.term) == (NOW, BEFORE)
    assert abs(now.estimate - ODDS) < 3 * now.se and now.p < 0.001
    assert abs(before.estimate) < 3 * before.se
    (test,) = fit.tests
    assert test.p < 0.001
    facts = fit.fit_statistics
    assert facts["dropout_share_after_skipped"] > facts["dropout_share_after_filled_in"]
    (plain,) = fit.companions
    assert plain.term == "alliance_known"


def test_without_therapists_it_is_the_logit_of_statsmodels(cohort):
    fit = skipped_forms_fit(cohort, "skipped", ENTRY)
    panel = cohort.panel
    skipped = panel["alliance"].isna().astype(float)
    earlier = skipped.groupby(panel["client"]).cumsum() - skipped > 0
    known = panel["alliance_known"] - panel["alliance_known"].mean()
    x = np.column_stack(
        [np.ones(len(panel)), np.log(panel["session"]), skipped, earlier.astype(float), known]
    )
    theirs = sm.Logit(panel["dropout_event"], x).fit(disp=0)
    assert [row.estimate for row in fit.estimates] == pytest.approx(theirs.params, rel=1e-5)
    assert [row.se for row in fit.estimates] == pytest.approx(theirs.bse, rel=1e-4)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda panel: panel.assign(alliance=panel["alliance_known"]), "Nobody skipped"),
        (lambda panel: panel.assign(dropout_event=0.0), "having dropped out"),
        (lambda panel: panel.assign(alliance=np.nan), "no score"),
    ],
)
def test_what_data_cannot_give_is_refused_in_words(cohort, change, words):
    changed = Cohort(change(cohort.panel), "0" * 64, cohort.measures, cohort.instruments)
    told = skipped_forms_fit(changed, "skipped", ENTRY)
    assert told.status == "refused" and words in told.message
