"""The two models fitted apart: where the joint one starts, and what stands beside it.

Two are known to draw the association towards zero: the last known score in place of the course
(start-stop; the score has error, and stands still between forms), and in two stages the course as
predicted from the scores, as if it were known (Rizopoulos 2012, ch. 3 and 4).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from alliance.errors import FitError
from alliance.families.common.levels import site_terms
from alliance.families.common.multilevel import records
from alliance.families.course_and_leaving.design import Design, HazardLink
from alliance.mixed import MixedFit, fit_mixed, fit_mixed_logit
from alliance.mixed.joint import Parameters

FIRST_SD = 0.3  # of therapists in the hazard, to begin with; zero is a stationary point
COURSE, LAST = "course_predicted", "last_score"


@dataclass(frozen=True, slots=True)
class Apart:
    """The models fitted apart.

    Attributes
    ----------
    start
        Parameters of both.
    course
        The course alone, by maximum likelihood.
    two_stage, last_score
        The association's row of the hazard by either, None where it could not be fitted.
    """

    start: Parameters
    course: MixedFit
    two_stage: Mapping[str, Any] | None
    last_score: Mapping[str, Any] | None


def fitted_apart(design: Design, outcome: str, time: str, link: HazardLink) -> Apart:
    """Return the models of scores and of leaving, each without the other.

    Raises
    ------
    FitError
        The course alone cannot be fitted.
    """
    rows = design.rows
    scored = rows[rows["scored"]]
    own = {level: ["1", time] if level == "client" else ["1"] for level in design.levels}
    fixed = ["1", time, *site_terms(rows, [])]
    course = fit_mixed(scored[[outcome, time, "site", *design.levels]], outcome=outcome,
                       fixed=fixed, random=own, method="ML", df="none")  # fmt: skip
    at_risk = rows.assign(
        **{COURSE: _predicted(design, course, time), LAST: rows.get(f"{outcome}_known")}
    )
    at_risk = at_risk[at_risk["at_risk"]]
    two_stage = _hazard(at_risk, COURSE, design, link)
    last_score = _hazard(at_risk.dropna(subset=[LAST]), LAST, design, link)
    return Apart(_start(design, course), course, two_stage, last_score)


def _predicted(design: Design, course: MixedFit, time: str) -> np.ndarray:
    """Return each session's value of the course, by the scores of all sessions."""
    rows = design.rows
    found = design.x @ course.coefficients["estimate"].to_numpy(float)
    for level in design.levels:
        modes = course.random_effects(level).set_index(level)
        found += rows[level].map(modes["1"]).fillna(0.0).to_numpy(float)
        if level == "client":
            slopes = rows[level].map(modes[time]).fillna(0.0).to_numpy(float)
            found += slopes * rows[time].to_numpy(float)
    return np.asarray(found)


def _hazard(
    rows: pd.DataFrame, term: str, design: Design, link: HazardLink
) -> Mapping[str, Any] | None:
    random = {} if design.therapist is None else {"therapist": ["1"]}
    fixed = ["1", "log(session)", term, *site_terms(rows, [])]
    try:
        fit = fit_mixed_logit(rows, outcome="dropout_event", fixed=fixed, random=random, link=link)
    except FitError:
        return None
    return next(row for row in records(fit.coefficients) if row["term"] == term)


def _start(design: Design, course: MixedFit) -> Parameters:
    """Return the course alone, and a hazard that nothing but sites and sessions acts on."""
    table = course.variance_components.fillna("")
    of = table.set_index(["level", "name_1", "name_2"])["variance_or_covariance"]
    own = of.loc["client"].to_numpy(float)
    sigma = float(course.residual.sigma)
    level, line = max(own[0], 1e-2 * sigma**2), max(own[1], 1e-4 * sigma**2)
    bound = 0.9 * np.sqrt(level * line)
    between = float(np.clip(own[2], -bound, bound))
    rate = design.risk.event.mean()
    gamma = np.zeros(design.risk.w.shape[1])
    gamma[0] = np.log(rate / (1.0 - rate))
    more: tuple[float, ...] = ()
    if design.therapist is not None:
        therapists = float(of.loc["therapist"].iloc[0])
        more = (max(np.sqrt(therapists), 0.1 * sigma), FIRST_SD)
    return Parameters(
        course.coefficients["estimate"].to_numpy(float),
        sigma,
        np.linalg.cholesky(np.array([[level, between], [between, line]])),
        gamma,
        np.zeros(len(design.risk.features_x)),
        *more,
    )
