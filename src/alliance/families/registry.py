"""The families of models, one line each: everything else about a family stands in its folder.

Configuration, rules, lists of figures and tables, the sections of the page and the methods text all
follow from here, in this order. Nothing here imports a model: see `alliance.families.family`.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

from alliance.families.family import Family, module_of

NAMES = (
    "growth",
    "growth_shape",
    "parallel_growth",
    "joint_courses",
    "coupling",
    "panel_estimators",
    "specifications",
    "agreement",
    "surface",
    "actor_partner",
    "therapists",
    "hazard",
    "continuous_time",
    "course_and_leaving",
    "missing_not_at_random",
    "skipped_forms",
    "by_site",
)


@cache
def families() -> dict[str, Family]:
    """Return the families by name, in order."""
    return {name: import_module(f"alliance.families.{name}").FAMILY for name in NAMES}


def that_are(trait: str) -> list[str]:
    """Return the names of the families with a trait: `leads`, `diagnosed`, `in_forest`, ..."""
    return [name for name, family in families().items() if getattr(family, trait)]


def named(part: str) -> dict[str, str]:
    """Return the late references of a part of all families by name: `figures`, `tables`, ...

    What several families share has one name.
    """
    return {k: ref for family in families().values() for k, ref in getattr(family, part).items()}


def sections(of: str) -> list[str]:
    """Return the templates, below `families/`, that families add to a section of the page."""
    found = [f.sections[of] for f in families().values() if of in f.sections]
    return list(dict.fromkeys(found))


def entry_schemas() -> list[dict[str, Any]]:
    """Return the closed schemas of the config's entries, one a family."""
    return [family.options.schema(name) for name, family in families().items()]


def modules(*parts: str) -> list[str]:
    """Return the modules behind these parts of every family, as `provenance.library` wants them.

    Late references hide them from a reader of imports.
    """
    found = []
    for name, family in families().items():
        found += [f"families.{name}", *modules_of(family, *parts)]
    return list(dict.fromkeys(found))


def modules_of(family: Family, *parts: str) -> list[str]:
    """Return the modules behind these parts of one family."""
    references = [reference for part in parts for reference in family.references(part)]
    return [module_of(reference) for reference in references]
