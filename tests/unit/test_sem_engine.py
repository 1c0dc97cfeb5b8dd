"""The structural equation engine by itself: derivatives, invariances, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from alliance.errors import FitError
from alliance.sem import (
    Covariance,
    Mean,
    Model,
    Path,
    clustered,
    clustered_incomplete,
    factor_model,
    fit_sem,
    fit_two_level,
    growth_curve,
    sample,
    sample_of_moments,
    saturated_model,
)
from alliance.sem.incomplete_likelihood import IncompleteLikelihood
from alliance.sem.likelihood import EXPECTED, GRADIENT, OBSERVED, GroupLikelihood, Objective
from alliance.sem.sample import Sample
from alliance.sem.structure import structures
from alliance.sem.two_level import TwoLevelLikelihood

ITEMS = ["a", "b", "c", "d"]


def one_factor_rows(seed: int, n: int = 200, missing: float = 0.15) -> np.ndarray:
    rng = np.random.default_rng(seed)
    rows = 3 + rng.normal(size=(n, 1)) * [0.9, 0.8, 0.7, 0.6] + 0.6 * rng.normal(size=(n, 4))
    rows[rng.random(rows.shape) < missing] = np.nan
    return rows


def full_model() -> Model:
    """Every kind of entry: loadings, a regression of factors, covariances, means, an equality."""
    return Model(
        ("a", "b", "c", "d", "x"),
        ("f", "g"),
        (
            Path("f", "a", fixed=1.0),
            Path("f", "b", label="same"),
            Path("g", "c", fixed=1.0),
            Path("g", "d", label="same"),
            Path("f", "g"),
            Path("x", "f"),
            Path("x", "d"),
            Covariance("a", "c"),
            *(Covariance(v, v) for v in ("a", "b", "c", "d", "x", "f", "g")),
            *(Mean(v) for v in ("a", "b", "c", "d", "x")),
        ),
    )


def objective_and_point() -> tuple[Objective, np.ndarray]:
    rng = np.random.default_rng(2)
    rows = np.column_stack([one_factor_rows(1), rng.normal(size=200)])
    names, blocks = structures([("", full_model())])
    objective = Objective(blocks, GroupLikelihood([sample(rows, full_model().observed)]))
    point = np.array([1.0 if "variance" in name else 0.2 for name in names.names])
    return objective, point + 0.1 * rng.random(len(point))


def differences(function, point: np.ndarray) -> np.ndarray:
    out = []
    for k in range(len(point)):
        step = np.zeros(len(point))
        step[k] = 1e-5
        out.append((function(point + step) - function(point - step)) / 2e-5)
    return np.array(out)


# ---------------------------------------------------------------------------------- derivatives


def test_gradient_against_finite_differences():
    objective, point = objective_and_point()
    ours = objective.expand(point, GRADIENT).gradient
    assert ours == pytest.approx(differences(objective.value, point), rel=1e-6, abs=1e-5)


def test_hessian_against_finite_differences_of_the_gradient():
    objective, point = objective_and_point()
    ours = objective.expand(point, OBSERVED).hessian
    theirs = differences(lambda t: objective.expand(t, GRADIENT).gradient, point)
    assert ours == pytest.approx(theirs, rel=1e-6, abs=1e-4)


def test_scores_add_up_to_the_gradient():
    objective, point = objective_and_point()
    implied = objective.implied(point)
    ((_, score),) = objective.likelihood.scores([(i.mu, i.sigma) for i in implied])
    total = score.sum(axis=0) @ implied[0].jacobian()
    assert total == pytest.approx(-objective.expand(point, GRADIENT).gradient, rel=1e-9, abs=1e-8)


def test_expected_information_is_the_mean_of_the_observed_one():
    """Complete data at their own moments: the two are one (T = Sigma, d = 0)."""
    rows = one_factor_rows(5, missing=0.0)
    _, blocks = structures([("", saturated_model(ITEMS))])
    own = sample(rows, ITEMS)
    objective = Objective(blocks, GroupLikelihood([own]))
    _, mean, cov = own.pattern(0)
    place = {name: k for k, name in enumerate(ITEMS)}
    theta = np.empty(objective.n_theta)
    for entry, index in zip(blocks[0].free, blocks[0].theta, strict=True):
        theta[index] = (
            mean[place[entry.variable]]
            if isinstance(entry, Mean)
            else cov[place[entry.first], place[entry.second]]
        )
    observed, expected = objective.expand(theta, OBSERVED), objective.expand(theta, EXPECTED)
    assert observed.hessian == pytest.approx(expected.hessian, rel=1e-9, abs=1e-6)
    assert np.abs(observed.gradient).max() < 1e-9


def test_two_level_derivatives_and_scores():
    rng = np.random.default_rng(3)
    person = np.repeat(np.arange(40), rng.integers(1, 7, 40))
    rows = rng.normal(size=(40, 3))[person] + rng.normal(size=(len(person), 3))
    likelihood = TwoLevelLikelihood(clustered(rows, person, ITEMS[:3]))
    within = factor_model({"w": ITEMS[:3]}, means=False, marker=False)
    between = factor_model({"g": ITEMS[:3]}, marker=False)
    names, blocks = structures([("within", within), ("between", between)])
    objective = Objective(blocks, likelihood)
    point = np.array([0.8 if "variance" in name else 0.3 for name in names.names])
    point = point + 0.1 * rng.random(len(point))
    at = objective.expand(point, OBSERVED)
    assert at.gradient == pytest.approx(differences(objective.value, point), rel=1e-6, abs=1e-5)
    slopes = differences(lambda t: objective.expand(t, GRADIENT).gradient, point)
    assert at.hessian == pytest.approx(slopes, rel=1e-6, abs=1e-4)
    implied = objective.implied(point)
    ((_, score),) = likelihood.scores([(i.mu, i.sigma) for i in implied])
    jacobian = np.vstack([i.jacobian() for i in implied])
    assert score.sum(axis=0) @ jacobian == pytest.approx(-at.gradient, rel=1e-9, abs=1e-8)


def test_two_level_likelihood_is_that_of_the_long_vector():
    """-log L against one multivariate normal density per cluster, written out."""
    rng = np.random.default_rng(8)
    person = np.repeat(np.arange(6), [1, 2, 2, 3, 1, 4])
    rows = rng.normal(size=(len(person), 2))
    mu, within = np.array([0.2, -0.1]), np.array([[1.0, 0.3], [0.3, 0.8]])
    between = np.array([[0.5, 0.2], [0.2, 0.4]])
    likelihood = TwoLevelLikelihood(clustered(rows, person, ["a", "b"]))
    ours = likelihood.expand([(np.zeros(2), within), (mu, between)], 0).value + likelihood.constant
    total = 0.0
    for cluster in range(6):
        own = rows[person == cluster]
        n = len(own)
        cov = np.kron(np.eye(n), within) + np.kron(np.ones((n, n)), between)
        apart = (own - mu).ravel()
        total += 0.5 * (np.linalg.slogdet(2 * np.pi * cov)[1] + apart @ np.linalg.solve(cov, apart))
    assert ours == pytest.approx(total, rel=1e-12)


# ------------------------------------------------------------- two levels with missing answers


def in_persons(seed: int, missing: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(40), rng.integers(1, 7, 40))
    rows = rng.normal(size=(40, 3))[person] + rng.normal(size=(len(person), 3)) + 5.0
    rows[rng.random(rows.shape) < missing] = np.nan
    return rows, person


WITHIN = np.array([[1.0, 0.3, 0.2], [0.3, 1.1, 0.1], [0.2, 0.1, 0.9]])
BETWEEN = np.array([[0.8, 0.2, 0.3], [0.2, 0.9, 0.1], [0.3, 0.1, 0.7]])
NEGATIVE = np.array([[-0.02, 0.0, 0.0], [0.0, 0.1, 0.0], [0.0, 0.0, 0.1]])
CENTRE = np.array([5.0, 5.1, 4.9])


@pytest.mark.parametrize("order", [OBSERVED, EXPECTED])
def test_both_two_level_likelihoods_are_one_on_complete_answers(order):
    rows, person = in_persons(1, 0.0)
    moments = [(np.zeros(3), WITHIN), (CENTRE, BETWEEN)]
    one = TwoLevelLikelihood(clustered(rows, person, ITEMS[:3]))
    two = IncompleteLikelihood(clustered_incomplete(rows, person, ITEMS[:3]))
    a, b = one.expand(moments, order), two.expand(moments, order)
    assert a.value == pytest.approx(b.value, rel=1e-12)
    for (mu_a, sigma_a), (mu_b, sigma_b) in zip(a.gradients, b.gradients, strict=True):
        assert mu_a == pytest.approx(mu_b, abs=1e-10)
        assert sigma_a == pytest.approx(sigma_b, abs=1e-10)
    assert a.second[0][1].matrix() == pytest.approx(b.second[0][1].matrix(), abs=1e-9)
    # clusters come in another order
    meat = [like.scores(moments)[0][1] for like in (one, two)]
    assert meat[0].T @ meat[0] == pytest.approx(meat[1].T @ meat[1], abs=1e-8)


@pytest.mark.parametrize("between", [BETWEEN, NEGATIVE], ids=["positive", "negative variance"])
def test_incomplete_likelihood_is_that_of_the_long_vector(between):
    rows, person = in_persons(2, 0.25)
    likelihood = IncompleteLikelihood(clustered_incomplete(rows, person, ITEMS[:3]))
    moments = [(np.zeros(3), WITHIN), (CENTRE, between)]
    ours = likelihood.expand(moments, 0).value + likelihood.constant
    total = 0.0
    for cluster in range(40):
        own = rows[person == cluster]
        n = len(own)
        seen = ~np.isnan(own.ravel())
        cov = np.kron(np.eye(n), WITHIN) + np.kron(np.ones((n, n)), between)
        cov, apart = 2 * np.pi * cov[np.ix_(seen, seen)], (own - CENTRE).ravel()[seen]
        square = 2 * np.pi * apart @ np.linalg.solve(cov, apart) if seen.any() else 0.0
        total += 0.5 * (np.linalg.slogdet(cov)[1] + square)
    assert ours == pytest.approx(total, rel=1e-12)


def test_incomplete_clusters_that_no_data_can_have():
    rows, person = in_persons(2, 0.25)
    likelihood = IncompleteLikelihood(clustered_incomplete(rows, person, ITEMS[:3]))
    moments = [(np.zeros(3), WITHIN), (CENTRE, -WITHIN)]
    assert likelihood.expand(moments, GRADIENT).value == np.inf
    assert likelihood.expand([(np.zeros(3), -WITHIN), (CENTRE, BETWEEN)], 0).value == np.inf


def test_incomplete_derivatives_and_scores():
    rows, person = in_persons(3, 0.25)
    likelihood = IncompleteLikelihood(clustered_incomplete(rows, person, ITEMS[:3]))
    within = factor_model({"w": ITEMS[:3]}, means=False, marker=False)
    names, blocks = structures([("within", within), ("between", saturated_model(ITEMS[:3]))])
    objective = Objective(blocks, likelihood)
    point = np.array([5.0 if "mean" in n else 0.8 if "variance" in n else 0.3 for n in names.names])
    point = point + 0.1 * np.random.default_rng(0).random(len(point))
    at = objective.expand(point, OBSERVED)
    assert at.gradient == pytest.approx(differences(objective.value, point), rel=1e-6, abs=1e-5)
    slopes = differences(lambda t: objective.expand(t, GRADIENT).gradient, point)
    assert at.hessian == pytest.approx(slopes, rel=1e-6, abs=1e-4)
    implied = objective.implied(point)
    ((_, score),) = likelihood.scores([(i.mu, i.sigma) for i in implied])
    jacobian = np.vstack([i.jacobian() for i in implied])
    assert score.sum(axis=0) @ jacobian == pytest.approx(-at.gradient, rel=1e-9, abs=1e-8)


def test_order_changes_no_bit_of_incomplete_clusters():
    rows, person = in_persons(4, 0.2)
    rng = np.random.default_rng(0)
    order, names = rng.permutation(len(rows)), rng.permutation(40)
    models = saturated_model(ITEMS[:3], means=False), saturated_model(ITEMS[:3])
    first = fit_two_level(*models, clustered_incomplete(rows, person, ITEMS[:3]))
    again = clustered_incomplete(rows[order], names[person[order]], ITEMS[:3])
    second = fit_two_level(*models, again)
    assert (first.theta == second.theta).all()
    assert (first.covariance_robust == second.covariance_robust).all()


# ---------------------------------------------------------------------------------- invariances


def test_row_order_changes_no_bit():
    rows = one_factor_rows(7)
    shuffled = rows[np.random.default_rng(0).permutation(len(rows))]
    model = factor_model({"f": ITEMS})
    first, second = fit_sem(model, rows), fit_sem(model, shuffled)
    assert (first.theta == second.theta).all()
    assert (first.covariance_robust == second.covariance_robust).all()
    assert first.indices == second.indices


def test_order_of_clusters_and_rows_changes_no_bit():
    rng = np.random.default_rng(3)
    person = np.repeat(np.arange(60), rng.integers(1, 6, 60))
    rows = rng.normal(size=(60, 1))[person] + rng.normal(size=(len(person), 3))
    order = rng.permutation(len(rows))
    names = rng.permutation(60)
    models = factor_model({"w": ITEMS[:3]}, means=False), saturated_model(ITEMS[:3])
    first = fit_two_level(*models, clustered(rows, person, ITEMS[:3]))
    second = fit_two_level(*models, clustered(rows[order], names[person[order]], ITEMS[:3]))
    assert (first.theta == second.theta).all()
    assert (first.covariance_robust == second.covariance_robust).all()


def test_units_and_origin_of_an_item_change_only_its_own_numbers():
    rows = one_factor_rows(9)
    model = factor_model({"f": ITEMS}, marker=False)
    plain = fit_sem(model, rows)
    moved = fit_sem(model, rows * [1.0, 1000.0, 1.0, 1.0] + [0.0, 1e5, 0.0, 0.0])
    assert moved.indices.test.chi2 == pytest.approx(plain.indices.test.chi2, rel=1e-8)
    assert moved.value("f -> a") == pytest.approx(plain.value("f -> a"), rel=1e-8)
    assert moved.value("f -> b") == pytest.approx(1000 * plain.value("f -> b"), rel=1e-8)


def test_marker_or_unit_variance_is_one_model():
    rows = one_factor_rows(10)
    marker = fit_sem(factor_model({"f": ITEMS}), rows)
    unit = fit_sem(factor_model({"f": ITEMS}, marker=False), rows)
    assert marker.indices.test.chi2 == pytest.approx(unit.indices.test.chi2, rel=1e-9)
    names = ["entry", "standardised"]
    a = marker.estimates()[names].set_index("entry").drop(index="variance of f")
    b = unit.estimates()[names].set_index("entry").drop(index="variance of f")
    assert a["standardised"].to_dict() == pytest.approx(b["standardised"].to_dict(), rel=1e-7)


def test_moments_are_enough_for_complete_data():
    rows = one_factor_rows(11, missing=0.0)
    model = factor_model({"f": ITEMS})
    from_rows = fit_sem(model, rows)
    mean, cov = rows.mean(axis=0), np.cov(rows.T, bias=True)
    from_moments = fit_sem(model, sample_of_moments(mean, cov, len(rows), ITEMS))
    assert from_moments.theta == pytest.approx(from_rows.theta, rel=1e-9)
    assert from_moments.covariance_robust is None
    with pytest.raises(FitError, match="Robust standard errors need the rows"):
        from_moments.estimates("robust")


def test_groups_without_equalities_are_fits_of_their_own():
    model = factor_model({"f": ITEMS})
    data = {"north": one_factor_rows(12), "south": one_factor_rows(13, n=150)}
    both = fit_sem({"north": model, "south": model}, data)
    own = [fit_sem(model, rows) for rows in data.values()]
    total = sum(fit.indices.test.chi2 for fit in own)
    assert both.indices.test.chi2 == pytest.approx(total, rel=1e-9)
    assert both.value("f -> b [south]") == pytest.approx(own[1].value("f -> b"), rel=1e-9)


def test_score_test_agrees_with_the_likelihood_ratio_for_a_small_departure():
    rows = one_factor_rows(14, n=2000)
    equal = factor_model({"f": ITEMS}, marker=False).plus(
        Path("f", "a", label="l"), Path("f", "b", label="l")
    )
    free = factor_model({"f": ITEMS}, marker=False)
    narrow, wide = fit_sem(equal, rows), fit_sem(free, rows)
    ratio = narrow.indices.test.chi2 - wide.indices.test.chi2
    test = narrow.score_test({"": free})
    assert test.df == 1
    assert test.chi2 == pytest.approx(ratio, rel=0.1)


def test_a_defined_parameter_has_the_delta_standard_error():
    fit = fit_sem(factor_model({"f": ITEMS}), one_factor_rows(15))
    value, se = fit.defined(lambda v: v["f -> b"] * v["variance of f"])
    b, variance = fit.value("f -> b"), fit.value("variance of f")
    i, j = fit.names.index("f -> b"), fit.names.index("variance of f")
    cov = fit.covariance[np.ix_([i, j], [i, j])]
    slope = np.array([variance, b])
    assert value == pytest.approx(b * variance)
    assert se == pytest.approx(np.sqrt(slope @ cov @ slope))


# ------------------------------------------------------------------------------------- refusals


def refusal(model: Model, rows: np.ndarray | Sample) -> str:
    with pytest.raises(FitError) as caught:
        fit_sem(model, rows)
    return str(caught.value)


def test_a_constant_item_is_named():
    rows = one_factor_rows(1)
    rows[:, 1] = 2.0
    assert "'b' never varies" in refusal(factor_model({"f": ITEMS}), rows)


def test_an_item_without_answers_is_named():
    rows = one_factor_rows(1)
    rows[:, 2] = np.nan
    assert "'c' has no values" in refusal(factor_model({"f": ITEMS}), rows)


def test_items_never_answered_together_are_named():
    rows = one_factor_rows(1, missing=0.0)
    rows[:100, 0] = np.nan
    rows[100:, 1] = np.nan
    assert "'a' and 'b' are never answered together" in refusal(factor_model({"f": ITEMS}), rows)


def test_more_items_than_clients():
    text = refusal(factor_model({"f": ITEMS}), one_factor_rows(1, n=4, missing=0.0))
    assert "4 rows are too few for 4 variables (at least 5)" in text


def test_a_combination_of_items_is_named():
    rows = one_factor_rows(1, missing=0.0)
    rows[:, 3] = rows[:, 0] + rows[:, 1]
    assert "exact combination" in refusal(factor_model({"f": ITEMS}), rows)


def test_a_covariance_that_no_data_can_have():
    cov = np.array([[1.0, 0.9, -0.9], [0.9, 1.0, 0.9], [-0.9, 0.9, 1.0]])
    own = sample_of_moments(np.zeros(3), cov, 100, ["a", "b", "c"])
    assert "exact combination" in refusal(factor_model({"f": ["a", "b", "c"]}), own)


def test_all_faults_of_the_data_in_one_message():
    rows = one_factor_rows(1)
    rows[:, 1] = 2.0
    rows[:, 2] = np.nan
    text = refusal(factor_model({"f": ITEMS}), rows)
    assert "'b' never varies" in text
    assert "'c' has no values" in text


def test_too_many_parameters_are_counted():
    model = factor_model({"f": ["a", "b"]})
    assert "asks for 6 numbers, but the data give only 5" in refusal(
        model, one_factor_rows(1)[:, :2]
    )


def test_what_cannot_be_told_apart_is_named():
    """Neither loading nor variance fixed: the scale of the factor is free."""
    model = factor_model({"f": ITEMS}).plus(Path("f", "a"))
    text = refusal(model, one_factor_rows(1))
    assert "not identified" in text
    assert "'variance of f'" in text
    assert "'f -> a'" in text
    assert "'mean of a'" not in text


def test_a_free_factor_mean_beside_free_intercepts_is_named():
    text = refusal(factor_model({"f": ITEMS}).plus(Mean("f")), one_factor_rows(1))
    assert "'mean of f'" in text


def test_a_model_without_parameters_is_refused():
    model = Model(("a",), (), (Covariance("a", "a", fixed=1.0), Mean("a", fixed=0.0)))
    assert "no free parameter" in refusal(model, one_factor_rows(1)[:, :1])


def test_an_impossible_start_is_refused_in_words():
    model = Model(
        ("a", "b"),
        (),
        (
            Covariance("a", "a", fixed=1.0),
            Covariance("b", "b", fixed=1.0),
            Covariance("a", "b", fixed=2.0),
            Mean("a"),
            Mean("b"),
        ),
    )
    assert "impossible covariance matrix" in refusal(model, one_factor_rows(1)[:, :2])


def test_faults_of_a_model_are_listed_together():
    with pytest.raises(FitError) as caught:
        Model(
            ("a", "b"),
            ("f",),
            (Path("f", "z"), Path("a", "a"), Mean("a"), Mean("a"), Mean("b", fixed=1, label="l")),
        )
    text = str(caught.value)
    assert "there is no variable 'z'" in text
    assert "cannot cause itself" in text
    assert "mean of a: given twice" in text
    assert "either fixed or labelled" in text


def test_a_heywood_case_is_named_and_kept():
    """cov(a,b) cov(a,c) / cov(b,c) = 1.28 > var(a): the residual variance must be negative."""
    cov = np.array([[1.0, 0.8, 0.8], [0.8, 1.0, 0.5], [0.8, 0.5, 1.0]])
    own = sample_of_moments(np.zeros(3), cov, 300, ["a", "b", "c"])
    fit = fit_sem(factor_model({"f": ["a", "b", "c"]}), own)
    assert fit.convergence.heywood == ("variance of a is negative",)
    assert fit.value("variance of a") == pytest.approx(1.0 - 0.8 * 0.8 / 0.5)


def test_undetermined_at_the_solution_is_no_success():
    """Two pairs of items whose factors do not correlate: only the sum of loadings is known."""
    cov = np.eye(4)
    cov[0, 1] = cov[1, 0] = cov[2, 3] = cov[3, 2] = 0.5
    own = sample_of_moments(np.zeros(4), cov, 300, ITEMS)
    fit = fit_sem(factor_model({"f": ITEMS[:2], "g": ITEMS[2:]}), own)
    assert not fit.convergence.converged
    assert "f -> b" in fit.convergence.not_identified
    assert np.isnan(fit.covariance).all()


def test_two_level_refusals():
    person = np.repeat(np.arange(30), 3)
    rows = np.random.default_rng(0).normal(size=(90, 3))
    rows[:, 1] = person
    model, within = factor_model({"f": ITEMS[:3]}), factor_model({"w": ITEMS[:3]}, means=False)
    with pytest.raises(FitError, match="'b' never varies within a cluster"):
        fit_two_level(within, model, clustered(rows, person, ITEMS[:3]))
    alone = clustered(np.random.default_rng(0).normal(size=(90, 3)), np.arange(90), ITEMS[:3])
    with pytest.raises(FitError, match="spread within clusters cannot be estimated"):
        fit_two_level(within, model, alone)


def test_a_growth_curve_finds_its_line():
    """No noise to speak of: intercept 10 and slope -0.5 on average, exactly."""
    rng = np.random.default_rng(1)
    line = np.column_stack([10 + rng.normal(size=50), -0.5 + 0.1 * rng.normal(size=50)])
    rows = line[:, :1] + line[:, 1:] * np.arange(5) + 1e-3 * rng.normal(size=(50, 5))
    fit = fit_sem(growth_curve([f"y{t}" for t in range(5)], range(5)), rows)
    assert fit.value("mean of intercept") == pytest.approx(line[:, 0].mean(), abs=1e-3)
    assert fit.value("variance of slope") == pytest.approx(line[:, 1].var(), rel=1e-3)
