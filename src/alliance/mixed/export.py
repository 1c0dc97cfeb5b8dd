"""A fit as plain JSON types."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from alliance.mixed.dynamics import dynamics
from alliance.mixed.residual_course import CourseCovariance

if TYPE_CHECKING:
    from alliance.mixed.result import MixedFit


def to_dict(fit: MixedFit) -> dict[str, Any]:
    """Everything a report needs of a fit, as dict, list, str, int, float, bool and None.

    Infinite and undefined numbers become None. No id and no row of the data is in it.
    """
    specification, convergence = fit.prepared.specification, fit.convergence
    return {
        "equation": fit.equation,
        "method": fit.method,
        "df_method": specification.df,
        "outcome": list(specification.outcomes) or specification.outcome,
        "fixed": list(specification.fixed),
        "random": {level: list(terms) for level, terms in specification.random},
        "residual_structure": specification.residual,
        "rows": {
            "total": fit.rows.total,
            "used": fit.rows.used,
            "left_out": dict(fit.rows.left_out),
            **_rows_by_outcome(fit),
        },
        "n_groups": {level: int(count) for level, count in fit.n_groups.items()},
        "coefficients": records(fit.coefficients),
        "covariance": plain(fit.covariance.to_numpy()),
        "variance_components": records(fit.variance_components),
        "residual": {
            "sigma": fit.residual.sigma,
            "phi": fit.residual.phi,
            "variances": {str(group): v for group, v in fit.residual.variances.items()},
            **_residual_covariance(fit),
        },
        **_dynamics(fit),
        "log_likelihood": fit.log_likelihood,
        "n_parameters": fit.n_parameters,
        "aic": fit.aic,
        "bic": {by: fit.bic(by) for by in ("rows", *specification.levels)},
        "convergence": {
            name: plain(getattr(convergence, name)) for name in convergence.__dataclass_fields__
        },
    }


def _rows_by_outcome(fit: MixedFit) -> dict[str, Any]:
    """Rows per outcome, where there are several."""
    if not fit.rows.by_outcome:
        return {}
    return {
        "by_outcome": {
            name: {"used": own.used, "left_out": dict(own.left_out)}
            for name, own in fit.rows.by_outcome.items()
        }
    }


def _residual_covariance(fit: MixedFit) -> dict[str, Any]:
    """Residual covariance of several outcomes."""
    if fit.residual.covariance is None:
        return {}
    return {"covariance": plain(fit.residual.covariance.to_numpy())}


def _dynamics(fit: MixedFit) -> dict[str, Any]:
    """Residual dynamics by group, where there are any."""
    if not isinstance(fit.prepared.residual, CourseCovariance):
        return {}
    own = dynamics(fit)
    return {
        "dynamics": {
            name: {
                str(group): plain(part if np.isscalar(part) else np.asarray(part))
                for group, part in getattr(own, name).items()
            }
            for name in own.__dataclass_fields__
        }
    }


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a table as dicts of plain values."""
    return [
        {str(name): plain(value) for name, value in row.items()}
        for row in table.to_dict(orient="records")
    ]


def plain(value: Any) -> Any:
    """Turn a value into plain JSON types."""
    if isinstance(value, np.ndarray):
        return [plain(item) for item in value.tolist()]
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is pd.NA:
        return None
    return value
