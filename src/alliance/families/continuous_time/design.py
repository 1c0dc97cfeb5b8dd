"""Predictors of the rows of a model in continuous time, and how each is printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from alliance.errors import FitError
from alliance.families.cohort import Cohort
from alliance.families.common.multilevel import plain_name
from alliance.families.common.references import others_than_reference
from alliance.families.fit import (
    Role,
)
from alliance.families.hazard.rows import (
    IN_WORDS,
    AtRisk,
    known,
)

UNIT = "log hazard"


# term, values, label, level, role, unit
Part = tuple[str, np.ndarray, str, str, Role, str]


@dataclass(frozen=True, slots=True)
class Design:
    """Predictors of the rows of a model, and how each is printed."""

    x: np.ndarray
    terms: list[str]
    labels: list[str]
    levels: list[str]
    roles: list[Role]
    units: list[str]

    @property
    def has_scores(self) -> bool:
        """Whether parts of a score are among them."""
        return any(level.endswith("-client") for level in self.levels)


def start_stop_design(
    cohort: Cohort, risk: AtRisk, predictors: Sequence[str], extra: Sequence[str]
) -> Design:
    """Return the predictors of the sessions at risk; `FitError` where one has no estimate."""
    rows = risk.rows
    focal = [f"{measure}_running_{p}" for measure in predictors[:1] for p in ("within", "between")]
    others = [*map(known, predictors[1:]), *extra, *risk.sites]
    design = design_of(cohort, rows, focal, others, bool(predictors))
    refuse_separation(design, rows["dropout_event"].to_numpy())
    return design


def design_of(
    cohort: Cohort,
    rows: pd.DataFrame,
    focal: Sequence[str],
    others: Sequence[str],
    has_predictors: bool,
) -> Design:
    """Return the running parts of the first predictor, then the other columns as they stand."""
    parts: list[Part] = []
    for column in focal:
        within = column.endswith("within")
        label = cohort.label(column.rpartition("_running_")[0])
        part = "within" if within else "between"
        told, values = f"{label}, {IN_WORDS[part]}", rows[column].to_numpy(float)
        parts.append((column, values, told, f"{part}-client", "main", "point"))
    for column in others:
        measure = column.removesuffix("_known")
        is_measure = column != measure or measure in cohort.measures
        role: Role = "adjustment" if has_predictors or column == "site" else "main"
        if pd.api.types.is_numeric_dtype(rows[column]):
            label = f"{cohort.label(measure)}, last score" if is_measure else plain_name(column)
            unit = "point" if is_measure else "unit"
            parts.append((column, rows[column].to_numpy(float), label, "covariate", role, unit))
            continue
        for category in others_than_reference(rows[column]):
            term = f"{column}[{category}]"
            indicator = (rows[column].astype(str) == category).to_numpy(float)
            parts.append((term, indicator, plain_name(term), "covariate", role, ""))
    return _of_parts(parts)


def _of_parts(parts: Sequence[Part]) -> Design:
    terms, columns, labels, levels, roles, units = (list(part) for part in zip(*parts, strict=True))
    return Design(
        x=np.column_stack(columns),
        terms=terms,
        labels=labels,
        levels=levels,
        roles=roles,
        units=[f"{UNIT} per {unit}" if unit else UNIT for unit in units],
    )


def refuse_separation(design: Design, event: np.ndarray) -> None:
    """Raise where one predictor alone tells all leavers from all stayers, or never varies."""
    for values, label in zip(design.x.T, design.labels, strict=True):
        if np.ptp(values) == 0:
            msg = f"“{label}” is the same in every row: it cannot explain dropout."
            raise FitError(msg)
        left, stayed = values[event == 1], values[event != 1]
        if len(np.unique(values)) > 2 and (
            left.min() >= stayed.max() or left.max() <= stayed.min()
        ):
            msg = f"“{label}” alone tells leavers from stayers: there is no finite estimate."
            raise FitError(msg)


def early_labels(design: Design, predictors: Sequence[str], cohort: Cohort) -> Design:
    """Name the measures as what they are here: the first score; the first one is in question."""
    labels, roles = list(design.labels), list(design.roles)
    for place, term in enumerate(design.terms):
        if term in predictors:
            labels[place] = f"{cohort.label(term)}, the client's first score"
            roles[place] = "main" if term == predictors[0] else "adjustment"
    return replace(design, labels=labels, roles=roles)
