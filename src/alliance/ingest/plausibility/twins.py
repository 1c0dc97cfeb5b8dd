"""The same answers under two ids: twin sites, clients in two exports, clients entered twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from alliance.ingest.plausibility.finding import Finding

# ASSUME two people never give the same answers to the same forms at the same sessions, if these are
# so many forms, most of either's, in which answers differ: one 12-item form alone can be told apart
# from another by some 20 bits.
SAME_FORMS, SAME_SHARE = 3, 0.6
# A form counts if it has so many answers, and not all the same.
LEAST_ANSWERS = 6
# ASSUME a site with half of its clients (and so many) at another site too holds that site's data.
TWIN_SHARE, TWIN_CLIENTS = 0.5, 5


class Shared(NamedTuple):
    """How many clients of a site have the answers of a client of the same or another site."""

    site: str
    other: str
    n_clients: int
    of: int


def shared_clients(responses: pd.DataFrame) -> list[Shared]:
    """Return for each pair of sites (and each site with itself) the clients that both hold.

    Parameters
    ----------
    responses
        Table `responses`, sorted by its key.
    """
    if not len(responses):
        return []
    client, names = pd.factorize(responses["client"])
    site_of_row, sites = pd.factorize(responses["site"])
    site = np.zeros(len(names), dtype=np.int64)
    site[client] = site_of_row
    forms = _form_hashes(responses, client)
    n_forms = np.bincount(forms["client"], minlength=len(names))
    pairs = _pairs(forms)
    same = Counter(
        pair
        for pair, count in pairs.items()
        if count >= SAME_FORMS and count >= SAME_SHARE * max(n_forms[list(pair)])
    )
    found: dict[tuple[int, int], set[int]] = {}
    for a, b in same:
        found.setdefault((site[a], site[b]), set()).add(a)
        if site[a] != site[b]:
            found.setdefault((site[b], site[a]), set()).add(b)
    total = np.bincount(site, minlength=len(sites))
    return [
        Shared(str(sites[s]), str(sites[o]), len(clients), int(total[s]))
        for (s, o), clients in sorted(found.items())
    ]


def _form_hashes(responses: pd.DataFrame, client: np.ndarray) -> pd.DataFrame:
    """Return client and hash (session, measure, all answers) of the forms that count."""
    session = responses["session"].to_numpy(dtype=np.int64)
    measure = pd.factorize(responses["measure"], sort=True)[0]
    item = responses["item"].to_numpy(dtype=np.int64)
    value = responses["value"].to_numpy(dtype=float)
    cell = pd.util.hash_array(item) ^ (pd.util.hash_array(value) * np.uint64(3))
    cell = pd.util.hash_array(cell)
    is_new = np.diff(client, prepend=-1) != 0
    is_new |= (np.diff(session, prepend=-1) != 0) | (np.diff(measure, prepend=-1) != 0)
    starts = np.flatnonzero(is_new)
    hashes = np.add.reduceat(cell, starts)
    # Which session and which measure it is belongs to the form.
    hashes = hashes + pd.util.hash_array(session[starts]) * np.uint64(5)
    hashes = hashes + pd.util.hash_array(measure[starts].astype(np.int64)) * np.uint64(7)
    count = np.diff([*starts, len(value)])
    uneven = np.maximum.reduceat(value, starts) > np.minimum.reduceat(value, starts)
    counts = (count >= LEAST_ANSWERS) & uneven
    return pd.DataFrame({"client": client[starts][counts], "hash": hashes[counts]})


def _pairs(forms: pd.DataFrame) -> Counter[tuple[int, int]]:
    """Return how many forms two clients share, of forms that only two or three clients have."""
    shared = forms[forms.duplicated("hash", keep=False)]
    pairs: Counter[tuple[int, int]] = Counter()
    for _, clients in shared.groupby("hash")["client"]:
        of = sorted(set(clients))
        if 2 <= len(of) <= 4:  # a form that more people have is a frequent one, and no evidence
            pairs.update((int(a), int(b)) for i, a in enumerate(of) for b in of[i + 1 :])
    return pairs


def alike_clients(responses: pd.DataFrame) -> Iterator[Finding]:
    """Yield twin sites, sites that share clients, and sites that hold clients twice."""
    found = {(shared.site, shared.other): shared for shared in shared_clients(responses)}
    for (site, other), shared in found.items():
        told = f"{shared.n_clients} of {shared.of} clients have, form by form, the answers of"
        if site == other:
            yield Finding("client-twice", site, f"{told} another client of the same site")
            continue
        back = found[other, site]
        # One word for each pair of sites: at the site of which the larger part is affected.
        if (shared.n_clients / shared.of, site) < (back.n_clients / back.of, other):
            continue
        is_twin = shared.n_clients >= max(TWIN_CLIENTS, TWIN_SHARE * shared.of)
        rule = "twin-sites" if is_twin else "shared-clients"
        yield Finding(rule, site, f"{told} a client of site {other}")
