"""What cannot be fitted, found before the optimiser meets it and said in the user's terms."""

from __future__ import annotations

import numpy as np

from alliance.errors import FitError
from alliance.mixed.criterion import Criterion
from alliance.mixed.degrees_of_freedom import linear_form
from alliance.mixed.dependence import dependence_problems
from alliance.mixed.prepare import Prepared
from alliance.mixed.residual import ResidualStructure
from alliance.mixed.residual_course import CourseCovariance
from alliance.mixed.residual_session import SessionCovariance
from alliance.mixed.terms import OUTCOME

RUNAWAY = 16.0
"""Difference of log variances (a ratio of ten million) that no data of this kind can support."""

SAME = 1e-8
"""Two outcomes whose residual correlation is this near to 1 or -1 are one."""

STATIONARY = 1e-6
"""Nearer to the edge of stationarity than this, dynamics are not an estimate."""

NO_MAXIMUM = 1e-4
"""Gain in -2 log L that still lies ahead where the optimiser had to give up."""


def check_data(prepared: Prepared) -> None:
    """Refuse groups and columns that leave nothing to estimate; all problems in one message.

    Raises
    ------
    FitError
    """
    problems = [*_group_problems(prepared), *_constant_problems(prepared)]
    if problems:
        raise FitError("\n".join(problems))


def _group_problems(prepared: Prepared) -> list[str]:
    nesting = prepared.nesting
    counts = list(nesting.counts.items())
    problems: list[str] = []
    for (level, count), depth in zip(counts, range(len(counts)), strict=True):
        if count == 1:
            problems.append(
                f"There is only one {level}, so a variance between groups of '{level}' cannot be "
                "estimated. Leave the level out of random."
            )
        elif (
            depth
            and count == counts[depth - 1][1]
            and set(prepared.random[depth]) & set(prepared.random[depth - 1])
        ):
            problems.append(
                f"Every {counts[depth - 1][0]} has exactly one {level}: the two levels cannot be "
                f"told apart. Leave '{counts[depth - 1][0]}' or '{level}' out of random."
            )
    level, count = counts[-1]
    if count == prepared.rows.used and count > 1:
        problems.append(
            f"Every {level} has one row only: a variance between groups of '{level}' cannot be "
            f"told from the residual variance. Leave '{level}' out of random or add sessions."
        )
    return problems


def _constant_problems(prepared: Prepared) -> list[str]:
    """Predictors without variation (numbers only beside an intercept)."""
    constant = [name for name, levels in prepared.vocabulary.categories.items() if len(levels) == 1]
    outcomes = prepared.outcomes
    intercepts = {outcomes.intercept(place) for place in range(len(outcomes))}
    numbers = {
        factor.atom.column
        for products in (prepared.fixed, *prepared.random)
        for product in products
        for factor in product
        if factor.atom.transform != OUTCOME
    }
    for name in sorted(numbers - set(prepared.vocabulary.categories)):
        column = prepared.sorted_data[name]
        if column.min() == column.max() and intercepts & set(prepared.fixed):
            constant.append(name)
    return [
        f"Column '{name}' has the same value in every row used, so it cannot explain differences. "
        "Leave it out of the terms."
        for name in constant
    ]


def check_fixed(prepared: Prepared, criterion: Criterion) -> None:
    """Refuse collinear fixed columns by name, and more coefficients than rows.

    Raises
    ------
    FitError
    """
    x = criterion.fixed
    if len(x) >= prepared.rows.values:
        raise FitError(
            f"There are {len(x)} fixed coefficients but only {prepared.rows.values} rows. Use "
            "fewer terms."
        )
    theta = np.zeros(criterion.problem.layout.n_parameters)
    theta[: criterion.problem.layout.n_residual] = criterion.problem.residual.start()
    form = criterion.problem.quadratic_form(theta)
    problems = dependence_problems(
        form.t[np.ix_(x, x)], prepared.fixed, lambda: prepared.user_matrix(prepared.fixed, None)
    )
    if problems:
        raise FitError("\n".join(problems))


def check_identified(prepared: Prepared, criterion: Criterion, theta: np.ndarray) -> None:
    """Refuse (co)variances that the data cannot tell apart, at an inner point of their space.

    The restricted information tr(P G_r P G_s) of the (co)variances is singular exactly if some
    combination of them leaves the likelihood unchanged; the combination names the culprits.

    Raises
    ------
    FitError
    """
    if criterion.problem.residual.serial:
        return
    form = linear_form(criterion, theta, 1.0)
    phi_first = np.linalg.solve(form.information, form.first)
    phi_second = np.linalg.solve(form.information, form.second)
    information = -(
        form.log_det_second
        + np.trace(phi_second, axis1=2, axis2=3)
        - np.einsum("rab,sba->rs", phi_first, phi_first)
    )
    names = _parameter_names(prepared)
    size = np.sqrt(np.maximum(np.diag(information), 0.0))
    scale = float(size.max())
    dead = size < 1e-7 * scale
    if not dead.any():
        values, vectors = np.linalg.eigh(information / np.outer(size, size))
        if values[0] > 1e-9:
            return
        weight = np.abs(vectors[:, values <= 1e-9]).max(axis=1)
        dead = weight > 1e-3 * weight.max()
    listed = "; ".join(name for name, is_dead in zip(names, dead, strict=True) if is_dead)
    raise FitError(
        f"The data cannot tell these variance components apart: {listed}. Usually a group has too "
        "few rows for its random effects, or a fixed term already has one coefficient per group. "
        "Leave one of the random terms out."
    )


def _parameter_names(prepared: Prepared) -> list[str]:
    names = _residual_names(prepared)
    levels = prepared.specification.levels
    for depth in reversed(range(len(levels))):
        labels = prepared.random_names(depth)
        for row in range(len(labels)):
            for col in range(row + 1):
                names.append(
                    f"{levels[depth]}: variance of '{labels[row]}'"
                    if row == col
                    else f"{levels[depth]}: covariance of '{labels[col]}' and '{labels[row]}'"
                )
    return [*names, "residual variance"]


def _residual_names(prepared: Prepared) -> list[str]:
    """Residual parameters in which V is linear, but the first variance."""
    labels = prepared.specification.outcomes
    if isinstance(prepared.residual, ResidualStructure):
        return [f"residual variance of group {g + 1}" for g in range(1, prepared.residual.n_groups)]
    return [
        f"residual variance of '{labels[a]}'"
        if a == b
        else f"residual covariance of '{labels[b]}' and '{labels[a]}'"
        for a in range(1, len(labels))
        for b in range(a + 1)
    ]


def check_residual(prepared: Prepared, rho: np.ndarray) -> None:
    """Refuse residual parameters that ran away: the likelihood has no maximum inside.

    Raises
    ------
    FitError
        A group's residual variance that goes to zero, or an autocorrelation that goes to 1.
    """
    structure = prepared.residual
    if isinstance(structure, SessionCovariance):
        _check_session(structure, rho)
        return
    if isinstance(structure, CourseCovariance):
        _check_course(structure, rho)
        return
    log_variances = structure.log_variances(rho)
    gone = np.flatnonzero(log_variances < log_variances.max() - RUNAWAY)
    if len(gone):
        counts = ", ".join(f"{int(structure.group_counts[g])} rows" for g in gone)
        raise FitError(
            f"The residual variance of {len(gone)} of the {structure.n_groups} groups of "
            f"'{prepared.specification.residual_by}' goes to zero ({counts} each): the model "
            "reproduces these rows exactly. Join small groups, use fewer terms, or leave "
            "residual_by out."
        )
    if structure.serial and abs(rho[0]) > (8.0 if structure.kind == "ar1" else 3e4):
        raise FitError(
            f"The autocorrelation of the residuals goes to {'-1' if rho[0] < 0 else '1'}: "
            f"it cannot be told from the random effects of '{prepared.nesting.levels[-1]}'. Use "
            "residual='iid' or leave out random terms of that level."
        )


def _check_session(structure: SessionCovariance, rho: np.ndarray) -> None:
    """Refuse residuals of several outcomes without variance of their own."""
    log_variances = structure.log_variances(rho)
    names = structure.outcomes
    problems = [
        f"The residual variance of '{names[place]}' goes to zero: the model reproduces this "
        "outcome exactly. Use fewer terms for it, or leave the outcome out."
        for place in np.flatnonzero(log_variances < log_variances.max() - RUNAWAY)
    ]
    relative = structure.relative(rho)
    deviation = np.sqrt(np.diag(relative))
    correlation = relative / np.outer(deviation, deviation)
    problems += [
        f"The residual correlation of '{names[b]}' and '{names[a]}' goes to "
        f"{'1' if correlation[a, b] > 0 else '-1'}: within a row one outcome follows from the "
        "other. Leave one of them out."
        for a in range(len(names))
        for b in range(a)
        if not problems and 1.0 - abs(correlation[a, b]) < SAME
    ]
    if problems:
        raise FitError("\n".join(problems))


def _check_course(structure: CourseCovariance, rho: np.ndarray) -> None:
    """Refuse residual dynamics at the edge of stationarity, and residuals that have no variance."""
    parameters = structure.parameters
    problems = []
    for group in range(parameters.n_dynamics):
        whose = f" of group {group + 1}" if parameters.groups else ""
        if parameters.distance_from_edge(rho, group) < STATIONARY:
            problems.append(
                f"The residual dynamics{whose} go to the edge of stationarity: what is carried "
                "over cannot be told from the random effects, or an outcome follows exactly from "
                "the session before. Use residual='iid', or leave out random terms of the "
                "innermost level."
            )
    for group in range(parameters.n_within):
        relative = parameters.relative(rho, group)
        deviation = np.sqrt(np.diag(relative))
        least = np.linalg.eigvalsh(relative / np.outer(deviation, deviation))[0]
        if np.ptp(2.0 * np.log(deviation)) > RUNAWAY or least < SAME:
            problems.append(
                "The residuals of one session have no variance of their own in one outcome: it is "
                "reproduced exactly, or follows from the others. Leave that outcome out."
            )
    if problems:
        raise FitError("\n".join(dict.fromkeys(problems)))


def check_maximum(prepared: Prepared, converged: bool, decrement: float) -> None:
    """Refuse a likelihood that rises without end, which only overloaded small data sets have.

    Raises
    ------
    FitError
    """
    if not converged and not decrement < NO_MAXIMUM:
        raise FitError(
            f"The likelihood of this model has no maximum on these {prepared.rows.values} rows: "
            "there are too many variance components for the data, and some rows are reproduced "
            "exactly. Leave out random terms, residual_by or the autocorrelation."
        )
