"""Bias and coverage of the joint model of a course and leaving, and of what ignores leaving.

    python benchmarks/leaving_recovery.py [cohorts]

The cohorts are drawn session by session: who leaves after a session depends on where the course
stands there. The table stands in docs/missing.md.
"""

from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd

from alliance.confidence import NORMAL_975
from alliance.errors import FitError
from alliance.families.cohort import Cohort
from alliance.families.course_and_leaving.apart import fitted_apart
from alliance.families.course_and_leaving.design import designed
from alliance.mixed.joint import fit_joint

ASSOCIATION, CHANGE = -0.35, 0.3
TIME = "weeks_since_intake"


def cohort(
    clients=160, sessions=8, association=-0.35, seed=4, by="course", after=0.0, whole=False
):  # fmt: skip
    """Courses that fall short of 40 points go with leaving; every fifth form is not filled in.

    `by`: whether leaving goes with the `course` itself, or with the last score `seen`. `after`:
    points by which scores after leaving differ, once more at each session. `whole`: these scores
    too, as if nobody had left.
    """
    rng = np.random.default_rng(seed)
    who, when = np.repeat(np.arange(clients), sessions), np.tile(np.arange(sessions), clients)
    level, line = rng.normal(0, 3, clients), rng.normal(0, 0.3, clients)
    course = 40 + 0.3 * when + level[who] + line[who] * when
    chance = rng.random(len(who))
    scores = pd.Series(course + rng.normal(0, 2, len(who)))
    scores[rng.random(len(who)) < 0.2] = np.nan
    tells = course if by == "course" else scores.groupby(who).ffill().fillna(40.0).to_numpy()
    leaves = chance < 1 / (1 + np.exp(2.2 - association * (tells - 40)))
    first = np.where(leaves, when, sessions).reshape(clients, sessions).min(axis=1)
    last = np.minimum(first, sessions - 1)
    panel = pd.DataFrame(
        {
            "site": np.where(who % 2 == 0, "a", "b"),
            "therapist": [f"t{k % 16:02d}" for k in who],
            "client": [f"c{k:03d}" for k in who],
            "session": when + 1,
            "weeks_since_intake": when.astype(float),
            "alliance": scores + after * np.maximum(when - last[who], 0),
            "dropout_event": ((when == last[who]) & (first[who] < sessions)).astype(float),
        }
    )
    panel = panel[whole | (when <= last[who])].reset_index(drop=True)
    known = panel.groupby("client")["alliance"].ffill()
    key = SimpleNamespace(
        scores=[SimpleNamespace(name="total")], definition={"scores": {"total": {}}}
    )
    return Cohort(
        panel.assign(alliance_known=known), "0" * 64, {"alliance": {"label": "Alliance"}},
        {"alliance": key},
    )  # fmt: skip


def found_in(cohort):
    """Return (estimate, se) by way, None where the joint model does not end."""
    design = designed(cohort, "alliance", TIME, ["value"], "logit", None)
    apart = fitted_apart(design, "alliance", TIME, "logit")
    try:
        fit = fit_joint(design.courses, design.risk, apart.start, therapist=design.therapist)
    except FitError:
        return None
    if not fit.convergence.converged:
        return None
    k, alone = fit.shape.alpha.start, apart.course.coefficients.set_index("term").loc[TIME]
    return {
        "association, joint": (fit.vector[k], fit.errors[k]),
        "association, two stages": (apart.two_stage["estimate"], apart.two_stage["se"]),
        "association, last score": (apart.last_score["estimate"], apart.last_score["se"]),
        "change, joint": (fit.vector[1], fit.errors[1]),
        "change, course alone": (alone["estimate"], alone["se"]),
    }


def study(truth, seeds):
    found = [found_in(cohort(association=truth, seed=seed)) for seed in seeds]
    kept = [one for one in found if one is not None]
    print(f"association {truth}: {len(kept)} of {len(found)} cohorts")
    for name in kept[0]:
        value, se = np.array([one[name] for one in kept]).T
        off = value - (truth if name.startswith("association") else CHANGE)
        sd = value.std(ddof=1)
        covered = np.mean(np.abs(off) < NORMAL_975 * se)
        print(f"{name:26s} bias {off.mean():+.4f} ({sd / np.sqrt(len(off)):.4f})  SD {sd:.4f}  "
              f"mean SE {se.mean():.4f}  coverage {covered:.3f}")  # fmt: skip


if __name__ == "__main__":
    cohorts = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    study(ASSOCIATION, range(100, 100 + cohorts))
    study(0.0, range(200, 200 + cohorts))
