"""How well joint courses with residual dynamics recover a known truth: bias and coverage.

    python benchmarks/courses_recovery.py --cohorts 100 [--only CONDITION ...]

The cohorts are those of `benchmarks/coupling_recovery.py` (which see for the equations), further
conditions vary one thing at a time from "lines of their own, everybody stays": few sessions, few
clients, clients who leave the sooner the worse their symptoms, real time with unequal distances,
error of measurement, and no effects at all. Every cohort is fitted by REML with clients in
therapists. Read off are both lagged effects, both carry-overs and the links of the levels at intake
between clients and between therapists, each with its delta interval. The averages go to
`docs/courses_recovery.csv`, condition by condition as they are done.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from coupling_recovery import (
    BETWEEN,
    CARRY_X,
    CARRY_Y,
    CONDITIONS,
    FEEDBACK,
    FIRST_SEED,
    WITHIN,
    made_panel,
)
from scipy.linalg import expm, logm, solve_discrete_lyapunov

from alliance.errors import FitError
from alliance.mixed import MixedFit, derived, dynamics, fit_mixed
from alliance.mixed.inference.quantities import lagged_effect, link

HERE = Path(__file__).parents[1]
OUT = HERE / "docs" / "courses_recovery.csv"
PHI = np.array([[CARRY_X, FEEDBACK], [WITHIN, CARRY_Y]])
NULL = np.diag([CARRY_X, CARRY_Y])
WEEK = "weeks_since_intake"
REAL = {"residual": "cvar1", "residual_time": WEEK}
RELIABILITY = 0.8
"""Share of the carried part in the variance within clients, where there is error."""

KNOWN = {"x": RELIABILITY, "y": RELIABILITY}


@dataclass(frozen=True, slots=True)
class Course:
    """How the cohorts of one condition come about, and how they are fitted.

    Attributes
    ----------
    name : str
    make : callable
        Gives the rows of a cohort from its seed.
    phi : numpy.ndarray
        True coefficients over a week.
    options : dict
        Further arguments of `fit_mixed`.
    slopes : bool
        Whether clients have slopes of their own in the model.
    """

    name: str
    make: Callable[[int], pd.DataFrame]
    phi: np.ndarray = field(default_factory=lambda: PHI)
    options: dict[str, Any] = field(default_factory=dict)
    slopes: bool = True


def made_courses(
    seed: int,
    *,
    clients: int = 200,
    sessions: int = 12,
    phi: np.ndarray = PHI,
    trend_sd: float = 0.10,
    leave: bool = False,
    real_time: bool = False,
    error: bool = False,
) -> pd.DataFrame:
    """Return the rows of one cohort: levels, lines and therapists as in `coupling_recovery`.

    Parameters
    ----------
    leave : bool
        Clients leave the sooner the worse their symptoms are now (a fifth to a half do).
    real_time : bool
        Distances of sessions are drawn from 0.5 to 2.5 weeks.
    error : bool
        Both outcomes are measured with error, so that `RELIABILITY` of the variance within is true.
    """
    rng = np.random.default_rng(seed)
    therapist = np.arange(clients) % 20
    m = rng.normal(0, 1.5, clients) + rng.normal(0, 0.4, 20)[therapist]
    r = rng.normal(0, 1.2, clients) + rng.normal(0, 0.3, 20)[therapist]
    a = rng.normal(2 * trend_sd, trend_sd, clients)
    c = rng.normal(-2 * trend_sd, trend_sd, clients)
    within = solve_discrete_lyapunov(phi, np.eye(2))
    noise = np.sqrt(np.diag(within) * (1 - RELIABILITY) / RELIABILITY) * error
    drift = logm(phi).real
    w = rng.multivariate_normal([0, 0], within, clients)
    week, there, frames = np.zeros(clients), np.ones(clients, dtype=bool), []
    for session in range(sessions):
        level = np.column_stack([m + a * week, BETWEEN * m + r + c * week])
        y = level + w + noise * rng.normal(size=(clients, 2))
        frames.append(
            pd.DataFrame(
                {
                    "client": np.arange(clients),
                    "therapist": therapist,
                    "session": session + 1,
                    WEEK: week,
                    "x": y[:, 0],
                    "y": y[:, 1],
                }
            )[there]
        )
        if leave:
            there &= rng.random(clients) > 1 / (1 + np.exp(2.6 - 0.4 * (y[:, 1] - 1.0)))
        distance = rng.uniform(0.5, 2.5, clients) if real_time else np.ones(clients)
        steps = np.stack([expm(drift * d) for d in distance]) if real_time else phi[None]
        rest = within - steps @ within @ steps.swapaxes(1, 2)
        root = np.linalg.cholesky(rest)
        w = np.einsum("nab,nb->na", np.broadcast_to(steps, (clients, 2, 2)), w) + np.einsum(
            "nab,nb->na", np.broadcast_to(root, (clients, 2, 2)), rng.normal(size=(clients, 2))
        )
        week = week + distance
    return pd.concat(frames, ignore_index=True)


def _like(**changes: Any) -> Callable[[int], pd.DataFrame]:
    return lambda seed: made_courses(seed, **changes)


def _few(sessions: int) -> list[Course]:
    name, make = f"{sessions} sessions", _like(sessions=sessions)
    return [Course(name, make), Course(f"{name}, no slopes in the model", make, slopes=False)]


COURSES = [
    *(
        Course(c.name, lambda seed, c=c: made_panel(c, seed))  # type: ignore[misc]
        for c in CONDITIONS
    ),
    *(course for sessions in (4, 5, 6, 8) for course in _few(sessions)),
    Course("60 clients", _like(clients=60)),
    Course("60 clients, 6 sessions", _like(clients=60, sessions=6)),
    Course("clients leave by their symptoms", _like(leave=True)),
    Course("unequal distances, continuous time", _like(real_time=True), options=REAL),
    Course("unequal distances, sessions counted", _like(real_time=True)),
    Course("error of measurement, ignored", _like(error=True)),
    Course("error of measurement, known", _like(error=True), options={"reliability": KNOWN}),
    Course("error of measurement, estimated", _like(error=True), options={"reliability": "free"}),
    Course("no effects", _like(phi=NULL), phi=NULL),
    Course("no effects, 6 sessions", _like(phi=NULL, sessions=6), phi=NULL),
]  # fmt: skip


def fitted(course: Course, rows: pd.DataFrame) -> MixedFit:
    """Fit the model to one cohort."""
    options = {"residual": "var1", "residual_time": "session", **course.options}
    return fit_mixed(
        rows,
        ["x", "y"],
        ["1", WEEK],
        {"therapist": ["1"], "client": ["1", WEEK] if course.slopes else ["1"]},
        **options,
    )


def estimates_of(course: Course, rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the estimates of one cohort; a cohort that cannot be fitted has none."""
    try:
        fit = fitted(course, rows)
    except FitError as error:
        return [{"effect": "refused", "estimate": np.nan, "message": str(error)[:80]}]
    phi = course.phi
    wanted = {
        "x on y": (lagged_effect(fit, "x", "y"), phi[1, 0]),
        "y on x": (lagged_effect(fit, "y", "x"), phi[0, 1]),
        "carry-over of x": (lagged_effect(fit, "x", "x"), phi[0, 0]),
        "carry-over of y": (lagged_effect(fit, "y", "y"), phi[1, 1]),
        "between clients": (link(fit, "client", "x: 1", "y: 1"), BETWEEN),
        "between therapists": (link(fit, "therapist", "x: 1", "y: 1"), BETWEEN),
    }
    table = derived(fit, [quantity for quantity, _ in wanted.values()])
    singular = fit.convergence.is_singular
    stable = dynamics(fit).largest_eigenvalue["all"]
    return [
        {
            "effect": effect,
            "truth": truth,
            "singular": singular,
            "converged": fit.convergence.converged,
            "eigenvalue": stable,
            **{key: row[key] for key in ("estimate", "se", "ci_low", "ci_high", "p")},
        }
        for (effect, (_, truth)), row in zip(
            wanted.items(), table.to_dict(orient="records"), strict=True
        )
    ]


def summary(found: pd.DataFrame) -> pd.DataFrame:
    """Return bias with its Monte Carlo error, spread, mean error, coverage and rejections."""
    kept = found[found["effect"] != "refused"]
    kept = kept.assign(
        covered=(kept["ci_low"] <= kept["truth"]) & (kept["truth"] <= kept["ci_high"]),
        rejected=kept["p"] < 0.05,
    )
    table = (
        kept.groupby(["condition", "effect"], sort=False)
        .agg(cohorts=("estimate", "size"), truth=("truth", "first"), mean=("estimate", "mean"),
             median=("estimate", "median"), sd=("estimate", "std"), mean_se=("se", "mean"),
             coverage=("covered", "mean"), rejected=("rejected", "mean"),
             singular=("singular", "mean"))
        .reset_index()
    )  # fmt: skip
    table.insert(5, "bias", table["mean"] - table["truth"])
    table.insert(6, "bias_mc_error", table["sd"] / np.sqrt(table["cohorts"]))
    table["coverage_mc_error"] = np.sqrt(
        table["coverage"] * (1 - table["coverage"]) / table["cohorts"]
    )
    refused = found[found["effect"] == "refused"].groupby("condition").size()
    table["refused"] = table["condition"].map(refused).fillna(0).astype(int)
    return table


def write(table: pd.DataFrame) -> None:
    """Put the conditions that were run into the file, the others stay."""
    if OUT.is_file():
        before = pd.read_csv(OUT)
        table = pd.concat([before[~before["condition"].isin(table["condition"])], table])
    place = {course.name: k for k, course in enumerate(COURSES)}
    table = table.sort_values("condition", key=lambda c: c.map(place), kind="stable")
    table.round(4).to_csv(OUT, index=False, lineterminator="\n")


def main() -> None:
    """Simulate, fit, average, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cohorts", type=int, default=500, help="cohorts a condition")
    parser.add_argument("--only", nargs="*", help="names of conditions")
    arguments = parser.parse_args()
    for course in COURSES:
        if arguments.only and course.name not in arguments.only:
            continue
        began, found = time.perf_counter(), []
        for seed in range(FIRST_SEED, FIRST_SEED + arguments.cohorts):
            rows = estimates_of(course, course.make(seed))
            found += [row | {"condition": course.name} for row in rows]
        table = summary(pd.DataFrame(found))
        write(table)
        print(f"{course.name}: {time.perf_counter() - began:.0f} s", flush=True)
        print(table.drop(columns="condition").round(4).to_string(index=False), flush=True)


if __name__ == "__main__":
    main()
