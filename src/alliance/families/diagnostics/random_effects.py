"""Random effects after the fit: are they normal, and how well are they known.

Empirical Bayes estimates u are drawn towards zero, the more so the less is known of a group, so
they are standardised by the SD they should have, sqrt(tau^2 - v), with tau^2 the variance of the
effect and v the group's own posterior variance (Snijders & Bosker, 2012, sect. 10.3, "diagnostic"
standard error; the fixed effects are taken as known). Reliability is 1 - mean(v) / tau^2
(Raudenbush & Bryk, 2002, eq. 3.62).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import ndtr

from alliance.families.diagnostics.slices import FEWEST, normal_pairs

NOTHING = 1e-8
"""A variance this small, relative to the outcome's, is none; so is what shrinkage left of one."""


def random_effect_blocks(fit: Any, scale: float) -> list[dict[str, Any]]:
    """Return a block for each random effect of every level, outermost first.

    Parameters
    ----------
    fit
        `MixedFit` or `LogitFit`.
    scale
        Variance that components are compared with to tell whether they are none.
    """
    table = fit.variance_components
    own = table[(table["level"] != "residual") & table["name_2"].isna()]
    levels = list(own["level"].unique())
    modes = {level: fit.random_effects(level) for level in levels}
    return [
        _block(
            row["level"],
            row["name_1"],
            row["variance_or_covariance"],
            modes[row["level"]][row["name_1"]].to_numpy(float),
            modes[row["level"]][f"sd({row['name_1']})"].to_numpy(float) ** 2,
            scale,
        )
        for row in own.to_dict("records")
    ]


def _block(
    level: str, term: str, variance: float, modes: np.ndarray, posterior: np.ndarray, scale: float
) -> dict[str, Any]:
    block: dict[str, Any] = {
        "level": level,
        "term": term,
        "groups": len(modes),
        **dict.fromkeys(("sd", "reliability", "skewness", "beyond_2", "normal")),
        "normal_beyond_2": float(2 * ndtr(-2.0)),
        "message": "",
    }
    if len(modes) < FEWEST:
        return block | {"message": f"Fewer than {FEWEST} {level}s: their effects are not shown."}
    if not variance > NOTHING * scale:
        return block | {
            "message": f"These data do not tell {level}s apart: their variance is estimated as "
            "zero."
        }
    left = variance - posterior
    block |= {
        "sd": float(np.sqrt(variance)),
        "reliability": float(np.clip(1.0 - posterior.mean() / variance, 0.0, 1.0)),
    }
    if not (left > NOTHING * variance).all():
        return block | {"message": f"Of some {level}s nothing is known: no comparison with a "
                        "normal distribution."}  # fmt: skip
    z = modes / np.sqrt(left)
    sd = float(z.std())
    return block | {
        "skewness": float(np.mean(((z - z.mean()) / sd) ** 3)) if sd > 0 else None,
        "beyond_2": float(np.mean(np.abs(z) > 2)),
        "normal": normal_pairs(z, np.arange(len(z))),
    }
