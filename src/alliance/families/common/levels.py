"""Which levels a cohort has, and how sites enter a model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from alliance.families.facts import Fact, Warned

# ASSUME a variance over fewer than ten sites cannot be estimated: sites are then compared as they
# are (fixed), as the multilevel literature advises for a small number of top-level units.
FEWEST_SITES_FOR_A_VARIANCE = 10
# ASSUME cluster-robust standard errors need at least ten clusters to be worth reading; with fewer
# therapists the clients are the clusters, and the printed estimator says so.
FEWEST_CLUSTERS = 10


def levels_of(panel: pd.DataFrame, wanted: Sequence[str] | None) -> tuple[list[str], list[Fact]]:
    """Return the random levels, outermost first, and a warning for each that had to be left out.

    Parameters
    ----------
    panel
        The rows that the model would use.
    wanted
        Levels named in the config, or None for all that the cohort has.
    """
    levels, why = [], ""
    sites, clients = panel["site"].nunique(), panel["client"].nunique()
    therapists = panel["therapist"].nunique() if "therapist" in panel else 0
    if sites >= FEWEST_SITES_FOR_A_VARIANCE and (wanted is None or "site" in wanted):
        levels.append("site")
    if wanted is None or "therapist" in wanted:
        if therapists < 2:
            why = "the cohort does not tell two therapists apart."
        elif therapists >= clients:
            why = "every therapist has one client."
        elif therapists <= sites:
            why = "every site has one therapist."
        else:
            levels.append("therapist")
    if wanted is None or "client" in wanted:
        levels.append("client")
    notes = [Fact(Warned.LEVEL_LEFT_OUT, f"No therapist level: {why}")] if why else []
    return levels, notes


def clusters_of(panel: pd.DataFrame) -> tuple[np.ndarray, str]:
    """Return a code per row and the level that it stands for: `therapist`, else `client`."""
    if "therapist" in panel and panel["therapist"].notna().all():
        codes = pd.factorize(panel["therapist"])[0]
        if codes.max() + 1 >= FEWEST_CLUSTERS:
            return codes, "therapist"
    return pd.factorize(panel["client"])[0], "client"


def site_terms(panel: pd.DataFrame, levels: Sequence[str]) -> list[str]:
    """Return `["site"]` where sites enter as fixed effects."""
    return ["site"] if panel["site"].nunique() > 1 and "site" not in levels else []
