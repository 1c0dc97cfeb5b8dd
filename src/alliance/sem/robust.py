"""Standard errors and test statistics that do not need normality: the sandwich, and its scaling."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from alliance.sem.likelihood import OBSERVED, Likelihood, Moments


def sandwich(bread: np.ndarray, meat: np.ndarray) -> np.ndarray:
    """Return H^-1 (sum of s s') H^-1 (Huber 1967; White 1982), H the observed information."""
    return np.asarray(bread @ meat @ bread)


def saturated_trace(
    likelihood: Likelihood, moments: Sequence[Moments], *, means: Sequence[bool]
) -> float:
    """Return tr(B A^-1) of the saturated model: first-order against observed information.

    Parameters
    ----------
    likelihood, moments
        The data and their saturated moments, per block.
    means
        Whether a block has means.
    """
    at = likelihood.expand(moments, OBSERVED)
    total = 0.0
    for (blocks, curvature), (_, score) in zip(at.second, likelihood.scores(moments), strict=True):
        kept = np.concatenate(
            [
                np.concatenate([np.full(p, means[b]), np.ones(p * (p + 1) // 2, dtype=bool)])
                for b in blocks
                for p in [len(moments[b][0])]
            ]
        )
        score, information = score[:, kept], curvature.matrix()[np.ix_(kept, kept)]
        total += float(np.trace(np.linalg.solve(information, score.T @ score)))
    return total


def scaling_factor(saturated: float, model: float, df: int) -> float:
    """Return (tr h1 - tr h0) / df (Yuan & Bentler 2000, in the variant of Mplus and lavaan's MLR).

    `saturated` and `model` are tr(B A^-1) of the two. NaN where it is not positive.
    """
    factor = (saturated - model) / df if df > 0 else float("nan")
    return factor if factor > 0 else float("nan")
