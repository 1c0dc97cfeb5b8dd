"""The parts of the binary engine: links, kernels, tree, derivatives, quadrature, result."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.optimize import minimize_scalar
from scipy.special import expit

from alliance.errors import FitError
from alliance.mixed import fit_mixed_logit
from alliance.mixed.logit.kernels import STRETCH, Leaves, exponentials, leaf_sums
from alliance.mixed.logit.laplace import BinaryRows, Laplace
from alliance.mixed.logit.links import (
    LINKS,
    cloglog_two,
    cloglog_value,
    cloglog_weights,
    probability,
    probability_curvature,
    probability_slope,
)
from alliance.mixed.logit.prediction import average_over_groups
from alliance.mixed.logit.prepare import merge_rows, sort_rows
from alliance.mixed.logit.quadrature import Quadrature
from alliance.mixed.logit.tree import build_tree, eliminate, prune
from alliance.mixed.rows import Nesting, nest

LEVELS = (["site"], ["site", "therapist"], ["site", "therapist", "client"])


def small_data(seed: int = 1, n: int = 300) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    data = pd.DataFrame(
        {
            "site": rng.integers(0, 5, n),
            "therapist": rng.integers(0, 3, n),
            "client": rng.integers(0, 4, n),
            "x": rng.normal(size=n),
            "z": rng.normal(size=n),
        }
    )
    data["y"] = (rng.random(n) < expit(0.5 * data["x"] - 0.5)).astype(float)
    return data.sort_values(["site", "therapist", "client"], ignore_index=True)


def nesting_of(data: pd.DataFrame, levels: list[str]) -> Nesting:
    return nest(data, {level: tuple(levels[: k + 1]) for k, level in enumerate(levels)})


def problem(levels: list[str], link: str, seed: int = 1) -> Laplace:
    """Rows with one to three trials each."""
    data, rng = small_data(seed), np.random.default_rng(seed)
    nesting = nesting_of(data, levels)
    trials = rng.integers(1, 4, len(data)).astype(float)
    successes = rng.binomial(trials.astype(int), 0.35).astype(float)
    x = np.array([np.ones(len(data)), data["x"], data["z"]])
    rows = BinaryRows(x, successes, trials, nesting.starts[-1])
    return Laplace(rows, build_tree(nesting), link)


def point(levels: list[str]) -> np.ndarray:
    return np.array([-0.7, 0.4, -0.2, *[0.9, 0.6, 0.5][: len(levels)]])


def central(f, at: np.ndarray, step: float = 1e-5) -> np.ndarray:
    return np.array([(f(at + step * e) - f(at - step * e)) / (2 * step) for e in np.eye(len(at))])


# ------------------------------------------------------------------------------------- links


@pytest.mark.parametrize("link", LINKS)
def test_derivatives_of_the_probability(link):
    eta, step = np.linspace(-8, 3, 45), 1e-5
    for f, slope in (
        (probability, probability_slope),
        (probability_slope, probability_curvature),
    ):
        expected = (f(link, eta + step) - f(link, eta - step)) / (2 * step)
        assert slope(link, eta) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("link", LINKS)
def test_probability_at_extremes(link):
    p = probability(link, np.array([-1e4, -800.0, 800.0, 1e4]))
    assert p.tolist() == [0, 0, 1, 1]
    assert np.isfinite(probability_slope(link, np.array([-1e4, 1e4]))).all()
    assert np.isfinite(probability_curvature(link, np.array([-1e4, 1e4]))).all()


@pytest.mark.parametrize(("successes", "trials"), [(0.0, 1.0), (1.0, 1.0), (2.0, 5.0)])
def test_derivatives_of_a_row_under_cloglog(successes, trials):
    step = 1e-5
    # both sides of the point where a series takes over, lambda = 0.05
    for eta in (-12.0, -5.0, np.log(0.05) - 1e-3, np.log(0.05) + 1e-3, -1.0, 0.0, 1.0, 2.5):
        ends = [cloglog_value(eta + side * step, successes, trials) for side in (1, -1)]
        first, w = cloglog_two(eta, successes, trials)
        assert first == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-7, abs=1e-9)
        ends = [cloglog_two(eta + side * step, successes, trials)[0] for side in (1, -1)]
        assert w == pytest.approx(-(ends[0] - ends[1]) / (2 * step), rel=1e-6, abs=1e-8)
        ends = [np.array(cloglog_weights(eta + side * step, successes, trials)) for side in (1, -1)]
        slopes = (ends[0] - ends[1]) / (2 * step)
        assert cloglog_weights(eta, successes, trials)[0] == pytest.approx(w, rel=1e-12)
        assert cloglog_weights(eta, successes, trials)[1:] == pytest.approx(
            slopes[:2], rel=1e-6, abs=1e-8
        )


def test_rows_under_cloglog_at_extremes_are_finite():
    for eta in (-800.0, -40.0, 5.0, 40.0):
        for successes in (0.0, 1.0):
            terms = [
                cloglog_value(eta, successes, 1.0),
                *cloglog_two(eta, successes, 1.0),
                *cloglog_weights(eta, successes, 1.0),
            ]
            assert np.isfinite(terms).all()


# ----------------------------------------------------------------------------------- kernels


def test_exponentials_to_the_last_bits():
    eta = np.concatenate([np.linspace(-40, 40, 400), [0.0, 1e-300, 690.0, 1e5]])
    e, bits = np.empty(STRETCH), np.empty(STRETCH, dtype=np.int64)
    exponentials(eta, len(eta), e, bits)
    expected = np.exp(-np.minimum(np.abs(eta), 700.0))
    assert e[: len(eta)] == pytest.approx(expected, rel=5e-16)


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("single", [True, False])
def test_sums_over_leaves_longer_than_a_stretch(link, single):
    rng = np.random.default_rng(2)
    pointer = np.array([0, 3, 3 + 2 * STRETCH + 7, 4 * STRETCH])
    n = pointer[-1]
    fixed, path = rng.normal(size=n), rng.normal(size=3)
    trials = np.ones(n) if single else rng.integers(1, 4, n).astype(float)
    successes = rng.binomial(trials.astype(int), 0.3).astype(float)
    value, score, weight = np.empty(3), np.empty(3), np.empty(3)
    x = np.empty((0, len(fixed)))
    leaves = Leaves(LINKS.index(link), single, x, successes, trials, pointer)
    leaf_sums(leaves, fixed, path, value, score, weight)
    eta = fixed + np.repeat(path, np.diff(pointer))
    p = probability(link, eta)
    log_other = -np.exp(eta) if link == "cloglog" else np.log(expit(-eta))
    by_row = successes * np.log(p) + (trials - successes) * log_other
    assert value == pytest.approx(np.add.reduceat(by_row, pointer[:-1]), rel=1e-12)
    if link == "logit":
        assert score == pytest.approx(np.add.reduceat(successes - trials * p, pointer[:-1]))
        assert weight == pytest.approx(np.add.reduceat(trials * p * (1 - p), pointer[:-1]))


def test_equal_rows_are_merged_within_their_group_only():
    data = pd.DataFrame({"g": [1, 1, 1, 2, 2], "x": [0.5, -0.0, 0.5, 0.5, 0.0]})
    nesting = nesting_of(data, ["g"])
    given = np.array([data["x"] + 0.0, np.ones(5)])
    order = sort_rows(given, nesting)
    merged, x, trials, pointer = merge_rows(given[:, order], nesting)
    assert sorted(order.tolist()) == [0, 1, 2, 3, 4]
    assert pointer.tolist() == [0, 2, 4]
    assert sorted(trials[:2].tolist()) == [1, 2]
    assert trials[2:].tolist() == [1, 1]
    for position, row in enumerate(order):
        assert x[:, merged[position]].tolist() == [data["x"][row] + 0.0, 1.0]


# -------------------------------------------------------------------------------------- tree


@pytest.mark.parametrize("levels", LEVELS)
def test_tree_algebra_is_that_of_the_dense_matrix(levels):
    rng = np.random.default_rng(3)
    tree = build_tree(nesting_of(small_data(), levels))
    sd, weight = np.array([0.8, 0.0, 1.3])[: len(levels)], rng.random(tree.n_leaves) * 3
    z = np.zeros((tree.n_leaves, tree.n_nodes))
    for depth in range(tree.n_levels):
        z[np.arange(tree.n_leaves), tree.ancestor[depth]] = sd[depth]
    h = np.eye(tree.n_nodes) + z.T @ (weight[:, None] * z)
    elimination = eliminate(tree, sd, weight)
    assert elimination.log_det == pytest.approx(np.linalg.slogdet(h)[1], rel=1e-12)
    force, own = rng.normal(size=(tree.n_leaves, 2)), rng.normal(size=(tree.n_nodes, 2))
    y, path = elimination.solve(force, own)
    assert y == pytest.approx(np.linalg.solve(h, z.T @ force + own), abs=1e-12)
    assert path == pytest.approx(z @ y, abs=1e-12)
    inverse = np.linalg.inv(h)
    assert elimination.path_variances()[: tree.n_leaves] == pytest.approx(
        np.einsum("ca,ab,cb->c", z, inverse, z), abs=1e-12
    )
    assert elimination.effect_variances() == pytest.approx(
        sd[tree.depth] ** 2 * np.diag(inverse), abs=1e-12
    )


def test_pruning_keeps_whole_trees():
    tree = build_tree(nesting_of(small_data(), LEVELS[2]))
    part, kept = prune(tree, np.arange(5) % 2 == 0)
    assert part.counts[0] == 3
    assert part.n_nodes == kept.sum()
    above = part.parent[part.parent >= 0]
    assert (part.depth[above] == part.depth[part.parent >= 0] - 1).all()


# ------------------------------------------------------------------------------- derivatives


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("levels", LEVELS)
def test_exact_gradient_and_hessian_of_laplace(levels, link):
    laplace = problem(levels, link)
    at = point(levels)
    expansion = laplace.expand(laplace.at(at))
    gradient = central(lambda psi: laplace.at(psi).value, at)
    hessian = central(lambda psi: laplace.expand(laplace.at(psi)).gradient, at)
    assert expansion.gradient == pytest.approx(gradient, abs=1e-6)
    assert expansion.hessian == pytest.approx(hessian, abs=1e-6)


@pytest.mark.parametrize("link", LINKS)
def test_derivatives_at_a_standard_deviation_of_zero(link):
    laplace = problem(LEVELS[1], link)
    at = point(LEVELS[1])
    at[3:] = 0.0
    expansion = laplace.expand(laplace.at(at))
    assert expansion.gradient[3:].tolist() == [0, 0]
    assert expansion.hessian[:3, 3:] == pytest.approx(np.zeros((3, 2)), abs=1e-10)
    hessian = central(lambda psi: laplace.expand(laplace.at(psi)).gradient, at)
    assert expansion.hessian == pytest.approx(hessian, abs=1e-7 * np.abs(hessian).max())


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("points", [1, 2, 9])
def test_exact_gradient_of_quadrature(points, link):
    quadrature = Quadrature(problem(LEVELS[0], link), points)
    at = point(LEVELS[0])
    expansion = quadrature.expand(quadrature.at(at))
    gradient = central(lambda psi: quadrature.value(quadrature.at(psi)), at)
    assert expansion.gradient == pytest.approx(gradient, abs=1e-6)
    if points == 1:
        laplace = quadrature.laplace.expand(quadrature.at(at))
        assert expansion.value == pytest.approx(laplace.value, rel=1e-14)
        assert expansion.hessian == pytest.approx(laplace.hessian, abs=1e-5)


@pytest.mark.parametrize("link", LINKS)
def test_laplace_by_hand(link):
    """Per group: minimise, take the second derivative by differences, add up."""
    data, sd, b = small_data(4, 80), 0.7, np.array([-0.4, 0.6])
    prepared = fit_mixed_logit(data, "y", ["1", "x"], {"site": ["1"]}, link=link).prepared
    laplace = Laplace(prepared.binary_rows(prepared.outcome), prepared.tree, link)
    found = laplace.at(np.append(prepared.columns.fixed_transform @ b, sd)).value
    total = 0.0
    for _, group in data.groupby("site"):
        eta, y = b[0] + b[1] * group["x"].to_numpy(), group["y"].to_numpy()

        def penalised(u, eta=eta, y=y):
            p = probability(link, eta + sd * u)
            return 0.5 * u * u - np.sum(np.where(y == 1, np.log(p), np.log1p(-p)))

        u = minimize_scalar(penalised, bounds=(-6, 6), method="bounded", options={"xatol": 1e-11}).x
        step = 1e-3
        curvature = (penalised(u + step) - 2 * penalised(u) + penalised(u - step)) / step**2
        total += penalised(u) + 0.5 * np.log(curvature)
    assert found == pytest.approx(total, abs=1e-5)


@pytest.mark.parametrize("link", LINKS)
def test_quadrature_is_the_integral(link):
    data = small_data(4, 60)
    fit = fit_mixed_logit(data, "y", ["1", "x"], {"site": ["1"]}, link=link, quadrature=25)
    b, sd = fit.estimates, 0.7
    mode = fit.prepared
    laplace = Laplace(mode.binary_rows(fit.outcome), mode.tree, link)
    internal = mode.columns.fixed_transform @ b
    found = Quadrature(laplace, 25).value(laplace.at(np.append(internal, sd)))
    total = 0.0
    for _, group in data.groupby("site"):
        eta, y = b[0] + b[1] * group["x"].to_numpy(), group["y"].to_numpy()

        def integrand(u, eta=eta, y=y):
            p = probability(link, eta + u)
            density = np.exp(-0.5 * (u / sd) ** 2) / (sd * np.sqrt(2 * np.pi))
            return density * np.prod(np.where(y == 1, p, 1 - p))

        total += np.log(quad(integrand, -9 * sd, 9 * sd, epsabs=0, epsrel=1e-12, limit=200)[0])
    assert -found == pytest.approx(total, abs=1e-7)


@pytest.mark.parametrize("sd", [0.3, 0.8, 1.7, 4.0])
def test_averages_over_groups(sd):
    eta = np.array([-3.0, -1.0, 0.4])
    found = average_over_groups(expit, eta, sd)
    expected = [
        quad(
            lambda t, e=e: expit(e + sd * t) * np.exp(-0.5 * t * t) / np.sqrt(2 * np.pi),
            -12,
            12,
            epsabs=1e-13,
            limit=200,
        )[0]
        for e in eta
    ]
    assert found == pytest.approx(expected, abs=1e-8)


# ------------------------------------------------------------------------------------ result


@pytest.fixture(scope="module")
def fitted():
    data = small_data(7, 900).assign(arm=lambda d: np.where(d["z"] > 0, "b", "a"))
    return data, fit_mixed_logit(
        data, "y", ["1", "x*arm"], {"site": ["1"], "site:therapist": ["1"]}
    )


def test_shape_of_the_result(fitted):
    _, fit = fitted
    assert list(fit.coefficients.columns) == [
        "term", "estimate", "se", "df", "statistic", "p", "ci_low", "ci_high",
    ]  # fmt: skip
    assert list(fit.coefficients["term"]) == ["1", "x", "arm[b]", "x:arm[b]"]
    assert list(fit.variance_components.columns) == [
        "level", "name_1", "name_2", "variance_or_covariance", "sd_or_correlation",
    ]  # fmt: skip
    assert fit.n_parameters == 6
    assert fit.aic == pytest.approx(-2 * fit.log_likelihood + 12)
    assert fit.bic() == pytest.approx(-2 * fit.log_likelihood + 6 * np.log(900))
    assert fit.bic("site:therapist") == pytest.approx(-2 * fit.log_likelihood + 6 * np.log(15))
    assert fit.n_groups == {"site": 5, "site:therapist": 15}
    assert fit.rows.used == 900
    assert fit.covariance.shape == (4, 4)
    assert fit.equation == (
        "logit P(y = 1) ~ 1 + x + arm[b] + x:arm[b] + (1 | site) + (1 | site:therapist); "
        "ML, Laplace approximation"
    )
    plain = json.loads(json.dumps(fit.to_dict(), allow_nan=False))
    assert plain["link"] == "logit"
    assert [row["term"] for row in plain["coefficients"]] == list(fit.coefficients["term"])
    assert plain["coefficients"][0]["df"] is None
    assert plain["convergence"]["converged"] is True
    assert fit.convergence.second_start_difference < 1e-6


def test_random_effects_table(fitted):
    _, fit = fitted
    table = fit.random_effects("site:therapist")
    assert list(table.columns) == ["site", "therapist", "1", "sd(1)"]
    assert len(table) == 15
    with pytest.raises(FitError, match="no level 'client'"):
        fit.random_effects("client")


def test_predictions_agree_on_both_scales_and_with_new_data(fitted):
    data, fit = fitted
    p, eta = fit.predict(), fit.predict(scale="link")
    assert p.to_numpy() == pytest.approx(expit(eta.to_numpy()))
    shuffled = data.sample(frac=1, random_state=1)
    again = fit.predict(shuffled)
    assert again.loc[p.index].to_numpy() == pytest.approx(p.to_numpy(), rel=1e-14)
    assert fit.fitted().tolist() == p.tolist()


def test_predictions_for_unseen_groups_and_missing_predictors(fitted):
    data, fit = fitted
    new = data.head(3).assign(site=[0, 99, 1], x=[0.1, 0.1, np.nan])
    p = fit.predict(new)
    assert np.isnan(p[2])
    average = fit.predict(new, levels="none")
    assert p[1] == average[1]
    assert fit.predict(new, population=True)[1] == pytest.approx(
        fit.predict(new, "none", population=True)[1], rel=1e-12
    )
    # groups of the fit are not averaged over
    assert fit.predict(new, population=True)[0] == pytest.approx(p[0], rel=1e-12)
    with pytest.raises(FitError, match="no column 'x'"):
        fit.predict(new.drop(columns="x"))
    with pytest.raises(FitError, match="need the column"):
        fit.predict(new.drop(columns="site"))
    with pytest.raises(FitError, match="not seen"):
        fit.predict(new.assign(arm="c"))


def test_confidence_limits_are_carried_over_from_the_link(fitted):
    data, fit = fitted
    on_link = fit.predict(data.head(), interval="confidence", scale="link")
    on_probability = fit.predict(data.head(), interval="confidence")
    assert on_probability["ci_low"].to_numpy() == pytest.approx(expit(on_link["ci_low"].to_numpy()))
    half = (on_link["ci_high"] - on_link["ci_low"]) / 2
    assert half.to_numpy() == pytest.approx(1.959963984540054 * on_link["se"].to_numpy())


def test_marginal_effects_name_what_changes(fitted):
    data, fit = fitted
    table = fit.average_marginal_effects()
    assert table["column"].tolist() == ["x", "arm"]
    assert table["change"].tolist() == ["slope", "b instead of a"]
    assert list(table.columns) == [
        "column", "change", "estimate", "se", "statistic", "p", "ci_low", "ci_high",
    ]  # fmt: skip
    assert fit.average_marginal_effects(["x"], population=False)["column"].tolist() == ["x"]
    with pytest.raises(FitError, match="'q'"):
        fit.average_marginal_effects(["q"])
    indicator = fit_mixed_logit(
        data.assign(b=data["arm"] == "b"), "y", ["1", "x", "b"], {"site": ["1"]}
    ).average_marginal_effects(["b"])
    assert indicator["change"].tolist() == ["1 instead of 0"]


@pytest.mark.parametrize("term", ["log1p(w)", "sqrt(w)", "center(w)", "scale(w)", "spline(w, 3)"])
def test_marginal_effects_through_transforms(term):
    data = small_data(8, 500).assign(w=lambda d: np.exp(d["z"]))
    fit = fit_mixed_logit(data, "y", ["1", "x", term], {"site": ["1"]})
    step = 1e-6
    ends = [
        fit.predict(data.assign(w=data["w"] + side * step), "none", population=True).mean()
        for side in (1, -1)
    ]
    found = fit.average_marginal_effects(["w"])["estimate"][0]
    assert found == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-6, abs=1e-9)


def test_data_are_never_changed(fitted):
    data = small_data(9)
    before = data.copy(deep=True)
    fit = fit_mixed_logit(data, "y", ["1", "x"], {"site": ["1"]})
    fit.predict()
    fit.average_marginal_effects()
    pd.testing.assert_frame_equal(data, before)


def test_simulated_outcomes_are_reproducible(fitted):
    _, fit = fitted
    first, second = (fit.simulate(np.random.default_rng(5)) for _ in range(2))
    assert first.tolist() == second.tolist()
    assert set(first.tolist()) == {0.0, 1.0}
    with pytest.raises(FitError, match="one value per row"):
        fit.refit(first[:-1])
    with pytest.raises(FitError, match="0 or 1"):
        fit.refit(first + 1)


def test_without_random_effects():
    data = small_data(10)
    fit = fit_mixed_logit(data, "y", ["1", "x"], {})
    assert fit.variance_components.empty
    assert fit.n_parameters == 2
    assert fit.n_groups == {}
    assert fit.equation.endswith("ML")
    assert fit.predict().to_numpy() == pytest.approx(fit.predict(levels="none").to_numpy())
    assert not fit.convergence.is_singular
