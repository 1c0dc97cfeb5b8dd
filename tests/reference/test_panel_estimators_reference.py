"""Panel estimators against plm and lme4 on Grunfeld's investment data (coupling/references.R)."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from alliance.families.panel_estimators.least_squares import hausman, mundlak, panel_estimates
from alliance.mixed import fit_mixed

FOLDER = Path(__file__).parent / "coupling"
R = json.loads((FOLDER / "references.json").read_text())["grunfeld"]
X = ["value", "capital"]


@pytest.fixture(scope="module")
def rows():
    table = pd.read_csv(FOLDER / "grunfeld.csv")
    return table.rename(columns={"firm": "client", "year": "session"})


def by_start(found):
    return {str(one.estimator.code): one for one in found}


def test_the_four_estimators_equal_plm(rows):
    found = by_start(panel_estimates(rows, "inv", X))
    names = {
        "fixed_effects": "within",
        "anderson_hsiao": "anderson_hsiao",
        "between": "between",
        "random_effects": "random",
    }
    for ours, theirs in names.items():
        assert list(found[ours].coefficients) == pytest.approx(R[theirs]["estimate"], rel=1e-9)
        assert list(found[ours].se) == pytest.approx(R[theirs]["se"], rel=1e-9), ours


def test_clustered_errors_are_the_plain_sandwich_times_the_small_sample_factor(rows):
    clusters = pd.factorize(rows["client"])[0]
    ours = by_start(panel_estimates(rows, "inv", X, clusters))["fixed_effects"]
    theirs = np.array(R["within_clustered"]["se"])
    ratio = ours.se.to_numpy() / theirs
    assert ratio[0] == pytest.approx(ratio[1], rel=1e-9)
    # CR1: clusters/(clusters - 1) times (n - 1)/(n - parameters)
    assert ratio[0] ** 2 == pytest.approx(10 / 9 * 199 / 198, rel=1e-9)


def test_hausman_equals_plm(rows):
    ours = hausman(rows, "inv", X)
    assert ours["statistic"] == pytest.approx(R["hausman"]["statistic"], rel=1e-8)
    assert ours["p"] == pytest.approx(R["hausman"]["p"], rel=1e-8)


def test_mundlak_equals_lme4(rows):
    ours = mundlak(rows, "inv", X)
    assert ours["statistic"] * 2 == pytest.approx(R["mundlak"]["wald"], rel=1e-5)


def test_within_coefficients_of_the_mixed_model_are_the_fixed_effects_ones(rows):
    """Mundlak's identity; on thinned, unbalanced data too."""
    rng = np.random.default_rng(7)
    for table in (rows, rows[rng.random(len(rows)) < 0.6]):
        means = table.groupby("client")[X].transform("mean")
        data = table.assign(
            **{f"{x}_w": table[x] - means[x] for x in X}, **{f"{x}_m": means[x] for x in X}
        )
        fixed = ["1", "value_w", "capital_w", "value_m", "capital_m"]
        mixed = fit_mixed(data, "inv", fixed, {"client": ["1"]}).coefficients.set_index("term")
        within = by_start(panel_estimates(table, "inv", X))["fixed_effects"]
        ours = mixed.loc[["value_w", "capital_w"], "estimate"].to_numpy()
        assert ours == pytest.approx(within.coefficients.to_numpy(), rel=1e-9)
    assert list(R["within"]["estimate"]) == pytest.approx([0.110123804, 0.310065341], abs=1e-9)


def test_a_first_difference_is_taken_between_successive_sessions_only(rows):
    gap = rows[rows["session"] != 1940]
    found = by_start(panel_estimates(gap, "inv", X))["anderson_hsiao"]
    assert found.n_rows == 10 * (19 - 2)


def test_anderson_hsiao_finds_the_truth_where_plain_differences_never_do():
    """Truth -.100 and .450 with feedback; the bias of plain differences is the same at any T."""
    rng = np.random.default_rng(3)
    clients, sessions = 400, 25
    x, y = rng.normal(size=clients), rng.normal(size=clients)
    level_x, level_y = rng.normal(size=(2, clients))
    frames = []
    for session in range(sessions):
        shown = {"client": np.arange(clients), "session": session, "x": level_x + x}
        shock = rng.normal(size=clients)
        x, y, before = 0.35 * x - 0.12 * y + shock, 0.45 * y - 0.10 * x, y
        y += rng.normal(size=clients) - 0.3 * shock
        frames.append(pd.DataFrame(shown | {"y": level_y + before, "y_next": level_y + y}))
    rows = pd.concat(frames).sort_values(["client", "session"])
    clusters = rows["client"].to_numpy()
    found = by_start(panel_estimates(rows, "y_next", ["x", "y"], clusters))["anderson_hsiao"]
    for term, truth in (("x", -0.10), ("y", 0.45)):
        assert abs(found.coefficients[term] - truth) < 3.5 * found.se[term]
        assert found.se[term] < 0.03
    change = rows.set_index(["client", "session"]).groupby(level=0).diff().dropna()
    plain = np.linalg.lstsq(change[["x", "y"]], change["y_next"], rcond=None)[0]
    assert plain[1] < -0.1  # so far from .45 that more sessions do not help
