"""Which estimator of the within-client effect to trust, for how many sessions and clients.

    python benchmarks/alternatives_recovery.py --cohorts 100 [--only CONDITION ...]

Cohorts with a known effect of x on the next y (and carry-over of y) are fitted by joint courses, by
the regression on client means, and by every panel estimator. The conditions of
`benchmarks/courses_recovery.py` are varied: sessions and clients, with and without lines of the
clients' own, clients who leave by their symptoms; and one truth that is no model's own:
heavy-tailed shocks, carry-over that differs between clients, and courses that start away from their
level. The averages go to `docs/alternatives_recovery.csv`, condition by condition as they are done.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from coupling_recovery import BETWEEN, CARRY_X, CARRY_Y, FEEDBACK, FIRST_SEED, WITHIN
from courses_recovery import WEEK, Course, fitted, made_courses
from scipy import stats

from alliance.errors import FitError
from alliance.families.panel_estimators.dynamic import Question, dynamic_estimates
from alliance.families.panel_estimators.least_squares import panel_estimates
from alliance.mixed import derived, fit_mixed
from alliance.mixed.inference.quantities import lagged_effect

OUT = Path(__file__).parents[1] / "docs" / "alternatives_recovery.csv"
FOLLOWING = "y_next"


@dataclass(frozen=True, slots=True)
class Condition:
    """How cohorts come about; `slopes`: whether clients have own lines in joint courses."""

    name: str
    make: Callable[[int], pd.DataFrame]
    slopes: bool = True


def _like(**changes: Any) -> Callable[[int], pd.DataFrame]:
    return lambda seed: made_courses(seed, **changes)


def unlike_any_model(seed: int, clients: int = 200, sessions: int = 8) -> pd.DataFrame:
    """Return courses that no estimator here describes.

    Shocks have a t distribution with 4 degrees of freedom, y's carry-over differs between clients
    (mean `CARRY_Y`), and every course starts two points worse than its level.
    """
    rng = np.random.default_rng(seed)
    therapist = np.arange(clients) % 20
    m = rng.normal(0, 1.5, clients) + rng.normal(0, 0.4, 20)[therapist]
    r = rng.normal(0, 1.2, clients) + rng.normal(0, 0.3, 20)[therapist]
    carry = np.clip(rng.normal(CARRY_Y, 0.15, clients), 0.0, 0.85)
    d, e = rng.normal(-1.0, 1.0, clients), rng.normal(2.0, 1.0, clients)
    frames = []
    for session in range(sessions):
        frames.append(
            pd.DataFrame(
                {
                    "client": np.arange(clients),
                    "therapist": therapist,
                    "session": session + 1,
                    WEEK: float(session),
                    "x": m + d,
                    "y": BETWEEN * m + r + e,
                }
            )
        )
        shocks = stats.t.rvs(4, size=(2, clients), random_state=rng) / np.sqrt(2)
        d, e = (
            CARRY_X * d + FEEDBACK * e + shocks[0],
            carry * e + WITHIN * d + shocks[1],
        )
    return pd.concat(frames, ignore_index=True)


CONDITIONS = (
    Condition("no lines, 4 sessions", _like(sessions=4, trend_sd=0.0), slopes=False),
    Condition("no lines, 6 sessions", _like(sessions=6, trend_sd=0.0), slopes=False),
    Condition("no lines, 12 sessions", _like(sessions=12, trend_sd=0.0)),
    Condition("lines of their own, 4 sessions", _like(sessions=4), slopes=False),
    Condition("lines of their own, 6 sessions", _like(sessions=6)),
    Condition("lines of their own, 8 sessions", _like(sessions=8)),
    Condition("lines of their own, 12 sessions", _like(sessions=12)),
    Condition("60 clients, no lines, 6 sessions",
              _like(clients=60, sessions=6, trend_sd=0.0), slopes=False),
    Condition("60 clients, lines of their own, 12 sessions", _like(clients=60, sessions=12)),
    Condition("clients leave by their symptoms, lines of their own", _like(leave=True)),
    Condition("unlike any model, 8 sessions", unlike_any_model),
)  # fmt: skip


def estimates_of(condition: Condition, rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Return effect and carry-over by every estimator; one that cannot be computed is absent."""
    return panel_rows(rows) + _joint(condition, rows) + _client_means(_pairs(rows))


def panel_rows(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Return effect and carry-over by every panel estimator."""
    rows = _with_next(rows)
    pairs = _pairs(rows)
    clusters = pairs["therapist"].to_numpy()
    plain = panel_estimates(
        pairs, FOLLOWING, ["x", "y", WEEK], clusters, "therapist", exogenous=[WEEK]
    )
    question = Question(rows, pairs, "x", "y", WEEK, FOLLOWING, clusters, "therapist", 8)
    found = []
    for one in [*plain, *dynamic_estimates(question).estimates]:
        for name, column in (("x on y", "x"), ("carry-over of y", "y")):
            reach = (stats.norm if one.df is None else stats.t(one.df[column])).ppf(0.975)
            found.append(
                _row(one.estimator.code, name, one.coefficients[column], one.se[column], reach)
            )
    return found


def _with_next(rows: pd.DataFrame) -> pd.DataFrame:
    later = rows[["client", "session", "y"]].assign(session=rows["session"] - 1)
    return rows.merge(later, on=["client", "session"], how="left", suffixes=("", "_next"))


def _pairs(rows: pd.DataFrame) -> pd.DataFrame:
    rows = rows if FOLLOWING in rows else _with_next(rows)
    return rows[rows[FOLLOWING].notna()].reset_index(drop=True)


def _row(code: str, effect: str, value: float, se: float, reach: float) -> dict[str, Any]:
    truth = WITHIN if effect == "x on y" else CARRY_Y
    return {
        "estimator": str(code),
        "effect": effect,
        "truth": truth,
        "estimate": value,
        "se": se,
        "covered": abs(value - truth) <= reach * se,
        "found": abs(value) > reach * se,
    }


def _joint(condition: Condition, rows: pd.DataFrame) -> list[dict[str, Any]]:
    course = Course(condition.name, condition.make, slopes=condition.slopes)
    try:
        fit = fitted(course, rows)
    except FitError:
        return []
    table = derived(fit, [lagged_effect(fit, of, "y") for of in "xy"])
    names = ("x on y", "carry-over of y")
    return [
        _row("joint_courses", name, row["estimate"], row["se"], 1.96)
        for name, row in zip(names, table.to_dict("records"), strict=True)
    ]


def _client_means(pairs: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the regression on client means that coupling models report."""
    mean = pairs.groupby("client")[["x", "y"]].transform("mean")
    data = pairs.assign(x_within=pairs["x"] - mean["x"], x_between=mean["x"],
                        y_now=pairs["y"] - mean["y"])  # fmt: skip
    fixed, random = ["1", "x_within", "x_between", "y_now", WEEK], ["1"]
    fit = fit_mixed(data, FOLLOWING, fixed, {"therapist": random, "client": random})
    table = fit.coefficients.set_index("term")
    return [
        _row("client_means", name, table["estimate"][term], table["se"][term], 1.96)
        for name, term in (("x on y", "x_within"), ("carry-over of y", "y_now"))
    ]


def summary(found: pd.DataFrame) -> pd.DataFrame:
    """Return bias with its Monte Carlo error, spread, mean error, coverage and power."""
    keys = ["condition", "estimator", "effect"]
    table = found.groupby(keys, sort=False).agg(
        cohorts=("estimate", "size"), truth=("truth", "first"), mean=("estimate", "mean"),
        sd=("estimate", "std"), mean_se=("se", "mean"), coverage=("covered", "mean"),
        found=("found", "mean"),
    ).reset_index()  # fmt: skip
    table.insert(6, "bias", table["mean"] - table["truth"])
    table.insert(7, "bias_mc_error", table["sd"] / np.sqrt(table["cohorts"]))
    error = found["estimate"] - found["truth"]
    squares = error.pow(2).groupby([found[key] for key in keys], sort=False).mean()
    table["rmse"] = np.sqrt(squares.to_numpy())
    return table


def write(table: pd.DataFrame) -> None:
    """Put the conditions that were run into the file; the others stay."""
    if OUT.is_file():
        before = pd.read_csv(OUT)
        table = pd.concat([before[~before["condition"].isin(table["condition"])], table])
    place: Mapping[str, int] = {condition.name: k for k, condition in enumerate(CONDITIONS)}
    table = table.sort_values("condition", key=lambda c: c.map(place), kind="stable")
    table.round(4).to_csv(OUT, index=False, lineterminator="\n")


def main() -> None:
    """Simulate, estimate, average, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cohorts", type=int, default=100, help="cohorts a condition")
    parser.add_argument("--only", nargs="*", help="names of conditions")
    arguments = parser.parse_args()
    for condition in CONDITIONS:
        if arguments.only and condition.name not in arguments.only:
            continue
        began, found = time.perf_counter(), []
        for seed in range(FIRST_SEED, FIRST_SEED + arguments.cohorts):
            rows = estimates_of(condition, condition.make(seed))
            found += [row | {"condition": condition.name} for row in rows]
        table = summary(pd.DataFrame(found))
        write(table)
        print(f"{condition.name}: {time.perf_counter() - began:.0f} s", flush=True)
        print(table.drop(columns="condition").round(4).to_string(index=False), flush=True)


if __name__ == "__main__":
    main()
