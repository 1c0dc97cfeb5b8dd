"""Bias that is stated is the bias that is there: carry-over and latent means in uneven courses.

Cohorts of many clients with known truth; the statement must meet the distance of the estimate from
it, within Monte Carlo error. Nickell's formula with the harmonic mean of pairs says -.30 where the
bias is -.13, and -1.2 where it is -.15.
"""

import numpy as np
import pandas as pd
import pytest

from alliance.families.coupling.short_courses import short_course_bias
from alliance.families.specifications.choices import SPECIFICATIONS
from alliance.families.specifications.model import (
    fit_specification,
    latent_between,
    specification_rows,
)
from alliance.mixed import fit_mixed
from alliance.panel.build import panel_of

CLIENTS, PHI = 2000, 0.45


def lengths(kind, rng):
    if kind == "2 to 20":
        return rng.integers(2, 21, CLIENTS)
    if kind == "many early leavers":
        leaving = np.where(rng.random(CLIENTS) < 0.6, 0.5, 0.04)
        return np.minimum(20, 1 + rng.geometric(leaving))
    return np.full(CLIENTS, 10)


def carry_over(kind, missing, seed):
    """Return estimate and stated bias of a carry-over of .45 in courses of these lengths."""
    rng = np.random.default_rng(seed)
    last = lengths(kind, rng)
    level, w = rng.normal(0, 1.5, CLIENTS), rng.normal(0, 1 / np.sqrt(1 - PHI**2), CLIENTS)
    frames = []
    for session in range(1, 21):
        score = np.where(rng.random(CLIENTS) < missing, np.nan, level + w)
        frames.append(pd.DataFrame({"client": np.arange(CLIENTS), "session": session, "y": score,
                                    "last": last}))  # fmt: skip
        w = PHI * w + rng.normal(0, 1, CLIENTS)
    made = pd.concat(frames)
    made = made[made["session"] <= made["last"]].dropna(subset="y")
    made["now"] = made["y"] - made.groupby("client")["y"].transform("mean")
    following = made[["client", "session", "y"]].assign(session=made["session"] - 1)
    pairs = made.merge(following.rename(columns={"y": "next"}), on=["client", "session"])
    fit = fit_mixed(pairs, "next", ["1", "now"], {"client": ["1"]})
    row = fit.coefficients.set_index("term").loc["now"]
    variances = fit.variance_components.set_index("level")["variance_or_covariance"]
    stated = short_course_bias(
        pairs, made, row["estimate"], variances["client"], variances["residual"]
    )
    return row["estimate"], row["se"], stated


@pytest.mark.parametrize("missing", [0.0, 0.3])
@pytest.mark.parametrize("kind", ["2 to 20", "many early leavers", "balanced 10"])
def test_the_stated_bias_of_carry_over_is_the_one_that_is_there(kind, missing):
    found = [carry_over(kind, missing, seed) for seed in range(3, 7)]
    there = np.mean([estimate for estimate, _, _ in found]) - PHI
    stated = np.mean([told for _, _, told in found])
    error = np.mean([se for _, se, _ in found]) / np.sqrt(len(found))
    # The statement answers to the same noise as the estimate, a little more strongly.
    assert abs(there - stated) < 4 * error, (there, stated)
    assert there < -0.1  # there is something to state


def test_no_statement_where_no_stationary_course_gives_the_estimate():
    sessions = pd.DataFrame({"client": ["a", "a"], "session": [1, 2]})
    assert short_course_bias(sessions[:1], sessions, 2.0, 1.0, 1.0) is None


@pytest.mark.parametrize("missing", [0.0, 0.3, 0.6])
def test_latent_means_count_the_scores_behind_each_mean(missing):
    """Truth -.50 between clients; outcomes missing leave the predictor's means as they are."""
    rng = np.random.default_rng(5)
    n, sessions, between = 3000, 6, -0.5
    m = rng.normal(0, 1.0, n)
    x = m[:, None] + rng.normal(0, 1.5, (n, sessions))
    y = between * m[:, None] + rng.normal(0, 1.0, (n, 1)) + rng.normal(0, 1.0, (n, sessions))
    y[rng.random(y.shape) < missing] = np.nan
    client = np.repeat([f"{k:04d}" for k in range(n)], sessions)
    key = pd.DataFrame({"site": "s", "client": client,
                        "session": np.tile(np.arange(1, sessions + 1), n)})  # fmt: skip
    people = pd.DataFrame({"site": "s", "client": np.unique(client), "therapist": "t",
                           "end_status": "completed"})  # fmt: skip
    values = [key.assign(measure=name, subscale="total", score=value.ravel())
              for name, value in (("x", x), ("y", y))]  # fmt: skip
    seen = key.assign(weeks_since_intake=key["session"] - 1.0, attended=True)
    panel = panel_of(people, seen, pd.concat(values), ["x", "y"])
    specification = next(
        specification for specification in SPECIFICATIONS if specification.mean == "latent"
    )
    rows = specification_rows(panel, specification, "x", "y", "weeks_since_intake")
    found = latent_between(
        fit_specification(rows, specification, None), rows, panel[["client", "x"]]
    )
    assert abs(found["estimate"] - between) < 4 * found["se"]
    assert found["se"] < 0.05
