"""Where the optimiser starts, and whether there is anything finite to find."""

from __future__ import annotations

import numpy as np

from alliance.errors import FitError
from alliance.mixed.logit.laplace import RAN_OFF, BinaryRows, Laplace
from alliance.mixed.logit.optimise import Optimum, minimise, newton_step
from alliance.mixed.logit.prepare import PreparedBinary
from alliance.mixed.logit.separation import check_combination
from alliance.mixed.logit.tree import prune

PILOT_ROWS = 50_000
"""Larger data sets start from the fit of about this many of their rows."""

START_SD = 0.5

CERTAIN = 15.0
"""Linear predictors beyond this, of a regression without random effects, call for a look."""

RUNAWAY_COEFFICIENT = 25.0
"""In internal units: log odds per standard deviation of the predictor."""


def starting_values(prepared: PreparedBinary, laplace: Laplace) -> np.ndarray:
    """Find starting values: of the whole model on a part of the trees, or of a plain regression."""
    pilot = _pilot(laplace)
    if pilot is not None:
        regression = _regression(pilot)
        if regression is not None and _is_overlapping(regression) and _is_determined(regression):
            part = minimise(
                pilot, _with_sd(regression, pilot, START_SD), len(pilot.rows.trials), tolerance=1e-3
            )
            if part is not None and np.abs(part.psi).max() < RUNAWAY_COEFFICIENT:
                # away from the boundary, where the gradient of the standard deviation is zero
                psi = part.psi.copy()
                psi[laplace.n_fixed :] = np.maximum(np.abs(psi[laplace.n_fixed :]), 0.1)
                return psi
    regression = _regression(laplace)
    if regression is None or not _is_overlapping(regression):
        _explain_separation(prepared, laplace, regression)
    if regression is None:
        raise FitError(RAN_OFF)
    return _with_sd(regression, laplace, START_SD if prepared.levels else 0.0)


def _with_sd(regression: Optimum, criterion: Laplace, sd: float) -> np.ndarray:
    psi = regression.psi.copy()
    psi[criterion.n_fixed :] = sd
    return psi


def _regression(criterion: Laplace) -> Optimum | None:
    """Fit the model without random effects: all standard deviations held at zero."""
    psi = np.zeros(criterion.n_parameters)
    free = np.arange(len(psi)) < criterion.n_fixed
    return minimise(criterion, psi, len(criterion.rows.trials), free=free, tolerance=1e-9)


def _is_overlapping(regression: Optimum) -> bool:
    """Tell whether a regression proves that nothing separates the outcomes: it ends.

    Its likelihood is strictly concave, so a stationary point is the only maximum; one that merely
    seems stationary has predicted probabilities of 0 or 1 to many digits.
    """
    return regression.converged and float(np.abs(regression.expansion.mode.fixed).max()) < CERTAIN


def _is_determined(regression: Optimum) -> bool:
    """Tell whether all coefficients are determined: a part of the rows may lack a category."""
    p = len(regression.expansion.mode.b)
    values = np.linalg.eigvalsh(regression.expansion.hessian[:p, :p])
    return bool(values[0] > 1e-7 * values[-1])


def _explain_separation(
    prepared: PreparedBinary, laplace: Laplace, regression: Optimum | None
) -> None:
    """Raise if a combination of columns separates the outcomes; else there is another cause."""
    hint = np.zeros(laplace.n_fixed)
    if regression is not None:
        moving = np.arange(laplace.n_parameters) < laplace.n_fixed
        hint = newton_step(regression.expansion, moving)[0][: laplace.n_fixed]
    check_combination(prepared, laplace.rows, hint)


def _pilot(laplace: Laplace) -> Laplace | None:
    """About `PILOT_ROWS` rows, whole trees evenly spread over the data; None for small data."""
    rows, tree = laplace.rows, laplace.tree
    step = len(rows.trials) // PILOT_ROWS
    n_roots = int(tree.counts[0])
    if step < 3 or n_roots < 20 * step:
        return None
    part, kept = prune(tree, np.arange(n_roots) % step == 0)
    leaves = kept[: tree.n_leaves]
    length = np.diff(rows.pointer)
    inside = np.repeat(leaves, length)
    pointer = np.concatenate([[0], np.cumsum(length[leaves])])
    x = np.compress(inside, rows.x, axis=1)
    chosen = BinaryRows(x, rows.successes[inside], rows.trials[inside], pointer)
    return Laplace(chosen, part, laplace.link)
