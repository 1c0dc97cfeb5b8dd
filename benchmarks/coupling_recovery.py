"""Which specification recovers the coupling of two measures: bias and coverage of each.

    python benchmarks/coupling_recovery.py --cohorts 500

Two measures are made whose within-client and between-client effects are known by construction: a
client's level and line, plus deviations that carry over and act on the other measure's next
session.

    x_it = m_i + a_i t + d_it,   y_it = b_between m_i + r_i + c_i t + e_it
    d_i,t+1 = .35 d_it + feedback e_it + noise,   e_i,t+1 = .45 e_it + b_within d_it + noise

Conditions: clients without trends, or with lines of their own; everybody stays twelve sessions, or
clients leave, the more likely the lower x. Every specification of
`alliance.families.specifications.model` is fitted to every cohort. The averages go to
`docs/coupling_recovery.csv` and, as a table, to standard output.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from alliance.errors import FitError
from alliance.families.specifications.choices import SPECIFICATIONS
from alliance.families.specifications.model import (
    LEVELS,
    X_BETWEEN,
    X,
    fit_specification,
    latent_between,
    specification_rows,
)
from alliance.panel.build import panel_of

HERE = Path(__file__).parents[1]
FIRST_SEED = 2_000_000
WITHIN, BETWEEN, FEEDBACK = -0.12, -0.30, -0.10
CARRY_X, CARRY_Y = 0.35, 0.45


@dataclass(frozen=True, slots=True)
class Condition:
    """How the cohorts of one condition come about."""

    name: str
    trend_sd: float
    thinned: bool


CONDITIONS = (
    Condition("no trends, everybody stays", 0.0, False),
    Condition("no trends, clients leave", 0.0, True),
    Condition("lines of their own, everybody stays", 0.10, False),
    Condition("lines of their own, clients leave", 0.10, True),
)


def made_panel(
    condition: Condition, seed: int, clients: int = 200, sessions: int = 12
) -> pd.DataFrame:
    """Return the panel of one cohort: 20 therapists, unit noise, perhaps a mean trend."""
    rng = np.random.default_rng(seed)
    therapist = np.arange(clients) % 20
    m = rng.normal(0, 1.5, clients) + rng.normal(0, 0.4, 20)[therapist]
    r = rng.normal(0, 1.2, clients) + rng.normal(0, 0.3, 20)[therapist]
    mean_trend = 2.0 * condition.trend_sd
    a = rng.normal(mean_trend, condition.trend_sd, clients)
    c = rng.normal(-mean_trend, condition.trend_sd, clients)
    d, e = rng.normal(0, 1.07, clients), rng.normal(0, 1.12, clients)
    frames, there = [], np.ones(clients, dtype=bool)
    for t in range(sessions):
        x, y = m + a * t + d, BETWEEN * m + r + c * t + e
        frames.append(
            pd.DataFrame({"client": np.arange(clients), "session": t + 1, "x": x, "y": y})[there]
        )
        if condition.thinned:
            hazard = 1 / (1 + np.exp(2.4 + 0.5 * (x - mean_trend * t)))
            there &= rng.random(clients) > hazard
        d, e = (
            CARRY_X * d + FEEDBACK * e + rng.normal(0, 1, clients),
            CARRY_Y * e + WITHIN * d + rng.normal(0, 1, clients),
        )
    rows = pd.concat(frames)
    rows["client"] = rows["client"].map("{:03d}".format)
    key = ["site", "client", "session"]
    rows["site"] = "one"
    people = pd.DataFrame({"site": "one", "client": [f"{k:03d}" for k in range(clients)],
                           "therapist": [f"t{k:02d}" for k in therapist],
                           "end_status": "completed"})  # fmt: skip
    seen = rows[key].assign(weeks_since_intake=rows["session"] - 1.0, attended=True)
    scores = rows.melt(key, ["x", "y"], var_name="measure", value_name="score")
    return panel_of(people, seen, scores.assign(subscale="total"), ["x", "y"])


def estimates_of(panel: pd.DataFrame) -> list[dict[str, Any]]:
    """Return every specification's estimates of one cohort."""
    found = []
    for specification in SPECIFICATIONS:
        rows = specification_rows(panel, specification, "x", "y", "weeks_since_intake")
        try:
            fit = fit_specification(rows, specification, None)
            table = fit.coefficients.set_index("term")
            for term in (X, X_BETWEEN):
                row: Any = table.loc[term]
                if specification.mean == "latent":
                    if term == X:
                        continue
                    scores = panel[["client"]].assign(x=panel["x"])
                    row = latent_between(fit, rows, scores)
                numbers = {key: row[key] for key in ("estimate", "se", "ci_low", "ci_high")}
                found.append(
                    {"specification": specification.name, "level": LEVELS[term], **numbers}
                )
        except FitError:
            continue
    return found


def summary(found: pd.DataFrame) -> pd.DataFrame:
    """Return mean, bias, spread, mean standard error and coverage of each specification."""
    truth = found["level"].map({"within-client": WITHIN, "between-client": BETWEEN})
    found = found.assign(
        truth=truth, covered=(found["ci_low"] <= truth) & (truth <= found["ci_high"])
    )
    order = {specification.name: k for k, specification in enumerate(SPECIFICATIONS)}
    table = (
        found.groupby(["condition", "level", "specification"], sort=False)
        .agg(cohorts=("estimate", "size"), truth=("truth", "first"), mean=("estimate", "mean"),
             sd=("estimate", "std"), mean_se=("se", "mean"), coverage=("covered", "mean"))
        .reset_index()
    )  # fmt: skip
    table.insert(6, "bias", table["mean"] - table["truth"])
    return table.sort_values(
        ["condition", "level", "specification"],
        key=lambda column: column.map(order) if column.name == "specification" else column,
        kind="stable",
        ignore_index=True,
    )


def main() -> None:
    """Simulate, fit, average, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cohorts", type=int, default=500, help="cohorts a condition")
    parser.add_argument("--out", type=Path, default=HERE / "docs" / "coupling_recovery.csv")
    arguments = parser.parse_args()
    began, found = time.perf_counter(), []
    for condition in CONDITIONS:
        for seed in range(FIRST_SEED, FIRST_SEED + arguments.cohorts):
            rows = estimates_of(made_panel(condition, seed))
            found += [row | {"condition": condition.name} for row in rows]
        print(f"{condition.name}: {time.perf_counter() - began:.0f} s", flush=True)
    table = summary(pd.DataFrame(found))
    table.round(4).to_csv(arguments.out, index=False, lineterminator="\n")
    print(table.round(3).to_string(index=False))


if __name__ == "__main__":
    main()
