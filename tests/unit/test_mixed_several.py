"""Several outcomes at once: likelihood, derivatives, invariances, and what is refused."""

import json
from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

from alliance.errors import FitError
from alliance.mixed import compare, fit_mixed, parametric_bootstrap
from alliance.mixed.degrees_of_freedom import linear_form
from alliance.mixed.fit import default_start
from alliance.mixed.inference.held import Held, psd_factor
from alliance.mixed.inference.natural import natural_parameters
from alliance.mixed.inference.robust import marginal_covariance
from alliance.mixed.residual_session import SessionCovariance

CLIENT = np.array(
    [
        [1.0, 0.1, -0.8, -0.1],
        [0.1, 0.25, -0.1, -0.2],
        [-0.8, -0.1, 4.0, 0.3],
        [-0.1, -0.2, 0.3, 0.5],
    ]
)
THERAPIST = np.array([[0.5, -0.3], [-0.3, 1.0]])
RESIDUAL = np.array([[1.0, -0.6], [-0.6, 2.0]])
BOTH = ["alliance", "symptoms"]


def cohort(seed=1, therapists=10, clients=5, sessions=6, missing=0.15):
    """Two outcomes that grow together, each missing now and then."""
    rng = np.random.default_rng(seed)
    count = therapists * clients
    client = np.repeat(np.arange(count), sessions)
    t = np.tile(np.arange(sessions, dtype=float), count)
    x, arm = rng.normal(size=count)[client], (np.arange(count) % 2)[client]
    v = rng.multivariate_normal([0, 0], THERAPIST, therapists)[client // clients]
    u = rng.multivariate_normal(np.zeros(4), CLIENT, count)[client]
    e = rng.multivariate_normal([0, 0], RESIDUAL, len(client))
    data = pd.DataFrame(
        {
            "therapist": client // clients,
            "client": client,
            "t": t,
            "x": x,
            "arm": np.array(["early", "late"])[arm],
            "alliance": 5 + v[:, 0] + u[:, 0] + (0.2 + u[:, 1]) * t + 0.5 * x + e[:, 0],
            "symptoms": 20 + v[:, 1] + u[:, 2] + (u[:, 3] - 0.7) * t - arm + e[:, 1],
        }
    )
    for outcome in BOTH:
        data.loc[rng.random(len(data)) < missing, outcome] = np.nan
    return data


def three(seed=3):
    """Three outcomes with random intercepts; the third is measured every other session."""
    data = cohort(seed, clients=6)
    rng = np.random.default_rng(seed + 100)
    data["mood"] = 3 + 0.4 * data["alliance"].fillna(5) + rng.normal(size=len(data))
    data.loc[data["t"] % 2 == 1, "mood"] = np.nan
    return data


FIXED = {"alliance": ["1", "t", "x"], "symptoms": ["1", "t", "arm"]}
MODELS = {
    "growth": (cohort, BOTH, ["1", "t"], {"client": ["1", "t"]}, {}),
    "nested": (cohort, BOTH, FIXED, {"therapist": ["1"], "client": ["1", "t"]}, {}),
    "ml": (cohort, BOTH, FIXED, {"therapist": ["1"], "client": ["1"]}, {"method": "ML"}),
    "uneven": (
        cohort, BOTH, FIXED,
        {"therapist": {"symptoms": ["1"]}, "client": {"alliance": ["1", "t"], "symptoms": ["1"]}},
        {},
    ),
    "three": (three, [*BOTH, "mood"], ["1", "t"], {"client": ["1"]}, {}),
}  # fmt: skip


@cache
def fit_of(name):
    data, outcomes, fixed, random, options = MODELS[name]
    return fit_mixed(data(), outcomes, fixed, random, **options)


def growth(data, **options):
    return fit_mixed(data, BOTH, ["1", "t"], {"client": ["1", "t"]}, **options)


# ---------------------------------------------------------------------- likelihood and derivatives


def dense_log_likelihood(fit, data):
    """Log-likelihood from the wide table, cell by cell, without the engine's design."""
    spec, names = fit.prepared.specification, list(fit.prepared.outcomes.names)
    cells = [(row, k) for row in range(len(data)) for k in range(len(names))]
    cells = [(row, k) for row, k in cells if pd.notna(data[names[k]].iloc[row])]
    within = fit.residual.covariance.to_numpy()

    def columns(labels):
        matrix = np.zeros((len(cells), len(labels)))
        for place, label in enumerate(labels):
            outcome, term = label.split(": ")
            for at, (row, k) in enumerate(cells):
                if names[k] != outcome:
                    continue
                value = 1.0 if term == "1" else None
                if term == "arm[late]":
                    value = float(data["arm"].iloc[row] == "late")
                matrix[at, place] = data[term].iloc[row] if value is None else value
        return matrix

    y = np.array([data[names[k]].iloc[row] for row, k in cells])
    v = np.array(
        [[within[k, m] if row == other else 0.0 for other, m in cells] for row, k in cells]
    )
    for depth, level in enumerate(spec.levels):
        z = columns(fit.prepared.random_names(depth))
        group = np.array([data[level].iloc[row] for row, _ in cells])
        same = group[:, None] == group[None, :]
        v += same * (z @ fit.estimate.level_covariances[depth] @ z.T)
    x, inverse = columns(fit.prepared.fixed_names), np.linalg.inv(v)
    information = x.T @ inverse @ x
    b = np.linalg.solve(information, x.T @ inverse @ y)
    rest = y - x @ b
    n = len(y) - (x.shape[1] if fit.method == "REML" else 0)
    deviance = n * np.log(2 * np.pi) + np.linalg.slogdet(v)[1] + rest @ inverse @ rest
    if fit.method == "REML":
        deviance += np.linalg.slogdet(information)[1]
    return -0.5 * deviance, b, np.linalg.inv(information), v


@pytest.mark.parametrize("name", MODELS)
def test_likelihood_is_that_of_the_dense_matrices(name):
    fit, data = fit_of(name), MODELS[name][0]()
    log_likelihood, b, covariance, v = dense_log_likelihood(fit, data)
    assert fit.convergence.converged
    assert fit.log_likelihood == pytest.approx(log_likelihood, abs=1e-8)
    np.testing.assert_allclose(fit.estimate.coefficients, b, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(fit.estimate.covariance, covariance, rtol=1e-7, atol=1e-10)
    own = marginal_covariance(fit, np.arange(len(v)))
    np.testing.assert_allclose(own, v, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", MODELS)
def test_gradient_and_hessian_match_finite_differences(name):
    criterion = fit_of(name).criterion
    theta = default_start(criterion.problem, 0.4) + 0.1
    expansion, h = criterion.expand(theta), 1e-5
    for i in range(len(theta)):
        step = np.zeros(len(theta))
        step[i] = h
        slope = (criterion.value(theta + step) - criterion.value(theta - step)) / (2 * h)
        assert expansion.gradient[i] == pytest.approx(slope, rel=1e-5, abs=1e-5)
        bend = criterion.expand(theta + step).gradient - criterion.expand(theta - step).gradient
        np.testing.assert_allclose(expansion.hessian[i], bend / (2 * h), rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("outcomes", [2, 3, 4])
def test_weights_of_the_residual_covariance_match_finite_differences(outcomes):
    rng = np.random.default_rng(outcomes)
    measured = rng.random((60, outcomes)) < 0.6
    measured = measured[measured.any(axis=1)]
    names = tuple("abcd"[:outcomes])
    structure = SessionCovariance.from_measured(names, measured)
    rho = rng.normal(0, 0.4, structure.n_parameters)
    assert structure.working(structure.relative(rho)) == pytest.approx(rho)
    weights, h = structure.weights(rho), 1e-6
    for i in range(len(rho)):
        step = np.zeros(len(rho))
        step[i] = h
        high, low = structure.weights(rho + step), structure.weights(rho - step)
        np.testing.assert_allclose(
            weights.first[i], (high.value - low.value) / (2 * h), rtol=1e-6, atol=1e-8
        )
        assert weights.log_det_first[i] == pytest.approx(
            (high.log_det - low.log_det) / (2 * h), rel=1e-6, abs=1e-6
        )
        for j in range(i + 1):
            pair = i * (i + 1) // 2 + j
            found = (high.first[j] - low.first[j]) / (2 * h)
            np.testing.assert_allclose(weights.second[pair], found, rtol=1e-6, atol=1e-7)
            assert weights.log_det_second[pair] == pytest.approx(
                (high.log_det_first[j] - low.log_det_first[j]) / (2 * h), rel=1e-6, abs=1e-5
            )


def test_derivatives_in_the_absolute_covariances_match_finite_differences():
    fit = fit_of("nested")
    criterion, residual = fit.criterion, fit.criterion.problem.residual
    layout, sigma2 = criterion.problem.layout, 0.7
    theta = default_start(criterion.problem, 0.4) + 0.1
    form = linear_form(criterion, theta, sigma2)
    h = 1e-6

    def at(values):
        sigmas = []
        for depth, q in enumerate(layout.sizes):
            sigma = np.zeros((q, q))
            sigma[np.tril_indices(q)] = values[layout.block(depth)]
            sigma = sigma + np.tril(sigma, -1).T
            sigmas.append(np.linalg.cholesky(sigma / values[-1]))
        relative = np.array([[values[-1], values[0]], [values[0], values[1]]]) / values[-1]
        point = layout.from_factors(sigmas, residual.working(relative))
        return linear_form(criterion, point, values[-1])

    base = np.empty(layout.n_parameters + 1)
    base[: layout.n_residual] = residual.linear(theta[: layout.n_residual]) * sigma2
    for depth, factor in enumerate(layout.factors(theta)):
        base[layout.block(depth)] = (factor @ factor.T)[np.tril_indices(len(factor))] * sigma2
    base[-1] = sigma2
    for i in range(len(base)):
        step = np.zeros(len(base))
        step[i] = h
        high, low = at(base + step), at(base - step)
        found = (high.information - low.information) / (2 * h)
        scale = np.abs(found).max()
        np.testing.assert_allclose(form.first[i], found, rtol=1e-4, atol=1e-5 * scale)
        bend = (high.first - low.first) / (2 * h)
        np.testing.assert_allclose(form.second[i], bend, rtol=1e-4, atol=1e-5 * np.abs(bend).max())


def test_kenward_roger_is_that_of_the_dense_matrices():
    """Kenward & Roger (1997): Phi + 2 Phi sum W_rs (Q_rs - P_r Phi P_s) Phi, all matrices dense."""
    data = cohort(5, therapists=3, clients=4)
    random = {"client": ["1", "t"]}
    fit = fit_mixed(data, BOTH, ["1", "t"], random, df="kenward-roger")
    prepared = fit.prepared
    v = marginal_covariance(fit, np.arange(len(prepared.outcome)))
    x, z = (prepared.user_matrix(p, None) for p in (prepared.fixed, prepared.random[0]))
    group = np.repeat(np.arange(fit.n_groups["client"]), np.diff(prepared.nesting.starts[0]))
    session, outcome = prepared.order, prepared.outcomes.row
    slopes = []
    for size, row_column in ((4, z), (2, np.eye(2)[outcome])):
        same = (group if size == 4 else session)[:, None] == (group if size == 4 else session)
        for a, b in zip(*np.tril_indices(size), strict=True):
            outer = np.outer(row_column[:, a], row_column[:, b])
            slopes.append(same * (outer if a == b else outer + outer.T))
    w = np.linalg.inv(v)
    phi = np.linalg.inv(x.T @ w @ x)
    left = [w @ slope for slope in slopes]
    p = [-x.T @ half @ w @ x for half in left]
    q = [[x.T @ one @ other @ w @ x for other in left] for one in left]
    n = len(slopes)
    information = np.array(
        [
            [
                np.sum(left[r] * left[s].T)
                - 2 * np.trace(phi @ q[r][s])
                + np.trace(phi @ p[r] @ phi @ p[s])
                for s in range(n)
            ]
            for r in range(n)
        ]
    )
    weights = 2 * np.linalg.inv(information)
    middle = sum(weights[r, s] * (q[r][s] - p[r] @ phi @ p[s]) for r in range(n) for s in range(n))
    adjusted = phi + 2 * phi @ middle @ phi
    np.testing.assert_allclose(fit.covariance, 0.5 * (adjusted + adjusted.T), rtol=1e-6, atol=1e-9)


# ---------------------------------------------------------------------- invariances


@pytest.mark.parametrize("options", [{}, {"method": "ML"}, {"df": "kenward-roger"}])
def test_a_list_of_one_outcome_is_the_ordinary_fit(options):
    data = cohort()
    plain = fit_mixed(data, "alliance", ["1", "t"], {"client": ["1", "t"]}, **options)
    listed = fit_mixed(data, ["alliance"], ["1", "t"], {"client": ["1", "t"]}, **options)
    by_name = fit_mixed(
        data,
        ["alliance"],
        {"alliance": ["1", "t"]},
        {"client": {"alliance": ["1", "t"]}},
        **options,
    )
    assert plain.to_dict() == listed.to_dict() == by_name.to_dict()


@pytest.mark.parametrize("method", ["REML", "ML"])
def test_without_correlations_the_log_likelihoods_add_up(method):
    data = cohort()
    random = {"therapist": ["1"], "client": ["1", "t"]}
    single = [fit_mixed(data, name, FIXED[name], random, method=method) for name in BOTH]
    both = fit_mixed(data, BOTH, FIXED, random, method=method)
    layout, prepared = both.criterion.problem.layout, both.prepared
    sigma2 = single[0].estimate.sigma2 / prepared.outcomes.scales[0] ** 2
    factors = []
    for depth in range(2):
        one, other = (fit.estimate.level_covariances[depth] for fit in single)
        block = np.zeros((len(one) + len(other),) * 2)
        block[: len(one), : len(one)] = one
        block[len(one) :, len(one) :] = other
        transform = prepared.level_transform(depth)
        factors.append(psd_factor(transform @ block @ transform.T / sigma2))
    within = np.diag([fit.estimate.sigma2 for fit in single])
    within = within / np.outer(prepared.outcomes.scales, prepared.outcomes.scales)
    rho = prepared.residual.working(within / within[0, 0])
    profile = both.criterion.profile_at(layout.from_factors(factors, rho))
    shift = both.log_likelihood + 0.5 * both.optimum.expansion.deviance
    apart = sum(fit.log_likelihood for fit in single)
    assert shift - 0.5 * profile.deviance == pytest.approx(apart, abs=1e-7)
    assert both.log_likelihood > apart


def test_the_order_of_the_rows_changes_nothing():
    data = cohort()
    shuffled = data.sample(frac=1.0, random_state=4)
    one, other = growth(data), growth(shuffled)
    assert one.to_dict() == other.to_dict()
    predicted = other.predict()
    pd.testing.assert_frame_equal(predicted.sort_index(), one.predict().sort_index())


def test_names_of_groups_and_order_of_outcomes_change_nothing():
    data = cohort()
    fit = growth(data)
    renamed = data.assign(client=[f"c{900 - c}" for c in data["client"]])
    swapped = fit_mixed(renamed, BOTH[::-1], ["1", "t"], {"client": ["1", "t"]})
    assert swapped.log_likelihood == pytest.approx(fit.log_likelihood, abs=1e-8)
    ours = fit.coefficients.set_index("term")
    theirs = swapped.coefficients.set_index("term").loc[ours.index]
    np.testing.assert_allclose(theirs, ours, rtol=1e-6, atol=1e-9)
    again = swapped.residual.covariance.loc[BOTH, BOTH]
    np.testing.assert_allclose(again, fit.residual.covariance, rtol=1e-6)


def test_units_of_an_outcome_and_of_time_change_only_their_own_numbers():
    data = cohort()
    fit = growth(data)
    other = data.assign(symptoms=1000.0 * data["symptoms"] - 7e5, t=data["t"] + 1e4)
    moved = growth(other)
    n = int(data["symptoms"].notna().sum())
    # 2 of 4 coefficients are in the new unit; REML loses their degrees of freedom.
    expected = fit.log_likelihood - (n - 2) * np.log(1000.0)
    assert moved.log_likelihood == pytest.approx(expected, abs=1e-6)
    ours, theirs = (f.coefficients.set_index("term") for f in (fit, moved))
    for column in ("estimate", "se"):
        assert theirs.loc["symptoms: t", column] == pytest.approx(
            1000 * ours.loc["symptoms: t", column], rel=1e-7
        )
    assert theirs.loc["alliance: t", "estimate"] == pytest.approx(
        ours.loc["alliance: t", "estimate"], rel=1e-7
    )
    np.testing.assert_allclose(theirs["df"]["symptoms: t"], ours["df"]["symptoms: t"], rtol=1e-5)


# ---------------------------------------------------------------------- the result


def test_rows_are_counted_per_outcome_with_reasons():
    data = cohort()
    data.loc[3, "x"] = np.nan
    fit = fit_mixed(data, BOTH, FIXED, {"client": ["1"]})
    missing = data[BOTH].isna()
    # Row 3 lacks a predictor of the alliance only, so its symptoms are used.
    assert fit.rows.total == len(data)
    assert fit.rows.used + sum(fit.rows.left_out.values()) == len(data)
    for name in BOTH:
        own = fit.rows.by_outcome[name]
        assert own.used + sum(own.left_out.values()) == len(data)
        assert own.left_out[f"missing {name}"] == missing[name].sum()
    assert fit.rows.by_outcome["alliance"].left_out["missing x"] == 1
    assert fit.rows.values == sum(own.used for own in fit.rows.by_outcome.values())
    assert fit.rows.left_out == {"missing alliance, symptoms": int(missing.all(axis=1).sum())}
    assert fit.to_dict()["rows"]["by_outcome"]["alliance"]["left_out"]["missing x"] == 1
    assert fit.criterion.problem.n_rows == fit.rows.values


def test_terms_and_components_are_named_by_outcome():
    fit = fit_of("nested")
    assert list(fit.coefficients["term"]) == [
        "alliance: 1", "alliance: t", "alliance: x",
        "symptoms: 1", "symptoms: t", "symptoms: arm[late]",
    ]  # fmt: skip
    components = fit.variance_components
    residual = components[components["level"] == "residual"]
    assert list(residual["name_1"]) == ["alliance", "symptoms", "alliance"]
    assert list(fit.random_effects("client").columns[2:6]) == fit.prepared.random_names(1)
    exported = json.loads(json.dumps(fit.to_dict()))
    assert exported["outcome"] == BOTH
    assert exported["residual"]["variances"].keys() == set(BOTH)
    assert np.shape(exported["residual"]["covariance"]) == (2, 2)
    assert "symptoms: arm" in exported["fixed"]


def test_estimates_are_near_the_truth():
    fit = fit_mixed(
        cohort(8, therapists=60, clients=10),
        BOTH,
        FIXED,
        {"therapist": ["1"], "client": ["1", "t"]},
    )
    truth = []
    for sigma in (THERAPIST, CLIENT, RESIDUAL):
        sd = np.sqrt(np.diag(sigma))
        truth += [*sd, *(sigma / np.outer(sd, sd))[np.triu_indices(len(sd), 1)]]
    table = fit.intervals("wald", confidence=0.999)
    truth += [5, 0.2, 0.5, 20, -0.7, -1]
    assert (table["ci_low"] < truth).all() and (truth < table["ci_high"]).all()


def test_predictions_stand_beside_each_other_and_on_new_data():
    data = cohort()
    fit = fit_of("nested")
    predicted = fit.predict()
    assert list(predicted.columns) == BOTH and len(predicted) == fit.rows.used
    new = data.iloc[[0, 7, 20]].drop(columns=BOTH)
    pd.testing.assert_frame_equal(fit.predict(new), predicted.loc[new.index])
    unseen = new.assign(client=-1, therapist=-1)
    pd.testing.assert_frame_equal(fit.predict(unseen), fit.predict(new, levels="none"))
    interval = fit.predict(new, interval="confidence")
    x = np.array([1.0, new["t"].iloc[1], new["x"].iloc[1]])
    assert interval["alliance"]["mean"].iloc[1] == pytest.approx(x @ fit.estimate.coefficients[:3])
    se = np.sqrt(x @ fit.estimate.covariance[:3, :3] @ x)
    assert interval["alliance"]["se"].iloc[1] == pytest.approx(se)
    without = fit.predict(new.assign(x=np.nan))
    assert without["alliance"].isna().all() and without["symptoms"].notna().all()


def test_simulated_outcomes_have_the_fitted_moments_and_refit():
    fit = fit_of("growth")
    drawn = fit.simulate(np.random.default_rng(1))
    assert drawn.shape == (fit.rows.used, 2)
    used = cohort().iloc[fit.rows.used_positions]
    np.testing.assert_array_equal(np.isnan(drawn), used[BOTH].isna())
    again = fit.refit(used[BOTH])
    assert again.log_likelihood == pytest.approx(fit.log_likelihood, abs=1e-9)
    other = fit.refit(drawn)
    direct = growth(used.assign(alliance=drawn[:, 0], symptoms=drawn[:, 1]))
    assert other.log_likelihood == pytest.approx(direct.log_likelihood, abs=1e-8)
    draws = parametric_bootstrap(fit, n=30, seed=5)
    assert draws.n_failed == 0
    assert "residual: alliance, symptoms" in draws.components
    middle = draws.components["residual: alliance, symptoms"].mean()
    assert middle == pytest.approx(fit.variance_components["sd_or_correlation"].iloc[-1], abs=0.1)


def test_random_effects_are_the_conditional_means():
    fit, data = fit_of("growth"), cohort()
    _, b, _, v = dense_log_likelihood(fit, data)
    prepared = fit.prepared
    z = prepared.user_matrix(prepared.random[0], None)
    first = slice(0, int(prepared.nesting.starts[0][1]))
    x = prepared.user_matrix(prepared.fixed, None)[first]
    sigma = fit.estimate.level_covariances[0]
    gain = sigma @ z[first].T @ np.linalg.inv(v[first, first])
    modes = fit.random_effects("client").iloc[0]
    names = prepared.random_names(0)
    np.testing.assert_allclose(
        modes[names].astype(float), gain @ (prepared.outcome[first] - x @ b), rtol=1e-7, atol=1e-9
    )
    spread = np.sqrt(np.diag(sigma - gain @ z[first] @ sigma))
    found = modes[[f"sd({name})" for name in names]].astype(float)
    np.testing.assert_allclose(found, spread, rtol=1e-6)


def test_models_are_compared_and_contrasts_cross_outcomes():
    data = cohort()
    small = fit_mixed(data, BOTH, ["1", "t"], {"client": {"alliance": ["1"], "symptoms": ["1"]}})
    large = fit_mixed(
        data, BOTH, ["1", "t"], {"client": {"alliance": ["1", "t"], "symptoms": ["1"]}}
    )
    result = compare(small, large)
    assert result.df == 3 and result.statistic > 10 and result.is_exact_mixture
    table = large.contrast({"slopes": {"alliance: t": 1, "symptoms: t": -1}})
    c = np.array([0, 1, 0, -1])
    assert table["se"].iloc[0] == pytest.approx(np.sqrt(c @ large.estimate.covariance @ c))
    test = large.joint_test([{"alliance: t": 1}, {"symptoms: t": 1}])
    assert test.df_numerator == 2 and test.p < 0.01


# ---------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"residual": "ar1", "residual_time": "t"}, "is for one outcome"),
        ({"residual_by": "arm"}, "every outcome has one residual variance"),
        ({"outcome": ["alliance", "alliance"]}, "named twice"),
        ({"outcome": ["alliance", "sympt"]}, "no column 'sympt'"),
        ({"fixed": {"alliance": ["1"]}}, "Outcome 'symptoms': fixed must be a list"),
        (
            {"fixed": {"alliance": ["1"], "symptoms": ["1"], "mood": ["1"]}},
            "not among the outcomes",
        ),
        ({"fixed": {"alliance": ["1", "symptoms"], "symptoms": ["1"]}}, "an earlier value"),
        ({"random": {"client": {"alliance": ["1"]}}}, "'symptoms': It has no random effects"),
        ({"fixed": {"alliance": ["1", "z"], "symptoms": ["1", "w"]}}, "no column 'w'"),
        ({"df": "kenward-roger", "method": "ML"}, "REML only"),
        ({"outcome": []}, "must name a column"),
        ({"outcome": ["alliance", "arm"]}, "holds categories"),
    ],
)
def test_questions_that_cannot_be_answered_are_refused(change, words):
    question = {"outcome": BOTH, "fixed": ["1", "t"], "random": {"client": ["1"]}, **change}
    with pytest.raises(FitError, match=words):
        fit_mixed(cohort(), **question)


def test_data_that_cannot_answer_are_refused_in_words():
    data = cohort()
    apart = data.copy()
    apart.loc[apart["t"] % 2 == 0, "alliance"] = np.nan
    apart.loc[apart["t"] % 2 == 1, "symptoms"] = np.nan
    with pytest.raises(FitError, match="Only 0 rows have both 'alliance' and 'symptoms'"):
        growth(apart)
    with pytest.raises(FitError, match="'symptoms' has the same value"):
        growth(data.assign(symptoms=1.0))
    with pytest.raises(FitError, match="Outcome 'symptoms': No complete row"):
        growth(data.assign(symptoms=np.nan))
    with pytest.raises(FitError, match="needs the column name"):
        growth(data.assign(**{"(outcome)": 1.0}))
    with pytest.raises(FitError, match="Infinite values in column 'alliance'"):
        growth(data.assign(alliance=np.inf))
    with pytest.raises(FitError, match=r"residual correlation|exactly|cannot tell"):
        growth(data.assign(symptoms=2 * data["alliance"] + 1))
    with pytest.raises(FitError, match="'symptoms: x' is an exact combination"):
        fit_mixed(
            data.assign(w=data["x"] + data["t"]), BOTH,
            {"alliance": ["1", "t"], "symptoms": ["1", "t", "w", "x"]}, {"client": ["1"]},
        )  # fmt: skip
    shares = fit_of("growth")
    for ask in (shares.r_squared, shares.icc, shares.variance_decomposition):
        with pytest.raises(FitError, match="belong to one outcome"):
            ask()


def without_client_variance():
    """Symptoms whose means per client are all the same."""
    data = cohort(missing=0.0)
    noise = pd.Series(np.random.default_rng(11).normal(size=len(data)))
    return data.assign(symptoms=noise - noise.groupby(data["client"]).transform("mean"))


def test_a_component_at_the_boundary_is_named():
    fit = fit_mixed(without_client_variance(), BOTH, ["1"], {"client": ["1"]})
    assert fit.convergence.converged
    assert fit.convergence.singular_components == ("client: variance of 'symptoms: 1' is 0",)


# ---------------------------------------------------------------------- correlations


def pairs_of(table):
    return [tuple(row) for row in table[["level", "effect_1", "effect_2"]].itertuples(index=False)]


def test_correlations_by_the_delta_method_are_the_wald_intervals():
    fit = fit_of("growth")
    table = fit.correlations()
    wald = fit.intervals("wald", parameters="random")
    wald = wald[wald["kind"] == "correlation"]
    assert pairs_of(table)[-1] == ("residual", "alliance", "symptoms")
    assert len(table) == 7 and (table["note"] == "").all()
    np.testing.assert_allclose(
        table[["correlation", "ci_low", "ci_high"]], wald[["estimate", "ci_low", "ci_high"]]
    )
    middle = np.arctanh(table["correlation"])
    half = np.arctanh(table["ci_high"]) - middle
    np.testing.assert_allclose(np.arctanh(table["ci_low"]), middle - half)
    se_z = table["se"] / (1 - table["correlation"] ** 2)
    np.testing.assert_allclose(half, 1.959964 * se_z, rtol=1e-6)


def test_standard_errors_of_correlations_come_from_the_curvature_of_the_likelihood():
    """The inverse Hessian of -log L over log sd and Fisher's z, by finite differences."""
    fit = fit_mixed(cohort(missing=0.0), BOTH, ["1", "t"], {"client": ["1"]}, method="ML")
    point, h = natural_point(fit), 1e-3
    n = len(point)
    units = h * np.eye(n)
    hessian = np.empty((n, n))
    for i in range(n):
        for j in range(n):
            corners = [
                deviance_at(fit, point + a * units[i] + b * units[j])
                for a, b in ((1, 1), (1, -1), (-1, 1), (-1, -1))
            ]
            hessian[i, j] = (corners[0] - corners[1] - corners[2] + corners[3]) / (4 * h * h)
    error = np.sqrt(np.diag(2.0 * np.linalg.inv(hessian)))[[2, 5]]
    table = fit.correlations()
    np.testing.assert_allclose(table["se"], (1 - table["correlation"] ** 2) * error, rtol=1e-4)


def natural_point(fit):
    """Log sd, log sd and Fisher's z of the client intercepts, then of the residuals."""
    point = []
    for sigma in (fit.estimate.level_covariances[0], fit.estimate.residual_covariance):
        sd = np.sqrt(np.diag(sigma))
        point += [*np.log(sd), np.arctanh(sigma[0, 1] / sd.prod())]
    return np.array(point)


def deviance_at(fit, point):
    """-2 log L of a model with random intercepts at a natural point."""
    prepared = fit.prepared
    blocks = []
    for one, other, z in (point[:3], point[3:]):
        sd = np.exp([one, other])
        matrix = np.outer(sd, sd)
        matrix[0, 1] = matrix[1, 0] = matrix[0, 1] * np.tanh(z)
        blocks.append(matrix)
    within = blocks[1] / np.outer(prepared.outcomes.scales, prepared.outcomes.scales)
    transform = prepared.level_transform(0)
    factor = np.linalg.cholesky(transform @ blocks[0] @ transform.T / within[0, 0])
    rho = prepared.residual.working(within / within[0, 0])
    profile = fit.criterion.profile_at(fit.criterion.problem.layout.from_factors([factor], rho))
    return fit.criterion.full_value(profile, np.log(within[0, 0]))


@pytest.mark.parametrize("method", ["REML", "ML"])
def test_profile_ends_are_where_the_best_likelihood_has_fallen_by_the_quantile(method):
    fit = fit_mixed(cohort(missing=0.0), BOTH, ["1", "t"], {"client": ["1"]}, method=method)
    table = fit.correlations("profile")
    best = natural_point(fit)
    assert deviance_at(fit, best) == pytest.approx(fit.optimum.expansion.deviance, abs=1e-9)
    for row, place in zip(table.itertuples(), (2, 5), strict=True):
        for end in (row.ci_low, row.ci_high):
            others = np.delete(best, place)

            def held(free, place=place, end=end):
                return deviance_at(fit, np.insert(free, place, np.arctanh(end)))

            found = minimize(held, others, method="BFGS", options={"gtol": 1e-7})
            gain = found.fun - fit.optimum.expansion.deviance
            assert gain == pytest.approx(3.841459, abs=1e-4)
    assert (table["ci_low"] < table["correlation"]).all()
    assert (table["correlation"] < table["ci_high"]).all()


@pytest.mark.parametrize("kind", ["sd", "correlation"])
@pytest.mark.parametrize("level", ["client", "therapist", "residual"])
def test_derivatives_with_a_parameter_held_match_finite_differences(level, kind):
    fit = fit_mixed(cohort(2), BOTH, ["1"], {"therapist": ["1"], "client": ["1", "t"]})
    natural = [n for n in natural_parameters(fit) if (n.level, n.kind) == (level, kind)][-1]
    held = Held.start(fit, natural)
    held.at(natural.estimate)
    held.held = natural.estimate * 0.9
    held.blocks = held._build()
    rng = np.random.default_rng(3)
    eta = held.eta * (1 + 0.05 * rng.normal(size=len(held.eta)))
    expansion, h = held.expand(eta), 1e-5
    for i in range(len(eta)):
        step = np.zeros(len(eta))
        step[i] = h
        slope = (held.value(eta + step) - held.value(eta - step)) / (2 * h)
        assert expansion.gradient[i] == pytest.approx(slope, rel=1e-5, abs=1e-4)
        bend = (held.expand(eta + step).gradient - held.expand(eta - step).gradient) / (2 * h)
        np.testing.assert_allclose(expansion.hessian[i], bend, rtol=1e-4, atol=1e-3)


def test_correlations_by_bootstrap_are_percentiles_of_the_refits():
    fit = fit_of("growth")
    table = fit.correlations("bootstrap", draws=25, seed=9)
    draws = parametric_bootstrap(fit, n=25, seed=9).components
    column = draws["client: alliance: t, symptoms: t"]
    row = table[table["effect_2"] == "symptoms: t"].iloc[1]
    assert (row["effect_1"], row["effect_2"]) == ("alliance: t", "symptoms: t")
    assert row["ci_low"] == pytest.approx(column.quantile(0.025))
    assert row["se"] == pytest.approx(column.std(ddof=1))


@pytest.mark.parametrize("interval", ["delta", "profile", "bootstrap"])
def test_a_level_at_the_boundary_has_no_interval_and_says_so(interval):
    fit = fit_mixed(without_client_variance(), BOTH, ["1"], {"client": ["1"]})
    table = fit.correlations(interval, draws=5)
    client, residual = table.iloc[0], table.iloc[1]
    assert client[["se", "ci_low", "ci_high"]].isna().all()
    assert "variance of 'symptoms: 1' is 0" in client["note"]
    assert residual["level"] == "residual"
    assert residual["ci_low"] < residual["correlation"] < residual["ci_high"]


def test_correlations_of_one_outcome_have_the_same_table():
    data = cohort()
    fit = fit_mixed(data, "symptoms", ["1", "t"], {"client": ["1", "t"]}, method="ML")
    table = fit.correlations("profile")
    profile = fit.intervals("profile", parameters="random")
    row = profile[profile["kind"] == "correlation"].iloc[0]
    assert pairs_of(table) == [("client", "1", "t")]
    assert table[["ci_low", "ci_high"]].iloc[0].tolist() == [row["ci_low"], row["ci_high"]]
    intercepts = fit_mixed(data, "symptoms", ["1"], {"client": ["1"]})
    assert intercepts.correlations().empty
    with pytest.raises(FitError, match="'delta', 'profile' or 'bootstrap'"):
        fit.correlations("wald")
