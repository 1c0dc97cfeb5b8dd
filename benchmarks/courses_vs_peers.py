"""Time and memory of joint courses: growing data sets, and lavaan where it can follow.

    python benchmarks/courses_vs_peers.py [--large] [--lavaan]

Times are processor seconds of one core, the standard errors of the effects included, best of two
runs (one for the largest). Each size runs in a process of its own, for its peak of memory. lavaan
fits the same model without therapists by full information maximum likelihood (`courses_peer.R`).
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from courses_recovery import WEEK, made_courses

from alliance.mixed import derived, fit_mixed
from alliance.mixed.inference.quantities import lagged_effect

HERE = Path(__file__).parent
SIZES = {
    "demo size, 5 % of the forms missing": {"clients": 425, "sessions": 16, "leave": True},
    "1,000 clients, 12 sessions": {"clients": 1000},
    "5,000 clients, 12 sessions": {"clients": 5000},
    "20,000 clients, 12 sessions": {"clients": 20_000},
}
LARGE = {"100,000 clients, 12 sessions": {"clients": 100_000}}
PEER = {"clients": 500, "sessions": 10}


def data_of(size: dict, missing: bool) -> pd.DataFrame:
    """Return the rows of a size: ten clients a therapist."""
    rows = made_courses(7, **size)
    rows["therapist"] = rows["client"] // 10
    if missing:
        rng = np.random.default_rng(8)
        for name in "xy":
            rows.loc[rng.random(len(rows)) < 0.05, name] = np.nan
    return rows


def seconds_of(rows: pd.DataFrame, *, therapists: bool, method: str, runs: int) -> float:
    """Return the processor seconds of a fit with the standard errors of its effects."""
    random = {"therapist": ["1"]} if therapists else {}
    times = []
    for _ in range(runs):
        began = time.process_time()
        fit = fit_mixed(
            rows,
            ["x", "y"],
            ["1", WEEK],
            {**random, "client": ["1", WEEK]},
            residual="var1",
            residual_time="session",
            method=method,
            df="none",
        )
        derived(fit, [lagged_effect(fit, a, b) for a in "xy" for b in "xy"])
        assert fit.convergence.converged
        times.append(time.process_time() - began)
    return min(times)


def one(name: str) -> None:
    """Measure one size and print it as JSON."""
    rows = data_of({**SIZES, **LARGE}[name], name.startswith("demo"))
    # The kernels are compiled once per installation: not a matter of a fit.
    seconds_of(made_courses(1, clients=40), therapists=True, method="REML", runs=1)
    seconds = seconds_of(rows, therapists=True, method="REML", runs=1 if name in LARGE else 2)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"size": name, "sessions": len(rows), "seconds": seconds, "megabytes": peak}))


def against_lavaan() -> None:
    """Fit the same rows here and in lavaan."""
    rows = data_of(PEER, missing=True).dropna(subset=["x", "y"], how="all")
    own = seconds_of(rows, therapists=False, method="ML", runs=2)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.csv"
        rows[["client", "session", "x", "y"]].to_csv(path, index=False, na_rep="")
        told = subprocess.run(
            ["Rscript", str(HERE / "courses_peer.R"), str(path)],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
    print(json.dumps({"here": own, "lavaan": float(told.split()[-1])}))


def main() -> None:
    """Measure every size in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--large", action="store_true", help="100,000 clients too")
    parser.add_argument("--lavaan", action="store_true", help="compare with lavaan (R)")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        one(arguments.one)
        return
    for name in [*SIZES, *(LARGE if arguments.large else ())]:
        subprocess.run([sys.executable, __file__, "--one", name], check=True)
    if arguments.lavaan:
        against_lavaan()


if __name__ == "__main__":
    main()
