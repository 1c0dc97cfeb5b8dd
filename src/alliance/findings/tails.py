"""Tails of t, z, F and chi-squared from the standard library alone.

The tests of a fit are computed with SciPy; they are checked with these, so that the check shares no
code with what it checks and runs wherever Python does. Incomplete beta and gamma functions by their
continued fractions and series (Abramowitz & Stegun 1964, 6.5.29, 6.5.31, 26.5.8), evaluated by the
modified Lentz method; agreement with SciPy to 1e-10 of the tail is tested.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

TINY, CLOSE, MOST_TERMS = 1e-300, 1e-16, 100_000


def of_z(statistic: float) -> float:
    """Return the two-sided tail of a standard normal statistic."""
    return math.erfc(abs(statistic) / math.sqrt(2))


def of_t(statistic: float, df: float) -> float:
    """Return the two-sided tail of Student's t."""
    if math.isinf(statistic):
        return 0.0
    square = statistic * statistic
    return _beta(df / (df + square), square / (df + square), df / 2, 0.5)


def of_f(statistic: float, df: float, df2: float) -> float:
    """Return the upper tail of F with df and df2 degrees of freedom."""
    if statistic <= 0:
        return 1.0
    whole = df2 + df * statistic
    return _beta(df2 / whole, df * statistic / whole, df2 / 2, df / 2)


def of_chi2(statistic: float, df: float) -> float:
    """Return the upper tail of chi-squared; with 0 degrees of freedom all of it is at zero."""
    if df == 0 or statistic <= 0:
        return 1.0 if statistic <= 0 else 0.0
    return _upper_gamma(df / 2, statistic / 2)


def z_of(alpha: float) -> float:
    """Return the z that is exceeded on both sides together with probability alpha."""
    return _root(of_z, alpha)


@cache
def t_of(alpha: float, df: float) -> float:
    """Return the same for Student's t."""
    return _root(lambda statistic: of_t(statistic, df), alpha)


def _root(tail: Callable[[float], float], alpha: float) -> float:
    """Return where a falling tail is alpha, by halving: exact to the last digit but two."""
    low, high = 0.0, 1.0
    while tail(high) > alpha:
        low, high = high, 2 * high
    while high - low > 4e-16 * high:
        middle = 0.5 * (low + high)
        if middle in (low, high):
            break
        low, high = (middle, high) if tail(middle) > alpha else (low, middle)
    return 0.5 * (low + high)


def _beta(x: float, rest: float, a: float, b: float) -> float:
    """Return the regularised incomplete beta function at x; `rest` is 1 - x, to every digit."""
    if x <= 0 or rest <= 0:
        return 0.0 if x <= 0 else 1.0
    logarithm = a * _log(x, rest) + b * _log(rest, x) - _log_beta(a, b)
    if x < (a + 1) / (a + b + 2):
        return math.exp(logarithm) / a * _beta_fraction(x, a, b)
    return 1 - math.exp(logarithm) / b * _beta_fraction(rest, b, a)


def _log(x: float, rest: float) -> float:
    """Return log(x) by whichever of x and 1 - x says more of it."""
    return math.log(x) if x < 0.5 else math.log1p(-rest)


def _log_beta(a: float, b: float) -> float:
    """Return log B(a, b); of two large numbers whose logarithms nearly cancel, by Stirling."""
    small, large = min(a, b), max(a, b)
    if large < 20:
        return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
    whole = small + large
    between = (
        (large - 0.5) * math.log1p(-small / whole)
        - small * math.log(whole)
        + small
        + _stirling(large)
        - _stirling(whole)
    )
    return math.lgamma(small) + between


def _stirling(x: float) -> float:
    """Return what lgamma(x) has beyond (x - 1/2) log x - x + log(2 pi) / 2 (A&S 6.1.41)."""
    y = 1 / (x * x)
    series = 1 / 12 - y * (1 / 360 - y * (1 / 1260 - y * (1 / 1680 - y / 1188)))
    return series / x


def _beta_fraction(x: float, a: float, b: float) -> float:
    def term(m: int) -> float:
        half = m // 2
        if m % 2:
            return -(a + half) * (a + b + half) * x / ((a + m - 1) * (a + m))
        return half * (b - half) * x / ((a + m - 1) * (a + m))

    return _fraction(term, lambda m: 1.0)


def _fraction(numerator: Callable[[int], float], partial: Callable[[int], float]) -> float:
    """Return 1 / (b0 + a1 / (b1 + a2 / (b2 + ...))) by the modified Lentz method."""
    d = 1 / (partial(0) or TINY)
    c, value = 1 / TINY, d
    for m in range(1, MOST_TERMS):
        d = partial(m) + numerator(m) * d
        c = partial(m) + numerator(m) / c
        d, c = 1 / (d or TINY), c or TINY
        value *= c * d
        if abs(c * d - 1) < CLOSE:
            break
    return value


def _upper_gamma(a: float, x: float) -> float:
    """Return the regularised upper incomplete gamma function."""
    logarithm = a * math.log(x) - x - math.lgamma(a)
    if x >= a + 1:
        fraction = _fraction(lambda m: -m * (m - a), lambda m: x + 2 * m + 1 - a)
        return math.exp(logarithm) * fraction
    term = total = 1 / a
    for m in range(1, MOST_TERMS):
        term *= x / (a + m)
        total += term
        if term < total * CLOSE:
            break
    return 1 - math.exp(logarithm) * total
