"""statsmodels MixedLM.

It has no correlated client slope below the therapist level: the nearest model that it can express
has an independent client intercept and slope. Its log-likelihood is not compared.
"""

from __future__ import annotations

import warnings

import pandas as pd
import statsmodels
import statsmodels.formula.api as smf
from measure import arguments, report, timed

path, task, out = arguments()
data = pd.read_parquet(path)
# Peers are timed here; where a fit ended is judged by its log-likelihood, not by its warnings.
warnings.simplefilter("ignore")


def fit():
    model = smf.mixedlm(
        "y ~ t + x",
        data,
        groups="therapist",
        re_formula="1",
        vc_formula={"intercept": "0 + C(client)", "slope": "0 + C(client):t"},
    )
    result = model.fit(reml=True)
    return result, result.bse_fe


(result, errors), numbers = timed(fit)
report(
    out,
    **numbers,
    version=statsmodels.__version__,
    log_likelihood=None,
    other_log_likelihood=float(result.llf),
    estimates=result.fe_params.tolist(),
    standard_errors=errors.tolist(),
    converged=bool(result.converged),
    note="nearest model: client intercept and slope uncorrelated",
)
