"""Events as columns of the panel, none of which looks ahead.

An event enters the panel at the first attended session at which it is known: a rupture when the
score falls, a repair when it has come back, a sudden gain three sessions after it began, because
its third criterion needs them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from alliance.measures.ruptures.rules import first_known_in_time, rule_from

CLIENT = ["site", "client"]
KEY = [*CLIENT, "session"]


def with_events(
    panel: pd.DataFrame,
    events: pd.DataFrame,
    change: Sequence[str],
    ruptures: Mapping[str, Sequence[str | Mapping[str, Any]]],
) -> pd.DataFrame:
    """Return the panel with its columns of events (docs/architecture.md).

    Parameters
    ----------
    panel
        Sorted by site, client, session.
    events
        Table `events`.
    change, ruptures
        Measures with sudden gains and losses; measures with rules of ruptures.
    """
    new: dict[str, np.ndarray] = {}
    for measure in change:
        for kind in ("gain", "loss"):
            known = _known(panel, events, measure, kind)
            new[f"{measure}_{kind}"] = known.astype(float)
            new[f"{measure}_{kind}_so_far"] = _so_far(panel, known).astype(float)
    for measure, rules in ruptures.items():
        rule = first_known_in_time([rule_from(entry) for entry in rules])
        if rule is None:
            continue
        mine = events[events["rule"] == rule.name]
        unseen = panel[measure].isna().to_numpy()
        begun = _known(panel, mine, measure, "rupture")
        repaired = _known(panel, mine, measure, "repair")
        # without a score nobody knows whether something happened at this session
        new[f"{measure}_rupture"] = np.where(unseen, np.nan, begun)
        new[f"{measure}_repair"] = np.where(unseen, np.nan, repaired)
        new[f"{measure}_in_rupture"] = _open(panel, mine, measure).astype(float)
        new[f"{measure}_rupture_so_far"] = _so_far(panel, begun).astype(float)
    return pd.concat([panel, pd.DataFrame(new, index=panel.index)], axis=1)


def _known(panel: pd.DataFrame, events: pd.DataFrame, measure: str, kind: str) -> np.ndarray:
    """Say at which of the panel's sessions an event becomes known, shape (rows,)."""
    mine = events[(events["measure"] == measure) & (events["kind"] == kind)]
    known = mine.dropna(subset=["known_session"])
    mark = np.zeros(len(panel), dtype=bool)
    mark[_first_row(panel, known, "known_session")] = True
    return mark


def _first_row(panel: pd.DataFrame, events: pd.DataFrame, column: str) -> np.ndarray:
    """Return the row of each event's first attended session from `column` on, if there is one."""
    if not len(events) or not len(panel):
        return np.array([], dtype=int)
    sessions = panel[KEY].assign(row=np.arange(len(panel)), at=panel["session"].astype("int64"))
    wanted = events[CLIENT].assign(at=events[column].astype("int64")).sort_values("at")
    found = pd.merge_asof(
        wanted, sessions.sort_values("at"), on="at", by=CLIENT, direction="forward"
    )
    return found["row"].dropna().to_numpy(int)


def _so_far(panel: pd.DataFrame, mark: np.ndarray) -> np.ndarray:
    """Say whether there has been a mark up to each session of the client."""
    table = panel[CLIENT].assign(mark=mark)
    return table.groupby(CLIENT, sort=False)["mark"].cummax().to_numpy(bool)


def _open(panel: pd.DataFrame, events: pd.DataFrame, measure: str) -> np.ndarray:
    """Say at which sessions a rupture has begun and is neither repaired nor given up.

    Who repairs in time leaves it at the session of repair, who does not when the rule's time is
    over; both are known by then.
    """
    mine = events[(events["measure"] == measure) & (events["kind"] == "rupture")]
    start = _first_row(panel, mine.dropna(subset=["known_session"]), "known_session")
    end = _first_row(panel, mine.dropna(subset=["known_session", "end_session"]), "end_session")
    step = np.zeros(len(panel))
    np.add.at(step, start, 1)
    np.add.at(step, end, -1)
    table = panel[CLIENT].assign(step=step)
    return table.groupby(CLIENT, sort=False)["step"].cumsum().to_numpy() > 0
