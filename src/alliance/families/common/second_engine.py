"""The same mixed model in statsmodels, behind a convergence gate.

statsmodels' default optimiser can stop hundreds of log-likelihood units short and still say
`converged`, so the best end must be confirmed by another optimiser before it counts.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.linalg import LinAlgError
from scipy import sparse

from alliance.families.facts import Fact, Warned
from alliance.families.fit import SecondEngine

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
    by_ml: bool = False,
) -> SecondEngine | None:
    """Fit the model in statsmodels and compare; None where statsmodels cannot express it.

    `design` is the fixed-effects design, shape (n_rows, n_coefficients); `fit` the engine's fit.

    Expressible are a single level with any random effects, and a random intercept at the outer
    of two levels with a random intercept at the inner one.
    """
    levels = list(random)
    nested_intercepts = len(levels) == 2 and all(list(t) == ["1"] for t in random.values())
    if len(levels) != 1 and not nested_intercepts:
        return None
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
                ends.append(model.fit(reml=not by_ml, method=[optimiser]))
        except (LinAlgError, ValueError):
            continue
        if _confirmed(ends):
            break
    ends = sorted((end for end in ends if np.isfinite(end.llf)), key=lambda end: -end.llf)
    if not _confirmed(ends):
        return no_comparison("MixedLM", "did not reach a confirmed maximum with any optimiser")
    best = ends[0]
    difference = (
        np.abs(np.asarray(best.fe_params) - fit.coefficients["estimate"].to_numpy())
        / fit.coefficients["se"].to_numpy()
    )
    return compared("MixedLM", float(best.llf - fit.log_likelihood), float(difference.max()))


def no_comparison(model: str, why: str) -> SecondEngine:
    """Return what is said where statsmodels (its class `model`) gave nothing to compare with."""
    import statsmodels

    return SecondEngine(
        name=f"statsmodels {model}",
        version=statsmodels.__version__,
        converged=False,
        message=f"statsmodels {why}: no comparison.",
    )


def compared(model: str, log_likelihood_difference: float, in_se: float) -> SecondEngine:
    """Return the comparison with a model that converged in statsmodels.

    `in_se` is the largest difference of an estimate in standard errors.
    """
    found = replace(
        no_comparison(model, ""),
        converged=True,
        log_likelihood_difference=log_likelihood_difference,
        largest_difference_in_se=in_se,
        agrees=in_se < TOLERANCE_IN_SE,
    )
    words = f"largest difference of an estimate: {in_se:.2g}"
    message = (
        f"{words.capitalize()} standard errors."
        if found.agrees
        else f"{found.name}, fitted to the same model, does not agree; {words} standard errors. "
        "Read no number of this model before you know why."
    )
    return replace(found, message=message)


def disagreement(second: SecondEngine | None) -> list[Fact]:
    """Return the warning that a second engine does not confirm a fit, where it does not."""
    if second is None or second.agrees:
        return []
    return [Fact(Warned.ENGINES_DIFFER, second.message)]


def no_second_engine(why: str) -> Fact:
    """Return the warning that no other software fits this model, and why."""
    return Fact(Warned.NO_SECOND_ENGINE, f"No second engine: {why}")


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
