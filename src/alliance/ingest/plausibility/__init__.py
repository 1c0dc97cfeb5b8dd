"""Is the data plausible? Rules that look at all of a site's answers, and at all sites together.

Each check yields `Finding`s: rule, site, measure or item, and the evidence in numbers that rest on
many people. Nothing is changed; what each rule does, how often it errs and what it cannot see
stands in `docs/plausibility.md`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pandas as pd

from alliance.config.instruments import Instrument
from alliance.ingest.plausibility.courses import odd_clients, odd_courses
from alliance.ingest.plausibility.exchanged import (
    exchanged_items,
    exchanged_raters,
    other_orders,
)
from alliance.ingest.plausibility.finding import Finding
from alliance.ingest.plausibility.forms import forms_of
from alliance.ingest.plausibility.items import odd_items
from alliance.ingest.plausibility.keys import differing_keys, keys_of_other_forms
from alliance.ingest.plausibility.scales import odd_scales
from alliance.ingest.plausibility.time import odd_units
from alliance.ingest.plausibility.twins import alike_clients

__all__ = ["Finding", "findings", "odd_clients"]


def findings(
    sessions: pd.DataFrame,
    responses: pd.DataFrame,
    keys: Mapping[str, Instrument],
    known: Mapping[str, Instrument],
) -> Iterator[Finding]:
    """Yield what is implausible in the data of all sites.

    Parameters
    ----------
    sessions, responses
        The tables of all sites, sorted by their keys.
    keys
        Scoring key by measure.
    known
        The project's own keys by id, to compare with.
    """
    yield from alike_clients(responses)
    yield from odd_units(sessions)
    by_measure, _ = forms_of(responses, keys)
    thinned = {
        measure: {site: forms.thinned() for site, forms in by_site.items()}
        for measure, by_site in by_measure.items()
    }
    for forms in thinned.values():
        yield from odd_scales(forms)
        told = list(odd_items(forms))
        yield from told
        skipped = {(f.site, f.item) for f in told if f.item is not None}
        yield from exchanged_items(forms, skipped)
        yield from other_orders(forms)
        yield from keys_of_other_forms(forms, known)
        yield from odd_courses(forms)
    yield from differing_keys(thinned, known)
    n_sessions = {str(site): len(table) for site, table in sessions.groupby("site")}
    yield from exchanged_raters(thinned, n_sessions)
