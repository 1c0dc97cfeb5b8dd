"""Simulate from a known truth, fit, find it again; and the exact rules of invariance.

Every simulation has fixed seeds, so a test either always passes or always fails. The bands are
Monte Carlo bands: with R replications a coverage of 95 % has a standard error of
sqrt(.95 * .05 / R), and the mean of R estimates one of sd / sqrt(R).
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "reference" / "mixed"))
from mixed_cases import covariances_of

from alliance.mixed import fit_mixed

TRUE_BETA = {"1": 12.0, "t": -0.35, "x": 0.5, "z": -0.8}
CLIENT = np.array([[1.5, -0.1], [-0.1, 0.06]])
THERAPIST_VARIANCE = 0.6
SIGMA2 = 1.2


def simulate(
    seed: int,
    *,
    therapists: int = 25,
    clients: int = 6,
    sessions: tuple[int, int] = (4, 9),
    therapist_variance: float = THERAPIST_VARIANCE,
    client: np.ndarray = CLIENT,
    phi: float = 0.0,
    attended: float = 1.0,
) -> pd.DataFrame:
    """Sessions in clients in therapists from the three-level growth model.

    y = 12 - .35 t + .5 x - .8 z + v_therapist + u0_client + u1_client t + e; x varies over
    sessions, z over therapists; e is AR(1) with the given phi. `attended` keeps that share of the
    sessions at random.
    """
    rng = np.random.default_rng(seed)
    n_clients = therapists * clients
    n = rng.integers(sessions[0], sessions[1] + 1, n_clients)
    client_of = np.repeat(np.arange(n_clients), n)
    therapist_of = client_of // clients
    t = np.arange(len(client_of)) - np.repeat(np.cumsum(n) - n, n).astype(float)
    u = rng.normal(size=(n_clients, 2)) @ np.linalg.cholesky(client + 1e-15 * np.eye(2)).T
    v = rng.normal(0, np.sqrt(therapist_variance), therapists)
    x, z = rng.normal(size=len(t)), rng.normal(size=therapists)[therapist_of]
    e = rng.normal(size=len(t))
    for k in np.flatnonzero(t):  # in order: the session before is finished
        e[k] = phi * e[k - 1] + np.sqrt(1 - phi**2) * e[k]
    y = sum(b * c for b, c in zip(TRUE_BETA.values(), (1.0, t, x, z), strict=True))
    y = y + v[therapist_of] + u[client_of, 0] + u[client_of, 1] * t + np.sqrt(SIGMA2) * e
    data = pd.DataFrame({"therapist": therapist_of, "client": client_of, "session": t + 1}).assign(
        t=t, x=x, z=z, y=y
    )
    return data[rng.random(len(t)) < attended].reset_index(drop=True)


def fit_growth(data: pd.DataFrame, **changes):
    arguments = {
        "outcome": "y",
        "fixed": list(TRUE_BETA),
        "random": {"therapist": ["1"], "client": ["1", "t"]},
    }
    return fit_mixed(data, **(arguments | changes))


def replicate(seeds: range, fit=fit_growth, **truth) -> list:
    return [fit(simulate(seed, **truth)) for seed in seeds]


def coverage(fits: list) -> np.ndarray:
    """Share of intervals, per coefficient, that hold the truth."""
    truth = np.array(list(TRUE_BETA.values()))
    low = np.array([fit.coefficients["ci_low"].to_numpy(float) for fit in fits])
    high = np.array([fit.coefficients["ci_high"].to_numpy(float) for fit in fits])
    return ((low <= truth) & (truth <= high)).mean(axis=0)


def assert_unbiased(values: list, truth: float, *, sds: float = 3.5) -> None:
    values = np.asarray(values, float)
    assert abs(values.mean() - truth) < sds * values.std(ddof=1) / np.sqrt(len(values))


def assert_covers(fits: list) -> None:
    """93 to 97 %, or three Monte Carlo standard errors where the sample is too small for that."""
    band = max(0.02, 3 * np.sqrt(0.95 * 0.05 / len(fits)))
    covered = coverage(fits)
    assert (np.abs(covered - 0.95) <= band).all(), covered


def assert_finds_the_truth(fits: list) -> None:
    for k, truth in enumerate(TRUE_BETA.values()):
        assert_unbiased([fit.coefficients["estimate"].iloc[k] for fit in fits], truth)
    components = [covariances_of(fit) for fit in fits]
    assert_unbiased([c["therapist"][0, 0] for c in components], THERAPIST_VARIANCE)
    for i, j in ((0, 0), (0, 1), (1, 1)):
        assert_unbiased([c["client"][i, j] for c in components], CLIENT[i, j])
    assert_unbiased([fit.residual.sigma**2 for fit in fits], SIGMA2)


# ------------------------------------------------------------------- recovery
def test_three_levels_small_sample():
    fits = replicate(range(100, 160))
    assert_finds_the_truth(fits)
    assert_covers(fits)


@pytest.mark.exhaustive
@pytest.mark.parametrize("df", ["satterthwaite", "kenward-roger"])
def test_three_levels_long(df):
    fits = replicate(range(5000, 6000), lambda data: fit_growth(data, df=df))
    assert_finds_the_truth(fits)
    assert_covers(fits)


@pytest.mark.exhaustive
@pytest.mark.parametrize("df", ["satterthwaite", "kenward-roger"])
def test_few_therapists_keep_their_coverage(df):
    # Eight therapists: a normal interval for z would cover about 90 %.
    fits = replicate(
        range(7000, 8000), lambda data: fit_growth(data, df=df), therapists=8, clients=4
    )
    assert_covers(fits)


def test_standard_errors_are_the_spread_of_the_estimates():
    fits = replicate(range(200, 260))
    estimates = np.array([fit.coefficients["estimate"].to_numpy(float) for fit in fits])
    errors = np.array([fit.coefficients["se"].to_numpy(float) for fit in fits])
    ratio = estimates.std(axis=0, ddof=1) / np.sqrt((errors**2).mean(axis=0))
    # the sd of 60 values has a relative standard error of 1 / sqrt(2 * 59) = 9 %
    assert (np.abs(ratio - 1) < 3.5 / np.sqrt(2 * 59)).all(), ratio


def test_zero_variance_boundary():
    """No therapist effect: about half the fits end at zero and say so; the rest stays right."""
    fits = replicate(range(300, 360), therapist_variance=0.0)
    variances = np.array([covariances_of(fit)["therapist"][0, 0] for fit in fits])
    singular = np.array([fit.convergence.is_singular for fit in fits])
    assert (variances >= 0).all()
    assert (singular == (variances < 1e-8)).all()
    # P(zero) is near one half (a little more in small samples)
    assert 0.5 - 3.5 * 0.065 < singular.mean() < 0.65 + 3.5 * 0.065
    assert all(fit.convergence.converged for fit in fits)
    assert all(
        any("therapist" in str(name) for name in fit.convergence.singular_components)
        for fit in np.array(fits, dtype=object)[singular]
    )
    assert_covers(fits)


def test_perfectly_correlated_slopes_boundary():
    client = np.outer([1.2, -0.25], [1.2, -0.25])
    fits = replicate(range(400, 420), client=client)
    for fit in fits:
        eigenvalues = np.linalg.eigvalsh(covariances_of(fit)["client"])
        assert eigenvalues.min() > -1e-10
    assert np.mean([fit.convergence.is_singular for fit in fits]) > 0.2
    assert_unbiased([fit.coefficients["estimate"].iloc[1] for fit in fits], TRUE_BETA["t"])


def fit_serial(data):
    return fit_growth(data, residual="ar1", residual_time="session")


@pytest.mark.parametrize("phi", [0.5, -0.4])
def test_serial_correlation_with_missing_sessions(phi):
    fits = replicate(
        range(500, 530), fit_serial, phi=phi, attended=0.7, sessions=(10, 16), therapists=20
    )
    assert_unbiased([fit.residual.phi for fit in fits], phi)
    assert_unbiased([fit.residual.sigma**2 for fit in fits], SIGMA2)
    assert_unbiased([fit.coefficients["estimate"].iloc[1] for fit in fits], TRUE_BETA["t"])


@pytest.mark.exhaustive
def test_serial_correlation_long():
    fits = replicate(
        range(9000, 9300), fit_serial, phi=0.5, attended=0.7, sessions=(10, 16), therapists=25
    )
    assert_unbiased([fit.residual.phi for fit in fits], 0.5)
    assert_covers(fits)


def test_own_simulations_are_refitted_to_the_same_truth():
    fit = fit_growth(simulate(1, therapists=40))
    rng = np.random.default_rng(2)
    again = [fit.refit(fit.simulate(rng)) for _ in range(60)]
    for k, truth in enumerate(fit.coefficients["estimate"]):
        assert_unbiased([one.coefficients["estimate"].iloc[k] for one in again], truth)
    truth = covariances_of(fit)
    assert_unbiased([covariances_of(one)["client"][0, 0] for one in again], truth["client"][0, 0])
    assert_unbiased([covariances_of(one)["client"][1, 1] for one in again], truth["client"][1, 1])
    assert_unbiased([one.residual.sigma**2 for one in again], fit.residual.sigma**2)


# ------------------------------------------------------------------- invariance
BASE = simulate(77, therapists=10, clients=5)
STRUCTURES = {
    "iid": {},
    "ml": {"method": "ML"},
    "ar1": {"residual": "ar1", "residual_time": "session"},
    "kenward-roger": {"df": "kenward-roger"},
}
structure = pytest.mark.parametrize("how", STRUCTURES.values(), ids=STRUCTURES)
COLUMNS = ["estimate", "se", "df", "statistic", "p", "ci_low", "ci_high"]


def table_of(fit) -> np.ndarray:
    return fit.coefficients[COLUMNS].to_numpy(float)


def assert_same_fit(one, other, rtol=1e-6):
    assert one.log_likelihood == pytest.approx(other.log_likelihood, abs=1e-7)
    np.testing.assert_allclose(table_of(one), table_of(other), rtol=rtol, atol=1e-12)
    for level, matrix in covariances_of(other).items():
        sd = np.sqrt(np.diag(matrix))
        assert np.max(np.abs(covariances_of(one)[level] - matrix) / np.outer(sd, sd)) < rtol
    assert one.residual.sigma == pytest.approx(other.residual.sigma, rel=rtol)


@structure
def test_order_of_rows_changes_no_bit(how):
    shuffled = BASE.sample(frac=1, random_state=3)
    one, other = fit_growth(BASE, **how), fit_growth(shuffled, **how)
    assert one.log_likelihood == other.log_likelihood
    assert (table_of(one) == table_of(other)).all()


def test_the_data_given_are_never_changed():
    shuffled = BASE.sample(frac=1, random_state=4)
    before = shuffled.copy(deep=True)
    fit = fit_growth(shuffled)
    fit.predict(shuffled)
    pd.testing.assert_frame_equal(shuffled, before)


@structure
def test_labels_of_groups_do_not_matter(how):
    rng = np.random.default_rng(5)
    names = rng.permutation(1000)
    relabelled = BASE.assign(
        therapist=[f"T{names[j]}" for j in BASE["therapist"]],
        client=names[100 + BASE["client"]],
    )
    assert_same_fit(fit_growth(relabelled, **how), fit_growth(BASE, **how))


@structure
@pytest.mark.parametrize("shift", [3.0, 1e6])
def test_shift_of_a_predictor_moves_the_intercept_alone(how, shift):
    base, moved = fit_growth(BASE, **how), fit_growth(BASE.assign(x=BASE["x"] + shift), **how)
    before, after = table_of(base), table_of(moved)
    np.testing.assert_allclose(after[1:], before[1:], rtol=1e-6)
    assert after[0, 0] == pytest.approx(before[0, 0] - shift * before[2, 0], rel=1e-8)
    assert moved.log_likelihood == pytest.approx(base.log_likelihood, abs=1e-6)


@structure
def test_shift_of_time_turns_the_client_covariance(how):
    # u0 + u1 t = (u0 - c u1) + u1 (t + c)
    c = 4.0
    base, moved = fit_growth(BASE, **how), fit_growth(BASE.assign(t=BASE["t"] + c), **how)
    turn = np.array([[1, -c], [0, 1]])
    expected = turn @ covariances_of(base)["client"] @ turn.T
    np.testing.assert_allclose(covariances_of(moved)["client"], expected, rtol=1e-5)
    assert moved.log_likelihood == pytest.approx(base.log_likelihood, abs=1e-7)
    np.testing.assert_allclose(table_of(moved)[1:], table_of(base)[1:], rtol=1e-5)


@structure
@pytest.mark.parametrize("factor", [1e-8, 0.1, 1e7, -2.0])
def test_scale_of_time_follows_the_exact_rule(how, factor):
    base, scaled = fit_growth(BASE, **how), fit_growth(BASE.assign(t=BASE["t"] * factor), **how)
    rule = 0.0 if how.get("method") == "ML" else np.log(abs(factor))
    # REML: log|X' V^-1 X| grows by 2 log|factor|
    assert scaled.log_likelihood + rule == pytest.approx(base.log_likelihood, abs=1e-6)
    before, after = table_of(base), table_of(scaled)
    assert after[1, 0] * factor == pytest.approx(before[1, 0], rel=1e-6)
    assert after[1, 1] * abs(factor) == pytest.approx(before[1, 1], rel=1e-6)
    np.testing.assert_allclose(after[[0, 2, 3]], before[[0, 2, 3]], rtol=1e-5)
    stretch = np.diag([1.0, factor])
    np.testing.assert_allclose(
        stretch @ covariances_of(scaled)["client"] @ stretch,
        covariances_of(base)["client"],
        rtol=1e-5,
    )


@structure
@pytest.mark.parametrize(("factor", "offset"), [(2.5, 0.0), (-1.0, 100.0), (1e-8, 0.0), (1.0, 1e6)])
def test_scale_and_shift_of_the_outcome(how, factor, offset):
    base = fit_growth(BASE, **how)
    moved = fit_growth(BASE.assign(y=factor * BASE["y"] + offset), **how)
    count = len(BASE) - (0 if how.get("method") == "ML" else len(TRUE_BETA))
    rule = count * np.log(abs(factor))
    assert moved.log_likelihood + rule == pytest.approx(base.log_likelihood, abs=1e-6)
    before, after = table_of(base), table_of(moved)
    np.testing.assert_allclose(after[1:, 0], factor * before[1:, 0], rtol=1e-6)
    assert after[0, 0] == pytest.approx(factor * before[0, 0] + offset, rel=1e-8)
    np.testing.assert_allclose(after[:, 1], abs(factor) * before[:, 1], rtol=1e-6)
    for level, matrix in covariances_of(base).items():
        np.testing.assert_allclose(covariances_of(moved)[level], factor**2 * matrix, rtol=1e-5)
    if how.get("residual") == "ar1":
        assert moved.residual.phi == pytest.approx(base.residual.phi, abs=1e-6)


@pytest.mark.parametrize("unit", [7.0, 604800.0, 1 / 52])
def test_unit_and_origin_of_real_time_do_not_matter(unit):
    # phi per day = phi per week to the power 1/7
    data = BASE.assign(weeks=BASE["session"] + 0.3 * np.sin(BASE.index.to_numpy()))
    common = {"residual": "car1", "residual_time": "weeks"}
    base = fit_growth(data, **common)
    moved = fit_growth(data.assign(weeks=unit * data["weeks"] + 1000 * unit), **common)
    assert_same_fit(moved, base, rtol=1e-5)
    assert moved.residual.phi == pytest.approx(base.residual.phi ** (1 / unit), rel=1e-5)


def test_sessions_numbered_in_threes_give_the_same_fit():
    base = fit_growth(BASE, residual="ar1", residual_time="session")
    assert base.residual.phi > 0  # a negative one has a real cube root too, but no meaning here
    threes = fit_growth(BASE.assign(s=3 * BASE["session"]), residual="ar1", residual_time="s")
    assert_same_fit(threes, base, rtol=1e-5)
    assert threes.residual.phi**3 == pytest.approx(base.residual.phi, abs=1e-5)
