"""How the terms of a hazard are printed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from alliance.families.cohort import Cohort
from alliance.families.common.multilevel import INTERCEPT, plain_name
from alliance.families.fit import Role
from alliance.families.hazard.rows import IN_WORDS, known

SCALE = {"logit": "log odds", "cloglog": "log hazard"}
UNITS = {"age_years": "year", "sessions_planned": "session planned"}


class Printed(NamedTuple):
    """How a term is printed."""

    label: str
    level: str
    role: Role
    unit: str


def running_parts(predictors: Sequence[str]) -> list[str]:
    """Return the running parts of the first predictor, which is the one in question."""
    return [f"{measure}_running_{p}" for measure in predictors[:1] for p in ("within", "between")]


def terms_in_print(
    cohort: Cohort, predictors: Sequence[str], extra: Sequence[str], scale: str
) -> dict[str, Printed]:
    """Return how terms are printed; others are printed under their own name."""
    info = {
        INTERCEPT: Printed("Intercept", "intercept", "adjustment", scale),
        "log(session)": Printed("log(session)", "time", "adjustment", f"{scale} per log unit"),
    }
    per_point = f"{scale} per point"
    for position, measure in enumerate(predictors):
        label = cohort.label(measure)
        if position == 0:
            within, between = running_parts(predictors)
            for term, part in ((within, "within"), (between, "between")):
                told = f"{label}, {IN_WORDS[part]}"
                info[term] = Printed(told, f"{part}-client", "main", per_point)
        else:
            told = f"{label}, last score"
            info[known(measure)] = Printed(told, "covariate", "adjustment", per_point)
    role: Role = "adjustment" if predictors else "main"
    for column in extra:
        per_unit = f"{scale} per {UNITS.get(column, 'unit')}"
        info[column] = Printed(plain_name(column), "covariate", role, per_unit)
    return info


def in_print(term: str, terms: Mapping[str, Printed], scale: str) -> Printed:
    """Return how a term is printed, under its own name where nothing else is said."""
    if term in terms:
        return terms[term]
    column = term.partition("[")[0]
    role: Role = terms[column].role if column in terms else "adjustment"
    level = "time" if "session" in column else "covariate"
    return Printed(plain_name(term), level, role, scale)
