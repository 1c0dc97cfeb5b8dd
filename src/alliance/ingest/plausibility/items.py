"""Single items: turned round, unrelated, the same throughout, never answered, exchanged."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from alliance.ingest.plausibility.association import answered_mean
from alliance.ingest.plausibility.finding import Finding, signed
from alliance.ingest.plausibility.forms import LEAST_CLIENTS, LEAST_FORMS, BySite, Forms

# One item in some 2,000 of sound forms whose true correlation were 0 would be called turned round;
# in sound forms it is far above 0.
ALPHA = 0.0005
# ASSUME below this an item hardly goes with its form, and forms whose items typically go together
# less than this have no common direction to judge an item by.
HARDLY, HOLDS_TOGETHER = 0.15, 0.25
# Some items are weak in sound data too (weight loss in the BDI, insight in the HAM-D). Where there
# is no other site to go by, one is told of only below this share of what the others have.
HARDLY_ALONE = 0.2
# A difference of so many standard errors: 1 in 15,000 by chance.
FAR = 4.0
# An item is called constant if nobody's answer differs, over so many clients and forms.
CONSTANT_CLIENTS, CONSTANT_FORMS = LEAST_CLIENTS, LEAST_FORMS


def odd_items(forms: BySite) -> Iterator[Finding]:
    """Yield items that go against the others, with none of them, or are always the same."""
    for site, here in forms.items():
        constant = _constant(here)
        for item in constant:
            yield Finding(
                "item-constant", site,
                f"item {item} of {here.measure} has one and the same answer in all"
                f" {int((~np.isnan(here.raw[:, item - 1])).sum()):,} forms",
                here.measure, item,
            )  # fmt: skip
        yield from _never_answered(site, forms)
        if here.enough:
            yield from _against_the_others(site, forms)


def _constant(here: Forms) -> list[int]:
    """Return items of which every answer is the same while those of most others differ."""
    if here.n_clients < CONSTANT_CLIENTS:
        return []
    answered = ~np.isnan(here.raw)
    count = answered.sum(axis=0)
    lowest = np.where(answered, here.raw, np.inf).min(axis=0)
    highest = np.where(answered, here.raw, -np.inf).max(axis=0)
    is_constant = (lowest == highest) & (count >= CONSTANT_FORMS)
    if is_constant.sum() * 2 > here.raw.shape[1]:
        return []  # the whole form is: another rule's business
    # ASSUME a rare complaint (suicidal thoughts) may truly be absent: the symptom's lowest answer
    # throughout is no wonder where the others are low as well.
    at_floor = (here.instrument.direction == "higher-is-worse") & (
        lowest == here.instrument.minimum
    )
    rare = bool((answered_mean(here.position[:, ~is_constant].ravel(), axis=0) < 0.25).all())
    return [int(i) + 1 for i in np.flatnonzero(is_constant & ~(at_floor & rare))]


def _never_answered(site: str, forms: BySite) -> Iterator[Finding]:
    here = forms[site]
    if len(here.raw) < LEAST_FORMS:
        return
    count = (~np.isnan(here.raw)).sum(axis=0)
    scored = [i for i in range(1, len(count) + 1) if i not in here.instrument.unscored]
    empty = [i for i in scored if count[i - 1] == 0]
    if not empty or len(empty) == len(scored):
        return
    for item in empty:
        elsewhere = [
            f"{np.mean(~np.isnan(other.raw[:, item - 1])):.0%}"
            for name, other in forms.items()
            if name != site and len(other.raw) >= LEAST_FORMS
        ]
        told = f" ({' and '.join(elsewhere)} answered elsewhere)" if elsewhere else ""
        yield Finding(
            "item-never-answered", site,
            f"item {item} of {here.measure} is unanswered in all {len(here.raw):,} forms{told}",
            here.measure, item,
        )  # fmt: skip


def _against_the_others(site: str, forms: BySite) -> Iterator[Finding]:
    here = forms[site]
    own = here.item_rest
    upper = own.upper(ALPHA)
    for at, item in enumerate(here.items):
        r, se = own.r[at], own.se[at]
        if np.isnan(r) or se == 0:
            continue
        typical = float(np.nanmedian(np.delete(own.r, at)))
        there = _elsewhere(site, item, forms)
        is_lower = there is not None and there[0] - r > FAR * np.hypot(se, there[1])
        words = f"item {item} of {here.measure} correlates {signed(r)} with the rest of the form at"
        words += f" this site (the other items typically {signed(typical)}"
        words += f"; elsewhere {signed(there[0])})" if there is not None else ")"
        turned = upper[at] < 0 or (is_lower and r < -0.05)
        # With forms of other sites to go by, an item must be out of line with them; without, far
        # out of line with its neighbours.
        if there is not None:
            unrelated = is_lower and r < min(HARDLY, 0.5 * there[0])
        else:
            unrelated = typical - r > FAR * se and r < HARDLY_ALONE * typical
        if typical < HOLDS_TOGETHER and not (there is not None and there[0] > HOLDS_TOGETHER):
            continue
        if turned:
            yield Finding("item-turned-round", site, words, here.measure, item)
        elif unrelated:
            yield Finding("item-unrelated", site, words, here.measure, item)


def _elsewhere(site: str, item: int, forms: BySite) -> tuple[float, float] | None:
    """Return an item's median correlation at the other sites, and its standard error."""
    found = []
    for name, other in forms.items():
        if name != site and other.enough and item in other.items:
            at = other.items.index(item)
            if not np.isnan(other.item_rest.r[at]):
                found.append((other.item_rest.r[at], other.item_rest.se[at]))
    if not found:
        return None
    r, se = np.array(found).T
    return float(np.median(r)), float(np.sqrt((se**2).sum()) / len(se))
