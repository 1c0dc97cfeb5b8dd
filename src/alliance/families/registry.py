"""The families of models, one line each: everything else about a family stands in its folder.

Configuration, rules, lists of figures and tables, the sections of the page and the methods text all
follow from here, in this order. Nothing here imports a model: see `alliance.families.family`.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

from alliance.families.family import Family

NAMES = (
    "growth",
    "growth_shape",
    "parallel_growth",
    "coupling",
    "specifications",
    "panel_estimators",
    "agreement",
    "surface",
    "actor_partner",
    "hazard",
    "continuous_time",
    "by_site",
)


@cache
def families() -> dict[str, Family]:
    """Return the families by name, in order."""
    return {name: import_module(f"alliance.families.{name}").FAMILY for name in NAMES}


def leading() -> list[str]:
    """Return the names of the families whose models lead the page."""
    return [name for name, family in families().items() if family.leads]


def diagnosed() -> list[str]:
    """Return the names of the families whose models have diagnostics."""
    return [name for name, family in families().items() if family.diagnosed]


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
    return [ref.partition(":")[0].removeprefix("alliance.") for ref in references]
