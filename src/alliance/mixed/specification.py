"""What the user asked for, checked against the data's columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import pandas as pd

from alliance.errors import FitError
from alliance.mixed.terms import Atom, parse_terms

ResidualKind = Literal["iid", "ar1", "car1", "var1", "cvar1"]
Reliability = Literal["free"] | Mapping[str, float]
"""Errors of measurement to be estimated, or the within-person reliability of each outcome."""

SERIAL = ("ar1", "car1", "var1", "cvar1")
"""Residuals that hang together over time."""

Method = Literal["REML", "ML"]
DegreesOfFreedom = Literal["satterthwaite", "kenward-roger", "none"]


@dataclass(frozen=True, slots=True)
class Specification:
    """A mixed model as text, before it meets the data.

    Attributes
    ----------
    outcome : str
        Name of the outcome; of several, all names joined by commas, for messages.
    fixed : tuple of str
        Terms; with several outcomes each as ``"outcome: term"``.
    random : tuple of (level, tuple of terms)
        Outermost level first; terms likewise.
    level_columns : dict of str to tuple of str
        Per level, the columns whose values together are the id of its groups.
    residual : {"iid", "ar1", "car1", "var1", "cvar1"}
    residual_time, residual_by : str or None
    method : {"REML", "ML"}
    df : {"satterthwaite", "kenward-roger", "none"}
    outcomes : tuple of str
        The outcomes, where there are several.
    reliability : "free", mapping or None
        Errors of measurement beside var1 and cvar1.
    """

    outcome: str
    fixed: tuple[str, ...]
    random: tuple[tuple[str, tuple[str, ...]], ...]
    level_columns: dict[str, tuple[str, ...]]
    residual: ResidualKind = "iid"
    residual_time: str | None = None
    residual_by: str | None = None
    method: Method = "REML"
    df: DegreesOfFreedom = "satterthwaite"
    outcomes: tuple[str, ...] = ()
    reliability: Reliability | None = None

    @property
    def levels(self) -> tuple[str, ...]:
        """Level names, outermost first."""
        return tuple(level for level, _ in self.random)

    @property
    def id_columns(self) -> list[str]:
        """Columns that hold ids, each once."""
        return list(dict.fromkeys(name for names in self.level_columns.values() for name in names))


@dataclass(frozen=True, slots=True)
class ParsedTerms:
    """Terms of the fixed part and of every level, as atoms."""

    fixed: list[tuple[Atom, ...]]
    random: list[list[tuple[Atom, ...]]]

    @property
    def atoms(self) -> list[Atom]:
        """Every atom once, random parts first (their order breaks ties in sorting rows)."""
        every = [atom for terms in [*self.random, self.fixed] for term in terms for atom in term]
        return list(dict.fromkeys(every))


def check_specification(
    data: pd.DataFrame,
    outcome: str,
    fixed: Sequence[str],
    random: Mapping[str, Sequence[str]],
    *,
    needs_levels: bool = True,
    **options: str | None,
) -> tuple[Specification, ParsedTerms]:
    """Check names and options, and read the terms; every problem in one pass.

    Raises
    ------
    FitError
        Lists all problems.
    """
    if not isinstance(data, pd.DataFrame):
        raise FitError("The data must be a pandas DataFrame.")
    problems = _twice(data)
    if isinstance(fixed, str) or not len(fixed):
        problems.append('fixed must be a list of terms such as ["1", "t"].')
    if not isinstance(random, Mapping) or (needs_levels and not random):
        problems.append(
            "random must name at least one level, outermost first, for example "
            '{"therapist": ["1"], "client": ["1", "t"]}. For a model without random effects use '
            "an ordinary regression."
        )
        random = {}
    problems += _option_problems(options)
    for role, name in [("outcome", outcome), *_named_columns(options)]:
        if name not in data.columns:
            problems.append(f"The data have no column '{name}' (named as {role}).")
    level_columns = _read_levels(random, data, problems)
    parsed = _read_terms(fixed, random, data, problems)
    problems += _outcome_among_terms(outcome, random, parsed)
    if problems:
        raise FitError("\n".join(problems))
    specification = Specification(
        outcome,
        tuple(fixed),
        tuple((level, tuple(terms)) for level, terms in random.items()),
        level_columns,
        **options,  # type: ignore[arg-type]
    )
    return specification, parsed


def _twice(data: pd.DataFrame) -> list[str]:
    if not data.columns.has_duplicates:
        return []
    twice = data.columns[data.columns.duplicated()].unique().tolist()
    return [f"Columns occur twice: {', '.join(map(repr, twice))}. Rename them."]


ALLOWED = {
    "residual": get_args(ResidualKind),
    "method": get_args(Method),
    "df": get_args(DegreesOfFreedom),
}


def _option_problems(options: Mapping[str, str | None]) -> list[str]:
    """Options that are unknown, or that do not go together."""
    problems = [
        f"{name} must be one of {', '.join(values)}."
        for name, values in ALLOWED.items()
        if options[name] not in values
    ]
    serial = options["residual"] in SERIAL
    if options["residual"] in ("var1", "cvar1"):
        problems.append(
            f"residual={options['residual']!r} is for several outcomes; with one outcome use "
            f"residual={'ar1' if options['residual'] == 'var1' else 'car1'!r}."
        )
    if serial and options["residual_time"] is None:
        problems.append(f"residual={options['residual']!r} needs residual_time, a column of times.")
    if not serial and options["residual_time"] is not None:
        problems.append("residual_time is given, but residual='iid' has no use for a time.")
    if options["df"] == "kenward-roger" and options["method"] == "ML":
        problems.append("Kenward-Roger degrees of freedom are defined for REML only.")
    if options["df"] == "kenward-roger" and serial:
        problems.append(
            "Kenward-Roger degrees of freedom are available for independent residuals; use "
            "df='satterthwaite' with ar1 or car1."
        )
    return problems


def _named_columns(options: Mapping[str, str | None]) -> list[tuple[str, str]]:
    """Columns that options name, with the option."""
    return [
        (option, str(options[option]))
        for option in ("residual_time", "residual_by")
        if options[option] is not None
    ]


def _read_levels(
    random: Mapping[str, Sequence[str]], data: pd.DataFrame, problems: list[str]
) -> dict[str, tuple[str, ...]]:
    """Columns of each level's ids: its own, or those that ``"therapist:client"`` joins."""
    columns = [str(column) for column in data.columns]
    levels: dict[str, tuple[str, ...]] = {}
    for level in random:
        if level in data.columns:
            levels[level] = (level,)
            continue
        try:
            terms = parse_terms([level], columns)
        except FitError as error:
            problems.append(f"Level '{level}': {error}")
            continue
        atoms = terms[0]
        if len(terms) > 1 or not atoms or any(atom.transform for atom in atoms):
            problems.append(
                f"Level '{level}' must be a column of ids, or several joined by ':' where ids are "
                "numbered within others, such as 'therapist:client'."
            )
            continue
        levels[level] = tuple(dict.fromkeys(atom.column for atom in atoms))
    return levels


def _read_terms(
    fixed: Sequence[str],
    random: Mapping[str, Sequence[str]],
    data: pd.DataFrame,
    problems: list[str],
) -> ParsedTerms:
    """Read the terms of the fixed part and of every level."""
    columns = [str(column) for column in data.columns]
    parsed = ParsedTerms([], [])
    try:
        parsed.fixed.extend(parse_terms(fixed, columns))
    except FitError as error:
        problems.append(str(error))
    for level, terms in random.items():
        if isinstance(terms, str) or not len(terms):
            problems.append(f'random[\'{level}\'] must be a list of terms such as ["1", "t"].')
            continue
        try:
            parsed.random.append(parse_terms(terms, columns))
        except FitError as error:
            problems.append(f"Level '{level}': {error}")
    return parsed


def _outcome_among_terms(
    outcome: str, random: Mapping[str, Sequence[str]], parsed: ParsedTerms
) -> list[str]:
    roles = [
        ("fixed", parsed.fixed),
        *((f"'{level}'", terms) for level, terms in zip(random, parsed.random, strict=False)),
    ]
    return [
        f"The outcome '{outcome}' also stands among the {role} terms."
        for role, atoms in roles
        if any(atom.column == outcome for term in atoms for atom in term)
    ]
