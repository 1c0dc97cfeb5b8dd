"""The question of a fit with several outcomes, read as one question per outcome.

Every outcome has a model of its own in the words of `alliance.mixed.specification`; what joins them
is one covariance over all random effects of a level and one residual covariance per row of the
data. In the parsed terms each term of outcome k begins with an atom that picks that outcome.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from alliance.errors import FitError
from alliance.mixed.outcomes import outcome_atom
from alliance.mixed.specification import (
    ParsedTerms,
    Reliability,
    Specification,
    check_specification,
)
from alliance.mixed.terms import OUTCOME

COURSES = ("var1", "cvar1")
"""Residuals of several outcomes that act on each other over time."""

Terms = Sequence[str] | Mapping[str, Sequence[str]]
"""Terms that all outcomes share, or terms by outcome."""


def only_outcome(
    outcome: str | Sequence[str], fixed: Terms, random: Mapping[str, Terms]
) -> tuple[str, Sequence[str], Mapping[str, Sequence[str]]]:
    """Read a list of one outcome as that outcome, whose model is the ordinary one."""
    if not isinstance(outcome, str) and not len(outcome):
        raise FitError("outcome must name a column, or a list of columns.")
    name = outcome if isinstance(outcome, str) else outcome[0]
    if isinstance(fixed, Mapping):
        fixed = _own(fixed, name)
    own = (
        {level: _own(terms, name) for level, terms in random.items()}
        if isinstance(random, Mapping)
        else random
    )
    return name, fixed, own


def check_several(
    data: pd.DataFrame,
    outcomes: Sequence[str],
    fixed: Terms,
    random: Mapping[str, Terms],
    reliability: Reliability | None = None,
    **options: Any,
) -> tuple[Specification, ParsedTerms]:
    """Check the names, options and terms of every outcome; every problem in one pass.

    Raises
    ------
    FitError
        Lists all problems.
    """
    names = list(outcomes)
    problems = [
        *_name_problems(names),
        *_option_problems(data, options),
        *_reliability_problems(names, options["residual"], reliability),
    ]
    if isinstance(data, pd.DataFrame) and OUTCOME in data.columns:
        problems.append(f"The engine needs the column name '{OUTCOME}' for itself. Rename it.")
    unknown = [
        f"'{name}'"
        for terms in (fixed, *(random.values() if isinstance(random, Mapping) else ()))
        if isinstance(terms, Mapping)
        for name in terms
        if name not in names
    ]
    if unknown:
        problems.append(
            f"Terms are given for {', '.join(dict.fromkeys(unknown))}, which is not among the "
            "outcomes. Name the outcomes exactly as in the list."
        )
    plain = dict(options, residual="iid", residual_time=None, residual_by=None)
    single: list[tuple[Specification, ParsedTerms]] = []
    for name in dict.fromkeys(names):
        own = _own_random(random, name)
        try:
            if isinstance(random, Mapping) and random and not own:
                raise FitError("It has no random effects at any level; give it at least one.")
            single.append(check_specification(data, name, _own(fixed, name), own, **plain))
        except FitError as error:
            problems += [f"Outcome '{name}': {line}" for line in str(error).split("\n")]
    for (specification, parsed), name in zip(single, names, strict=False):
        others = {atom.column for atom in parsed.atoms} & set(names)
        problems += [
            f"Outcome '{name}': '{other}' is an outcome too and cannot also be a predictor; use an "
            "earlier value of it, in a column of its own."
            for other in sorted(others - {specification.outcome})
        ]
    if problems:
        raise FitError("\n".join(dict.fromkeys(problems)))
    return _joined(names, random, single, reliability, options)


def _name_problems(names: list[str]) -> list[str]:
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    return [f"The outcome '{name}' is named twice." for name in twice]


def _option_problems(data: pd.DataFrame, options: Mapping[str, str | None]) -> list[str]:
    problems = []
    residual, time = options["residual"], options["residual_time"]
    if residual in ("ar1", "car1"):
        problems.append(
            f"residual={residual!r} is for one outcome. With several outcomes use "
            f"residual={'var1' if residual == 'ar1' else 'cvar1'!r}: then the residual of every "
            "outcome acts on the next one of each."
        )
    elif residual not in COURSES:
        if residual != "iid":
            problems.append(f"residual must be one of iid, {', '.join(COURSES)}.")
        if time is not None:
            problems.append("residual_time is given, but residual='iid' has no use for a time.")
        if options["residual_by"] is not None:
            problems.append(
                "residual_by cannot be combined with several outcomes and independent rows: every "
                "outcome has one residual variance. Leave it out, or fit each outcome on its own."
            )
        return problems
    elif time is None:
        problems.append(f"residual={residual!r} needs residual_time, a column of times.")
    if options["df"] == "kenward-roger":
        problems.append(
            "Kenward-Roger degrees of freedom are available for independent residuals; use "
            f"df='satterthwaite' with {residual}."
        )
    problems += [
        f"The data have no column '{options[role]}' (named as {role})."
        for role in ("residual_time", "residual_by")
        if options[role] is not None
        and isinstance(data, pd.DataFrame)
        and options[role] not in data.columns
    ]
    return problems


def _reliability_problems(
    names: list[str], residual: str | None, reliability: Reliability | None
) -> list[str]:
    if reliability is None:
        return []
    if residual not in COURSES:
        return ["reliability needs residual='var1' or 'cvar1'."]
    if isinstance(reliability, str):
        known = reliability == "free"
        return [] if known else ["reliability must be 'free' or a mapping of outcome to a share."]
    problems = [
        f"A reliability is given for '{name}', which is not among the outcomes."
        for name in reliability
        if name not in names
    ]
    return problems + [
        f"The reliability of '{name}' must be above 0 and at most 1."
        for name, share in reliability.items()
        if not 0.0 < share <= 1.0
    ]


def _own(terms: Terms, name: str) -> Sequence[str]:
    """Terms of one outcome."""
    return terms.get(name, ()) if isinstance(terms, Mapping) else terms


def _own_random(random: Mapping[str, Terms], name: str) -> dict[str, Sequence[str]]:
    """Random terms of one outcome, at the levels where it has some."""
    if not isinstance(random, Mapping):
        return {}
    own = {level: _own(terms, name) for level, terms in random.items()}
    return {
        level: terms
        for level, terms in own.items()
        if len(terms) or not isinstance(random[level], Mapping)
    }


def _joined(
    names: list[str],
    random: Mapping[str, Terms],
    single: list[tuple[Specification, ParsedTerms]],
    reliability: Reliability | None,
    options: Mapping[str, str | None],
) -> tuple[Specification, ParsedTerms]:
    """Put the models of all outcomes side by side, terms outcome by outcome."""
    parsed = ParsedTerms([], [[] for _ in random])
    fixed: list[str] = []
    effects: dict[str, list[str]] = {level: [] for level in random}
    for place, (name, (specification, own)) in enumerate(zip(names, single, strict=True)):
        pick = outcome_atom(place)
        fixed += [f"{name}: {term}" for term in specification.fixed]
        parsed.fixed.extend((pick, *term) for term in own.fixed)
        for (level, terms), atoms in zip(specification.random, own.random, strict=True):
            effects[level] += [f"{name}: {term}" for term in terms]
            parsed.random[list(random).index(level)].extend((pick, *term) for term in atoms)
    known = {level: names for own, _ in single for level, names in own.level_columns.items()}
    first = single[0][0]
    return (
        Specification(
            ", ".join(names),
            tuple(fixed),
            tuple((level, tuple(terms)) for level, terms in effects.items()),
            {level: known.get(level, (level,)) for level in effects},
            residual=options["residual"],  # type: ignore[arg-type]
            residual_time=options["residual_time"],
            residual_by=options["residual_by"],
            method=first.method,
            df=first.df,
            outcomes=tuple(names),
            reliability=reliability,
        ),
        parsed,
    )
