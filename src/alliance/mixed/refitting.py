"""The model of a fit once more: for other outcomes, or by maximum likelihood."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from alliance.errors import FitError
from alliance.mixed.compress import compress
from alliance.mixed.criterion import Criterion
from alliance.mixed.optimise import EXACT, minimise
from alliance.mixed.prepare import check_outcome, with_outcome
from alliance.mixed.simulation import sorted_order

if TYPE_CHECKING:
    from alliance.mixed.result import MixedFit


@dataclass(frozen=True, slots=True)
class Engine:
    """How another fit of the same kind is made; handed in by `alliance.mixed.fit`."""

    estimate: Callable[..., MixedFit]
    as_fit: Callable[..., MixedFit]


class Refitter:
    """Fits the model of a fit to other outcomes for its sorted rows, starting from its optimum."""

    def __init__(self, fit: MixedFit) -> None:
        self.fit = fit
        layout = fit.criterion.problem.layout
        # Off the boundary, so that a component at zero can grow again.
        factors = [
            factor + 0.05 * np.eye(len(factor)) for factor in layout.factors(fit.optimum.theta)
        ]
        self.start = layout.from_factors(factors, fit.optimum.theta[: layout.n_residual])

    def __call__(self, outcome: np.ndarray) -> MixedFit | None:
        """Refit from one start; None where the outcome has no residual variance."""
        prepared = with_outcome(self.fit.prepared, outcome)
        criterion = Criterion(compress(prepared), self.fit.criterion.fixed, self.fit.criterion.reml)
        best = minimise(criterion, self.start, tolerance=1e-12)
        if best is None or best.expansion.profile.sigma2 < EXACT:
            return None
        return self.fit.engine.as_fit(prepared, criterion, best, 0.0)


def refit(fit: MixedFit, y: np.ndarray | pd.Series | pd.DataFrame) -> MixedFit:
    """See `alliance.mixed.result.MixedFit.refit`."""
    values = np.asarray(y, dtype=float)
    several = fit.prepared.specification.outcomes
    if values.shape != (fit.rows.used, *([len(several)] if several else [])):
        columns = f" and one column per outcome ({', '.join(several)})" if several else ""
        raise FitError(
            f"The new outcome must have one value per row of the fit{columns}: {fit.rows.used}, "
            f"not {values.shape[0] if values.ndim else 0}."
        )
    outcome = sorted_order(fit, values)
    if not np.isfinite(outcome).all():
        raise FitError("The new outcome has missing or infinite values.")
    check_outcome(fit.prepared, outcome)
    prepared = with_outcome(fit.prepared, outcome)
    return fit.engine.estimate(prepared, compress(prepared))


def as_ml(fit: MixedFit) -> MixedFit:
    """Fit the same model by maximum likelihood."""
    specification = replace(fit.prepared.specification, method="ML", df="none")
    prepared = replace(fit.prepared, specification=specification)
    return fit.engine.estimate(prepared, fit.criterion.problem, fit.optimum.theta)
