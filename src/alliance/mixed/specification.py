"""What the user asked for, checked against the data's columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from alliance.errors import FitError
from alliance.mixed.terms import Atom, parse_terms

ResidualKind = Literal["iid", "ar1", "car1"]
Method = Literal["REML", "ML"]
DegreesOfFreedom = Literal["satterthwaite", "kenward-roger", "none"]
IdRule = Literal["auto", "within-parent", "unique"]


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
    residual : {"iid", "ar1", "car1"}
    residual_time, residual_by : str or None
    method : {"REML", "ML"}
    df : {"satterthwaite", "kenward-roger", "none"}
    ids : {"auto", "within-parent", "unique"}
    outcomes : tuple of str
        The outcomes, where there are several.
    """

    outcome: str
    fixed: tuple[str, ...]
    random: tuple[tuple[str, tuple[str, ...]], ...]
    residual: ResidualKind = "iid"
    residual_time: str | None = None
    residual_by: str | None = None
    method: Method = "REML"
    df: DegreesOfFreedom = "satterthwaite"
    ids: IdRule = "auto"
    outcomes: tuple[str, ...] = ()

    @property
    def levels(self) -> tuple[str, ...]:
        """Level names, outermost first."""
        return tuple(level for level, _ in self.random)


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
    problems: list[str] = []
    if data.columns.has_duplicates:
        twice = data.columns[data.columns.duplicated()].unique().tolist()
        problems.append(f"Columns occur twice: {', '.join(map(repr, twice))}. Rename them.")
    if isinstance(fixed, str) or not len(fixed):
        problems.append('fixed must be a list of terms such as ["1", "t"].')
    if not isinstance(random, Mapping) or not random:
        problems.append(
            "random must name at least one level, outermost first, for example "
            '{"therapist": ["1"], "client": ["1", "t"]}. For a model without random effects use '
            "an ordinary regression."
        )
        random = {}
    allowed = {
        "residual": ("iid", "ar1", "car1"),
        "method": ("REML", "ML"),
        "df": ("satterthwaite", "kenward-roger", "none"),
        "ids": ("auto", "within-parent", "unique"),
    }
    for name, values in allowed.items():
        if options[name] not in values:
            problems.append(f"{name} must be one of {', '.join(values)}.")
    named = [("outcome", outcome)] + [("level", level) for level in random]
    for option in ("residual_time", "residual_by"):
        if options[option] is not None:
            named.append((option, str(options[option])))
    for role, name in named:
        if name not in data.columns:
            problems.append(f"The data have no column '{name}' (named as {role}).")
    serial = options["residual"] in ("ar1", "car1")
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
    for role, atoms in [
        ("fixed", parsed.fixed),
        *((f"'{k}'", v) for k, v in zip(random, parsed.random, strict=False)),
    ]:
        if any(atom.column == outcome for term in atoms for atom in term):
            problems.append(f"The outcome '{outcome}' also stands among the {role} terms.")
    if problems:
        raise FitError("\n".join(problems))
    specification = Specification(
        outcome,
        tuple(fixed),
        tuple((level, tuple(terms)) for level, terms in random.items()),
        **options,  # type: ignore[arg-type]
    )
    return specification, parsed
