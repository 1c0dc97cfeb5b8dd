"""Bias and coverage of the mean change under each assumption about scores after leaving.

    python benchmarks/missing_recovery.py [cohorts]

Four laws of leaving; a table stands in docs/missing.md. The truth is the mean change of the same
cohorts had nobody left, by the growth model fitted to all scores, averaged over cohorts.
"""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
from leaving_recovery import TIME, cohort
from scipy import stats

from alliance.confidence import UPPER
from alliance.errors import FitError
from alliance.families.common.times import with_times
from alliance.families.facts import Estimator
from alliance.families.growth.model import growth_model
from alliance.families.missing_not_at_random.completed import completed
from alliance.families.missing_not_at_random.courses import completed_courses
from alliance.families.missing_not_at_random.imputation import Imputer, drawn_parameters
from alliance.families.missing_not_at_random.patterns import pattern_mixture
from alliance.families.missing_not_at_random.scenarios import scenarios
from alliance.families.missing_not_at_random.weights import weighted_course

BASE = {"family": "growth", "outcome": "alliance", "time": TIME, "residual": "independent",
        "random_slopes": ["client"], "levels": ["client"]}  # fmt: skip
IMPUTATIONS = 20
WORSE = -0.5
LAWS = {
    "leaving goes with the course": {"association": -0.35},
    "leaving goes with the last score": {"association": -0.35, "by": "seen"},
    "leaving goes with nothing": {"association": 0.0},
    "with the last score; then worse": {"association": -0.35, "by": "seen", "after": WORSE},
}


def found_in(law, seed):
    """Return (estimate, se, df) by method."""
    made = cohort(seed=seed, **law)
    made = replace(made, panel=with_times(made.panel))
    fitted, _, _ = growth_model(made, BASE, compared=False)
    courses = completed_courses(made.panel, fitted, "alliance", TIME, 8)
    imputer = Imputer(fitted.fit, courses.rows, "alliance")
    draws = drawn_parameters(fitted.fit, IMPUTATIONS, seed)
    assumed = scenarios(courses, fitted.fit, imputer.x, "", [], [WORSE])
    assumed = [one for one in assumed if one.code != Estimator.BASELINE_MEAN and one.x != 0.5]
    of = completed(fitted, courses, "alliance", [TIME], imputer, draws, assumed, seed)
    found = {"growth model": triple(fitted.estimates[1])}
    names = {Estimator.MULTIPLE_IMPUTATION: "imputed at random",
             Estimator.DELTA_ADJUSTED: f"imputed, {WORSE} a session",
             Estimator.LAST_MEAN: "imputed, no further change"}  # fmt: skip
    for (code, _), pools in of.found.items():
        found[names[code]] = (pools[0].estimate, pools[0].se, pools[0].df)
    (pattern,) = pattern_mixture(made.panel, fitted, "alliance", TIME, "", []).found[1.0]
    found["pattern mixture"] = (pattern.estimate, pattern.se, np.inf)
    weighted = weighted_course(made.panel, fitted, "alliance", TIME, [TIME]).effects[0]
    found["weighted"] = tuple(weighted[key] for key in ("estimate", "se", "df"))
    whole = cohort(seed=seed, whole=True, **law)
    everybody, _, _ = growth_model(
        replace(whole, panel=with_times(whole.panel)), BASE, compared=False
    )
    found["nobody had left"] = triple(everybody.estimates[1])
    return found


def triple(row):
    return row.estimate, row.se, row.df


def study(name, law, seeds):
    found, lost = [], 0
    for seed in seeds:
        try:
            found.append(found_in(law, seed))
        except FitError as error:
            lost += 1
            print(f"{name}, seed {seed}: {error}")
    truth = np.mean([one["nobody had left"][0] for one in found])
    print(f"{name}: {len(found)} cohorts, {lost} without; truth {truth:.4f}")
    for method in found[0]:
        value, se, df = np.array([one[method] for one in found]).T
        off = value - truth
        half = stats.t.ppf(UPPER, df) * se
        sd = value.std(ddof=1)
        print(f"  {method:28s} bias {off.mean():+.4f} ({sd / np.sqrt(len(off)):.4f})  SD {sd:.4f}"
              f"  mean SE {se.mean():.4f}  coverage {np.mean(np.abs(off) < half):.3f}",
              flush=True)  # fmt: skip


if __name__ == "__main__":
    cohorts = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    for name, law in LAWS.items():
        study(name, law, range(100, 100 + cohorts))
