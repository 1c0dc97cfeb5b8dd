"""Time: weeks that are days, days that are weeks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from alliance.ingest.plausibility.finding import Finding
from alliance.ingest.plausibility.forms import LEAST_CLIENTS

# ASSUME the usual gap between two sessions differs less than fourfold between sites that counted in
# the same unit; seven is the ratio of a wrong one.
RATIO = 4.0
# Alone, a site is told of gaps that are whole numbers of seven "weeks", nearly all of them.
SEVEN, NEARLY_ALL = 7.0, 0.8


def odd_units(sessions: pd.DataFrame) -> Iterator[Finding]:
    """Yield sites whose weeks since intake are counted in another unit.

    Parameters
    ----------
    sessions
        Table `sessions` of all sites, sorted by its key.
    """
    gaps = {
        str(site): found
        for site, table in sessions.groupby("site")
        if (found := _gaps(table)) is not None
    }
    for site, here in gaps.items():
        usual = float(np.median(here))
        others = [float(np.median(gap)) for name, gap in gaps.items() if name != site]
        in_sevens = np.isclose(here % SEVEN, 0, atol=1e-6) & (here > 0)
        words = f"sessions usually lie {usual:.1f} weeks apart at this site"
        if others:
            there = float(np.median(others))
            if usual > RATIO * there or usual < there / RATIO:
                yield Finding("week-unit", site, f"{words}, {there:.1f} weeks elsewhere")
        elif usual >= SEVEN and in_sevens.mean() >= NEARLY_ALL:
            words += f"; {in_sevens.mean():.0%} of the gaps are whole numbers of seven weeks"
            yield Finding("week-unit", site, words)


def _gaps(table: pd.DataFrame) -> np.ndarray | None:
    """Return the weeks from each session to the client's next numbered one, shape (n,)."""
    weeks = table["weeks_since_intake"].to_numpy(dtype=float)
    session = table["session"].to_numpy(dtype=np.int64)
    client = pd.factorize(table["client"])[0]
    follows = (np.diff(client) == 0) & (np.diff(session) == 1)
    gaps = np.diff(weeks)[follows]
    gaps = gaps[np.isfinite(gaps) & (gaps > 0)]
    n_clients = len(np.unique(client[1:][follows]))
    return gaps if n_clients >= LEAST_CLIENTS and len(gaps) >= LEAST_CLIENTS else None
