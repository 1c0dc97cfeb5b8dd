"""Columns that changed places: two items, a whole order, or the client's form and the therapist's.

Two items are compared with those of the other sites: do this site's means and correlations of items
i and j fit those of j and i elsewhere far better than their own? An order of all items is judged
within a site, by whether items of one subscale go together, for the few orders that software makes.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from alliance.ingest.plausibility.association import answered_mean, client_starts
from alliance.ingest.plausibility.finding import Finding, signed
from alliance.ingest.plausibility.forms import BySite, Forms

# ASSUME sites differ truly, beyond chance, by these SDs: of an item's mean within the form (in
# units of its range: 0.06 points of a 1-5 scale) and of a correlation of two items.
TRUE_DIFFERENCE, TRUE_DIFFERENCE_R = 0.015, 0.03
# ASSUME correlations of the same items share so much of their error that they count as fewer.
SHARED = 0.35
# Twice the log likelihood ratio of "exchanged" against "as declared". Items that differ at all make
# it negative where nothing is exchanged; in 1 of 500 sound labs it was beyond this
# (benchmarks/plausibility_rates.py).
EXCHANGED_FROM = 10.0
# The exchange must also explain so much of the misfit beyond chance: else the sites differ in other
# ways.
EXPLAINED = 0.33
# A contrast of so many standard errors, for the handful of orders that are tried at a site alone.
FAR = 4.5
MOST_ITEMS = 40
# Beyond this mean correlation items are copies of each other: their order cannot be judged.
COPIES = 0.95

Skipped = set[tuple[str, int]]  # (site, item): told already by another rule


def exchanged_items(forms: BySite, skipped: Skipped) -> Iterator[Finding]:
    """Yield sites whose columns changed places, two or all of them, judged by the other sites."""
    sites = [site for site, here in forms.items() if here.enough and not _copies(here)]
    for site in sites if len(sites) >= 2 else []:
        here = forms[site]
        others = [forms[name] for name in sites if name != site]
        items = [
            i
            for i in here.items
            if all(i in o.items for o in others) and not any((name, i) in skipped for name in sites)
        ]
        if len(items) < 4 or len(items) > MOST_ITEMS:
            continue
        own, reference = _Profile.of(here, items), _Profile.median(others, items)
        order = _whole_order(own, reference) if len(items) == here.instrument.n_items else None
        doubt = "; with two sites it cannot be told at which of them" if len(sites) == 2 else ""
        if order is not None:
            words = (
                f"means and correlations of the items of {here.measure} fit the other sites' if the"
                f" columns were {order}{doubt}"
            )
            yield Finding("items-in-other-order", site, words, here.measure)
            continue
        for i, j in _pairs(own, reference):
            words = _words_for(here.measure, items, own, reference, i, j)
            yield Finding("items-exchanged", site, words + doubt, here.measure, items[i])


def _copies(here: Forms) -> bool:
    r = here.pairs.r
    return bool(r[~np.eye(len(r), dtype=bool)].mean() > COPIES)


def _whole_order(own: _Profile, reference: _Profile) -> str | None:
    """Return the order that software makes, if the columns fit it far better than the form's."""
    k = len(own.mean)
    straight = _misfit(own, reference, np.arange(k))
    best, found = max(EXCHANGED_FROM, EXPLAINED * (straight - _by_chance(k))), None
    for name, order in _orders(k).items():
        gain = straight - _misfit(own, reference, order)
        if gain > best:
            best, found = gain, name
    return found


def _by_chance(k: int) -> float:
    """Return the misfit of k items to be expected where nothing is wrong."""
    return k + SHARED * k * (k - 1) / 2


def _pairs(own: _Profile, reference: _Profile) -> Iterator[tuple[int, int]]:
    """Yield the pairs of items that are exchanged, each item once, the clearest first."""
    k = len(own.mean)
    numbers = np.arange(k)
    straight = _misfit(own, reference, numbers)
    gains = []
    for i, j in combinations(range(k), 2):
        order = numbers.copy()
        order[[i, j]] = j, i
        gains.append((straight - _misfit(own, reference, order), i, j))
    used: set[int] = set()
    left = straight - _by_chance(k)
    for gain, i, j in sorted(gains, reverse=True):
        if gain > max(EXCHANGED_FROM, EXPLAINED * left) and not {i, j} & used:
            used |= {i, j}
            left -= gain
            yield i, j


def _misfit(own: _Profile, reference: _Profile, order: np.ndarray) -> float:
    """Return the squared standardised distance, were own item p really item order[p] (from 0)."""
    v = own.mean_var + reference.mean_var + 2 * TRUE_DIFFERENCE**2
    w = own.r_var + reference.r_var + 2 * TRUE_DIFFERENCE_R**2
    means = ((own.mean - reference.mean[order]) ** 2 / v).sum()
    above = np.triu_indices(len(order), 1)
    distance = (own.r - reference.r[np.ix_(order, order)]) ** 2 / w
    return float(means + SHARED * distance[above].sum())


def _words_for(
    measure: str, items: list[int], own: _Profile, reference: _Profile, i: int, j: int
) -> str:
    first, second = items[i], items[j]
    rest = [k for k in range(len(items)) if k not in (i, j)]
    unlike = np.sqrt(np.mean((own.r[i, rest] - reference.r[i, rest]) ** 2))
    like = np.sqrt(np.mean((own.r[i, rest] - reference.r[j, rest]) ** 2))
    return (
        f"items {first} and {second} of {measure} fit the other sites' items {second} and {first}:"
        f" means of {own.mean[i]:+.2f} and {own.mean[j]:+.2f} of the scale's range from the form's"
        f" own mean (elsewhere {reference.mean[i]:+.2f} and {reference.mean[j]:+.2f}); correlations"
        f" of item {first} with the others differ by {like:.2f} if exchanged, {unlike:.2f} if not"
    )


class _Profile:
    """Means of items within the form (in ranges) and their correlations, with variances."""

    def __init__(
        self, mean: np.ndarray, mean_var: np.ndarray, r: np.ndarray, r_var: np.ndarray
    ) -> None:
        self.mean, self.mean_var, self.r, self.r_var = mean, mean_var, r, r_var

    @classmethod
    def of(cls, forms: Forms, items: list[int]) -> _Profile:
        position = forms.position[:, np.array(items) - 1]
        within = position - answered_mean(position, axis=1)[:, None]
        starts = client_starts(forms.client)
        answered = ~np.isnan(within)
        sums = np.add.reduceat(np.where(answered, within, 0.0), starts, axis=0)
        counts = np.add.reduceat(answered, starts, axis=0, dtype=float)
        mean = sums.sum(axis=0) / counts.sum(axis=0)
        c = len(starts)
        residual = (sums - counts * mean) / counts.sum(axis=0)
        at = np.array([forms.items.index(i) for i in items])
        return cls(
            mean, (residual**2).sum(axis=0) * c / (c - 1),
            forms.pairs.r[np.ix_(at, at)], forms.pairs.se[np.ix_(at, at)] ** 2,
        )  # fmt: skip

    @classmethod
    def median(cls, others: list[Forms], items: list[int]) -> _Profile:
        profiles = [cls.of(other, items) for other in others]
        n = len(profiles)
        return cls(
            np.median([p.mean for p in profiles], axis=0),
            np.mean([p.mean_var for p in profiles], axis=0) / n,
            np.median([p.r for p in profiles], axis=0),
            np.mean([p.r_var for p in profiles], axis=0) / n,
        )


def other_orders(forms: BySite) -> Iterator[Finding]:
    """Yield sites whose items fit their subscales far better in another order."""
    for site, here in forms.items():
        if not here.enough or len(here.items) > MOST_ITEMS or _copies(here):
            continue
        groups = subscales(here)
        if len(set(groups)) < 2 or len(here.items) < here.instrument.n_items:
            continue
        best: tuple[float, str, float, float] | None = None
        for name, order in _orders(here.instrument.n_items).items():
            moved = groups[order]
            value, se = here.pairs.contrast(contrast_weights(moved) - contrast_weights(groups))
            if se > 0 and value > FAR * se and (best is None or value > best[0]):
                own, _ = here.pairs.contrast(contrast_weights(groups))
                best = value, name, own, own + value
        if best is not None:
            _, name, own, other = best
            words = (
                f"in the declared order, items of {here.measure} correlate {signed(own)} more with"
                f" their own subscale than with the others; {name}, {signed(other)} more"
            )
            yield Finding("items-in-other-order", site, words, here.measure)


def subscales(forms: Forms) -> np.ndarray:
    """Return for each of `forms.items` the number of the one subscale it belongs to, else -1."""
    listed = [
        {i for i in score.items if isinstance(i, int)}
        for score in forms.instrument.scores
        if score.items and len(score.items) < len(forms.items) and len(score.items) >= 2
    ]
    groups = []
    for item in forms.items:
        own = [g for g, members in enumerate(listed) if item in members]
        groups.append(own[0] if len(own) == 1 else -1)
    return np.array(groups)


def contrast_weights(groups: np.ndarray, signs: np.ndarray | None = None) -> np.ndarray:
    """Return weights (k, k): mean correlation within groups less that between them.

    `signs` turns items round. Items of no group (-1) carry no weight.
    """
    same = (groups[:, None] == groups) & (groups[:, None] >= 0)
    np.fill_diagonal(same, False)
    other = (groups[:, None] != groups) & (groups[:, None] >= 0) & (groups >= 0)
    weights = same / max(same.sum(), 1) - other / max(other.sum(), 1)
    return np.asarray(weights if signs is None else weights * np.outer(signs, signs))


def _orders(n: int) -> dict[str, np.ndarray]:
    """Return the orders that software makes of n columns: at p stands item order[p] (from 0)."""
    numbers = np.arange(n)
    alphabetical = np.array(sorted(numbers, key=lambda i: str(i + 1)))
    return {
        "read in alphabetical order (1, 10, 11, 12, 2 ...)": alphabetical,
        "read backwards": numbers[::-1],
        "read one column further left": np.roll(numbers, 1),
        "read one column further right": np.roll(numbers, -1),
    }


def exchanged_raters(measures: dict[str, BySite], n_sessions: dict[str, int]) -> Iterator[Finding]:
    """Yield sites where the forms of two raters changed places, judged by the other sites.

    `n_sessions` is the number of sessions at each site.
    """
    for one, other in combinations(sorted(measures), 2):
        first, second = measures[one], measures[other]
        if not first or not second:
            continue
        a, b = next(iter(first.values())).instrument, next(iter(second.values())).instrument
        if a.n_items != b.n_items or a.range_of(1) != b.range_of(1) or a.rater == b.rater:
            continue
        sites = [s for s in first if s in second and first[s].enough and second[s].enough]
        for site in sites if len(sites) >= 2 else []:
            others = [s for s in sites if s != site]
            gain = _rater_gain(site, others, first, second, n_sessions)
            if gain > EXCHANGED_FROM:
                here = [len(m[site].raw) / n_sessions[site] for m in (first, second)]
                there = [
                    float(np.median([len(m[s].raw) / n_sessions[s] for s in others]))
                    for m in (first, second)
                ]
                words = (
                    f"{one} and {other} look exchanged: forms at {here[0]:.0%} and {here[1]:.0%} of"
                    f" the sessions (elsewhere {there[0]:.0%} and {there[1]:.0%}), and means of"
                    " items that fit the other rater's"
                )
                words += "" if len(sites) > 2 else "; with two sites it cannot be told at which"
                yield Finding("raters-exchanged", site, words, one)


def _rater_gain(
    site: str, others: list[str], first: BySite, second: BySite, n_sessions: dict[str, int]
) -> float:
    """Return how much better a site's two measures fit the other sites' once exchanged."""
    items = [
        i for i in first[site].items if all(i in m[s].items for m in (first, second)
                                            for s in [site, *others])
    ]  # fmt: skip
    own = [_Profile.of(m[site], items) for m in (first, second)]
    reference = [_Profile.median([m[s] for s in others], items) for m in (first, second)]
    gain = 0.0
    for a in (0, 1):
        v = own[a].mean_var + reference[a].mean_var + 2 * (2 * TRUE_DIFFERENCE) ** 2
        gain += ((own[a].mean - reference[a].mean) ** 2 / v).sum()
        gain -= ((own[a].mean - reference[1 - a].mean) ** 2 / v).sum()
    # ASSUME how often a form is given differs truly between sites with an SD of 0.7 log odds.
    odds = [
        [_log_odds(len(m[s].raw), n_sessions[s]) for s in [site, *others]] for m in (first, second)
    ]
    here = np.array([o[0] for o in odds])
    there = np.array([np.median(o[1:]) for o in odds])
    gain += (((here - there) ** 2 - (here - there[::-1]) ** 2) / (2 * 0.7**2)).sum()
    return float(gain)


def _log_odds(count: int, of: int) -> float:
    return float(np.log((count + 0.5) / (max(of - count, 0) + 0.5)))
