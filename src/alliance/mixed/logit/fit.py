"""`fit_mixed_logit`: mixed models of a binary outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import pandas as pd

from alliance.errors import FitError
from alliance.mixed.convergence import Convergence, singular_components
from alliance.mixed.logit.checks import check_data
from alliance.mixed.logit.laplace import RAN_OFF, Expansion, Laplace
from alliance.mixed.logit.links import LINKS, Link
from alliance.mixed.logit.optimise import Criterion, Optimum, minimise
from alliance.mixed.logit.prepare import PreparedBinary, prepare_binary
from alliance.mixed.logit.quadrature import MOST_POINTS, Quadrature
from alliance.mixed.logit.result import LogitFit
from alliance.mixed.logit.separation import check_separation
from alliance.mixed.logit.start import RUNAWAY_COEFFICIENT, starting_values
from alliance.mixed.specification import (
    ParsedTerms,
    Specification,
    check_specification,
)

SECOND_START_SD = 0.05

BORROWED_STEPS = 10
"""Steps of quadrature with the curvature of the Laplace approximation."""

RUNAWAY_SD = 30.0
AGREEMENT = 1e-6
"""Two starts agree if their log-likelihoods differ by less than this."""


def fit_mixed_logit(
    data: pd.DataFrame,
    outcome: str,
    fixed: Sequence[str],
    random: Mapping[str, Sequence[str]],
    link: Link = "logit",
    quadrature: int = 1,
    df: Literal["none"] = "none",
    *,
    start: LogitFit | None = None,
) -> LogitFit:
    """Fit a mixed model of a binary outcome with random intercepts at strictly nested levels.

    ``g(P(y = 1)) = X b + sum over levels of u_l``, with ``u_l ~ N(0, sd_l^2)`` for every group of
    level l, and g the logit or the complementary log-log. Fitted by maximum likelihood, the
    integral over the random intercepts by the Laplace approximation or by adaptive Gauss-Hermite
    quadrature. With one row per session at risk this is the discrete-time hazard model.

    Parameters
    ----------
    data : pandas.DataFrame
        One row per observation, in any order. Never changed.
    outcome : str
        Column of 0 and 1 (or False and True).
    fixed : sequence of str
        Terms of the fixed part, as in `alliance.mixed.fit_mixed`.
    random : mapping of str to sequence of str
        ``{"site": ["1"], "therapist": ["1"]}``, the outermost level first, as in
        `alliance.mixed.fit_mixed`; empty for a regression without random effects.
    link : {"logit", "cloglog"}
    quadrature : int
        Number of quadrature points; 1 is the Laplace approximation. More than one need one level.
    df : {"none"}
        Tests use the normal distribution.
    start : LogitFit, optional
        The same model fitted to almost the same rows: its optimum is the only start.

    Returns
    -------
    LogitFit

    Raises
    ------
    FitError
        The model cannot be fitted to these data; says why in terms of columns and groups.
    """
    specification, parsed = _check_question(data, outcome, fixed, random, link, quadrature, df)
    prepared = prepare_binary(data, specification, parsed)
    check_data(prepared)
    check_separation(prepared)
    if start is not None:
        return _from_optimum(prepared, link, quadrature, start)
    return estimate(prepared, prepared.outcome, link, quadrature)


def _check_question(
    data: pd.DataFrame,
    outcome: str,
    fixed: Sequence[str],
    random: Mapping[str, Sequence[str]],
    link: str,
    quadrature: int,
    df: str,
) -> tuple[Specification, ParsedTerms]:
    """Names, terms and options; every problem in one pass."""
    problems = []
    if link not in LINKS:
        problems.append(f"link must be one of {', '.join(LINKS)}.")
    if df != "none":
        problems.append(
            "df must be 'none': degrees of freedom are defined for the linear model only; tests of "
            "a binary outcome use the normal distribution."
        )
    if isinstance(quadrature, bool) or not isinstance(quadrature, int | np.integer):
        problems.append("quadrature must be a whole number of points.")
    elif not 1 <= quadrature <= MOST_POINTS:
        problems.append(f"quadrature must lie between 1 (Laplace) and {MOST_POINTS}.")
    elif quadrature > 1 and isinstance(random, Mapping) and len(random) != 1:
        problems.append(
            "quadrature with more than one point needs exactly one level; with several nested "
            "levels use quadrature=1 (Laplace)."
        )
    if isinstance(random, Mapping):
        for level, terms in random.items():
            if not isinstance(terms, str) and [str(term).strip() for term in terms] != ["1"]:
                problems.append(
                    f"random['{level}'] must be [\"1\"]: binary outcomes have random intercepts "
                    "only."
                )
    try:
        checked = check_specification(
            data,
            outcome,
            fixed,
            random,
            needs_levels=False,
            residual="iid",
            residual_time=None,
            residual_by=None,
            method="ML",
            df="none",
        )
    except FitError as error:
        problems += [line for line in str(error).split("\n") if line not in problems]
    if problems:
        raise FitError("\n".join(problems))
    return checked


def estimate(
    prepared: PreparedBinary, outcome: np.ndarray, link: Link, quadrature: int
) -> LogitFit:
    """Optimise from two starts and wrap the result."""
    rows = prepared.binary_rows(outcome)
    laplace = Laplace(rows, prepared.tree, link)
    start = starting_values(prepared, laplace)
    free = np.ones(laplace.n_parameters, dtype=bool)
    if not prepared.levels:
        free[-1] = False
    n = prepared.rows.used
    best = minimise(laplace, start, n, free=free)
    criterion: Criterion = laplace
    if quadrature > 1 and best is not None:
        criterion = Quadrature(laplace, quadrature)
        best = _optimise(criterion, best.psi, n, best.expansion.mode.effects)
    if best is None:
        raise FitError(RAN_OFF)
    difference = 0.0
    if prepared.levels:
        best, difference = _second_opinion(criterion, best, n, laplace.n_fixed)
    _check_finite(prepared, best)
    best = _tidy(criterion, best, laplace.n_fixed)
    return LogitFit(
        prepared, outcome, link, quadrature, best.expansion,
        _convergence(prepared, criterion, best, free, difference), estimate,
    )  # fmt: skip


def _from_optimum(
    prepared: PreparedBinary, link: Link, quadrature: int, start: LogitFit
) -> LogitFit:
    """Optimise from the optimum of another fit of the same terms; new terms start at zero.

    Standard errors with quadrature are from the Hessian of the Laplace approximation at the
    optimum, which is near and saves most of the work.
    """
    known = dict(zip(start.prepared.fixed_names, start.estimates, strict=True))
    b = np.array([known.get(name, 0.0) for name in prepared.fixed_names])
    # A standard deviation of zero is off its boundary, so that it can grow again.
    sd = np.maximum(start.standard_deviations, SECOND_START_SD)
    laplace = Laplace(prepared.binary_rows(prepared.outcome), prepared.tree, link)
    psi = np.zeros(laplace.n_parameters)
    psi[: len(b)] = prepared.columns.fixed_transform @ b
    psi[len(b) : len(b) + len(sd)] = sd
    free = np.ones(laplace.n_parameters, dtype=bool)
    free[len(b) + len(sd) :] = False
    criterion: Criterion = Quadrature(laplace, quadrature) if quadrature > 1 else laplace
    best = minimise(criterion, psi, prepared.rows.used, free=free)
    if best is None:
        raise FitError(RAN_OFF)
    _check_finite(prepared, best)
    best = _tidy(criterion, best, laplace.n_fixed)
    return LogitFit(
        prepared, prepared.outcome, link, quadrature, best.expansion,
        _convergence(prepared, criterion, best, free, 0.0), estimate,
    )  # fmt: skip


def _optimise(
    criterion: Criterion, start: np.ndarray, n_rows: int, effects: np.ndarray | None = None
) -> Optimum | None:
    """Minimise; quadrature goes most of the way with the curvature of Laplace, which is cheaper."""
    if isinstance(criterion, Quadrature):
        criterion.differences = False
        near = minimise(criterion, start, n_rows, effects=effects, max_iterations=BORROWED_STEPS)
        if near is None:
            return None
        criterion.differences = True
        start, effects = near.psi, near.expansion.mode.effects
    return minimise(criterion, start, n_rows, effects=effects)


# ----------------------------------------------------------------------------------------------
# After the optimum
# ----------------------------------------------------------------------------------------------


def _second_opinion(
    criterion: Criterion, best: Optimum, n_rows: int, n_fixed: int
) -> tuple[Optimum, float]:
    """Minimise again from near the model without random effects; keep the better end."""
    psi = best.psi.copy()
    psi[n_fixed:] = SECOND_START_SD
    other = _optimise(criterion, psi, n_rows)
    if other is None:
        return best, 0.0
    gap = other.value - best.value
    if other.converged and (gap < -AGREEMENT or not best.converged):
        best = other
    return best, 2.0 * abs(gap)


def _check_finite(prepared: PreparedBinary, best: Optimum) -> None:
    """Refuse estimates that grow without bound, and stationary points that are no maximum."""
    p = len(prepared.fixed)
    outcome = prepared.specification.outcome
    large = [
        level
        for level, sd in zip(prepared.levels, best.psi[p:], strict=False)
        if abs(sd) > RUNAWAY_SD
    ]
    if large:
        raise FitError(
            f"The variance between groups of '{large[0]}' grows without bound: the groups of "
            f"'{large[0]}', with the fixed terms, foretell the outcome '{outcome}' almost without "
            f"error. Leave '{large[0]}' out of random or use fewer fixed terms."
        )
    names = prepared.fixed_names
    far = [names[k] for k in range(p) if abs(best.psi[k]) > RUNAWAY_COEFFICIENT]
    if far:
        raise FitError(
            f"The effect of {', '.join(repr(name) for name in far)} grows without bound: the "
            f"outcome '{outcome}' is foretold almost without error in part of the rows. Leave the "
            "term out, join rare categories, or use a coarser form."
        )


def _tidy(criterion: Criterion, best: Optimum, n_fixed: int) -> Optimum:
    """Give standard deviations no sign, and put those that have converged to zero at zero."""
    psi = best.psi.copy()
    psi[n_fixed:] = np.abs(psi[n_fixed:])
    small = psi[n_fixed:] < 1e-4
    psi[n_fixed:][small] = 0.0
    if np.array_equal(psi, best.psi):
        return best
    sign = np.where(best.psi[n_fixed:] < 0, -1.0, 1.0)
    mode = best.expansion.mode
    effects = mode.effects * sign[mode.elimination.tree.depth]
    tidied = criterion.at(psi, effects)
    if tidied is None:
        return best
    expansion = criterion.expand(tidied)
    if expansion.value > best.value + 1e-12 * abs(best.value) + 1e-9:
        return best
    return replace(best, expansion=expansion)


def _convergence(
    prepared: PreparedBinary,
    criterion: Criterion,
    best: Optimum,
    free: np.ndarray,
    difference: float,
) -> Convergence:
    expansion: Expansion = best.expansion
    p = len(prepared.fixed)
    n_levels = len(prepared.levels)
    components = singular_components(
        prepared.levels,
        [["1"]] * n_levels,
        [np.array([[abs(sd)]]) for sd in best.psi[p : p + n_levels]],
        [np.eye(1)] * n_levels,
    )
    eigenvalues = np.linalg.eigvalsh(expansion.hessian[np.ix_(free, free)])
    return Convergence(
        converged=best.converged,
        objective=2.0 * expansion.value,
        evaluations=criterion.evaluations,
        gradient_norm=float(np.abs(expansion.gradient[free]).max()),
        hessian_eigenvalues=tuple(float(value) for value in eigenvalues),
        is_singular=bool(components),
        singular_components=components,
        second_start_difference=difference,
        optimiser="Newton with exact gradient and Hessian",
        iterations=best.iterations,
    )
