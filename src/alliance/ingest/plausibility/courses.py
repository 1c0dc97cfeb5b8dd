"""Courses: straight lines, answers carried forward, blanks as zeros, mixed-up rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from alliance.config.instruments import Instrument
from alliance.ingest.plausibility.association import answered_mean, client_starts
from alliance.ingest.plausibility.finding import Finding
from alliance.ingest.plausibility.forms import (
    LEAST_CLIENTS,
    LEAST_FORMS,
    BySite,
    Forms,
    forms_of,
)

# Level of the intervals for shares of clients and of variance.
ALPHA = 0.001
# ASSUME a client fills in straight lines, or copies the last form, if half of the forms are so;
# forms of fewer items are the same from top to bottom too easily.
HALF, LEAST_FORMS_EACH, LEAST_ITEMS = 0.5, 3, 6
# ASSUME at a sound site at most one client in twenty does.
TOLERATED = 0.05
# ASSUME of the variance of any score, sessions aside, at least 30 % lies between clients.
LEAST_ICC = 0.3
# ASSUME a form all at "no symptoms" between two forms of which each is above a third of the scale
# hardly occurs.
NEIGHBOURS_ABOVE, ZERO_FORMS, ZERO_SHARE = 0.33, 5, 0.01
# If nearly all forms hold one answer throughout, it is a total or mean that was spread over them.
NEARLY_ALL = 0.8


def odd_courses(forms: BySite) -> Iterator[Finding]:
    """Yield sites whose forms are too even, too alike from session to session, or mixed up."""
    for site, here in forms.items():
        if here.n_clients < LEAST_CLIENTS or len(here.raw) < LEAST_FORMS:
            continue
        yield from _straight_lines(site, forms)
        yield from _carried_forward(site, forms)
        yield from _zeros_for_blanks(site, forms)
        yield from _mixed_up(site, forms)


def straight_lines(here: Forms) -> np.ndarray:
    """Return which forms hold the same raw answer throughout, shape (n,).

    Not counted is the best possible form (no symptom at all, the highest alliance throughout)
    where the key reverses no item: people mean it.
    """
    answered = ~np.isnan(here.raw)
    lowest = np.where(answered, here.raw, np.inf).min(axis=1)
    highest = np.where(answered, here.raw, -np.inf).max(axis=1)
    straight = (lowest == highest) & (answered.sum(axis=1) >= LEAST_ITEMS)
    best = 0.0 if here.instrument.direction == "higher-is-worse" else 1.0
    is_best = answered_mean(here.position, axis=1) == best
    return np.asarray(straight & ~is_best)


def carried_forward(here: Forms) -> np.ndarray:
    """Return which forms repeat the client's form before in every answer, shape (n,)."""
    same_client = np.diff(here.client, prepend=-1) == 0
    before = np.vstack([np.full((1, here.raw.shape[1]), np.nan), here.raw[:-1]])
    same = (here.raw == before) | (np.isnan(here.raw) & np.isnan(before))
    uneven = np.fmax.reduce(here.raw, axis=1) > np.fmin.reduce(here.raw, axis=1)
    return np.asarray(same_client & same.all(axis=1) & uneven)


def clients_with(here: Forms, marked: np.ndarray, counted: np.ndarray) -> tuple[int, int]:
    """Return of how many clients at least half of the `counted` forms are marked, of how many."""
    starts = client_starts(here.client)
    n_marked = np.add.reduceat(marked.astype(int), starts)
    n_counted = np.add.reduceat(counted.astype(int), starts)
    judged = n_counted >= LEAST_FORMS_EACH
    return int((judged & (n_marked >= HALF * n_counted)).sum()), int(judged.sum())


def odd_clients(responses: pd.DataFrame, keys: Mapping[str, Instrument]) -> pd.DataFrame:
    """Return the clients with straight lines or repeated forms: for the lab's own eyes only.

    Returns
    -------
    DataFrame
        site, client (pseudonym), measure, forms, straight_lines, repeated_forms; only clients of
        whom at least half of three or more forms are so.
    """
    by_measure, names = forms_of(responses, keys)
    columns: dict[str, list[Any]] = {
        name: [] for name in ("site", "client", "measure", "forms", *_ODD_FORMS)
    }
    for measure, by_site in by_measure.items():
        for site, here in by_site.items():
            if here.instrument.n_items < LEAST_ITEMS:
                continue
            starts = client_starts(here.client)
            forms = np.diff([*starts, len(here.client)])
            marked = [
                np.add.reduceat(mark(here).astype(int), starts)
                for mark in (straight_lines, carried_forward)
            ]
            odd = (forms >= LEAST_FORMS_EACH) & (np.max(marked, axis=0) >= HALF * forms)
            columns["site"] += [site] * int(odd.sum())
            columns["client"] += list(names[here.client[starts[odd]]])
            columns["measure"] += [measure] * int(odd.sum())
            columns["forms"] += forms[odd].tolist()
            for name, counts in zip(_ODD_FORMS, marked, strict=True):
                columns[name] += counts[odd].tolist()
    return pd.DataFrame(columns)


_ODD_FORMS = ("straight_lines", "repeated_forms")


def _beyond(count: int, of: int, others: list[tuple[int, int]]) -> bool:
    """Whether a share of clients is surely above what is tolerated and what occurs elsewhere."""
    if of < LEAST_CLIENTS // 2 or not count:
        return False
    usual = [c / n for c, n in others if n]
    limit = max(TOLERATED, float(np.median(usual)) if usual else 0.0)
    return bool(stats.beta.ppf(ALPHA, count, of - count + 1) > limit)


def _straight_lines(site: str, forms: BySite) -> Iterator[Finding]:
    here = forms[site]
    if here.instrument.n_items < LEAST_ITEMS:
        return
    straight = straight_lines(here)
    if straight.mean() >= NEARLY_ALL:
        words = (
            f"{straight.mean():.0%} of {len(straight):,} forms of {here.measure} have one and the"
            " same answer to every item"
        )
        yield Finding("totals-for-items", site, words, here.measure)
        return
    everything = np.ones(len(straight), dtype=bool)
    count, of = clients_with(here, straight, everything)
    others = [
        clients_with(o, straight_lines(o), np.ones(len(o.raw), dtype=bool))
        for name, o in forms.items()
        if name != site
    ]
    if _beyond(count, of, others):
        words = (
            f"{count / of:.0%} of {of} clients answer most forms of {here.measure} with one and the"
            f" same number throughout ({_told_elsewhere(others)})"
        )
        yield Finding("straight-lining", site, words, here.measure)


def _carried_forward(site: str, forms: BySite) -> Iterator[Finding]:
    here = forms[site]
    if here.instrument.n_items < LEAST_ITEMS:
        return
    count, of = clients_with(here, carried_forward(here), _has_one_before(here))
    others = [
        clients_with(o, carried_forward(o), _has_one_before(o))
        for name, o in forms.items()
        if name != site
    ]
    if _beyond(count, of, others):
        words = (
            f"for {count / of:.0%} of {of} clients most forms of {here.measure} repeat the form"
            f" before in every answer ({_told_elsewhere(others)})"
        )
        yield Finding("carried-forward", site, words, here.measure)


def _has_one_before(here: Forms) -> np.ndarray:
    return np.asarray(np.diff(here.client, prepend=-1) == 0)


def _told_elsewhere(others: list[tuple[int, int]]) -> str:
    shares = [f"{count / of:.0%}" for count, of in others if of]
    return f"elsewhere {', '.join(shares)}" if shares else "hardly anybody does as a rule"


def _zeros_for_blanks(site: str, forms: BySite) -> Iterator[Finding]:
    """Yield sites where whole forms drop to the lowest answers and are back the next time."""
    here = forms[site]
    if here.instrument.direction != "higher-is-worse" or here.instrument.n_items < LEAST_ITEMS:
        return
    level = answered_mean(here.raw, axis=1) - here.instrument.minimum
    level /= here.instrument.maximum - here.instrument.minimum
    same = np.diff(here.client, prepend=-1) == 0
    middle = np.flatnonzero(same[:-1] & same[1:])  # has one before; the next is the client's too
    middle = middle[np.flatnonzero(middle > 0)]
    lonely = (
        (level[middle] == 0)
        & (level[middle - 1] > NEIGHBOURS_ABOVE)
        & (level[np.minimum(middle + 1, len(level) - 1)] > NEIGHBOURS_ABOVE)
    )
    if lonely.sum() >= ZERO_FORMS and lonely.mean() >= ZERO_SHARE:
        words = (
            f"{int(lonely.sum())} of {len(middle):,} forms of {here.measure} are at the lowest"
            " answer throughout, between two forms of the same client above a third of the scale"
        )
        yield Finding("zeros-for-blanks", site, words, here.measure)


def _mixed_up(site: str, forms: BySite) -> Iterator[Finding]:
    here = forms[site]
    found = _between_clients(here)
    if found is None:
        return
    icc, f_ratio, n0, df = found
    # Were the true share LEAST_ICC, F would be this many times a central F.
    expected = 1 + n0 * LEAST_ICC / (1 - LEAST_ICC)
    if stats.f.cdf(f_ratio / expected, *df) >= ALPHA:
        return
    elsewhere = [
        other[0]
        for name, o in forms.items()
        if name != site and (other := _between_clients(o)) is not None
    ]
    if elsewhere and np.median(elsewhere) < LEAST_ICC:
        return
    words = f"{max(icc, 0):.0%} of the variance of {here.measure} lies between clients"
    words += f" (elsewhere {np.median(elsewhere):.0%})" if elsewhere else ""
    yield Finding("rows-mixed-up", site, words, here.measure)


def _between_clients(here: Forms) -> tuple[float, float, float, tuple[int, int]] | None:
    """Return the share of variance between clients, its F ratio, mean forms a client, and df.

    The score is the mean position on the scale, less the mean of all at that session number.
    """
    score = answered_mean(here.position, axis=1)
    sums = np.bincount(here.session, score)
    score = score - (sums / np.maximum(np.bincount(here.session), 1))[here.session]
    starts = client_starts(here.client)
    n = np.diff([*starts, len(score)])
    several = np.repeat(n >= LEAST_FORMS_EACH, n)
    if (n >= LEAST_FORMS_EACH).sum() < LEAST_CLIENTS:
        return None
    score, n = score[several], n[n >= LEAST_FORMS_EACH]
    starts = np.concatenate([[0], np.cumsum(n)[:-1]])
    means = np.add.reduceat(score, starts) / n
    df = len(n) - 1, len(score) - len(n)
    between = (n * (means - score.mean()) ** 2).sum() / df[0]
    within = ((score - np.repeat(means, n)) ** 2).sum() / df[1]
    if within <= 0:
        return None
    n0 = (n.sum() - (n**2).sum() / n.sum()) / df[0]
    f_ratio = between / within
    return (between - within) / (between + (n0 - 1) * within), f_ratio, n0, df
