"""For whom does it hold: the within-client effect at each value of a moderator.

effect(m) = b_w + b_wm (m - mean of m), with its pointwise interval; for a number also where the
interval leaves zero (regions of significance: Johnson & Neyman, 1936; Bauer & Curran, 2005), the
roots of

    (b_w + b_wm m)^2 = t^2 (V_ww + 2 m V_w,wm + m^2 V_wm,wm).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from alliance.families.fit import Curve
from alliance.mixed import MixedFit

POINTS = 41
BORDERS = ("first_border_of_significance", "second_border_of_significance")


def moderation_terms(rows: pd.DataFrame, focal: str, moderator: str | None) -> list[str]:
    """Return the moderator and its product with `focal`; a number is centred at its mean.

    So the coefficient of `focal` stays the effect at an average moderator.
    """
    if not moderator:
        return []
    is_number = moderator in rows and _is_number(rows[moderator])
    term = f"center({moderator})" if is_number else moderator
    return [term, f"{focal}:{term}"]


def _is_number(column: pd.Series) -> bool:
    """Whether a moderator is a number; true and false are two categories."""
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def effect_by_moderator(
    fit: MixedFit, rows: pd.DataFrame, focal: str, moderator: str, y_label: str
) -> tuple[list[Curve], dict[str, float]]:
    """Return the curve(s) of the effect and the ends of the regions of significance.

    Parameters
    ----------
    fit
        With the terms `focal`, `moderator` and their product.
    rows
        Rows that it used.
    focal, moderator
        Terms; the moderator is a column of numbers or of categories.
    y_label
        Axis of the effect.

    Returns
    -------
    curves, borders
        `borders` holds those of `BORDERS` that there are: values of the moderator, within its
        observed range, at which the 95 % interval touches zero; empty for categories.
    """
    if _is_number(rows[moderator]):
        return _over_a_number(fit, rows, focal, moderator, y_label)
    return _by_category(fit, rows, focal, moderator, y_label), {}


def _terms(fit: MixedFit) -> list[str]:
    return [str(term) for term in fit.coefficients["term"]]


def _product(terms: list[str], focal: str, other: str) -> int | None:
    for position, term in enumerate(terms):
        if set(term.split(":")) == {focal, other} and ":" in term:
            return position
    return None


def _over_a_number(
    fit: MixedFit, rows: pd.DataFrame, focal: str, moderator: str, y_label: str
) -> tuple[list[Curve], dict[str, float]]:
    terms = _terms(fit)
    product = _product(terms, focal, f"center({moderator})")
    if product is None:
        return [], {}
    at = [terms.index(focal), product]
    b = fit.coefficients["estimate"].to_numpy()[at]
    v = fit.covariance.to_numpy()[np.ix_(at, at)]
    # ASSUME the smaller of the two degrees of freedom for every value of the moderator.
    df = float(np.nanmin(fit.coefficients["df"].to_numpy(float)[at]))
    t = float(stats.t.ppf(0.975, df))
    clients = rows.groupby("client")[moderator].first()
    m = np.linspace(float(clients.quantile(0.05)), float(clients.quantile(0.95)), POINTS)
    mean = float(rows[moderator].mean())  # what `center` takes out
    effect = b[0] + b[1] * (m - mean)
    half = t * np.sqrt(v[0, 0] + 2 * (m - mean) * v[0, 1] + (m - mean) ** 2 * v[1, 1])
    words = moderator.replace("_", " ")
    curve = Curve(
        "effect by moderator", words, words.capitalize(), y_label, m, effect, effect - half,
        effect + half,
    )  # fmt: skip
    ends = _borders(b, v, t, float(clients.min()) - mean, float(clients.max()) - mean)
    return [curve], {name: mean + end for name, end in ends.items()}


def _borders(b: np.ndarray, v: np.ndarray, t: float, low: float, high: float) -> dict[str, float]:
    square = b[1] ** 2 - t**2 * v[1, 1]
    linear = 2 * (b[0] * b[1] - t**2 * v[0, 1])
    constant = b[0] ** 2 - t**2 * v[0, 0]
    roots = np.roots([square, linear, constant])
    real = sorted(float(root.real) for root in roots if abs(root.imag) < 1e-12)
    inside = [root for root in real if low <= root <= high]
    return dict(zip(BORDERS, inside, strict=False))


def _by_category(
    fit: MixedFit, rows: pd.DataFrame, focal: str, moderator: str, y_label: str
) -> list[Curve]:
    terms = _terms(fit)
    curves = []
    for position, category in enumerate(sorted(rows[moderator].dropna().unique())):
        weights = {focal: 1.0}
        # The engine reads true and false as 1 and 0, under the moderator's own name.
        is_true = pd.api.types.is_bool(category) and category
        name = moderator if is_true else f"{moderator}[{category}]"
        product = _product(terms, focal, name)
        if product is not None:
            weights[terms[product]] = 1.0
        row = fit.contrast({str(category): weights}).iloc[0]
        ends = ([float(row[name])] for name in ("estimate", "ci_low", "ci_high"))
        words = moderator.replace("_", " ").capitalize()
        curves.append(
            Curve("effect by moderator", str(category), words, y_label, [float(position)], *ends)
        )
    return curves
