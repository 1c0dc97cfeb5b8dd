"""Shares of clients by site and by therapist, drawn towards the whole by how little is known.

A therapist with six clients of whom five improved is most likely a good one and a lucky one: the
model says in which proportion. Single therapists are never shown; how much they differ is.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from alliance.errors import FitError
from alliance.mixed import fit_mixed_logit

FEWEST_CLIENTS = 8
FEWEST_GROUPS = 3
FEWEST_THERAPISTS = 8
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(31)
TENTH = 1.2815515655446004  # SDs from the mean to the tenth and ninetieth of a hundred


def group_shares(
    table: pd.DataFrame, happened: np.ndarray
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return shares by site, and how much therapists differ.

    Parameters
    ----------
    table
        One row a client: site, therapist.
    happened
        What is counted, shape (n,).

    Returns
    -------
    by_site, by_therapist
        See `change.schema.yaml`. Shares drawn towards the whole come from a logistic model with
        random intercepts of site and therapist, each site's averaged over its therapists.
    """
    rows = pd.DataFrame(
        {
            "site": table["site"].to_numpy(),
            "therapist": table["therapist"].to_numpy(),
            "happened": happened.astype(int),
        }
    )
    return _sites(rows), _therapists(rows)


def _sites(rows: pd.DataFrame) -> dict[str, Any]:
    sites = sorted(rows["site"].unique())
    entries = [
        {
            "site": site,
            "clients": int((rows["site"] == site).sum()),
            "share": float(rows.loc[rows["site"] == site, "happened"].mean()),
            "drawn": None,
        }
        for site in sites
    ]
    message = ""
    if len(sites) < 2:
        message = "There is one site: nothing to compare."
    elif len(sites) < FEWEST_GROUPS:
        message = "With two sites the spread of sites cannot be estimated; shares are as observed."
    else:
        known = rows.dropna(subset=["therapist"])
        levels = {"site": ["1"]}
        if known["therapist"].nunique() > len(sites) and len(known) == len(rows):
            levels["therapist"] = ["1"]
        try:
            fit = fit_mixed_logit(rows, "happened", ["1"], levels)
        except FitError as error:
            message = f"Not drawn towards the whole: {error}"
        else:
            effects = fit.random_effects("site").set_index("site")["1"]
            spread = float(fit.standard_deviations[1]) if "therapist" in levels else 0.0
            for entry in entries:
                centre = float(fit.estimates[0]) + float(effects[entry["site"]])
                entry["drawn"] = _average(centre, spread)
    for entry in entries:
        if entry["clients"] < FEWEST_CLIENTS:
            entry.update(clients=None, share=None, drawn=None)
    return {"sites": entries, "message": message}


def _average(centre: float, spread: float) -> float:
    """Return the expected probability where log odds are normal around `centre`."""
    odds = 1 / (1 + np.exp(-(centre + spread * NODES)))
    return float((odds * WEIGHTS).sum() / WEIGHTS.sum())


def _therapists(rows: pd.DataFrame) -> dict[str, Any]:
    """Return how much therapists differ, from a model; no therapist's own number."""
    known = rows.dropna(subset=["therapist"])
    nothing = dict.fromkeys(
        ("therapists", "clients", "sd", "median_odds_ratio", "share_of_variance", "low", "high")
    )
    count = int(known["therapist"].nunique())
    if count == 0:
        return nothing | {"message": "No client's therapist is known."}
    if count < FEWEST_THERAPISTS:
        return nothing | {
            "message": f"With fewer than {FEWEST_THERAPISTS} therapists how much they differ "
            "cannot be estimated, and each would be recognised."
        }
    sites = sorted(known["site"].unique())
    fixed = ["1"]
    if len(sites) > 1:
        for site in sites[1:]:
            known = known.assign(**{f"at_{sites.index(site)}": (known["site"] == site).astype(int)})
            fixed.append(f"at_{sites.index(site)}")
    try:
        fit = fit_mixed_logit(known, "happened", fixed, {"therapist": ["1"]}, quadrature=9)
    except FitError as error:
        return nothing | {"message": f"The model of therapists could not be fitted: {error}"}
    sd = float(fit.standard_deviations[0])
    shift = fit.estimates[1:]
    weights = np.array([(known["site"] == site).mean() for site in sites])
    centre = float(fit.estimates[0]) + float(np.r_[0.0, shift] @ weights)
    low, high = (float(stats.logistic.cdf(centre + z * sd)) for z in (-TENTH, TENTH))
    return {
        "therapists": count,
        "clients": len(known),
        "sd": sd,
        "median_odds_ratio": float(np.exp(stats.norm.ppf(0.75) * np.sqrt(2) * sd)),
        "share_of_variance": sd**2 / (sd**2 + np.pi**2 / 3),
        "low": low,
        "high": high,
        "message": "" if sd > 0 else "No difference between therapists could be told from chance.",
    }
