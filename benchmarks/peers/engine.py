"""The engine of this project."""

from __future__ import annotations

import pandas as pd
from measure import arguments, report, timed

from alliance.mixed import fit_mixed

path, task, out = arguments()
data = pd.read_parquet(path)
question = {
    "outcome": "y",
    "fixed": ["1", "t", "x"],
    "random": {"therapist": ["1"], "client": ["1", "t"]},
}
if task == "ar1":
    question |= {"residual": "ar1", "residual_time": "session"}
if task == "several":
    question = {
        "outcome": ["alliance", "symptoms"],
        "fixed": ["1", "t"],
        "random": {"client": ["1", "t"]},
    }
# Like lme4 and mixedlm: standard errors, no degrees of freedom, unless these are the task.
df = "kenward-roger" if task == "kr" else "none"
extra: dict = {}


def fitted(**changes):
    """Fit and make the table of coefficients: errors and df are computed when asked for."""
    result = fit_mixed(data, **(question | changes))
    assert len(result.coefficients)
    return result


if task == "bootstrap":
    from alliance.mixed import parametric_bootstrap

    base = fit_mixed(data, **question, df="none")
    draws, numbers = timed(lambda: parametric_bootstrap(base, n=1000, seed=1))
    fit = base
elif task == "kr":
    fit, numbers = timed(lambda: fitted(df=df))
    extra["seconds_with_fit"] = numbers["processor_seconds"]
    # Kenward-Roger alone, as pbkrtest's time: what it adds to a fit
    _, plain = timed(lambda: fitted(df="none"))
    for clock in ("seconds", "processor_seconds"):
        numbers[clock] = max(numbers[clock] - plain[clock], 1e-4)
else:
    fit, numbers = timed(lambda: fitted(df=df))
if task == "core":
    _, default = timed(lambda: fitted())
    extra["seconds_with_satterthwaite"] = default["processor_seconds"]
table = fit.coefficients
report(
    out,
    **numbers,
    **extra,
    version="this commit",
    log_likelihood=float(fit.log_likelihood),
    estimates=table["estimate"].tolist(),
    standard_errors=table["se"].tolist(),
    df=table["df"].tolist() if task == "kr" else None,
    phi=None if task != "ar1" else float(fit.residual.phi),
    converged=bool(fit.convergence.converged),
)
