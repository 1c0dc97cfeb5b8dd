"""The wrong version or the wrong key of an instrument.

Two ways to see it: a key that names itself like one of the project's own and yet scores other items
(certain, no data needed), and answers whose items go together as another form's key says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from alliance.config.instruments import Instrument
from alliance.ingest.plausibility.exchanged import FAR, MOST_ITEMS, contrast_weights, subscales
from alliance.ingest.plausibility.finding import Finding, listed, signed
from alliance.ingest.plausibility.forms import BySite, Forms

# A better fit than by this much (difference of mean correlations) is worth a word.
BETTER_BY = 0.02


def differing_keys(
    measures: Mapping[str, BySite], known: Mapping[str, Instrument]
) -> Iterator[Finding]:
    """Yield the measures whose key contradicts the project's own key of the same form.

    `known` are the project's own keys by id.
    """
    for measure, forms in measures.items():
        for site, here in forms.items():
            own = here.instrument
            for other in _same_form(own, known):
                told = _differences(own, other)
                if told:
                    yield Finding(
                        "key-differs", site,
                        f"{own.id} calls itself {own.abbreviation} and differs from the project's"
                        f" own key {other.id}: {'; '.join(told)}",
                        measure,
                    )  # fmt: skip


def _same_form(own: Instrument, known: Mapping[str, Instrument]) -> list[Instrument]:
    """Return the project's keys of the same form: same length, rater and name or reference."""
    doi = _doi(own)
    return [
        other
        for other in known.values()
        if other.id != own.id
        and other.n_items == own.n_items
        and other.rater == own.rater
        and (other.abbreviation.casefold() == own.abbreviation.casefold()
             or (doi is not None and doi == _doi(other)))
    ]  # fmt: skip


def _doi(instrument: Instrument) -> str | None:
    reference = instrument.definition.get("reference") or {}
    doi = reference.get("doi")
    return str(doi).casefold() if doi else None


def _differences(own: Instrument, other: Instrument) -> list[str]:
    told = []
    theirs = {score.name: score for score in other.scores}
    for score in own.scores:
        if score.name in theirs and set(score.items) != set(theirs[score.name].items):
            told.append(
                f"{score.name} of {listed(_flat(score.items))}"
                f" (there {listed(_flat(theirs[score.name].items))})"
            )
    if set(own.reverse) != set(other.reverse):
        told.append(
            f"reversed {listed(sorted(own.reverse)) if own.reverse else 'no item'} (there"
            f" {listed(sorted(other.reverse)) if other.reverse else 'none'})"
        )
    if own.range_of(1) != other.range_of(1):
        lowest, highest = own.range_of(1)
        there = "{:g} to {:g}".format(*other.range_of(1))
        told.append(f"answers from {lowest:g} to {highest:g} (there {there})")
    return told


def _flat(items: tuple[int | tuple[int, ...], ...]) -> list[int]:
    return sorted(i for item in items for i in (item if isinstance(item, tuple) else (item,)))


def keys_of_other_forms(forms: BySite, known: Mapping[str, Instrument]) -> Iterator[Finding]:
    """Yield sites whose answers go together as the key of another form says."""
    for site, here in forms.items():
        instrument = here.instrument
        if not here.enough or len(here.items) < instrument.n_items or len(here.items) > MOST_ITEMS:
            continue
        structure = contrast_weights(subscales(here))
        if not structure.any():
            continue
        k = len(here.items)
        everything = (1 - np.eye(k)) / (k * (k - 1))
        own = structure + everything
        best: tuple[float, Instrument] | None = None
        for other in known.values():
            if not _is_rival(instrument, other):
                continue
            theirs = _weights(here, other, everything)
            value, se = here.pairs.contrast(theirs - own)
            if value > max(FAR * se, BETTER_BY) and (best is None or value > best[0]):
                best = value, other
        if best is not None:
            _, other = best
            words = (
                f"{_fit(here, instrument)} by the key {instrument.id}, {_fit(here, other)} by the"
                f" key {other.id}"
            )
            yield Finding("key-of-another-form", site, words, here.measure)


def _is_rival(own: Instrument, other: Instrument) -> bool:
    return (
        other.id != own.id
        and other.n_items == own.n_items
        and other.construct == own.construct
        and _partition(other) != _partition(own)
    )


def _partition(instrument: Instrument) -> tuple[frozenset[frozenset[int]], frozenset[int]]:
    groups = frozenset(frozenset(_flat(score.items)) for score in instrument.scores if score.items)
    return groups, frozenset(instrument.reverse)


def _weights(here: Forms, other: Instrument, everything: np.ndarray) -> np.ndarray:
    """Return the weights of another key's fit, on the correlations of items keyed by our own.

    The fit is the mean correlation of all items (in which a wrong reversal shows) plus what items
    of one subscale have more of it than items of different ones (a wrong subscale).
    """
    rival = Forms(here.site, here.measure, other, here.client, here.session, here.raw)
    turned = set(other.reverse) ^ set(here.instrument.reverse)
    signs = np.array([-1.0 if item in turned else 1.0 for item in here.items])
    structure = contrast_weights(subscales(rival), signs)
    return np.asarray(structure + everything * np.outer(signs, signs))


def _fit(here: Forms, key: Instrument) -> str:
    """Return in words how items go together by a key: within and between its subscales."""
    rival = Forms(here.site, here.measure, key, here.client, here.session, here.raw)
    turned = set(key.reverse) ^ set(here.instrument.reverse)
    signs = np.array([-1.0 if item in turned else 1.0 for item in here.items])
    r = here.pairs.r * np.outer(signs, signs)
    groups = subscales(rival)
    same = (groups[:, None] == groups) & ~np.eye(len(groups), dtype=bool)
    within = signed(float(r[same].mean())) if same.any() else "none"
    other = groups[:, None] != groups
    between = signed(float(r[other].mean())) if other.any() else "none"
    return f"items of {here.measure} correlate {within} within subscales and {between} between them"
