"""Survival analysis on plain arrays: curves, Cox with intervals, frailty, subdistribution hazards.

Knows times, ends, weights and clusters, and nothing of alliance; checked against R's `survival`.
"""

from alliance.survival.cox import CoxFit, fit_cox
from alliance.survival.curves import Curve, cumulative_incidence, kaplan_meier, median_time
from alliance.survival.fine_gray import subdistribution_rows
from alliance.survival.frailty import FrailtyFit, fit_frailty
from alliance.survival.multinomial import MultinomialFit, fit_multinomial
from alliance.survival.proportionality import proportionality_test
from alliance.survival.risk_sets import Rows, cox_rows

__all__ = [
    "CoxFit",
    "Curve",
    "FrailtyFit",
    "MultinomialFit",
    "Rows",
    "cox_rows",
    "cumulative_incidence",
    "fit_cox",
    "fit_frailty",
    "fit_multinomial",
    "kaplan_meier",
    "median_time",
    "proportionality_test",
    "subdistribution_rows",
]
