"""Coverage: of the clients who came to a session, how many have the form of each measure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

FEWEST = 8  # clients; a share over fewer is not shown (nobody is to be read off a picture)
MOST_COLUMNS = 20  # sessions shown one by one; a longer course is put into as many groups at most
ALL = "all"


def coverage(
    clients: pd.DataFrame,
    sessions: pd.DataFrame,
    responses: pd.DataFrame,
    labels: Mapping[str, str],
) -> dict[str, Any]:
    """Return the shares of sessions with a form, by site, measure and session number.

    Parameters
    ----------
    clients, sessions, responses
        As in docs/architecture.md.
    labels
        The measures' labels by name, in the order of the config.

    Returns
    -------
    dict
        `groups`: the columns, each with its `label` (`7`, or `8–10`). `sites`: for each site (all
        together first) `clients` and `measures`; each has `cells`, one a group, `percent` or null
        where fewer than `FEWEST` clients came (`few` is then true) or nobody came.
    """
    groups = _groups(int(sessions["session"].max()) if len(sessions) else 0)
    if not groups:
        return {"groups": [], "sites": [], "fewest": FEWEST}
    edges = np.array([first for first, _ in groups])
    came = sessions[["site", "client", "session"]].assign(group=_group(sessions, edges))
    forms = responses[["site", "client", "session", "measure"]].drop_duplicates()
    forms = forms.merge(came, on=["site", "client", "session"], how="inner")
    names = sorted(came["site"].astype(str).unique())
    listed = [ALL, *names] if len(names) > 1 else names
    n_clients = clients.groupby("site").size()
    blocks = []
    for site in listed:
        here = came if site == ALL else came[came["site"] == site]
        mine = forms if site == ALL else forms[forms["site"] == site]
        total = int(n_clients.sum() if site == ALL else n_clients.get(site, 0))
        blocks.append(_block(site, here, mine, total, len(groups), labels))
    return {
        "groups": [{"label": str(a) if a == b else f"{a}–{b}"} for a, b in groups],
        "sites": blocks,
        "fewest": FEWEST,
    }


def _groups(last: int) -> list[tuple[int, int]]:
    """Return the first and last session number of each column."""
    width = -(-last // MOST_COLUMNS) or 1
    return [(first, min(first + width - 1, last)) for first in range(1, last + 1, width)]


def _group(sessions: pd.DataFrame, edges: np.ndarray) -> np.ndarray:
    numbers = sessions["session"].to_numpy(dtype=np.int64)
    return np.searchsorted(edges, numbers, side="right") - 1


def _block(
    site: str,
    came: pd.DataFrame,
    forms: pd.DataFrame,
    n_clients: int,
    n_groups: int,
    labels: Mapping[str, str],
) -> dict[str, Any]:
    """Return one site's cells."""
    n_sessions = np.bincount(came["group"], minlength=n_groups)
    persons = came.groupby("group")["client"].nunique().reindex(range(n_groups), fill_value=0)
    few = persons.to_numpy() < FEWEST
    measures = []
    for name, label in labels.items():
        mine = forms[forms["measure"] == name]
        n_forms = np.bincount(mine["group"], minlength=n_groups)
        cells = [
            _cell(int(have), int(of), bool(is_few))
            for have, of, is_few in zip(n_forms, n_sessions, few, strict=True)
        ]
        total = _cell(int(n_forms.sum()), int(n_sessions.sum()), n_clients < FEWEST)
        measures.append({"measure": name, "label": label, "cells": cells, "overall": total})
    reach = [
        _cell(n, n_clients, n_clients < FEWEST or 0 < n < FEWEST)
        for n in map(int, persons.to_numpy())
    ]
    return {"site": site, "n_clients": n_clients, "clients": reach, "measures": measures}


def _cell(have: int, of: int, is_few: bool) -> dict[str, Any]:
    percent = None if is_few or not of else 100.0 * have / of
    return {"percent": percent, "few": is_few and of > 0, "shade": _shade(percent)}


def _shade(percent: float | None) -> str:
    """Return the name of a cell's shade: darker is more."""
    steps = ("none", "little", "some", "half", "most", "nearly-all", "all")
    if percent is None:
        return "blank"
    bounds = (0.0, 20.0, 40.0, 60.0, 80.0, 98.0)
    return steps[sum(percent > bound for bound in bounds)]
