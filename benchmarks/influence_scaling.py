"""How the cost of influence grows: every therapist, site and client left out of a growth model.

    python benchmarks/influence_scaling.py 425 5000 20000

Prints processor seconds (one core) and the peak of memory for cohorts of so many clients, about
eleven sessions each, twelve clients a therapist, six sites.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import resource
import sys
import time

import numpy as np
import pandas as pd

from alliance.families.diagnostics import diagnose
from alliance.families.fit import Estimate
from alliance.mixed import fit_mixed


def cohort(clients: int) -> pd.DataFrame:
    """Return sessions of a cohort."""
    rng = np.random.default_rng(1)
    therapists = clients // 12
    therapist = np.sort(rng.integers(0, therapists, clients))
    sessions = 2 + rng.poisson(9, clients)
    client = np.repeat(np.arange(clients), sessions)
    time = np.log1p(np.concatenate([np.arange(n) for n in sessions]))
    slope = 2.0 + 1.4 * rng.normal(size=clients)[client]
    y = 40 + 1.7 * rng.normal(size=therapists)[therapist][client] + slope * time
    y += 5.0 * rng.normal(size=clients)[client] + 3.5 * rng.normal(size=len(client))
    rows = pd.DataFrame({"y": y, "log_weeks": time, "session": np.rint(np.exp(time)).astype(int)})
    rows["weeks_since_intake"] = rows["session"] - 1.0
    rows["client"], rows["therapist"] = client.astype(str), therapist[client].astype(str)
    rows["site"] = [f"s{k}" for k in therapist[client] % 6]
    return rows


def main() -> None:
    """Fit, diagnose and print one line a size."""
    for clients in map(int, sys.argv[1:]):
        rows = cohort(clients)
        random = {"therapist": ["1"], "client": ["1", "log_weeks"]}
        fit = fit_mixed(rows, "y", ["1", "log_weeks", "site"], random)
        own = fit.coefficients.set_index("term").loc["log_weeks"].to_dict()
        start = time.process_time()
        found = diagnose(fit, rows, [Estimate("log_weeks", "", "main", "", "wald", unit="", **own)])
        seconds = time.process_time() - start
        full = {
            lv["left_out"]: (lv["groups"], lv["in_full"]) for lv in found["influence"]["levels"]
        }
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(f"{clients} clients, {len(rows)} sessions: {seconds:.1f} s, {peak} MB, {full}")


if __name__ == "__main__":
    main()
