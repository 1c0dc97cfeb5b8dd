"""The four factor models of measurement invariance, over groups or over sessions.

Steps (Meredith 1993; Vandenberg & Lance 2000), each with what the one before holds equal:
configural (same items on the same factors), metric (loadings), scalar (intercepts), strict
(residual variances). Scale: in the first group or session a factor has mean 0 and variance 1; in
the others its variance is free once loadings are equal and its mean once intercepts are. So no item
is singled out as a marker that would have to be invariant.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from alliance.sem import Covariance, Mean, Model, Path
from alliance.sem.description import Entry

STEPS = ("configural", "metric", "scalar", "strict")
HELD_EQUAL = {"metric": "loading", "scalar": "intercept", "strict": "residual variance"}
"""What a step holds equal beyond the one before it."""

Released = frozenset[tuple[str, str]]
"""Pairs (what, item) that are let differ although the step holds them equal."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Which items measure what, and where they are compared.

    Attributes
    ----------
    factors : mapping
        Factor to its items.
    blocks : tuple of str
        Groups or sessions; the first one sets the scale.
    over_sessions : bool
        Sessions are columns of one model; groups are models of their own.
    """

    factors: Mapping[str, tuple[str, ...]]
    blocks: tuple[str, ...]
    over_sessions: bool

    @property
    def items(self) -> tuple[str, ...]:
        """Items in order of first mention."""
        return tuple(dict.fromkeys(item for items in self.factors.values() for item in items))

    def column(self, item: str, block: str) -> str:
        """Return an item's name in the model of a block."""
        return f"{item} @{block}" if self.over_sessions else item


def models_of(layout: Layout, step: str, released: Released = frozenset()) -> dict[str, Model]:
    """Return the model of each group, or the one model of all sessions (under the name '').

    Parameters
    ----------
    layout
        Items, factors and blocks.
    step
        One of STEPS.
    released
        What may differ although the step holds it equal.
    """
    parts = {block: list(_entries(layout, block, step, released)) for block in layout.blocks}
    if not layout.over_sessions:
        return {
            block: Model(layout.items, tuple(layout.factors), tuple(entries))
            for block, entries in parts.items()
        }
    entries = [entry for block in layout.blocks for entry in parts[block]]
    for first, second in combinations(layout.blocks, 2):
        # ASSUME what an item measures beside its factor may stay from session to session:
        # the residuals of one item are correlated over sessions.
        entries += [
            Covariance(layout.column(item, first), layout.column(item, second))
            for item in layout.items
        ]
        entries += [
            Covariance(layout.column(a, first), layout.column(b, second))
            for a in layout.factors
            for b in layout.factors
        ]
    observed = tuple(layout.column(i, block) for block in layout.blocks for i in layout.items)
    latent = tuple(layout.column(f, block) for block in layout.blocks for f in layout.factors)
    return {"": Model(observed, latent, tuple(entries))}


def _entries(layout: Layout, block: str, step: str, released: Released) -> Iterator[Entry]:
    level = STEPS.index(step)
    first = block == layout.blocks[0]

    def name(thing: str) -> str:
        return layout.column(thing, block)

    def label(what: str, thing: str, item: str, from_step: str) -> str:
        shared = level >= STEPS.index(from_step) and (what, item) not in released
        return f"{what} {thing}" if shared else f"{what} {thing} [{block}]"

    for factor, items in layout.factors.items():
        for item in items:
            equal = label("loading", f"{factor} -> {item}", item, "metric")
            yield Path(name(factor), name(item), label=equal)
        scaled = first or level < STEPS.index("metric")
        yield Covariance(name(factor), name(factor), fixed=1.0 if scaled else None)
        if not first and level >= STEPS.index("scalar"):
            yield Mean(name(factor))
    for a, b in combinations(layout.factors, 2):
        yield Covariance(name(a), name(b))
    for item in layout.items:
        yield Mean(name(item), label=label("intercept", item, item, "scalar"))
        equal = label("residual variance", item, item, "strict")
        yield Covariance(name(item), name(item), label=equal)


def releasable(layout: Layout, step: str, released: Released) -> Sequence[tuple[str, str]]:
    """Return what may still be released at a step: two items a factor stay equal."""
    what = HELD_EQUAL[step]
    out = []
    for item in layout.items:
        if (what, item) in released:
            continue
        rests_on = [items for items in layout.factors.values() if item in items]
        if all(sum((what, i) not in released for i in items) > 2 for items in rests_on):
            out.append((what, item))
    return out
