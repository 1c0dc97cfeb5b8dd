"""Survival analysis on plain arrays: curves, Cox with intervals, frailty, subdistribution hazards.

Knows times, ends, weights and clusters, and nothing of alliance; checked against R's `survival`.
"""

from alliance.survival.cox import CoxFit, cox_rows, fit_cox, proportionality_test
from alliance.survival.curves import Curve, cumulative_incidence, kaplan_meier, median_time
from alliance.survival.fine_gray import subdistribution_rows
from alliance.survival.frailty import FrailtyFit, fit_frailty
from alliance.survival.multinomial import MultinomialFit, fit_multinomial

__all__ = [
    "CoxFit",
    "Curve",
    "FrailtyFit",
    "MultinomialFit",
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
