"""Estimators of dynamic panels against plm and lavaan (panel_estimators/references.R)."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from alliance.families.panel_estimators.gmm import DynamicPanel, equations, fit_gmm
from alliance.families.panel_estimators.jackknife import half_panel
from alliance.families.panel_estimators.structural import (
    CARRIED,
    dynamic_panel_model,
    random_intercepts_model,
)
from alliance.sem import fit_sem

FOLDER = Path(__file__).parent / "panel_estimators"
R = json.loads((FOLDER / "references.json").read_text())


@pytest.fixture(scope="module")
def firms():
    """Return EmplUK in logarithms with lags as columns."""
    table = pd.read_csv(FOLDER / "empl_uk.csv").rename(
        columns={"firm": "client", "year": "session"}
    )
    names = ["emp", "wage", "capital", "output"]
    table[names] = np.log(table[names])
    for lag in (1, 2):
        before = table[["client", "session", *names]].assign(session=table["session"] + lag)
        before = before.rename(columns={name: f"{name}_{lag}" for name in names})
        table = table.merge(before, on=["client", "session"], how="left")
    return table


def difference(**changes):
    exogenous = ["wage", "wage_1", "capital", "output", "output_1"]
    regressors = ["emp_1", "emp_2", *exogenous]
    options = {"collapsed": False, "sessions_apart": True} | changes
    return DynamicPanel("emp", regressors, {"emp": 2}, exogenous, **options)


def system(**changes):
    regressors = ["emp_1", "wage", "wage_1", "capital", "capital_1"]
    instrumented = {"emp": 2, "wage": 2, "capital": 2}
    options = {"collapsed": False, "sessions_apart": True, "levels": True} | changes
    return DynamicPanel("emp", regressors, instrumented, **options)


CASES = {
    "ab_two": (difference(), 2),
    "ab_one": (difference(), 1),
    "ab_collapsed": (difference(collapsed=True), 2),
    "bb_two": (system(), 2),
    "bb_one": (system(), 1),
    "bb_collapsed": (system(collapsed=True), 2),
}


@pytest.mark.parametrize("case", CASES)
def test_gmm_equals_plm(firms, case):
    panel, steps = CASES[case]
    ours, theirs = fit_gmm(firms, panel, steps=steps), R[case]
    k = len(panel.regressors)
    assert list(ours.coefficients)[:k] == pytest.approx(theirs["estimate"][:k], rel=1e-6)
    assert list(ours.se)[:k] == pytest.approx(theirs["robust"][:k], rel=1e-6)
    if steps == 2:  # plm puts one-step residuals into the second step's weights
        assert ours.hansen.statistic == pytest.approx(theirs["hansen"], rel=1e-6)
        assert ours.hansen.df == theirs["df"]
    if not panel.levels:  # for the system plm leaves out the levels: see the README
        for order in (1, 2):
            z = ours.autocorrelation[order].statistic
            assert z == pytest.approx(theirs[f"ar{order}"], rel=1e-6)


def test_the_published_numbers_of_arellano_and_bond(firms):
    """Table 4, column b: two-step estimates, corrected errors, Sargan (Hansen), m1 and m2."""
    fit = fit_gmm(firms, difference())
    printed = [0.474151, -0.052967, -0.513205, 0.224640, 0.292723, 0.609775, -0.446373]
    errors = [0.185398, 0.051749, 0.145565, 0.141950, 0.062627, 0.156263, 0.217302]
    assert list(fit.coefficients)[:7] == pytest.approx(printed, abs=6e-7)
    assert list(fit.se)[:7] == pytest.approx(errors, abs=6e-7)
    assert (fit.hansen.statistic, fit.hansen.df) == (pytest.approx(30.11247, abs=6e-6), 25)
    assert fit.autocorrelation[1].statistic == pytest.approx(-1.53845, abs=6e-6)
    assert fit.autocorrelation[2].statistic == pytest.approx(-0.2796829, abs=6e-8)
    assert (fit.n_rows, fit.n_clients) == (611, 140)


def test_rows_in_another_order_give_the_same(firms):
    mixed = firms.sample(frac=1.0, random_state=3)
    ours, same = fit_gmm(firms, difference()), fit_gmm(mixed, difference())
    assert list(same.coefficients) == pytest.approx(list(ours.coefficients), rel=1e-9)
    assert list(same.se) == pytest.approx(list(ours.se), rel=1e-7)


def test_an_instrument_is_never_from_the_session_of_the_shock(firms):
    """No level later than two years before, no change later than one year before."""
    of = equations(firms, system())
    moved = firms.copy()
    last = moved["session"] == moved["session"].max()
    moved.loc[last, "emp"] += 1.0  # the last year's outcome is nobody's instrument
    assert np.array_equal(equations(moved, system()).z, of.z)


def test_jackknife_equals_three_fixed_effects_fits_by_hand(firms):
    fit = half_panel(firms, "emp", ["wage", "capital"], firms["client"].to_numpy())
    assert list(fit.coefficients) == pytest.approx(R["jackknife"]["estimate"], rel=1e-9)


def wide(name, own):
    table = pd.read_csv(FOLDER / name)
    found = table.pivot(index="id", columns="t", values=own)
    found.columns = [f"{of}{t}" for of, t in found.columns]
    return found


def names(of, last):
    return [f"{of}{t}" for t in range(1, last + 1)]


def compared(fit, labels, theirs):
    table = fit.estimates("observed").drop_duplicates("parameter").set_index("parameter")
    assert list(table.loc[labels, "estimate"]) == pytest.approx(theirs["estimate"], abs=1e-4)
    assert list(table.loc[labels, "se"]) == pytest.approx(theirs["se"], rel=1e-3)
    assert fit.indices.test.chi2 == pytest.approx(theirs["chi2"], abs=1e-3)
    assert fit.indices.test.df == theirs["df"]


def test_dynamic_panel_model_of_wages_equals_lavaan_and_the_paper():
    table = wide("wages.csv", ["wks", "union", "lwage"])
    ed = pd.read_csv(FOLDER / "wages.csv").groupby("id")["ed"].first()
    model = dynamic_panel_model(
        names("wks", 7),
        {"union": names("union", 6)},
        exogenous={"lwage": names("lwage", 6)},
        constant=["ed"],
        same_session=False,
    )
    fit = fit_sem(model, table.assign(ed=ed)[list(model.observed)].to_numpy(float))
    labels = [CARRIED, "union", "lwage", "ed"]
    compared(fit, labels, R["wages"])
    printed = [0.188, -1.206, 0.588, -0.107]
    assert [fit.value(label) for label in labels] == pytest.approx(printed, abs=6e-4)
    assert fit.indices.test.chi2 == pytest.approx(138.476, abs=6e-4)


def test_dynamic_panel_model_with_missing_values_equals_lavaan():
    table = wide("sessions.csv", ["x", "y"])
    model = dynamic_panel_model(names("y", 6), {"x": names("x", 5)})
    compared(fit_sem(model, table[list(model.observed)].to_numpy()), [CARRIED, "x"], R["dynamic"])


def test_random_intercepts_model_with_missing_values_equals_lavaan():
    table = wide("sessions.csv", ["x", "y"])
    measures = {"x": names("x", 6), "y": names("y", 6)}
    model = random_intercepts_model(measures)
    rows = table[list(model.observed)].to_numpy()
    fit = fit_sem(model, rows)
    compared(fit, ["x -> y", "y -> x", "x -> x", "y -> y"], R["random_intercepts"])
    free = fit_sem(random_intercepts_model(measures, constant_effects=False), rows)
    theirs = R["random_intercepts_free"]
    assert free.indices.test.chi2 == pytest.approx(theirs["chi2"], abs=1e-3)
    assert free.indices.test.df == theirs["df"]
