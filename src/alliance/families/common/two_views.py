"""Two views of one alliance: client and therapist ratings brought to one scale and one table.

Instruments of the two differ in range (WAI-SR 12-60, WAI-S 12-84), so both are read as per cent of
the possible range, 100 (x - lowest)/(highest - lowest) (Cohen, Cohen, Aiken & West, 1999): 0 is the
lowest answer throughout, 100 the highest.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from alliance.errors import FitError
from alliance.families.cohort import Cohort, require_scores
from alliance.families.facts import Fact, Reason

UNIT = "per cent of the range"
CLIENT, THERAPIST = "client_view", "therapist_view"
NOT_RATED_BY_BOTH = Fact(Reason.NOT_RATED_BY_BOTH, "not rated by both")


def with_two_views(cohort: Cohort, client: str, therapist: str) -> Cohort:
    """Return the cohort with the columns of the two views added to its panel.

    Added: `client_view`, `therapist_view` (per cent of the range), `client_view_within` (deviation
    from the client's mean over jointly rated sessions), `therapist_view_within` (deviation of the
    therapist's rating from the same client's mean of therapist ratings), `view_from_client_mean`
    (therapist's rating minus the client's own mean rating), `difference` (therapist minus client);
    all missing where one of the two is.

    Raises
    ------
    FitError
        One of the two was never given, never varies, has no stated range, or they never stand at
        the same session.
    """
    for measure in (client, therapist):
        require_scores(cohort, measure)
    panel = cohort.panel
    views = pd.DataFrame(
        {CLIENT: _percent(cohort, client), THERAPIST: _percent(cohort, therapist)},
        index=panel.index,
    )
    views[views.isna().any(axis=1)] = np.nan
    if views[CLIENT].notna().sum() == 0:
        msg = (
            f"{cohort.label(client)} and {cohort.label(therapist)} never stand at the same "
            "session: two views of one session cannot be compared."
        )
        raise FitError(msg)
    means = views.groupby([panel["site"], panel["client"]], sort=False).transform("mean")
    views[f"{CLIENT}_within"] = views[CLIENT] - means[CLIENT]
    views[f"{THERAPIST}_within"] = views[THERAPIST] - means[THERAPIST]
    views["view_from_client_mean"] = views[THERAPIST] - means[CLIENT]
    views["difference"] = views[THERAPIST] - views[CLIENT]
    return replace(cohort, panel=pd.concat([panel, views], axis=1))


def _percent(cohort: Cohort, measure: str) -> pd.Series:
    low, high = cohort.range(measure)
    if low is None or high is None:
        msg = f"{cohort.label(measure)}: its scoring key states no range, so no common scale."
        raise FitError(msg)
    return 100 * (cohort.panel[measure] - low) / (high - low)
