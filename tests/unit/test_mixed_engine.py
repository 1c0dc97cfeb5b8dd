"""The recursion and its derivatives, against dense matrices and finite differences."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from alliance.mixed import compiling, fit_mixed
from alliance.mixed.criterion import Criterion
from alliance.mixed.degrees_of_freedom import linear_form
from alliance.mixed.fit import default_start
from alliance.mixed.inference.robust import marginal_covariance


def cohort(seed=1, therapists=6, clients=5, pattern=False):
    rng = np.random.default_rng(seed)
    rows = []
    for j in range(therapists):
        v = rng.normal(0, 0.7)
        for i in range(clients):
            u = rng.normal(0, [1.0, 0.3])
            for t in range(5 if pattern else rng.integers(3, 8)):
                if not pattern and rng.random() < 0.2:
                    continue
                x = rng.normal()
                y = 2 + v + u[0] + (0.3 + u[1]) * t + 0.5 * x + rng.normal()
                rows.append((j // 2, j, 100 * j + i, t, x, "ab"[i % 2], y))
    return pd.DataFrame(rows, columns=["site", "therapist", "client", "t", "x", "arm", "y"])


MODELS = [
    {"random": {"therapist": ["1"], "client": ["1", "t"]}},
    {"random": {"site": ["1"], "therapist": ["1", "t"], "client": ["1", "t"]}},
    {"random": {"therapist": ["1"], "client": ["1"]}, "residual": "ar1", "residual_time": "t"},
    {"random": {"therapist": ["1"], "client": ["1"]}, "residual": "car1", "residual_time": "t",
     "residual_by": "arm"},
    {"random": {"therapist": ["t"], "client": ["1"]}, "residual_by": "arm", "method": "ML"},
]  # fmt: skip


def fit_of(model, **options):
    return fit_mixed(cohort(), "y", ["1", "t", "x", "arm"], **model, **options)


@pytest.mark.parametrize("model", MODELS)
def test_likelihood_is_that_of_the_dense_matrices(model):
    fit = fit_of(model)
    prepared = fit.prepared
    v = marginal_covariance(fit, np.arange(fit.rows.used))
    x = prepared.user_matrix(prepared.fixed, None)
    inverse = np.linalg.inv(v)
    information = x.T @ inverse @ x
    b = np.linalg.solve(information, x.T @ inverse @ prepared.outcome)
    e = prepared.outcome - x @ b
    reml = fit.method == "REML"
    n = len(e) - (x.shape[1] if reml else 0)
    deviance = n * np.log(2 * np.pi) + np.linalg.slogdet(v)[1] + e @ inverse @ e
    if reml:
        deviance += np.linalg.slogdet(information)[1]
    assert fit.log_likelihood == pytest.approx(-deviance / 2, abs=1e-8)
    np.testing.assert_allclose(fit.estimate.coefficients, b, rtol=1e-8)
    np.testing.assert_allclose(fit.estimate.covariance, np.linalg.inv(information), rtol=1e-7)


@pytest.mark.parametrize("model", MODELS)
def test_gradient_and_hessian_match_finite_differences(model):
    fit = fit_of(model)
    criterion = fit.criterion
    theta = default_start(criterion.problem, 0.4) + 0.1
    expansion = criterion.expand(theta)
    h = 1e-5
    for i in range(len(theta)):
        step = np.zeros(len(theta))
        step[i] = h
        slope = (criterion.value(theta + step) - criterion.value(theta - step)) / (2 * h)
        assert expansion.gradient[i] == pytest.approx(slope, rel=1e-5, abs=1e-5)
        bend = criterion.expand(theta + step).gradient - criterion.expand(theta - step).gradient
        np.testing.assert_allclose(expansion.hessian[i], bend / (2 * h), rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("model", MODELS)
def test_full_expansion_matches_finite_differences(model):
    fit = fit_of(model)
    criterion, layout = fit.criterion, fit.criterion.problem.layout
    theta, tau = fit.optimum.theta + 0.05, 0.3
    full = criterion.expand_full(theta, tau)
    slope = np.append(layout.jacobian(theta).T @ full.gradient[:-1], full.gradient[-1])
    h = 1e-6

    def value(point):
        return criterion.full_value(criterion.profile_at(point[:-1]), point[-1])

    point = np.append(theta, tau)
    for i in range(len(point)):
        step = np.zeros(len(point))
        step[i] = h
        found = (value(point + step) - value(point - step)) / (2 * h)
        assert slope[i] == pytest.approx(found, rel=1e-5, abs=1e-4)


def test_second_derivatives_in_full_agree_with_their_contraction():
    fit = fit_of(MODELS[1])
    problem = fit.criterion.problem
    rng = np.random.default_rng(2)
    root = rng.normal(size=(problem.n_columns, problem.n_columns))
    omega = root @ root.T
    theta = default_start(problem, 0.4)
    full = problem.quadratic_form(theta, 2, full=True)
    short = problem.quadratic_form(theta, 2, omega)
    expected = np.einsum("ijab,ab->ij", full.t_second, omega)
    np.testing.assert_allclose(short.contraction, expected, rtol=1e-9)


def test_clients_by_pattern_and_one_by_one_agree():
    data = cohort(pattern=True, therapists=10)
    fit = fit_mixed(data, "y", ["1", "t", "x"], MODELS[0]["random"])
    problem = fit.criterion.problem
    assert problem.patterns is not None
    single = replace(problem, patterns=None)
    theta = default_start(problem, 0.7) + 0.05
    for full in (False, True):
        omega = np.eye(problem.n_columns)
        one = problem.quadratic_form(theta, 2, omega, full=full)
        other = single.quadratic_form(theta, 2, omega, full=full)
        for name in ("t", "log_det", "t_first", "log_det_second", "t_second", "contraction"):
            if getattr(one, name) is not None:
                np.testing.assert_allclose(
                    getattr(one, name), getattr(other, name), rtol=1e-9, atol=1e-9
                )


def test_linear_form_is_homogeneous():
    # V doubles with all its variances, so X'V^-1X halves: Euler's relation for first derivatives.
    fit = fit_of(MODELS[0])
    s2 = 1.7
    form = linear_form(fit.criterion, fit.optimum.theta, s2)
    from alliance.mixed.degrees_of_freedom import relative_covariances

    gamma = np.append(relative_covariances(fit.criterion, fit.optimum.theta) * s2, s2)
    np.testing.assert_allclose(
        np.einsum("r,rab->ab", gamma, form.first), -form.information, rtol=1e-9
    )
    assert gamma @ form.log_det_second @ gamma == pytest.approx(-fit.rows.used, rel=1e-9)


def test_shuffled_rows_give_the_same_bits():
    data = cohort()
    base = fit_mixed(data, "y", ["1", "t", "x"], MODELS[0]["random"])
    again = fit_mixed(data.sample(frac=1, random_state=5), "y", ["1", "t", "x"], **MODELS[0])
    assert base.log_likelihood == again.log_likelihood
    pd.testing.assert_frame_equal(base.coefficients, again.coefficients, check_exact=True)
    pd.testing.assert_frame_equal(
        base.random_effects("client"), again.random_effects("client"), check_exact=True
    )


def test_offset_of_a_time_with_random_slopes_changes_nothing():
    data = cohort()
    base = fit_mixed(data, "y", ["1", "t", "square(t)", "t:x", "x"], MODELS[0]["random"])
    moved = fit_mixed(
        data.assign(t=data["t"] + 1e6), "y", ["1", "t", "square(t)", "t:x", "x"],
        MODELS[0]["random"],
    )  # fmt: skip
    assert moved.log_likelihood == pytest.approx(base.log_likelihood, abs=1e-6)
    last = base.coefficients.set_index("term").loc["square(t)"]
    found = moved.coefficients.set_index("term").loc["square(t)"]
    assert found["estimate"] == pytest.approx(last["estimate"], rel=1e-8)
    assert found["se"] == pytest.approx(last["se"], rel=1e-8)


def test_sampled_starts_lead_to_the_same_optimum(monkeypatch):
    import importlib

    module = importlib.import_module("alliance.mixed.fit")
    data = cohort(therapists=40)
    base = fit_mixed(data, "y", ["1", "t", "x"], MODELS[0]["random"])
    monkeypatch.setattr(module, "SAMPLE_ABOVE", 10)
    sampled = fit_mixed(data, "y", ["1", "t", "x"], MODELS[0]["random"])
    assert sampled.log_likelihood == pytest.approx(base.log_likelihood, abs=1e-9)


def test_kernels_compile_where_nothing_can_be_cached(monkeypatch):
    real = compiling.numba.njit

    def njit(function, **options):
        if options.get("cache"):
            raise RuntimeError("cannot cache function: no locator available")
        return real(function, **options)

    monkeypatch.setattr(compiling.numba, "njit", njit)
    assert compiling.compiled(lambda a: a + 1)(1) == 2


def test_criterion_counts_its_evaluations():
    fit = fit_of(MODELS[0])
    fresh = Criterion(fit.criterion.problem, fit.criterion.fixed, reml=True)
    fresh.value(fit.optimum.theta)
    fresh.value(fit.optimum.theta)  # remembered
    assert fresh.evaluations == 1
