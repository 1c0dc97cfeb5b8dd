"""A fit of a binary outcome as plain JSON types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alliance.mixed.export import plain, records

if TYPE_CHECKING:
    from alliance.mixed.logit.result import LogitFit


def to_dict(fit: LogitFit) -> dict[str, Any]:
    """Everything a report needs of a fit, under the names of `alliance.mixed.export.to_dict`.

    Instead of a residual part there are the link and the number of quadrature points.
    """
    specification, convergence = fit.prepared.specification, fit.convergence
    return {
        "equation": fit.equation,
        "method": fit.method,
        "df_method": "none",
        "link": fit.link,
        "quadrature": fit.quadrature,
        "outcome": specification.outcome,
        "fixed": list(specification.fixed),
        "random": {level: list(terms) for level, terms in specification.random},
        "rows": {
            "total": fit.rows.total,
            "used": fit.rows.used,
            "left_out": dict(fit.rows.left_out),
        },
        "n_groups": {level: int(count) for level, count in fit.n_groups.items()},
        "coefficients": records(fit.coefficients),
        "covariance": plain(fit.covariance.to_numpy()),
        "variance_components": records(fit.variance_components),
        "log_likelihood": float(fit.log_likelihood),
        "n_parameters": fit.n_parameters,
        "aic": float(fit.aic),
        "bic": {by: fit.bic(by) for by in ("rows", *specification.levels)},
        "convergence": {
            name: plain(getattr(convergence, name)) for name in convergence.__dataclass_fields__
        },
    }
