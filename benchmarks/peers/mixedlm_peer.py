"""mixedlm (PyPI): lme4's algorithm in Rust with a Python front."""

from __future__ import annotations

import warnings
from importlib.metadata import version

import mixedlm
import numpy as np
import pandas as pd
from measure import arguments, report, timed

path, task, out = arguments()
data = pd.read_parquet(path)
# Peers are timed here; where a fit ended is judged by its log-likelihood, not by its warnings.
warnings.simplefilter("ignore")


def fit():
    result = mixedlm.lmer("y ~ t + x + (1 | therapist) + (1 + t | client)", data, REML=True)
    return result, np.sqrt(np.diag(result.vcov()))


(result, errors), numbers = timed(fit)
report(
    out,
    **numbers,
    version=version("mixedlm"),
    log_likelihood=float(result.logLik().value),
    estimates=[float(value) for value in result.fixef().values()],
    standard_errors=errors.tolist(),
    converged=bool(getattr(result, "converged", True)),
)
