"""Scores and leaving in one model, against R's JM and against plain numerical integration."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from alliance.mixed.joint import Courses, Parameters, Risk, fit_joint
from alliance.mixed.joint.data import compress
from alliance.mixed.joint.likelihood import Likelihood, rule
from alliance.mixed.joint.parameters import Shape

FOLDER = Path(__file__).parent / "leaving"
JM = json.loads((FOLDER / "joint.json").read_text())


def aids():
    """Courses and risk rows: a piecewise constant hazard, integrated by Gauss-Legendre."""
    d = pd.read_csv(FOLDER / "aids.csv")
    drug = (d["drug"] == "ddI").to_numpy(float)
    code, t = pd.factorize(d["patient"])[0], d["obstime"].to_numpy(float)
    one = np.ones(len(d))
    courses = Courses(
        d["CD4"].to_numpy(float), np.column_stack([one, t, t * drug]),
        np.column_stack([one, t]), code,
    )  # fmt: skip
    nodes, weights = np.polynomial.legendre.leggauss(7)
    edges = np.array([0.0, *JM["knots"], np.inf])
    rows = []
    for i, (_, p) in enumerate(d.assign(ddi=drug).drop_duplicates("patient").iterrows()):
        for k, (a, b) in enumerate(zip(edges[:-1], np.minimum(edges[1:], p["Time"]), strict=True)):
            if b > a:
                half = (b - a) / 2
                rows += [
                    (i, k, a + half * (1 + x), half * w, 0.0, p["ddi"])
                    for x, w in zip(nodes, weights, strict=True)
                ]
        if p["death"]:
            last = int(np.searchsorted(edges[1:-1], p["Time"]))
            rows.append((i, last, p["Time"], 0.0, 1.0, p["ddi"]))
    i, k, t, w, event, drug = np.array(rows, dtype=float).T
    one = np.ones(len(i))
    steps = (k[:, None] == np.arange(len(edges) - 1)).astype(float)
    risk = Risk(
        event, np.column_stack([drug, steps]), i.astype(int),
        np.column_stack([one, t, t * drug])[None], np.column_stack([one, t, one])[None], "rate", w,
    )  # fmt: skip
    start = Parameters(np.array([7.2, -0.16, 0.02]), 1.75, np.diag([4.6, 0.18]),
                       np.r_[0.2, np.full(len(edges) - 1, -3.0)], np.zeros(1))  # fmt: skip
    return courses, risk, start


@pytest.mark.slow
def test_jm_on_its_own_example():
    fit = fit_joint(*aids(), points=5)
    at, errors = fit.parameters, fit.errors
    theirs = JM["errors"]
    assert fit.convergence.converged and not fit.convergence.is_singular
    assert at.alpha[0] == pytest.approx(JM["association"], abs=1e-3)
    assert errors[fit.shape.alpha][0] == pytest.approx(theirs["T.alpha"], abs=1e-3)
    assert at.gamma[0] == pytest.approx(JM["hazard"]["drugddI"], abs=1e-3)
    assert errors[fit.shape.ends[2]] == pytest.approx(theirs["T.drugddI"], abs=1e-3)
    assert at.b[1:] == pytest.approx(list(JM["course"].values())[1:], abs=1e-3)
    assert at.sigma == pytest.approx(JM["sigma"], abs=1e-3)
    covariance = at.factor @ at.factor.T
    assert np.sqrt(np.diag(covariance)) == pytest.approx(JM["sd"], abs=1e-3)
    # JM's intercept of the course stops early, below the maximum (README.md).
    assert at.b[0] == pytest.approx(7.2034, abs=1e-3)
    assert fit.log_likelihood > JM["log_likelihood"]
    assert abs(fit.nodes_error) < 1e-3


def small(link, seed=3):
    """Three therapists with two clients each, three sessions."""
    rng = np.random.default_rng(seed)
    client, t = np.repeat(np.arange(6), 3), np.tile([0.0, 1.0, 2.0], 6)
    x = np.column_stack([np.ones(18), t])
    event = np.zeros(18)
    event[[2, 8]] = 1.0
    courses = Courses(rng.normal(2.0, 1.0, 18), x, x, client)
    risk = Risk(event, np.ones((18, 1)), client, x[None], np.column_stack([x, np.ones(18)])[None],
                link, np.full(18, 0.7))  # fmt: skip
    at = Parameters(np.array([1.8, 0.1]), 0.9, np.array([[0.8, 0.0], [0.1, 0.4]]),
                    np.array([-1.5]), np.array([-0.4]), 0.5, 0.6)  # fmt: skip
    return courses, risk, at, np.array([0, 0, 1, 1, 2, 2])


def by_hand(courses, risk, at, therapist, points=32):
    """The log-likelihood by a grid over normal densities that knows nothing of modes."""
    t, logs = rule(points, 2)
    u = t @ at.factor.T
    total = 0.0
    for j in np.unique(therapist):
        inner = np.zeros(len(t))
        for i in np.flatnonzero(therapist == j):
            own, rows = courses.client == i, risk.client == i
            mean = (courses.x[own] @ at.b)[:, None] + courses.z[own] @ u.T
            m = (risk.features_x[0][rows] @ at.b)[:, None] + risk.features_z[0][rows, :2] @ u.T
            for k, (v, w) in enumerate(t * [at.sd_course, at.sd_hazard]):
                y = courses.y[own][:, None]
                found = stats.norm.logpdf(y, mean + v, at.sigma).sum(axis=0)
                eta = at.gamma[0] + at.alpha[0] * (m + v) + w
                event = risk.event[rows][:, None]
                if risk.link == "rate":
                    found += (event * eta - risk.exposure[rows][:, None] * np.exp(eta)).sum(axis=0)
                else:
                    p = 1 / (1 + np.exp(-eta)) if risk.link == "logit" else -np.expm1(-np.exp(eta))
                    found += np.log(np.maximum(np.where(event == 1, p, 1 - p), 1e-300)).sum(axis=0)
                inner[k] += np.logaddexp.reduce(found + logs)
        total += np.logaddexp.reduce(inner + logs)
    return total


@pytest.mark.parametrize("link", ["logit", "cloglog", "rate"])
def test_likelihood_and_gradient_with_therapists_in_both_parts(link):
    courses, risk, at, therapist = small(link)
    shape = Shape(2, 2, 1, 1, True)
    likelihood = Likelihood(compress(courses, risk, therapist), shape, 11, 11)
    theta = at.packed(shape)
    nodes = likelihood.placed(theta)
    value, gradient = likelihood.at(theta, nodes)
    assert value == pytest.approx(by_hand(courses, risk, at, therapist), abs=1e-5)
    for k in range(len(theta)):
        move = np.zeros(len(theta))
        move[k] = 1e-5
        up, down = likelihood.at(theta + move, nodes)[0], likelihood.at(theta - move, nodes)[0]
        assert gradient[k] == pytest.approx((up - down) / 2e-5, abs=1e-6)
