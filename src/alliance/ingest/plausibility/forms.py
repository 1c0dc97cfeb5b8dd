"""The forms of a site as matrices: what the plausibility checks look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from alliance.config.instruments import Instrument
from alliance.ingest.plausibility.association import ItemRest, PairCorrelations

# Beyond this many forms a check gains nothing: whole clients, evenly spread, stand for the rest.
MOST_FORMS = 20_000
# ASSUME fewer clients or forms than these can be odd by chance alone: nothing is said of them.
LEAST_CLIENTS = 12
LEAST_FORMS = 40
LEAST_ITEMS = 4


@dataclass(frozen=True)
class Forms:
    """One measure's forms at one site.

    Attributes
    ----------
    site, measure
        Their names.
    instrument
        The key that the config names.
    client
        Shape (n,): a number for each client, not falling.
    session
        Shape (n,): session numbers.
    raw
        Shape (n, n_items): answers as they stand, NaN where unanswered.
    """

    site: str
    measure: str
    instrument: Instrument
    client: np.ndarray
    session: np.ndarray
    raw: np.ndarray

    @property
    def n_clients(self) -> int:
        """Number of clients."""
        return len(np.unique(self.client))

    @cached_property
    def keyed(self) -> np.ndarray:
        """Answers after reversal by the key, shape (n, n_items)."""
        keyed = self.raw.copy()
        for item in self.instrument.reverse:
            lowest, highest = self.instrument.range_of(item)
            keyed[:, item - 1] = lowest + highest - keyed[:, item - 1]
        return keyed

    @cached_property
    def items(self) -> list[int]:
        """Scored items that were answered in at least half of the forms, single ones only.

        Items of which only the highest counts (appetite: up or down) need not go together.
        """
        grouped = {
            item
            for score in self.instrument.scores
            for group in score.items
            if isinstance(group, tuple)
            for item in group
        }
        answered = np.mean(~np.isnan(self.raw), axis=0) if len(self.raw) else np.zeros(0)
        return [
            i + 1
            for i, share in enumerate(answered)
            if share >= 0.5 and i + 1 not in grouped and i + 1 not in self.instrument.unscored
        ]

    @property
    def enough(self) -> bool:
        """Whether there are enough clients, forms and items to judge how items go together."""
        return (
            len(self.raw) >= LEAST_FORMS
            and self.n_clients >= LEAST_CLIENTS
            and len(self.items) >= LEAST_ITEMS
            and self.instrument.direction != "none"
        )

    @cached_property
    def item_rest(self) -> ItemRest:
        """How each of `items` goes with the rest of the form."""
        return ItemRest.of(self.keyed[:, np.array(self.items) - 1], self.client)

    @cached_property
    def pairs(self) -> PairCorrelations:
        """How `items` (keyed) go with each other."""
        return PairCorrelations.of(self.keyed[:, np.array(self.items) - 1], self.client)

    @cached_property
    def position(self) -> np.ndarray:
        """Where each keyed answer stands between the ends of its scale, 0 to 1, (n, n_items)."""
        ranges = np.array(
            [self.instrument.range_of(i + 1) for i in range(self.raw.shape[1])], dtype=float
        )
        return np.asarray((self.keyed - ranges[:, 0]) / (ranges[:, 1] - ranges[:, 0]))

    def thinned(self) -> Forms:
        """Return at most about `MOST_FORMS` forms: those of every so manyth client."""
        step = -(-len(self.raw) // MOST_FORMS)
        if step <= 1:
            return self
        order = np.cumsum(np.diff(self.client, prepend=self.client[:1]) != 0)
        chosen = order % step == 0
        return Forms(
            self.site, self.measure, self.instrument,
            self.client[chosen], self.session[chosen], self.raw[chosen],
        )  # fmt: skip


BySite = dict[str, Forms]


def forms_of(
    responses: pd.DataFrame, keys: Mapping[str, Instrument]
) -> tuple[dict[str, BySite], np.ndarray]:
    """Return the forms by measure and site, and the clients' pseudonyms by their number.

    Parameters
    ----------
    responses
        Table `responses` of all sites, sorted by its key.
    keys
        Scoring key by measure.
    """
    client, names = pd.factorize(responses["client"])
    sites, site_names = pd.factorize(responses["site"])
    session = responses["session"].to_numpy(dtype=np.int64)
    item = responses["item"].to_numpy(dtype=np.int64)
    value = responses["value"].to_numpy(dtype=float)
    measures, measure_names = pd.factorize(responses["measure"])
    found: dict[str, BySite] = {measure: {} for measure in keys}
    for m, measure in enumerate(measure_names):
        if measure not in keys:
            continue
        of_measure = measures == m
        for s, site in enumerate(site_names):
            rows = np.flatnonzero(of_measure & (sites == s))
            if not len(rows):
                continue
            found[str(measure)][str(site)] = _forms(
                str(site), str(measure), keys[measure],
                client[rows], session[rows], item[rows], value[rows],
            )  # fmt: skip
    return found, np.asarray(names, dtype=object)


def _forms(
    site: str,
    measure: str,
    instrument: Instrument,
    client: np.ndarray,
    session: np.ndarray,
    item: np.ndarray,
    value: np.ndarray,
) -> Forms:
    is_new = (np.diff(client, prepend=-1) != 0) | (np.diff(session, prepend=-1) != 0)
    form = np.cumsum(is_new) - 1
    raw = np.full((int(is_new.sum()), instrument.n_items), np.nan)
    raw[form, item - 1] = value
    return Forms(site, measure, instrument, client[is_new], session[is_new], raw)
