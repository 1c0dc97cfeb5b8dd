"""Tables of estimates with t or normal tests."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri, stdtr, stdtrit

CONFIDENCE = 0.95
"""Default level of every interval."""


def coefficient_table(
    names: Sequence[str],
    estimates: np.ndarray,
    se: np.ndarray,
    df: np.ndarray,
    confidence: float = CONFIDENCE,
) -> pd.DataFrame:
    """Table of estimates with t (or, for infinite df, normal) tests and intervals."""
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = estimates / se
    half = se * t_quantile(0.5 + confidence / 2, df)
    return pd.DataFrame(
        {
            "term": list(names),
            "estimate": estimates,
            "se": se,
            "df": df,
            "statistic": statistic,
            "p": t_p_value(statistic, df),
            "ci_low": estimates - half,
            "ci_high": estimates + half,
        }
    )


def t_p_value(statistic: np.ndarray, df: np.ndarray) -> np.ndarray:
    """Two-sided p of a t statistic; normal where df is infinite."""
    finite = np.isfinite(df)
    low = -np.abs(statistic)
    return np.asarray(2.0 * np.where(finite, stdtr(np.where(finite, df, 1.0), low), ndtr(low)))


def t_quantile(probability: float, df: np.ndarray) -> np.ndarray:
    """Quantile of the t distribution; normal where df is infinite."""
    df = np.asarray(df, dtype=float)
    finite = np.isfinite(df)
    return np.asarray(
        np.where(finite, stdtrit(np.where(finite, df, 1.0), probability), ndtri(probability))
    )
