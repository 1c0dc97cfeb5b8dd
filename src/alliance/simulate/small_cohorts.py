"""Small cohorts as descriptions only: many small counts, to try what may be shared of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

ENDS = ("completed", "dropout", "transferred", "ongoing", "end_unknown")
CLASSES = ("recovered", "improved", "unchanged", "deteriorated", "harmed")
MEASURES = ("alliance", "symptoms")


def small_cohort(seed: int, clients: int | None = None) -> dict[str, Any]:
    """Return descriptions and fits of a cohort of 10 to 150 clients at up to five sites.

    Clients are drawn one by one and counted, so that every count is one of real rows. Nothing of
    the model of what is suppressed is used.

    Parameters
    ----------
    seed
        Of the generator; the same seed gives the same cohort.
    clients
        How many; drawn where not given.

    Returns
    -------
    dict
        `about`, `leaving`, `changed` and `models`, in the form of `description.json`,
        `dropout.json`, `change.json` and the fits, as far as counts are concerned.
    """
    random = np.random.default_rng(seed)
    drawn, sites = int(random.integers(10, 151)), int(random.integers(1, 6))
    rows = _clients(random, clients or drawn, sites)
    groups = {"all": rows, **{str(site): part for site, part in rows.groupby("site")}}
    about = {
        "cohort": f"small_{seed}",
        "title": "A small cohort",
        "simulated": True,
        "flow": [_flow(site, part) for site, part in groups.items()],
        "missing": [
            {"site": site, "measure": measure, "forms": int(part[measure].sum())}
            for site, part in groups.items()
            for measure in MEASURES
        ],
        "sample": _sample(rows, groups),
    }
    return {
        "about": about,
        "leaving": _leaving(rows),
        "changed": _changed(random, rows),
        "models": [_fit(name, rows, random) for name in ("growth", "coupling", "hazard")],
    }


def _clients(random: np.random.Generator, n: int, sites: int) -> pd.DataFrame:
    shares = random.dirichlet(np.full(sites, 1.5))
    sessions = 1 + random.poisson(random.uniform(2, 10), n)
    return pd.DataFrame(
        {
            "site": [f"site{k}" for k in random.choice(sites, n, p=shares)],
            "therapist": random.integers(1, 8, n),
            "end": random.choice(ENDS, n, p=random.dirichlet((6, 4, 1, 1, 0.3))),
            "gender": random.choice(
                np.array(["f", "m", "x", None]), n, p=random.dirichlet((6, 4, 0.4, 0.3))
            ),
            "diagnosis": random.choice(list("abcde"), n, p=random.dirichlet(np.ones(5))),
            "sessions": sessions,
            "age": random.integers(18, 80, n),
            **{measure: random.binomial(sessions, random.uniform(0.8, 1)) for measure in MEASURES},
        }
    )


def _flow(site: str, rows: pd.DataFrame) -> dict[str, Any]:
    return {
        "site": site,
        "therapists": len(rows[["site", "therapist"]].drop_duplicates()),
        "clients": len(rows),
        "sessions": int(rows["sessions"].sum()),
        "clients_with_one_session": int((rows["sessions"] == 1).sum()),
        **{end: int((rows["end"] == end).sum()) for end in ENDS},
    }


def _sample(clients: pd.DataFrame, groups: Mapping[str, pd.DataFrame]) -> list[dict[str, Any]]:
    lines = []
    empty = dict.fromkeys(("category", "mean", "sd", "minimum", "maximum", "count"))
    for site, rows in groups.items():
        for name in ("age", "sessions"):
            values = rows[name]
            lines.append(
                {
                    **empty,
                    "characteristic": name,
                    "unit": "",
                    "site": site,
                    "n": len(rows),
                    "mean": float(values.mean()),
                    "sd": float(values.std()) if len(rows) > 1 else None,
                    "minimum": float(values.min()),
                    "maximum": float(values.max()),
                }
            )
        for name in ("gender", "diagnosis"):
            known = rows[name].dropna()
            lines += [
                {
                    **empty,
                    "characteristic": name,
                    "unit": "clients",
                    "site": site,
                    "n": len(known),
                    "category": category,
                    "count": int((known == category).sum()),
                }
                for category in sorted(clients[name].dropna().unique())
            ]
    return lines


def _leaving(clients: pd.DataFrame) -> dict[str, Any]:
    dropouts = int((clients["end"] == "dropout").sum())
    unknown = int(clients["end"].isin(("ongoing", "end_unknown")).sum())
    below = int(((clients["sessions"] < 4) & (clients["end"] != "ongoing")).sum())
    ongoing = int((clients["end"] == "ongoing").sum())
    last = int(clients["sessions"].max())
    return {
        "definitions": [
            {"name": name, "dropouts": n, "others": len(clients) - n - out, "unknown": out}
            for name, n, out in (
                ("discharge_status", dropouts, unknown),
                ("below_plan", below, ongoing),
            )
        ],
        "staying": [
            {
                "by": "all",
                "session": list(range(1, last + 1)),
                "at_risk": [int((clients["sessions"] >= k).sum()) for k in range(1, last + 1)],
            }
        ],
    }


def _changed(random: np.random.Generator, clients: pd.DataFrame) -> dict[str, Any]:
    measures = []
    for measure in MEASURES:
        used = int(((clients["sessions"] > 1) & (clients[measure] > 1)).sum())
        counts = random.multinomial(used, random.dirichlet((3, 3, 6, 1, 0.3)))
        classes = [
            {"class": name, "clients": int(count)}
            for name, count in zip(CLASSES, counts, strict=True)
        ]
        method = {"chosen": True, "clients": used, "classes": classes}
        measures.append({"measure": measure, "methods": [method]})
    return {"measures": measures}


def _fit(name: str, clients: pd.DataFrame, random: np.random.Generator) -> dict[str, Any]:
    used = clients[random.random(len(clients)) < random.uniform(0.85, 1)]
    return {
        "model": name,
        "title": name,
        "family": name,
        "status": "converged",
        "data": {
            "groups": [{"level": "client", "n": len(used)}],
            "rows_used": int(used["sessions"].sum()),
        },
        "estimates": [],
        "variance_components": [],
    }
