"""Agreement of raters: the six intraclass correlations of Shrout & Fleiss (1979)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from alliance.errors import DataError


@dataclass(frozen=True, slots=True)
class RaterAgreement:
    """Intraclass correlations of k raters.

    Attributes
    ----------
    one_random, one_random_mean
        ICC(1,1), ICC(1,k): every case was rated by other raters; single rating, mean of k.
    two_random, two_random_mean
        ICC(2,1), ICC(2,k): the same raters, a sample of all that could have rated.
    two_fixed, two_fixed_mean
        ICC(3,1), ICC(3,k): these raters and no others; their means do not count.
    """

    one_random: float
    two_random: float
    two_fixed: float
    one_random_mean: float
    two_random_mean: float
    two_fixed_mean: float


def rater_agreement(ratings: np.ndarray) -> RaterAgreement:
    """Return the intraclass correlations of complete ratings, shape (n_cases, k_raters).

    Raises
    ------
    DataError
        A rating is missing, or there are fewer than two cases or raters.
    """
    ratings = np.asarray(ratings, dtype=float)
    n, k = ratings.shape
    if n < 2 or k < 2 or np.isnan(ratings).any():
        msg = "Agreement needs two raters and two cases at least, and every rating."
        raise DataError(msg)
    centre, cases, raters = ratings.mean(), ratings.mean(axis=1), ratings.mean(axis=0)
    between_cases = k * float(((cases - centre) ** 2).sum())
    between_raters = n * float(((raters - centre) ** 2).sum())
    total = float(((ratings - centre) ** 2).sum())
    bms = between_cases / (n - 1)
    wms = (total - between_cases) / (n * (k - 1))
    jms = between_raters / (k - 1)
    ems = (total - between_cases - between_raters) / ((n - 1) * (k - 1))
    return RaterAgreement(
        one_random=(bms - wms) / (bms + (k - 1) * wms),
        two_random=(bms - ems) / (bms + (k - 1) * ems + k * (jms - ems) / n),
        two_fixed=(bms - ems) / (bms + (k - 1) * ems),
        one_random_mean=(bms - wms) / bms,
        two_random_mean=(bms - ems) / (bms + (jms - ems) / n),
        two_fixed_mean=(bms - ems) / bms,
    )
