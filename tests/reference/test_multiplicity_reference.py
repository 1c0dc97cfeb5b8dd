"""Adjusted p values: R's p.adjust, and which tests count (docs/many-tests.md)."""

from pathlib import Path

import pandas as pd
import pytest

from alliance.families.multiplicity import Adjusted, Group, adjusted, multiplicity_of

REFERENCE = pd.read_csv(Path(__file__).parent / "multiplicity" / "p_adjust.csv")


@pytest.mark.parametrize("name", REFERENCE["set"].unique())
@pytest.mark.parametrize(
    ("column", "method"), [("holm", Adjusted.HOLM), ("bh", Adjusted.BENJAMINI_HOCHBERG)]
)
def test_as_in_r(name, column, method):
    rows = REFERENCE[REFERENCE["set"] == name]
    assert adjusted(rows["p"].tolist(), method) == pytest.approx(rows[column].tolist(), rel=1e-12)


def test_no_test_is_no_family():
    assert adjusted([], Adjusted.HOLM) == []


def _estimate(term, p, role="main"):
    return {"term": term, "p": p, "role": role}


def _fit(model, *estimates, status="converged", about=""):
    return {"model": model, "title": model, "status": status, "about": about,
            "estimates": list(estimates)}  # fmt: skip


FITS = {
    "fits/one.json": _fit(
        "one",
        _estimate("1", 1e-30, "adjustment"),
        _estimate("x_within", 0.01),
        _estimate("x_between", 0.04),
        _estimate("session:arm[B]", 0.02, "adjustment"),
        _estimate("session:arm[C]", 0.03, "adjustment"),
    ),
    "fits/again.json": _fit("again", _estimate("x_within", 0.011), about="one"),
    "fits/two.json": _fit("two", _estimate("z", None), _estimate("y", 0.2)),
    "fits/broken.json": _fit("broken", _estimate("x", 0.001), status="failed"),
}


def _groups(content):
    return {test["at"]: test["group"] for test in content["tests"]}


def test_nothing_named_is_all_exploratory_and_only_questions_count():
    content = multiplicity_of(FITS, [{"p": 0.5}, {"p": None}], {})
    assert not content["primary_named"]
    assert _groups(content) == {
        "fits/one.json#/estimates/1": Group.EFFECTS,
        "fits/one.json#/estimates/2": Group.EFFECTS,
        "fits/two.json#/estimates/1": Group.EFFECTS,
        "measurement.json#/correlations/0": Group.CORRELATIONS,
    }
    assert [g["tests"] for g in content["groups"]] == [0, 3, 1]


def test_named_effects_are_adjusted_among_themselves():
    content = multiplicity_of(FITS, [], {"one": ["x_within", "arm:session"]})
    primary = {t["at"]: t["p_adjusted"] for t in content["tests"] if t["group"] == Group.PRIMARY}
    assert primary == {
        "fits/one.json#/estimates/1": pytest.approx(0.03),
        "fits/one.json#/estimates/3": pytest.approx(0.04),
        "fits/one.json#/estimates/4": pytest.approx(0.04),
    }
    assert content["not_estimated"] == []


def test_what_is_named_and_not_estimated_is_told():
    content = multiplicity_of(FITS, [], {"two": ["z"], "broken": ["x"]})
    assert [(n["model"], n["effect"]) for n in content["not_estimated"]] == [
        ("two", "z"), ("broken", "x"),
    ]  # fmt: skip
    assert content["primary_named"]
