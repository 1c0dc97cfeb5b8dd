"""Compile the engines' kernels once, at setup: no run and no test then waits for it.

Each engine fits a few cohorts of no meaning that walk through its kernels. numba keeps the machine
code beside the sources (`alliance.mixed.compiling`), for every later process. What is missed here
is compiled where it is first used.
"""

from __future__ import annotations

import sys
import warnings

import numpy as np
import pandas as pd


def cohort(seed: int = 1) -> pd.DataFrame:
    """Return 48 clients of 8 therapists in two sites with six sessions: noise, and gaps."""
    rng = np.random.default_rng(seed)
    client, session = np.repeat(np.arange(48), 6), np.tile(np.arange(6.0), 48)
    client_part = rng.normal(size=(48, 2))[client]
    rows = pd.DataFrame(
        {
            "site": client // 24,
            "therapist": client // 6,
            "client": client,
            "session": session + 1,
            "weeks": session,
            "x": rng.normal(size=client.size),
            "y": client_part[:, 0] + session * client_part[:, 1] + rng.normal(size=client.size),
            "z": client_part[:, 1] + rng.normal(size=client.size),
            "left": rng.random(client.size) < 0.2,
        }
    )
    return rows[rng.random(len(rows)) < 0.9].reset_index(drop=True)


def mixed() -> None:
    """Walk through the kernels of `alliance.mixed`: levels, slopes, memory, several outcomes."""
    from alliance.mixed import fit_mixed, parametric_bootstrap

    rows = cohort()
    fixed, levels = ["1", "weeks", "x"], {"therapist": ["1"], "client": ["1", "weeks"]}
    first = fit_mixed(rows, "y", fixed, levels)
    fit_mixed(rows, "y", fixed, {"client": ["1"]})
    fit_mixed(rows, "y", fixed, levels, residual="car1", residual_time="weeks")
    fit_mixed(rows, ["y", "z"], fixed, levels)
    parametric_bootstrap(first, 2, seed=1)


def logit() -> None:
    """Walk through the kernels of the logit engine: Laplace, quadrature, two levels."""
    from alliance.mixed import fit_mixed_logit

    rows = cohort().assign(left=lambda table: table["left"].astype(int))
    fit_mixed_logit(rows, "left", ["1", "x"], {"site": ["1"], "therapist": ["1"]})
    fit_mixed_logit(rows, "left", ["1", "x"], {"therapist": ["1"]}, quadrature=5)


def sem() -> None:
    """Walk through the kernels of `alliance.sem`: missing values, clusters."""
    from alliance.sem import factor_model, fit_sem

    values = cohort()[["x", "y", "z"]].to_numpy(copy=True)
    values[np.random.default_rng(2).random(values.shape) < 0.1] = np.nan
    fit_sem(factor_model({"one": ["x", "y", "z"]}), values)


ENGINES = {"mixed": mixed, "logit": logit, "sem": sem}

if __name__ == "__main__":
    warnings.simplefilter("ignore")  # what is found here is of no interest
    for name in sys.argv[1:] or ENGINES:
        ENGINES[name]()
