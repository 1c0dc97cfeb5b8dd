"""The mean of a score: one session a client, a t interval."""

import pandas as pd
import statsmodels
from scipy import stats

from alliance.errors import FitError
from alliance.families.cohort import require_scores
from alliance.families.facts import DfMethod, Estimator, Fact, Reason
from alliance.families.fit import (
    Asked,
    Convergence,
    Engine,
    Fit,
    Outcome,
    data_of,
    estimate,
    kept_rows,
    refused,
)

ENGINE = Engine(
    "statsmodels",
    statsmodels.__version__,
    Fact(Estimator.LEAST_SQUARES, "least squares"),
    Fact(DfMethod.NONE, "residual degrees of freedom"),
)


def mean_score_fit(cohort, name, entry):
    """Return the fit of one mean; never raises for what the data cannot give."""
    column, sessions = entry["outcome"], entry["sessions"]
    label, unit = cohort.label(column), cohort.unit(column)
    title, question = f"Mean of {label}", f"How high is {label} at the {sessions} session?"
    asked = Asked(name, "mean_score", title, question, Outcome(column, label, unit))
    try:
        require_scores(cohort, column)
    except FitError as error:
        return refused(asked, ENGINE, cohort, str(error))
    ordered = cohort.panel.sort_values("session", ascending=sessions == "first")
    other = pd.Series(ordered.duplicated("client"), index=ordered.index).sort_index()
    kept = kept_rows(
        cohort.panel,
        {
            Fact(Reason.NO_SCORE, f"no score of {label}"): cohort.panel[column].isna(),
            Fact(Reason.MODEL_NOT_FITTED, f"not the {sessions} session"): other,
        },
    )
    scores = cohort.panel.loc[kept.used, column]
    mean, se, df = scores.mean(), scores.sem(), len(scores) - 1
    reach = stats.t.ppf(0.975, df) * se
    numbers = {"estimate": mean, "se": se, "df": df, "statistic": mean / se,
               "p": 2 * stats.t.sf(abs(mean / se), df),
               "ci_low": mean - reach, "ci_high": mean + reach}  # fmt: skip
    how = Fact(Estimator.LEAST_SQUARES, "mean over clients")
    found = estimate("1", label=title, role="main", level="between-client", estimator=how,
                     unit="points", numbers=numbers)  # fmt: skip
    return Fit(
        asked,
        ENGINE,
        data_of(cohort, kept, ["site", "client"]),
        status="converged",
        equation=f"{column} ~ 1",
        estimates=[found],
        convergence=Convergence(converged=True),
    )
