"""`fit_mixed`: the one public way into the engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from alliance.errors import FitError
from alliance.mixed.checks import (
    check_data,
    check_fixed,
    check_identified,
    check_maximum,
    check_residual,
)
from alliance.mixed.compress import compress, sample_clients
from alliance.mixed.convergence import Convergence, singular_components
from alliance.mixed.criterion import Criterion, Expansion
from alliance.mixed.estimate import on_user_scale
from alliance.mixed.optimise import DECREMENT_TOLERANCE, EXACT, Optimum, minimise
from alliance.mixed.prepare import Prepared, prepare
from alliance.mixed.problem import Problem
from alliance.mixed.refitting import Engine
from alliance.mixed.residual_course import CourseCovariance
from alliance.mixed.result import MixedFit
from alliance.mixed.several import Terms, check_several, only_outcome
from alliance.mixed.specification import (
    DegreesOfFreedom,
    Method,
    Reliability,
    ResidualKind,
    check_specification,
)

TIGHT = DECREMENT_TOLERANCE
ROUGH = 1e-13
"""Stopping rules of the first start and of those that confirm it (times the number of rows)."""

SMALL = 2000
"""Up to this many clients (or cells of like clients) a third start costs nothing (with residual
dynamics up to `TINY`)."""

TINY = 300
"""Up to this many, starts from correlations near 1 and -1 are added."""

SAMPLE_ABOVE = 4000
"""Above this many the starts are compared on a sample of the groups."""

SAME_END = 1e-4
"""Ends on a sample whose -2 log-likelihoods differ by less than this are one."""

AGREEMENT = 1e-6
"""Two starts agree if their -2 log-likelihoods differ by less than this."""


def fit_mixed(
    data: pd.DataFrame,
    outcome: str | Sequence[str],
    fixed: Terms,
    random: Mapping[str, Terms],
    residual: ResidualKind = "iid",
    residual_time: str | None = None,
    residual_by: str | None = None,
    method: Method = "REML",
    df: DegreesOfFreedom = "satterthwaite",
    *,
    reliability: Reliability | None = None,
) -> MixedFit:
    """Fit a linear mixed model with strictly nested levels.

    ``y = X b + sum over levels of Z_l u_l + e``, with ``u_l ~ N(0, Sigma_l)`` for every group of
    level l (Sigma_l unstructured) and ``e ~ N(0, sigma^2 R)`` within the innermost group.

    Parameters
    ----------
    data : pandas.DataFrame
        One row per observation, in any order. Never changed.
    outcome : str or sequence of str
        Column of the outcome, or of several outcomes that are modelled together: one row holds the
        outcomes of one session, and any of them may be missing. Random effects of a level are then
        correlated across outcomes, and so are the residuals of one row (unstructured); terms and
        effects are named ``"outcome: term"``.
    fixed : sequence of str, or mapping of str to sequence of str
        Terms of the fixed part: ``"1"``, column names, ``"a:b"``, ``"a*b"``, and the transforms
        log, log1p, sqrt, square, center, scale and ``spline(x, 3)``. There is an intercept only if
        ``"1"`` is in the list. Text and categorical columns get treatment contrasts. With several
        outcomes the same terms for all, or a mapping of outcome to its terms.
    random : mapping of str to terms
        Terms with random effects per level, the outermost level first; with several outcomes the
        same terms for all, or a mapping of outcome to its terms (an outcome may be absent). A level
        is the column of its ids, which must be unique over the data; where they are numbered within
        the level above, ``"therapist:client"`` joins the columns (`alliance.mixed.rows`).
    residual : {"iid", "ar1", "car1", "var1", "cvar1"}
        Residuals within the innermost level: independent; AR(1) over whole-numbered sessions, gaps
        allowed; or CAR(1) over real time. With several outcomes: independent from row to row; or a
        stationary vector autoregression, in which each outcome's residual acts on the next one of
        all, over sessions (var1) or in real time (cvar1).
    residual_time : str, optional
        Column of times for all but iid.
    residual_by : str, optional
        Column with one residual variance per value; with var1 and cvar1 with coefficients of its
        own per value (and a residual covariance of its own, if clients keep their value).
    method : {"REML", "ML"}
    df : {"satterthwaite", "kenward-roger", "none"}
        Degrees of freedom for the fixed effects; with kenward-roger standard errors are adjusted
        too; with none the normal distribution is used.
    reliability : "free" or mapping of str to float, optional
        With var1 and cvar1: error of measurement, independent from row to row, beside the residual
        that is carried over. Its variances are estimated (``"free"``), or the share of the carried
        part in the residual variance is given by outcome; an outcome not named has no error.

    Returns
    -------
    MixedFit

    Raises
    ------
    FitError
        The model cannot be fitted to these data; says why in terms of columns and groups.
    """
    options: dict[str, Any] = {
        "residual": residual,
        "residual_time": residual_time,
        "residual_by": residual_by,
        "method": method,
        "df": df,
    }
    if not isinstance(outcome, str) and len(outcome) > 1:
        specification, parsed = check_several(data, outcome, fixed, random, reliability, **options)
    else:
        if reliability is not None:
            raise FitError("reliability needs several outcomes and residual='var1' or 'cvar1'.")
        name, own_fixed, own_random = only_outcome(outcome, fixed, random)
        specification, parsed = check_specification(data, name, own_fixed, own_random, **options)
    prepared = prepare(data, specification, parsed)
    check_data(prepared)
    fit = estimate(prepared, compress(prepared))
    # The table is made at once, so that degrees of freedom that do not exist are refused here.
    _ = fit.coefficients
    return fit


def estimate(prepared: Prepared, problem: Problem, start: np.ndarray | None = None) -> MixedFit:
    """Optimise a compressed problem from two starts and wrap the result."""
    criterion = Criterion(
        problem, prepared.columns.fixed_index, prepared.specification.method == "REML"
    )
    check_fixed(prepared, criterion)
    check_identified(prepared, criterion, default_start(problem))
    best, difference = _best_of_starts(prepared, criterion, start)
    check_residual(prepared, best.theta[: problem.layout.n_residual])
    check_maximum(prepared, best.converged, best.decrement)
    return as_fit(prepared, criterion, best, difference)


def as_fit(
    prepared: Prepared, criterion: Criterion, best: Optimum[Expansion], difference: float
) -> MixedFit:
    """Tidy the boundary, go back to the user's scale and describe the convergence."""
    layout = criterion.problem.layout
    best = _snap_to_boundary(criterion, best)
    user = on_user_scale(prepared, criterion, best.theta, best.expansion)
    names = [prepared.random_names(depth) for depth in range(len(layout.sizes))]
    components = singular_components(
        prepared.specification.levels,
        names,
        layout.factors(best.theta),
        [prepared.level_transform(depth) for depth in range(len(layout.sizes))],
    )
    if prepared.residual.kind == "car1" and best.theta[0] == 0.0:
        components = (*components, "residual: autocorrelation is 0")
    if isinstance(prepared.residual, CourseCovariance):
        rho = best.theta[: layout.n_residual]
        components = (*components, *prepared.residual.parameters.boundary(rho))
    convergence = Convergence(
        converged=best.converged,
        objective=-2.0 * user.log_likelihood,
        evaluations=criterion.evaluations,
        gradient_norm=float(np.abs(best.expansion.gradient).max()),
        hessian_eigenvalues=tuple(float(v) for v in np.linalg.eigvalsh(best.expansion.hessian)),
        is_singular=bool(components),
        singular_components=components,
        second_start_difference=difference,
        iterations=best.iterations,
    )
    return MixedFit(prepared, criterion, best, user, convergence, ENGINE)


def default_start(problem: Problem, size: float = 0.5) -> np.ndarray:
    """Every random effect with a standard deviation of `size` residual ones, uncorrelated."""
    factors = [size * np.eye(q) for q in problem.layout.sizes]
    return problem.layout.from_factors(factors, problem.residual.start())


def correlated_start(problem: Problem, sign: float) -> np.ndarray:
    """Random effects of one level correlated almost perfectly with the first, others small."""
    factors = []
    for q in problem.layout.sizes:
        factor = 0.1 * np.eye(q)
        if q > 1:
            factor[:, 0] = sign
            factor[0, 0] = 1.0
        factors.append(factor)
    return problem.layout.from_factors(factors, problem.residual.start())


def _best_of_starts(
    prepared: Prepared, criterion: Criterion, start: np.ndarray | None
) -> tuple[Optimum[Expansion], float]:
    """Minimise from several starts; the best end, and how far the ends are apart.

    The criterion can have several minima, mostly on the boundary of small data sets. So the second
    start is close to the model without random effects, far from the first; small problems, where
    it costs nothing, get a third from large variances, and the smallest two from correlations near
    1 and -1, whose boundaries can hold an optimum each. On large problems the starts are run on a
    sample of the groups, and every distinct end is continued on all rows.
    """
    problem = criterion.problem
    small = TINY if isinstance(problem.residual, CourseCovariance) else SMALL
    sizes = (0.5, 0.05, 2.0) if problem.n_leaves <= small else (0.5, 0.05)
    starts = [default_start(problem, size) for size in sizes]
    if problem.n_leaves <= TINY and max(problem.layout.sizes) > 1:
        starts += [correlated_start(problem, sign) for sign in (1.0, -1.0)]
    if start is not None:
        starts = [start, *starts[1:2]]
    difference = 0.0
    if problem.n_leaves > SAMPLE_ABOVE:
        ends, difference = _sampled_ends(prepared, criterion, starts)
        starts = ends or starts
    best: Optimum[Expansion] | None = None
    for theta in starts:
        # Starts that only confirm the first need not be followed to the last digit.
        other = minimise(criterion, theta, tolerance=TIGHT if best is None else ROUGH)
        if other is None:
            continue
        if other.expansion.profile.sigma2 < EXACT:
            best = None
            break
        if best is None:
            best = other
            continue
        if other.expansion.deviance < best.expansion.deviance - AGREEMENT:
            other = minimise(criterion, other.theta) or other
        gap = other.expansion.deviance - best.expansion.deviance
        difference = max(difference, abs(gap))
        if other.converged and (gap < -AGREEMENT or not best.converged):
            best = other
    if best is None:
        raise FitError(
            f"The model reproduces the outcome '{prepared.specification.outcome}' exactly, or to "
            "less than one part in 100,000, so that no residual variance is left to estimate. "
            "Check whether the outcome was computed from the predictors or is constant within the "
            "groups, and use fewer terms."
        )
    return best, difference


def _sampled_ends(
    prepared: Prepared, criterion: Criterion, starts: list[np.ndarray]
) -> tuple[list[np.ndarray], float]:
    """Distinct ends of the starts on a sample of the groups, and their distance there."""
    sample = Criterion(
        compress(prepared, sample_clients(prepared.nesting)), criterion.fixed, criterion.reml
    )
    ends: list[Optimum[Expansion]] = []
    difference = 0.0
    for theta in starts:
        end = minimise(sample, theta, tolerance=1e-12)
        if end is None or not end.converged:
            continue
        gaps = [abs(end.expansion.deviance - e.expansion.deviance) for e in ends]
        if not gaps or min(gaps) > SAME_END:
            ends.append(end)
        difference = max([difference, *gaps])
    criterion.evaluations += sample.evaluations
    return [end.theta for end in ends], difference


def _snap_to_boundary(criterion: Criterion, best: Optimum[Expansion]) -> Optimum[Expansion]:
    """Set factors that have converged towards zero to zero, if the criterion does not mind."""
    layout = criterion.problem.layout
    theta = best.theta.copy()
    for depth, factor in enumerate(layout.factors(theta)):
        snapped = factor.copy()
        # A Cholesky factor is the same up to the sign of its columns: take positive diagonals.
        snapped *= np.where(np.diag(snapped) < 0, -1.0, 1.0)
        small = np.abs(np.diag(snapped)) < 1e-4
        snapped[np.diag_indices_from(snapped)] = np.where(small, 0.0, np.diag(snapped))
        theta[layout.block(depth)] = snapped[np.tril_indices(len(factor))]
    residual = criterion.problem.residual
    if residual.kind == "car1":
        theta[0] = 0.0 if abs(theta[0]) < 1e-3 else abs(theta[0])
    if isinstance(residual, CourseCovariance):
        roots = np.abs(theta[residual.parameters.error_place])
        theta[residual.parameters.error_place] = np.where(roots < 1e-3, 0.0, roots)
    if np.array_equal(theta, best.theta):
        return best
    expansion = criterion.expand(theta)
    tolerance = 1e-12 * abs(best.expansion.deviance) + 1e-9
    if expansion is None or (expansion.deviance > best.expansion.deviance + tolerance):
        return best
    return Optimum(theta, expansion, best.converged, best.iterations, best.decrement)


ENGINE = Engine(estimate, as_fit)
"""How a fit is made once more; fits carry it, so that nothing below has to import this module."""
