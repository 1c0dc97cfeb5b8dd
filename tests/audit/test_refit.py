"""Models are fitted again by statsmodels, where it has them and the panel is here."""

import shutil

import numpy as np
import pandas as pd
import pytest

from alliance import files
from alliance.audit import refit

TERMS = ("1", "log(session)", "known")
EQUATION = (
    "logit P(dropout_event = 1) ~ 1 + log(session) + center(known) + (1 | therapist); ML, 15 points"
)


@pytest.fixture
def results(tmp_path):
    """A folder with one hazard, fitted by R's recipe: iteratively reweighted least squares."""
    chance = np.random.default_rng(23)
    n = 400
    panel = pd.DataFrame(
        {
            "site": "north", "client": [f"c{i // 4}" for i in range(n)],
            "session": np.arange(n) % 4 + 1, "known": chance.normal(size=n),
        }
    )  # fmt: skip
    panel["dropout_event"] = (chance.random(n) < 0.2).astype(float)
    design = np.column_stack(
        [np.ones(n), np.log(panel["session"]), panel["known"] - panel["known"].mean()]
    )
    b = np.zeros(3)
    for _ in range(30):
        p = 1 / (1 + np.exp(-design @ b))
        information = design.T @ (design * (p * (1 - p))[:, None])
        b = b + np.linalg.solve(information, design.T @ (panel["dropout_event"] - p))
    se = np.sqrt(np.diag(np.linalg.inv(information)))
    log_likelihood = np.log(np.where(panel["dropout_event"] == 1, p, 1 - p)).sum()
    processed = tmp_path / "data" / "processed" / "tiny"
    files.write_parquet(panel, processed / "panel.parquet")
    rows = panel[["site", "client", "session"]].assign(left_out="")
    files.write_parquet(rows, processed / "rows" / "leaving.parquet")
    fit = {
        "model": "leaving", "status": "converged", "equation": EQUATION,
        "data": {"panel_sha256": files.sha256_of(processed / "panel.parquet")},
        "estimates": [
            {"term": term, "group": "", "estimate": value, "se": error}
            for term, value, error in zip(TERMS, b, se, strict=True)
        ],
        "variance_components": [{"variance_or_covariance": 0.0}],
        "fit_statistics": {"log_likelihood": log_likelihood},
    }  # fmt: skip
    folder = tmp_path / "results" / "tiny"
    files.write_json(fit, folder / "fits" / "leaving.json")
    primary = [{"at": "fits/leaving.json#/estimates/2", "group": "primary"}]
    files.write_json({"tests": primary}, folder / "multiplicity.json")
    return folder


def changed(results, change):
    path = results / "fits" / "leaving.json"
    fit = files.read_json(path)
    change(fit)
    files.write_json(fit, path)
    return refit.refitted(results)


def test_a_model_that_statsmodels_confirms_is_told_with_its_distance(results):
    found = refit.refitted(results)
    assert not found.wrong and not found.not_checked
    assert found.looked_at.startswith("1 agree") and "leaving (primary)" in found.looked_at


def test_an_effect_changed_by_a_tenth_of_its_error_is_wrong(results):
    def move(fit):
        fit["estimates"][2]["estimate"] += 0.1 * fit["estimates"][2]["se"]

    assert ["leaving (primary)" in told for told in changed(results, move).wrong] == [True]


def test_another_panel_is_wrong(results):
    panel = results.parents[1] / "data/processed/tiny/panel.parquet"
    files.write_parquet(files.read_parquet(panel).assign(known=0.0), panel)
    assert "the panel is not the one" in refit.refitted(results).wrong[0]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"equation": "a, b ~ a: 1 + b: 1 + (a: 1 + b: 1 | client)"}, "no model of this equation"),
        ({"variance_components": [{"variance_or_covariance": 0.3}]}, "random effects in a hazard"),
        (
            {"equation": "known ~ 1 + (1 | client); CAR1 residuals over session; REML"},
            "residuals that remember",
        ),
        ({"equation": EQUATION.replace("center", "square")}, "square(known) is not among"),
    ],
)
def test_what_statsmodels_cannot_express_is_named_with_its_reason(results, change, why):
    found = changed(results, lambda fit: fit.update(change))
    assert not found.wrong and why in found.not_checked[0] and "(primary)" in found.not_checked[0]


@pytest.mark.parametrize("absent", ["data", "library"])
def test_without_panel_or_library_it_says_so(results, monkeypatch, absent):
    if absent == "data":
        shutil.rmtree(results.parents[1] / "data")
    else:
        monkeypatch.setattr(refit, "find_spec", lambda name: None)
    found = refit.refitted(results)
    assert not found.wrong and found.not_checked[0].startswith("1 models: ")


@pytest.mark.slow
def test_the_regressions_of_the_demo_agree(finished_demo):
    found = refit.refitted(finished_demo.folder / "results" / "demo")
    assert not found.wrong
    for model in ("alliance_to_symptoms", "symptoms_to_alliance", "dropout_hazard (primary)"):
        assert model in found.looked_at
    assert any(told.startswith("alliance_and_symptoms (primary)") for told in found.not_checked)
