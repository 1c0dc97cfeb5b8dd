"""The scale as a whole: an end that nobody uses, a scale turned round."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import stats

from alliance.ingest.plausibility.association import answered_mean, client_starts
from alliance.ingest.plausibility.finding import Finding
from alliance.ingest.plausibility.forms import LEAST_CLIENTS, LEAST_FORMS, BySite, Forms

# A pattern that would arise by chance with less than this probability.
BY_CHANCE = 1e-3
# ASSUME the share of clients who ever give an answer differs truly between sites by up to one log
# odds (17 % here, 36 % there).
TRUE_LOG_ODDS = 1.0
# ASSUME with fewer answers an end of the scale may be unused though it is there; scales of more
# steps (0-10, visual analogue) leave an end unused more easily.
ALONE_CLIENTS, ALONE_FORMS, MOST_STEPS = 20, 100, 7
# ASSUME mean positions on the scale differ truly between sites with an SD of 8 % of the scale (an
# inpatient site and a counselling centre differ by about twice that).
TRUE_LEVEL, TRUE_ITEM = 0.08, 0.03
TURNED_FROM = 25.0  # twice the log likelihood ratio of "turned round" against "as declared"
# ASSUME no site's mean alliance lies below 45 % of the scale: published means are at 65-85 %.
LOWEST_ALLIANCE = 0.45


def odd_scales(forms: BySite) -> Iterator[Finding]:
    """Yield sites where an end of the scale is unused, or the scale looks turned round."""
    for site in forms:
        turned = _turned(site, forms)
        if turned is not None:
            yield turned
            continue
        yield from _unused_ends(site, forms)


def _ends(here: Forms) -> dict[str, np.ndarray]:
    """Return for the raw scale's ends which forms hold one such answer, shape (n,)."""
    n = here.raw.shape[1]
    top = np.array([here.instrument.range_of(i + 1)[1] for i in range(n)])
    return {
        "lowest": (here.raw == here.instrument.minimum).any(axis=1),
        "highest": (here.raw == top).any(axis=1),
    }


def _unused_ends(site: str, forms: BySite) -> Iterator[Finding]:
    here = forms[site]
    if here.n_clients < LEAST_CLIENTS or len(here.raw) < LEAST_FORMS:
        return
    others = [o for name, o in forms.items() if name != site and o.n_clients >= LEAST_CLIENTS]
    for end, used in _ends(here).items():
        if used.any():
            continue
        words = (
            f"not one of {len(used):,} forms of {here.measure} holds the scale's {end} answer"
            " at this site"
        )
        if others:
            share = float(np.median([_clients_using(o, end) for o in others]))
            forms_a_client = len(here.raw) / here.n_clients
            there = np.median([len(o.raw) / o.n_clients for o in others])
            n_effective = here.n_clients * min(1.0, forms_a_client / there)
            odds = np.exp(-TRUE_LOG_ODDS) * share / max(1 - share, 0.01)
            if (1 + odds) ** -n_effective < BY_CHANCE:
                told = f"{words}; elsewhere {share:.0%} of the clients gave it at least once"
                yield Finding("scale-end-unused", site, told, here.measure)
        elif _must_occur(here, end):
            yield Finding("scale-end-unused", site, words, here.measure)


def _must_occur(here: Forms, end: str) -> bool:
    """Whether a site alone is large enough for the end to occur in any sound data."""
    instrument = here.instrument
    if instrument.n_items < 4:
        return False
    steps = (instrument.maximum - instrument.minimum) / instrument.step + 1
    plain = end == "highest" or instrument.direction == "higher-is-worse"
    return (
        plain
        and steps <= MOST_STEPS
        and here.n_clients >= ALONE_CLIENTS
        and len(here.raw) >= ALONE_FORMS
    )


def _clients_using(here: Forms, end: str) -> float:
    used = _ends(here)[end]
    starts = client_starts(here.client)
    return float(np.logical_or.reduceat(used, starts).mean())


def _turned(site: str, forms: BySite) -> Finding | None:
    here = forms[site]
    if not here.enough:
        return None
    others = [o for name, o in forms.items() if name != site and o.enough]
    if here.items != [i for i in here.items if all(i in o.items for o in others)]:
        others = []
    level, level_se, items = _levels(here, here.items)
    if others:
        known = [_levels(o, here.items) for o in others]
        there = float(np.median([k[0] for k in known]))
        there_se = float(np.sqrt(np.mean([k[1] ** 2 for k in known]) / len(known)))
        profile = np.median([k[2] for k in known], axis=0)
        v = level_se**2 + there_se**2 + 2 * TRUE_LEVEL**2
        w = 2 * TRUE_ITEM**2 + level_se**2 / 4 + there_se**2 / 4
        gain = ((level - there) ** 2 - (1 - level - there) ** 2) / v
        gain += ((items - profile) ** 2 - (items + profile) ** 2).sum() / w
        if gain > TURNED_FROM:
            words = (
                f"{here.measure} has its mean at {level:.0%} of the scale at this site, at"
                f" {there:.0%} elsewhere, and the items that are highest there are lowest here;"
                f" turned round, the mean is at {1 - level:.0%}"
            )
            words += "; with two sites it cannot be told at which" if len(others) == 1 else ""
            return Finding("scale-turned-round", site, words, here.measure)
    if here.instrument.construct == "alliance":
        upper = level + stats.t.ppf(1 - BY_CHANCE, here.n_clients - 1) * level_se
        if upper < LOWEST_ALLIANCE:
            words = (
                f"{here.measure} has its mean at {level:.0%} of the scale at this site, where"
                " published alliance means are at 65 to 85 %"
            )
            return Finding("scale-turned-round", site, words, here.measure)
    return None


def _levels(here: Forms, items: list[int]) -> tuple[float, float, np.ndarray]:
    """Return the mean position over clients, its standard error, and the items' parts of it."""
    position = here.position[:, np.array(items) - 1]
    starts = client_starts(here.client)
    level = answered_mean(position, axis=1)
    known = ~np.isnan(level)
    sums = np.add.reduceat(np.where(known, level, 0.0), starts)
    counts = np.add.reduceat(known.astype(float), starts)
    by_client = sums[counts > 0] / counts[counts > 0]
    by_item = answered_mean(position, axis=0)
    se = float(by_client.std(ddof=1) / np.sqrt(len(by_client)))
    return float(by_client.mean()), se, by_item - by_item.mean()
