"""Measurement invariance and multilevel omega: what they answer, and what they refuse to answer."""

from __future__ import annotations

import json

import numpy as np
import pytest

from alliance.measures.invariance import invariance, invariance_over_sessions
from alliance.measures.invariance_models import Layout, models_of, releasable
from alliance.measures.multilevel_omega import multilevel_omega


def forms(seed: int, n: int, shift: float = 0.0, loading: float = 0.8) -> np.ndarray:
    """Five items of one factor; the last with an intercept and a loading of its own."""
    rng = np.random.default_rng(seed)
    factor = rng.normal(size=(n, 1))
    items = 3 + factor * [0.8, 0.8, 0.8, 0.8, loading] + 0.5 * rng.normal(size=(n, 5))
    items[:, 4] += shift
    items[rng.random(items.shape) < 0.02] = np.nan
    return items


def two_sites(**second) -> tuple[np.ndarray, list[str]]:
    return np.vstack([forms(1, 300), forms(2, 250, **second)]), ["north"] * 300 + ["south"] * 250


# ----------------------------------------------------------------------------------- the answer


def test_equal_sites_hold_to_the_end():
    # Large enough that chance alone moves RMSEA by far less than .015 (it is about 1 / sqrt(n df)).
    answers, site = np.vstack([forms(1, 1500), forms(2, 1200)]), ["a"] * 1500 + ["b"] * 1200
    ours = invariance(answers, site)
    assert ours.level == "strict"
    assert ours.partial is None
    assert [step.holds for step in ours.steps] == [None, True, True, True]
    # five loadings less the freed factor variance, five intercepts less the freed factor mean
    assert [step.change.df for step in ours.steps[1:]] == [4, 4, 5]


@pytest.mark.parametrize(
    ("change", "level", "what"),
    [({"shift": 0.7}, "metric", "intercept"), ({"loading": 0.2}, "configural", "loading")],
)
def test_an_item_of_its_own_kind_is_found(change, level, what):
    answers, site = two_sites(**change)
    ours = invariance(answers, site)
    assert ours.level == level
    assert [(r.what, r.item) for r in ours.partial.releases] == [(what, "item_5")]
    assert ours.partial.reached
    assert ours.partial.step.holds


def test_several_forms_of_a_client_do_not_pass_for_misfit():
    """Each form five times over: chi-square is five times too large, the robust indices are not."""
    answers, site = two_sites(shift=0.7)
    once = invariance(answers, site)
    five = np.tile(answers, (5, 1)), site * 5
    client = np.tile(np.arange(len(site)), 5)
    naive = invariance(*five)
    ours = invariance(*five, clusters=client)
    assert ours.steps[0].chi2 == pytest.approx(5 * once.steps[0].chi2, rel=1e-6)
    assert ours.steps[0].robust
    assert not once.steps[0].robust
    # true misfit is none: naive sqrt((4.7 - 1) 2 / 2750) = .052, robust sqrt((4.7 - 4.5) 2 / 2750)
    assert once.steps[0].rmsea == 0.0
    assert naive.steps[0].rmsea > 0.05
    assert ours.steps[0].rmsea < 0.02
    assert ours.level == once.level == "metric"
    assert ours.partial.releases[0].item == "item_5"


def test_factors_may_name_items_in_any_order_and_leave_some_out():
    answers, site = two_sites(shift=0.7)
    names = ["a", "b", "c", "d", "e"]
    first = invariance(answers, site, items=names, factors={"f": ["e", "c", "a", "b"]})
    again = invariance(answers[:, [0, 1, 2, 4]], site, items=["a", "b", "c", "e"])
    assert first.left_out == {}
    for one, other in zip(first.steps, again.steps, strict=True):
        assert one.chi2 == pytest.approx(other.chi2, abs=1e-6)
    n = len(site)
    client, session = np.arange(n) % (n // 2), np.arange(n) // (n // 2)
    over = invariance_over_sessions(
        answers, client, session, items=names, factors={"f": ["e", "c", "a", "b"]}
    )
    assert over.steps[0].df == 2 * 14 + 16 - over.steps[0].n_parameters


def test_names_of_sites_and_order_of_rows_do_not_matter():
    answers, site = two_sites(shift=0.7)
    order = np.random.default_rng(0).permutation(len(site))
    first = invariance(answers, site)
    second = invariance(answers[order], np.array(site)[order])
    assert first == second
    renamed = invariance(answers, ["z" if name == "north" else "a" for name in site])
    for a, b in zip(first.steps, renamed.steps, strict=True):
        assert a.chi2 == pytest.approx(b.chi2, abs=1e-6)


def test_the_record_is_plain_json():
    answers, site = two_sites(shift=0.7)
    record = invariance(answers, site).as_record()
    again = json.loads(json.dumps(record, allow_nan=False))
    assert again["level"] == "metric"
    assert again["partial"]["releases"][0]["item"] == "item_5"
    omega = multilevel_omega(answers, np.arange(len(site)) % 100).as_record()
    json.dumps(omega, allow_nan=False)


def test_two_items_of_a_factor_stay_equal():
    layout = Layout({"f": ("a", "b", "c")}, ("x", "y"), over_sessions=False)
    assert releasable(layout, "metric", frozenset()) == [
        ("loading", "a"),
        ("loading", "b"),
        ("loading", "c"),
    ]
    assert releasable(layout, "metric", frozenset({("loading", "a")})) == []


def test_models_over_sessions_correlate_an_items_residuals():
    layout = Layout({"f": ("a", "b", "c")}, ("1", "4"), over_sessions=True)
    (model,) = models_of(layout, "configural").values()
    names = {entry.name for entry in model.entries}
    assert {"a @1 <-> a @4", "b @1 <-> b @4", "f @1 <-> f @4"} <= names
    assert "a @1 <-> b @4" not in names


def test_sessions_are_chosen_first_middle_last():
    n = 120
    answers = np.vstack([forms(seed, n) for seed in range(6)])
    client, session = np.tile(np.arange(n), 6), np.repeat([1, 2, 3, 4, 5, 9], n)
    ours = invariance_over_sessions(answers, client, session)
    assert list(ours.n) == ["1", "3", "9"]
    named = invariance_over_sessions(answers, client, session, at=[1, 5, 7])
    assert list(named.n) == ["1", "5"]
    assert named.left_out["7"] == "0 forms, fewer than 50"


# -------------------------------------------------------------------------------- why it cannot


def test_one_site_has_nothing_to_compare():
    ours = invariance(forms(1, 200), ["north"] * 200)
    assert ours.why_not == "Nothing to compare: there is only one group."
    assert ours.steps == ()


def test_a_small_site_is_left_out_and_said_so():
    answers = np.vstack([forms(1, 200), forms(2, 200), forms(3, 10)])
    ours = invariance(answers, ["a"] * 200 + ["b"] * 200 + ["c"] * 10)
    assert ours.left_out == {"c": "10 forms, fewer than 50"}
    assert ours.n == {"a": 200, "b": 200}
    assert ours.steps


def test_no_site_is_large_enough():
    ours = invariance(np.vstack([forms(1, 20), forms(2, 20)]), ["a"] * 20 + ["b"] * 20)
    assert ours.why_not == "Nothing to compare: fewer than two groups have enough forms."


def test_an_item_that_nobody_varied_on_is_left_out():
    answers, site = two_sites()
    answers[:, 2] = 4.0
    ours = invariance(answers, site)
    assert ours.left_out == {"item_3": "all answers are the same"}
    assert ours.factors == {"factor": ("item_1", "item_2", "item_4", "item_5")}
    assert len(ours.steps) == 4


def test_an_item_that_one_site_never_varied_on_leaves_the_site_out():
    answers, site = two_sites()
    answers[300:, 2] = 4.0
    ours = invariance(answers, site)
    assert ours.left_out == {"south": "no spread in item_3"}
    assert ours.why_not is not None


def test_too_few_items():
    answers, site = two_sites()
    ours = invariance(answers[:, :2], site)
    assert "at least three items" in ours.why_not


def test_nothing_answered():
    ours = invariance(np.full((100, 4), np.nan), ["a"] * 50 + ["b"] * 50)
    assert "at least three items" in ours.why_not
    assert set(ours.left_out.values()) == {"nobody answered it"}
    assert invariance(np.zeros((0, 4)), []).why_not is not None


def test_one_session_each():
    ours = invariance_over_sessions(forms(1, 200), np.arange(200), np.ones(200))
    assert "fewer than two sessions" in ours.why_not


def test_two_forms_of_one_session():
    answers = np.vstack([forms(1, 100), forms(2, 100)])
    ours = invariance_over_sessions(answers, np.zeros(200), np.repeat([1, 2], 100))
    assert ours.why_not == "A client has two forms of the same session."


def test_too_many_columns_for_one_model():
    answers = np.random.default_rng(0).normal(size=(400, 40))
    ours = invariance_over_sessions(
        answers, np.tile(np.arange(100), 4), np.repeat([1, 2, 3, 4], 100)
    )
    assert "40 items at 3 sessions are too many" in ours.why_not


def test_omega_says_why_not():
    person = np.arange(60) // 4
    answers = forms(1, 60)
    assert "at least three items" in multilevel_omega(answers[:, :2], person).why_not
    assert "no form can be used" in multilevel_omega(np.full((60, 4), np.nan), person).why_not
    unanswered = answers.copy()
    unanswered[:, 2] = np.nan
    assert "'item_3' has no values" in multilevel_omega(unanswered, person).why_not
    constant = answers.copy()
    constant[:, 1] = 2.0
    assert "'item_2' never varies" in multilevel_omega(constant, person).why_not
    once = multilevel_omega(forms(1, 60), np.arange(60))
    assert "spread within clusters" in once.why_not


def test_clients_who_do_not_differ_still_have_a_reliability_within():
    """No variance between clients: their residual variances end at zero, and are named."""
    ours = multilevel_omega(forms(1, 300)[:, :4], np.arange(300) % 60)
    assert 0.85 < ours.within.estimate < 0.95
    assert len(ours.fixed_at_zero) > 0
    assert ours.between is None or ours.between.estimate < 0.4


def test_forms_with_a_missing_answer_count():
    rng = np.random.default_rng(4)
    person = np.repeat(np.arange(80), 5)
    trait = rng.normal(size=(80, 1))[person] + rng.normal(size=(400, 1))
    rows = trait * [0.9, 0.8, 0.8, 0.7] + 0.6 * rng.normal(size=(400, 4))
    whole = multilevel_omega(rows, person)
    rows[rng.random(rows.shape) < 0.05] = np.nan
    rows[7] = np.nan
    ours = multilevel_omega(rows, person)
    assert (ours.n_forms, ours.n_left_out) == (399, 1)
    assert ours.within.estimate == pytest.approx(whole.within.estimate, abs=0.02)
    assert ours.between.estimate == pytest.approx(whole.between.estimate, abs=0.02)


def test_a_negative_residual_variance_between_clients_becomes_zero_and_is_told():
    rng = np.random.default_rng(21)
    person = np.repeat(np.arange(40), 4)
    trait = rng.normal(size=(40, 1))[person]
    rows = trait * [0.9, 0.8, 0.7] + rng.normal(size=(160, 1)) + 0.5 * rng.normal(size=(160, 3))
    ours = multilevel_omega(rows, person)
    assert any("free loadings" in name for name in ours.fixed_at_zero)
    assert 0 < ours.between.estimate < 1
    assert ours.between_latent.estimate <= 1
