"""Residual dynamics of several outcomes: likelihood, derivatives, invariances, what is refused.

The likelihood is held against a multivariate normal of all measured cells, built from the formulas
cell by cell and without the engine's design, pieces or elimination.
"""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy.linalg import expm
from scipy.optimize import minimize

from alliance.errors import FitError
from alliance.mixed import compare, derived, dynamics, fit_mixed, identification, wald_test
from alliance.mixed.compress import compress
from alliance.mixed.criterion import Criterion
from alliance.mixed.estimate import on_user_scale
from alliance.mixed.inference.quantities import (
    group_differences,
    held_effect,
    lagged_effect,
    largest_eigenvalue,
    link,
    ordered_effect,
    response,
    total_effect,
    within_session,
)
from alliance.mixed.inference.robust import marginal_covariance
from alliance.mixed.prepare import prepare
from alliance.mixed.several import check_several

NAMES = ["alliance", "symptoms", "bond", "mood"]
PHI = np.array([[0.35, -0.10, 0.1, 0.0], [-0.12, 0.45, 0, 0.1], [0, 0, 0.2, 0], [0.1, 0, 0, 0.3]])


def courses(seed, outcomes=2, clients=16, sessions=7, therapists=4, sites=1, missing=0.15,
            real_time=False, phi=PHI):  # fmt: skip
    """Courses with gaps, missing single outcomes, therapists and their own levels and slopes."""
    rng = np.random.default_rng(seed)
    rows = []
    for client in range(clients):
        level, slope = rng.normal(0, 1.5, outcomes), rng.normal(0, 0.1, outcomes)
        w = rng.normal(0, 1, outcomes)
        therapist = client % therapists
        for session in range(1, 1 + int(rng.integers(2, sessions + 1))):
            w = phi[:outcomes, :outcomes] @ w + rng.normal(0, 1, outcomes)
            time = session + rng.uniform(-0.3, 0.3) if real_time else session
            if session > 2 and rng.random() < 0.15:
                continue
            values = 10.0 * np.arange(1, outcomes + 1) + level + slope * session + w
            values[rng.random(outcomes) < missing] = np.nan
            rows.append(
                [therapist % sites, therapist, client, client % 2, time, session > 3, *values]
            )
    columns = ["site", "therapist", "client", "arm", "session", "late", *NAMES[:outcomes]]
    return pd.DataFrame(rows, columns=columns)


def dense_log_likelihood(data, names, levels, fixed, phi_over, within, errors, reml):
    """Log-likelihood of the measured cells at given covariances, fixed effects profiled out.

    Parameters
    ----------
    levels : list of (ids, terms, covariance)
        Terms are (outcome, column) pairs; the column "1" is the constant.
    fixed : list of (outcome, column)
    phi_over : callable
        Coefficients from one row of `data` to a later one of the same client.
    within, errors : callable
        V and error variances of a row's group.
    """
    row, place = np.nonzero(data[names].notna().to_numpy())
    y = data[names].to_numpy()[row, place]

    def columns(terms):
        values = [np.ones(len(data)) if c == "1" else data[c].to_numpy(float) for _, c in terms]
        picked = [place == names.index(outcome) for outcome, _ in terms]
        return np.column_stack([v[row] * p for v, p in zip(values, picked, strict=True)])

    v = np.zeros((len(y), len(y)))
    client = data["client"].to_numpy()
    for later in range(len(data)):
        for earlier in range(later + 1):
            if client[later] == client[earlier]:
                block = phi_over(earlier, later) @ within(earlier)
                for i in np.flatnonzero(row == later):
                    for j in np.flatnonzero(row == earlier):
                        v[i, j] = v[j, i] = block[place[i], place[j]]
        for i in np.flatnonzero(row == later):
            v[i, i] += errors(later)[place[i]]
    for ids, terms, covariance in levels:
        z, group = columns(terms), data[ids].to_numpy()[row]
        v += (group[:, None] == group[None, :]) * (z @ covariance @ z.T)
    x, inverse = columns(fixed), np.linalg.inv(v)
    information = x.T @ inverse @ x
    rest = y - x @ np.linalg.solve(information, x.T @ inverse @ y)
    n = len(y) - (x.shape[1] if reml else 0)
    deviance = n * np.log(2 * np.pi) + np.linalg.slogdet(v)[1] + rest @ inverse @ rest
    return -0.5 * (deviance + (np.linalg.slogdet(information)[1] if reml else 0.0))


def design(number):
    """The data and the model of random design `number`."""
    rng = np.random.default_rng([17, number])
    outcomes = int(rng.choice([2, 2, 3]))
    real_time = bool(number % 2)
    data = courses(
        [18, number], outcomes, sessions=int(rng.integers(7, 10)), real_time=real_time, sites=2,
        therapists=int(rng.integers(2, 5)), missing=float(rng.choice([0.0, 0.1, 0.3, 0.5])),
    )  # fmt: skip
    random = {"client": ["1", "session"] if rng.random() < 0.6 else ["1"]}
    if rng.random() < 0.7:
        random = {"therapist": ["1"], **random}
    if rng.random() < 0.3:
        random = {"site": ["1"], **random}
    options = {
        "residual": "cvar1" if real_time else "var1",
        "residual_time": "session",
        "residual_by": [None, None, "arm", "late"][number % 4],
        "method": str(rng.choice(["ML", "REML"])),
    }
    reliability = [None, None, "free", {"alliance": 0.8}][int(rng.integers(4))]
    return data, NAMES[:outcomes], random, options, reliability


def criterion_of(data, names, random, options, reliability=None, fixed=("1", "session")):
    """The criterion of a model that is not fitted."""
    options = {
        "residual_by": None,
        "method": "REML",
        "df": "satterthwaite",
        **options,
    }
    specification, parsed = check_several(data, names, fixed, random, reliability, **options)
    prepared = prepare(data, specification, parsed)
    reml = specification.method == "REML"
    return prepared, Criterion(compress(prepared), prepared.columns.fixed_index, reml)


def some_point(criterion, seed):
    """Parameters somewhere inside their region."""
    rng = np.random.default_rng(seed)
    layout, structure = criterion.problem.layout, criterion.problem.residual
    factors = [
        np.tril(rng.normal(0, 0.3, (q, q)), -1) + np.diag(rng.uniform(0.2, 0.8, q))
        for q in layout.sizes
    ]
    rho = structure.start()
    for scale in 0.25 * 0.5 ** np.arange(20):
        moved = rho + rng.normal(0, scale, len(rho))
        if structure.in_range(moved):
            return layout.from_factors(factors, moved)
    raise AssertionError("no point in range")


FEW = 10
"""Designs of the quick tests; all are in the slow ones."""

QUICKLY = [pytest.param(k, marks=[pytest.mark.slow] * (k >= FEW)) for k in range(50)]


@pytest.mark.parametrize("number", QUICKLY)
def test_likelihood_is_that_of_the_dense_normal(number):
    data, names, random, options, reliability = design(number)
    prepared, criterion = criterion_of(data, names, random, options, reliability)
    theta = some_point(criterion, number)
    expansion = criterion.expand(theta)
    user = on_user_scale(prepared, criterion, theta, expansion)
    structure, scales = prepared.residual, prepared.outcomes.scales
    own, rho = structure.parameters, theta[: structure.n_parameters]
    unit, sigma2 = np.outer(scales, 1 / scales), expansion.profile.sigma2
    data = data.dropna(subset=names, how="all").sort_values(
        ["client", "session"], ignore_index=True
    )
    by = options["residual_by"]
    group = np.zeros(len(data), int) if by is None else data[by].astype(int).to_numpy()

    def step(later):
        distance = data["session"].iloc[later] - data["session"].iloc[later - 1]
        if own.continuous:
            return expm(own.drift(rho, group[later]) * unit * distance)
        return np.linalg.matrix_power(own.coefficients(rho, group[later]) * unit, int(distance))

    def phi_over(earlier, later):
        phi = np.eye(len(names))
        for row in range(earlier + 1, later + 1):
            phi = step(row) @ phi
        return phi

    def within(row):
        relative = own.relative(rho, group[row] if own.by_client else 0)
        return relative * sigma2 * np.outer(scales, scales)

    def errors(row):
        if own.error == "fixed":
            return np.diag(within(row)) * np.array(
                [0.25 if n == "alliance" else 0.0 for n in names]
            )
        return own.errors(rho, 0) * sigma2 * scales**2

    levels = [
        (
            level,
            [tuple(name.split(": ")) for name in prepared.random_names(depth)],
            user.level_covariances[depth],
        )
        for depth, level in enumerate(prepared.specification.levels)
    ]
    fixed = [tuple(name.split(": ")) for name in prepared.fixed_names]
    expected = dense_log_likelihood(
        data, names, levels, fixed, phi_over, within, errors, criterion.reml
    )
    assert user.log_likelihood == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize("number", QUICKLY[::4])
def test_gradient_and_hessian_are_those_of_finite_differences(number):
    _, criterion = criterion_of(*design(number))
    theta = some_point(criterion, number)
    expansion = criterion.expand(theta)
    step = 1e-5
    for k in range(len(theta)):
        ahead, behind = theta.copy(), theta.copy()
        ahead[k], behind[k] = theta[k] + step, theta[k] - step
        slope = (criterion.value(ahead) - criterion.value(behind)) / (2 * step)
        assert expansion.gradient[k] == pytest.approx(slope, rel=1e-6, abs=1e-6)
        bend = (criterion.expand(ahead).gradient - criterion.expand(behind).gradient) / (2 * step)
        np.testing.assert_allclose(expansion.hessian[k], bend, rtol=1e-6, atol=1e-5)


# ---------------------------------------------------------------------------- fitting and reading


BOTH = NAMES[:2]


def fitted(data, random=None, **options):
    options = {"residual": "var1", "residual_time": "session", **options}
    return fit_mixed(data, BOTH, ["1", "session"], random or {"client": ["1"]}, **options)


@cache
def usual_fit():
    return fitted(courses(5, clients=120, therapists=8), {"therapist": ["1"], "client": ["1"]})


def test_the_usual_call_gives_the_usual_things():
    fit = usual_fit()
    own = dynamics(fit)
    assert fit.convergence.converged
    assert list(own.coefficients["all"].columns) == BOTH
    assert own.largest_eigenvalue["all"] < 1
    phi, v = own.coefficients["all"].to_numpy(), own.covariance["all"].to_numpy()
    np.testing.assert_allclose(own.innovations["all"], v - phi @ v @ phi.T)
    np.testing.assert_allclose(fit.residual.covariance, v)
    assert fit.to_dict()["dynamics"]["coefficients"]["all"] == phi.tolist()
    assert "VAR1 residuals over session" in fit.equation
    assert (fit.coefficients["df"] > 5).all()
    assert fit.predict().shape == (fit.rows.used, 2)


def test_the_order_of_the_rows_does_not_matter():
    data = courses(5, clients=120, therapists=8)
    again = fitted(data.sample(frac=1.0, random_state=1), {"therapist": ["1"], "client": ["1"]})
    np.testing.assert_array_equal(again.optimum.theta, usual_fit().optimum.theta)


def test_effects_follow_the_units_of_the_outcomes():
    data = courses(5, clients=120, therapists=8)
    data["symptoms"] = 10.0 * data["symptoms"] - 3.0
    fit = fitted(data, {"therapist": ["1"], "client": ["1"]})
    unit = np.array([[1.0, 0.1], [10.0, 1.0]])
    own, usual = dynamics(fit).coefficients["all"], dynamics(usual_fit()).coefficients["all"]
    np.testing.assert_allclose(own, usual.to_numpy() * unit, rtol=1e-6)


def test_continuous_time_at_whole_sessions_is_the_discrete_model():
    data = courses(5, clients=120, therapists=8)
    fit = fitted(data, {"therapist": ["1"], "client": ["1"]}, residual="cvar1")
    usual = usual_fit()
    assert fit.log_likelihood == pytest.approx(usual.log_likelihood, abs=1e-6)
    own = dynamics(fit)
    np.testing.assert_allclose(
        own.coefficients["all"], dynamics(usual).coefficients["all"], atol=1e-5
    )
    np.testing.assert_allclose(own.coefficients["all"], expm(own.drift["all"].to_numpy()))


def test_without_carry_over_it_is_the_model_of_independent_rows():
    data = courses(6, clients=60, phi=np.zeros((4, 4)))
    smaller = fitted(data, residual="iid", residual_time=None)
    larger = fitted(data)
    test = compare(smaller, larger)
    assert test.df == 4 and test.p > 0.01
    options = {"residual": "var1", "residual_time": "session"}
    criterion = criterion_of(data, BOTH, {"client": ["1"]}, options)[1]
    theta = np.concatenate([smaller.optimum.theta[:2], np.zeros(4), smaller.optimum.theta[2:]])
    assert criterion.value(theta) == pytest.approx(smaller.optimum.expansion.deviance, abs=1e-8)


def test_the_marginal_covariance_is_that_of_the_formulas():
    fit = usual_fit()
    rows = np.arange(24)
    v = marginal_covariance(fit, rows)
    own = dynamics(fit)
    phi, within = own.coefficients["all"].to_numpy(), own.covariance["all"].to_numpy()
    data, outcome = fit.prepared.sorted_data.iloc[rows], fit.prepared.outcomes.row[rows]
    client, session = data["client"].to_numpy(), data["session"].to_numpy()
    levels = fit.estimate.level_covariances
    for i in range(24):
        for j in range(i + 1):
            value = 0.0
            if client[i] == client[j]:
                power = np.linalg.matrix_power(phi, session[i] - session[j])
                value = (power @ within + levels[1])[outcome[i], outcome[j]]
            if data["therapist"].iloc[i] == data["therapist"].iloc[j]:
                value += levels[0][outcome[i], outcome[j]]
            assert v[i, j] == pytest.approx(value, abs=1e-10)


@pytest.mark.slow
def test_a_large_draw_has_the_moments_of_the_model():
    data = courses(8, clients=4000, missing=0.05)
    bigger = fitted(data)
    drawn = bigger.simulate(np.random.default_rng(3))
    data.loc[:, BOTH] = np.nan
    data.loc[bigger.rows.used_positions, BOTH] = drawn
    again = fitted(data)
    one, other = dynamics(bigger), dynamics(again)
    np.testing.assert_allclose(one.coefficients["all"], other.coefficients["all"], atol=0.06)
    np.testing.assert_allclose(one.covariance["all"], other.covariance["all"], atol=0.12)


def test_intervals_agree_where_the_likelihood_is_quadratic():
    fit = fitted(courses(9, clients=400, missing=0.0))
    effects = [
        lagged_effect(fit, "alliance", "symptoms"),
        link(fit, "client", "alliance: 1", "symptoms: 1"),
    ]
    delta, profile = derived(fit, effects), derived(fit, effects, "profile")
    for side in ("ci_low", "ci_high"):
        assert (np.abs(delta[side] - profile[side]) < 0.1 * delta["se"]).all()


@pytest.mark.slow
def test_the_profile_interval_ends_where_the_likelihood_has_fallen():
    """The end of the interval of a carry-over, against a search over everything else."""
    fit = fitted(courses(10, clients=30, missing=0.0, therapists=1), method="ML")
    effect = lagged_effect(fit, "symptoms", "symptoms")
    low = float(derived(fit, [effect], "profile")["ci_low"].iloc[0])
    structure = fit.prepared.residual
    layout = fit.criterion.problem.layout

    def held(free):
        # A = L^-1 Phi L: choose its last element so that Phi_22 is as held.
        theta = np.insert(free, 5, 0.0)
        factor = structure.parameters.factor(theta[:6])
        a = theta[2:6].reshape(2, 2)
        slope = (factor @ np.diag([0.0, 1.0]) @ np.linalg.inv(factor))[1, 1]
        theta[5] = (low - (factor @ a @ np.linalg.inv(factor))[1, 1]) / slope
        value = fit.criterion.value(theta)
        return value if np.isfinite(value) else 1e10

    assert layout.n_residual == 6
    end = minimize(held, np.delete(fit.optimum.theta, 5), method="BFGS", options={"gtol": 1e-5})
    assert end.fun - fit.optimum.expansion.deviance == pytest.approx(1.959964**2, abs=2e-3)


def test_quantities_follow_from_each_other():
    fit = usual_fit()
    own = dynamics(fit)
    phi, q = own.coefficients["all"].to_numpy(), own.innovations["all"].to_numpy()
    asked = [
        lagged_effect(fit, "alliance", "symptoms", distance=3),
        total_effect(fit, "alliance", "symptoms"),
        within_session(fit, "symptoms", "alliance"),
        ordered_effect(fit, "symptoms", "alliance", first="symptoms"),
        largest_eigenvalue(fit),
        link(fit, "client", {"alliance: 1": 2.0}, "symptoms: 1"),
    ]
    b = fit.estimate.level_covariances[1]
    expected = [
        np.linalg.matrix_power(phi, 3)[1, 0],
        np.linalg.inv(np.eye(2) - phi)[1, 0],
        q[0, 1] / q[1, 1],
        phi[0, 1] - q[0, 1] / q[1, 1] * phi[1, 1],
        np.abs(np.linalg.eigvals(phi)).max(),
        b[0, 1] / b[0, 0] / 2.0,
    ]
    np.testing.assert_allclose(derived(fit, asked)["estimate"], expected, rtol=1e-10)


def carried_on(phi, taken, held, sessions):
    """Deviations of two outcomes session by session, from the equations; one may be held at 1."""
    a, b = np.eye(2) - taken, (np.eye(2) - taken) @ phi
    w = np.array([1.0, 0.0]) if held is None else np.eye(2)[held]
    w = np.linalg.solve(a, w) if held is None else _rest(a, np.zeros(2), held)
    found = [w]
    for _ in range(sessions):
        w = np.linalg.solve(a, b @ w) if held is None else _rest(a, b @ w, held)
        found.append(w)
    return np.array(found)


def _rest(a, right, held):
    other = 1 - held
    w = np.eye(2)[held]
    w[other] = (right[other] - a[other, held]) / a[other, other]
    return w


@pytest.mark.parametrize("first", [(), ("alliance",), ("symptoms",)])
def test_answers_to_one_deviation_and_to_a_lasting_one_follow_the_equations(first):
    fit = fitted(courses(3, clients=60))
    own = dynamics(fit)
    phi, q = own.coefficients["all"].to_numpy(), own.innovations["all"].to_numpy()
    taken = np.zeros((2, 2))
    if first:
        k = NAMES.index(first[0])
        taken[1 - k, k] = q[1 - k, k] / q[k, k]
    once, lasting = carried_on(phi, taken, None, 6), carried_on(phi, taken, 0, 60)
    for session in (0, 1, 6):
        quantities = [
            response(fit, "alliance", "symptoms", session, first=first),
            held_effect(fit, "alliance", "symptoms", session, first=first),
            held_effect(fit, "alliance", "symptoms", first=first),
        ]
        values = derived(fit, quantities)["estimate"]
        expected = [once[session, 1], lasting[session, 1], lasting[-1, 1]]
        np.testing.assert_allclose(values, expected, atol=1e-10)


def test_what_lasts_in_real_time_is_the_limit_of_ever_shorter_sessions():
    fit = fitted(courses(4, clients=60, real_time=True), residual="cvar1")
    ends = [held_effect(fit, "alliance", "symptoms", h) for h in (1.0, 400.0, np.inf)]
    one, long, limit = derived(fit, ends)["estimate"]
    drift = dynamics(fit).drift["all"].to_numpy()
    assert limit == pytest.approx(-drift[1, 0] / drift[1, 1])
    assert long == pytest.approx(limit)
    short, x = 1e-4, 0.0
    for _ in range(10_000):
        x += short * (drift[1, 1] * x + drift[1, 0])
    assert one == pytest.approx(x, rel=1e-3)


def test_distances_that_differ_in_their_last_digits_are_of_one_kind():
    data = courses(5, clients=30)
    data = data.assign(tenth=data["session"] * 0.1)  # 0.3 - 0.2 is not 0.1
    times = ("session", "tenth")
    one, other = (fitted(data, residual="cvar1", residual_time=time) for time in times)
    assert len(other.prepared.residual.lags) == len(one.prepared.residual.lags)
    assert other.log_likelihood == pytest.approx(one.log_likelihood, abs=1e-7)


def test_dynamics_by_group_are_tested():
    rng = np.random.default_rng(12)
    strong = PHI.copy()
    strong[1, 0] = -0.6
    one, other = courses(12, clients=150), courses(13, clients=150, phi=strong)
    other["client"] += 1000
    other["arm"], one["arm"] = 1, 0
    data = pd.concat([one, other], ignore_index=True)
    by_arm = fitted(data, residual_by="arm")
    assert wald_test(by_arm, group_differences(by_arm, 1, 0)).p < 1e-3
    assert compare(fitted(data), by_arm).p < 1e-3
    table = derived(
        by_arm, [lagged_effect(by_arm, "alliance", "symptoms", group=g) for g in (0, 1)]
    )
    assert table["estimate"].iloc[1] < -0.4 < -0.3 < table["estimate"].iloc[0]
    data["arm"] = rng.integers(0, 2, 1000)[data["client"] % 1000]
    by_chance = fitted(data, residual_by="arm")
    assert wald_test(by_chance, group_differences(by_chance, 1, 0)).p > 0.01


def test_each_group_alone_gives_what_the_groups_give_together():
    """Groups of clients share nothing but the covariance of the random effects."""
    data = courses(14, clients=80, missing=0.1)
    fixed = ["1", "session", "late"]
    data["late"] = data["late"].astype(float)
    random = {"client": ["1"]}
    options = {"residual": "var1", "residual_time": "session", "method": "ML", "df": "none"}
    fit = fit_mixed(data, BOTH, fixed, random, residual_by="arm", **options)
    assert set(dynamics(fit).coefficients) == {0, 1}
    assert fit.n_parameters == fit_mixed(data, BOTH, fixed, random, **options).n_parameters + 7


@pytest.mark.exhaustive
def test_free_errors_of_measurement_are_found():
    rng = np.random.default_rng(15)
    data = courses(15, clients=300, sessions=14, missing=0.0, phi=np.diag([0.7, 0.6, 0, 0]))
    data[BOTH] += rng.normal(0, 0.8, (len(data), 2))
    fit, naive = fitted(data, reliability="free"), fitted(data)
    errors = dynamics(fit).errors["all"]
    assert np.abs(errors - 0.64).max() < 0.25
    assert (
        np.diag(dynamics(fit).coefficients["all"])[0]
        > np.diag(dynamics(naive).coefficients["all"])[0] + 0.1
    )
    assert not compare(naive, fit).is_exact_mixture
    share = 1.0 / (1.0 + errors / np.diag(dynamics(fit).covariance["all"]))
    fixed = fitted(data, reliability=share.to_dict())
    np.testing.assert_allclose(
        dynamics(fixed).coefficients["all"], dynamics(fit).coefficients["all"], atol=1e-4
    )


# -------------------------------------------------------------------------------- what is refused


def with_column(**columns):
    return courses(5, clients=30).assign(**columns)


@pytest.mark.parametrize(
    ("data", "options", "words"),
    [
        (with_column(), {"residual_time": None}, "needs residual_time"),
        (with_column(), {"residual_time": "nothing"}, "no column 'nothing'"),
        (with_column(session=courses(5, clients=30)["session"] + 0.5), {}, "whole numbers"),
        (pd.concat([with_column(), with_column()]), {}, "repeat a 'session'"),
        (with_column().groupby("client").head(1), {}, "one session only"),
        (with_column(symptoms=3.0), {}, "same value"),
        (with_column(symptoms=np.nan), {}, "No complete row"),
        (with_column(), {"residual": "ar1"}, "is for one outcome"),
        (with_column(), {"df": "kenward-roger"}, "Kenward-Roger"),
        (with_column(arm=1), {"residual_by": "arm"}, "one value only"),
        (with_column(), {"reliability": {"bond": 0.8}}, "not among the outcomes"),
        (with_column(), {"reliability": {"alliance": 0.0}}, "above 0"),
        (with_column(), {"reliability": "free", "residual": "iid"}, "reliability needs residual"),
        (with_column(symptoms=2 * courses(5, clients=30)["alliance"]), {}, "FitError"),
    ],
)  # fmt: skip
def test_what_cannot_be_fitted_is_said(data, options, words):
    with pytest.raises(FitError) as told:
        fitted(data, **options)
    assert words == "FitError" or words in str(told.value)


def test_one_outcome_is_told_to_use_ar1():
    with pytest.raises(FitError, match="use residual='ar1'"):
        fit_mixed(
            with_column(),
            "symptoms",
            ["1"],
            {"client": ["1"]},
            residual="var1",
            residual_time="session",
        )


def test_two_sessions_each_are_right_or_refused():
    """Four values a client: intercepts alone can be told from what is carried over, just."""
    data = courses(16, clients=200, sessions=2, missing=0.0)
    try:
        fit = fitted(data)
    except FitError as error:
        assert str(error)
        return
    assert fit.convergence.converged
    assert identification(fit).involved


def test_one_therapist_is_refused_by_name():
    with pytest.raises(FitError, match="only one therapist"):
        fitted(courses(5, clients=30, therapists=1), {"therapist": ["1"], "client": ["1"]})


@pytest.mark.slow
def test_profile_intervals_of_standard_deviations_and_correlations():
    fit = fitted(courses(9, clients=200, missing=0.0))
    wald = fit.intervals("wald", parameters="random")
    profile = fit.intervals("profile", parameters="random", likelihood="same")
    width = (wald["ci_high"] - wald["ci_low"]).to_numpy()
    for side in ("ci_low", "ci_high"):
        assert (np.abs(wald[side] - profile[side]) < 0.25 * width).all()
