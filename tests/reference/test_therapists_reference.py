"""Models of therapists against lme4 and nlme (therapists/references.R)."""

import json
from pathlib import Path

import pandas as pd
import pytest

from alliance.families.therapists.caterpillar import therapists_of
from alliance.families.therapists.clients import DROPOUT, EARLY, LAST
from alliance.families.therapists.shares import (
    outcome_model,
    share_of,
    share_of_change,
    share_of_dropout,
)
from alliance.families.therapists.within_between import effects, within_between_model

FOLDER = Path(__file__).parent / "therapists"
R = json.loads((FOLDER / "references.json").read_text())
ADJUSTED = ["first", "age"]
CASES = {
    "outcome": (LAST, []),
    "outcome_adjusted": (LAST, ADJUSTED),
    "alliance": (EARLY, []),
}


@pytest.fixture(scope="module")
def clients():
    return pd.read_csv(FOLDER / "clients.csv").assign(site="one")


@pytest.mark.parametrize("case", CASES)
def test_share_and_caterpillar_equal_lme4(clients, case):
    outcome, adjusted = CASES[case]
    fit, theirs = outcome_model(clients, outcome, adjusted), R[case]
    share = share_of(fit)
    assert share.value == pytest.approx(theirs["share"], abs=1e-5)
    assert share.statistic == pytest.approx(theirs["statistic"], abs=1e-4)
    assert share.low <= share.value <= share.high
    ours = therapists_of(fit, clients.dropna(subset=[outcome]))
    modes = dict(
        zip(theirs["therapist"], zip(theirs["estimate"], theirs["se"], strict=True), strict=True)
    )
    order = sorted(modes.values())
    assert list(ours.estimate) == pytest.approx([mode for mode, _ in order], abs=1e-3)
    assert list(ours.se) == pytest.approx([se for _, se in order], abs=1e-3)
    assert sorted(ours.reliability) == pytest.approx(sorted(theirs["reliability"]), abs=1e-3)


@pytest.mark.parametrize(("case", "adjusted"), [("change", []), ("change_adjusted", ["age"])])
def test_share_of_slopes_equals_lme4(case, adjusted):
    sessions = pd.read_csv(FOLDER / "sessions.csv").assign(site="one")
    share = share_of_change(sessions, "y", "week", adjusted)
    assert share.value == pytest.approx(R[case]["share"], abs=1e-4)
    assert share.statistic == pytest.approx(R[case]["statistic"], abs=1e-3)


@pytest.mark.parametrize(("case", "adjusted"), [("dropout", []), ("dropout_adjusted", ADJUSTED)])
def test_share_of_dropout_equals_lme4(clients, case, adjusted):
    share = share_of_dropout(clients, DROPOUT, adjusted)
    assert share.value == pytest.approx(R[case]["share"], abs=1e-4)
    assert share.statistic == pytest.approx(R[case]["statistic"], abs=1e-3)


def test_effects_within_and_between_equal_nlme(clients):
    fit = within_between_model(clients, ADJUSTED)
    assert fit.log_likelihood == pytest.approx(R["both"]["log_likelihood"], abs=1e-3)
    for effect in effects(fit):
        theirs = R["both"][effect.name.split()[0]]
        assert effect.value == pytest.approx(theirs, abs=1e-3), effect.name
        assert effect.low < effect.value < effect.high
