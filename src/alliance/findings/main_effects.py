"""Lay beside each main effect the same effect asked otherwise: choices, sites, one group left out.

Nothing is computed: the lowest and the highest are picked from what the fits say.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from alliance.families.facts import Estimator
from alliance.families.fit import USABLE
from alliance.families.registry import that_are
from alliance.findings.fields import Field
from alliance.findings.leading import leading_models

# What reaches the same session, or the one after the next, is another effect than the one reported.
OTHER_QUESTIONS = (
    Estimator.SAME_SESSION,
    Estimator.TWO_SESSIONS_LATER,
    Estimator.NEXT_SESSION,
)


@dataclass(frozen=True, slots=True)
class Spread:
    """Other values of one effect.

    Attributes
    ----------
    low, high
        The lowest and the highest of them, as they are printed.
    format
        How they are printed; empty for the rounding of the effect itself.
    signed
        All of them on the scale on which zero is no effect.
    """

    low: Field
    high: Field
    format: str
    signed: tuple[Field, ...]

    def turns(self, entry: Field) -> bool:
        """Whether one of them has another sign than the entry that they are laid beside."""
        signs = [value.raw > 0 for value in (entry["estimate"], *self.signed)]
        return any(signs) and not all(signs)


@dataclass(frozen=True, slots=True)
class Effect:
    """A main effect and what becomes of it when it is asked otherwise.

    Attributes
    ----------
    fit, entry
        The model and its estimate; `entry` is None where the model gave none.
    is_first
        Whether it is the first effect of its model.
    choices, sites, therapists
        Under other choices of the analysis, at single sites, without single therapists; None where
        that was not asked or not possible.
    """

    fit: Field
    entry: Field | None
    is_first: bool
    choices: Spread | None = None
    sites: Spread | None = None
    therapists: Spread | None = None

    def turned_by(self, kind: str) -> bool | None:
        """Whether a kind (`choices`, `sites`, `therapists`) turns its sign.

        None if that was not asked, or cannot be: an effect whose own interval holds zero has no
        sign to turn.
        """
        spread: Spread | None = getattr(self, kind)
        if spread is None or self.entry is None or _holds_zero(self.entry):
            return None
        return spread.turns(self.entry)


def _holds_zero(entry: Field) -> bool:
    low, high = entry["ci_low"].raw, entry["ci_high"].raw
    return low is None or high is None or low <= 0 <= high


def main_effects(fits: Sequence[Field]) -> list[Effect]:
    """Return the main effects of the models that answer the first screen's questions, in order.

    A model of several ends at once tells of dropout what the model of dropout alone tells, so it
    leads only where there is no such model.
    """
    leading = leading_models([fit.raw for fit in fits])
    asked = [fit for fit in fits if fit["model"].raw in leading]
    told_alone = {fit["family"].raw for fit in asked if not _has_several_ends(fit)}
    asked = [f for f in asked if not (_has_several_ends(f) and f["family"].raw in told_alone)]
    return [effect for fit in asked for effect in _effects_of(fit, fits)]


def _has_several_ends(fit: Field) -> bool:
    return bool(fit["engine"]["estimator"]["code"].raw == Estimator.MULTINOMIAL_LOGIT)


def _effects_of(fit: Field, fits: Sequence[Field]) -> list[Effect]:
    entries = fit["estimates"].where(role="main")
    if fit["status"].raw not in USABLE or not entries:
        return [Effect(fit, None, is_first=True)]
    about_it = [
        other
        for other in fits
        if other["about"].raw == fit["model"].raw and other["status"].raw in USABLE
    ]
    return [
        Effect(
            fit,
            entry,
            is_first=position == 0,
            choices=_choices(about_it, entry) or _same_link(fits, fit, entry),
            sites=_sites(about_it, entry),
            therapists=_therapists(fit, entry),
        )
        for position, entry in enumerate(entries)
    ]


def _choices(about_it: Sequence[Field], entry: Field) -> Spread | None:
    """Return the spread over other choices under which the same question was asked."""
    return _spread(
        other
        for fit in about_it
        if fit["family"].raw in that_are("other_choices")
        for other in fit["estimates"].where(level=entry["level"].raw)
        if other["estimator"]["code"].raw not in OTHER_QUESTIONS
    )


def _same_link(fits: Sequence[Field], own: Field, entry: Field) -> Spread | None:
    """Return the spread over other models of the same link, and over their other choices."""
    wanted = entry["link"].raw if "link" in entry else ""
    usable = [fit for fit in fits if wanted and fit["status"].raw in USABLE and fit is not own]
    same = {
        fit["model"].raw: other
        for fit in usable
        for other in fit["estimates"]
        if "link" in other and other["link"].raw == wanted
    }
    return _spread(
        [
            *same.values(),
            *(
                other
                for fit in usable
                if fit["about"].raw in same and fit["family"].raw in that_are("other_choices")
                for other in fit["estimates"].where(level=same[fit["about"].raw]["level"].raw)
                if other["estimator"]["code"].raw not in OTHER_QUESTIONS
            ),
        ]
    )


def _sites(about_it: Sequence[Field], entry: Field) -> Spread | None:
    return _spread(
        site
        for fit in about_it
        for site in fit["companions"].where(term=entry["term"].raw)
        if site["estimator"]["code"].raw == Estimator.SITE_ALONE
    )


def _therapists(fit: Field, entry: Field) -> Spread | None:
    """Return the lowest and the highest estimate when one therapist is left out."""
    if "diagnostics" not in fit or fit["diagnostics"].raw is None:
        return None
    effects = fit["diagnostics"]["influence"]["effects"]
    for effect in effects.where(term=entry["term"].raw, left_out="therapist"):
        ends = (effect["lowest"], effect["highest"])
        return Spread(*ends, "exp" if entry["ratio"].raw is not None else "", ends)
    return None


def _spread(found: Iterable[Field]) -> Spread | None:
    entries = [entry for entry in found if entry["estimate"].raw is not None]
    if not entries:
        return None
    entries.sort(key=lambda entry: entry["estimate"].raw)
    of = "ratio" if entries[0]["ratio"].raw is not None else "estimate"
    signed = tuple(entry["estimate"] for entry in entries)
    return Spread(entries[0][of], entries[-1][of], "ratio" if of == "ratio" else "", signed)
