"""The same mixed model in statsmodels, behind a convergence gate.

statsmodels' default optimiser can stop hundreds of log-likelihood units short and still say
`converged`, so the best end must be confirmed by another optimiser before it counts.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.linalg import LinAlgError
from scipy import sparse

OPTIMISERS = ("lbfgs", "bfgs", "powell")
LOG_LIKELIHOOD_GATE = 1e-2  # two optimisers must end this close for the fit to count as converged
# Estimates may differ by this part of a standard error before a reader is warned.
TOLERANCE_IN_SE = 0.02


def compare_with_statsmodels(
    rows: pd.DataFrame,
    outcome: str,
    design: np.ndarray,
    random: Mapping[str, Sequence[str]],
    fit: Any,
) -> dict[str, Any] | None:
    """Fit the model in statsmodels and compare; None where statsmodels cannot express it.

    `design` is the fixed-effects design, shape (n_rows, n_coefficients); `fit` the engine's fit.

    Expressible are a single level with any random effects, and a random intercept at the outer
    of two levels with a random intercept at the inner one.
    """
    levels = list(random)
    nested_intercepts = len(levels) == 2 and all(list(t) == ["1"] for t in random.values())
    if len(levels) != 1 and not nested_intercepts:
        return None
    import statsmodels
    from statsmodels.regression.mixed_linear_model import MixedLM, VCSpec

    y = rows[outcome].to_numpy(float)
    groups = rows[levels[0]].to_numpy()
    columns = [rows[t].to_numpy(float) for t in random[levels[0]] if t != "1"]
    effects = np.column_stack([np.ones(len(rows)), *columns])
    components = (
        _inner_intercepts(rows, levels[0], levels[1], VCSpec) if nested_intercepts else None
    )
    model = MixedLM(y, design, groups, exog_re=effects, exog_vc=components)
    ends = []
    for optimiser in OPTIMISERS:
        try:
            with warnings.catch_warnings():
                # Its warnings are answered by the gate below, which looks at where they ended.
                warnings.simplefilter("ignore")
                ends.append(model.fit(reml=True, method=[optimiser]))
        except (LinAlgError, ValueError):
            continue
        if _confirmed(ends):
            break
    ends = sorted((end for end in ends if np.isfinite(end.llf)), key=lambda end: -end.llf)
    verdict: dict[str, Any] = {
        "name": "statsmodels MixedLM",
        "version": statsmodels.__version__,
        "converged": _confirmed(ends),
        "log_likelihood_difference": None,
        "largest_difference_in_se": None,
        "agrees": False,
        "message": "",
    }
    if not verdict["converged"]:
        verdict["message"] = (
            "statsmodels did not reach a confirmed maximum with any optimiser: no comparison."
        )
        return verdict
    best = ends[0]
    difference = (
        np.abs(np.asarray(best.fe_params) - fit.coefficients["estimate"].to_numpy())
        / fit.coefficients["se"].to_numpy()
    )
    verdict["log_likelihood_difference"] = float(best.llf - fit.log_likelihood)
    verdict["largest_difference_in_se"] = float(difference.max())
    verdict["agrees"] = bool(difference.max() < TOLERANCE_IN_SE)
    verdict["message"] = difference_in_words(verdict)
    return verdict


def difference_in_words(verdict: Mapping[str, Any]) -> str:
    """Return what a reader must know of a comparison with a second engine that converged."""
    words = f"largest difference of an estimate: {verdict['largest_difference_in_se']:.2g}"
    if verdict["agrees"]:
        return f"{words.capitalize()} standard errors."
    return (
        f"{verdict['name']}, fitted to the same model, does not agree; {words} standard errors. "
        "Read no number of this model before you know why."
    )


def _confirmed(ends: Sequence[Any]) -> bool:
    """Return whether the two best ends agree."""
    best = sorted((end.llf for end in ends if np.isfinite(end.llf)), reverse=True)
    return len(best) > 1 and best[0] - best[1] < LOG_LIKELIHOOD_GATE


def _inner_intercepts(rows: pd.DataFrame, outer: str, inner: str, spec: Any) -> Any:
    """Return the inner level's indicator matrices, one per outer group."""
    names, matrices = [], []
    for _, block in rows.groupby(outer, sort=True):
        codes, labels = pd.factorize(block[inner])
        ones = (np.ones(len(block)), (np.arange(len(block)), codes))
        matrices.append(sparse.coo_matrix(ones, shape=(len(block), len(labels))).toarray())
        names.append([str(label) for label in labels])
    return spec([inner], [names], [matrices])
