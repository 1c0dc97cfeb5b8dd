"""Which models lead a page: those that its first screen speaks of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from alliance.families.fit import USABLE
from alliance.families.registry import families, that_are


def leading_models(fits: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the names of the models that lead, in order; fits as plain values.

    A model steps back where a usable one, of a family that leads before its own, estimates every
    link that it has.
    """
    return [
        fit["model"]
        for fit in fits
        if fit["family"] in that_are("leads") and not any(_leads_before(o, fit) for o in fits)
    ]


def _leads_before(other: Mapping[str, Any], fit: Mapping[str, Any]) -> bool:
    known = families()
    if other["family"] not in known or other["status"] not in USABLE:
        return False
    links = links_of(fit)
    return (
        fit["family"] in known[other["family"]].leads_before
        and bool(links)
        and links <= links_of(other)
    )


def links_of(fit: Mapping[str, Any]) -> set[str]:
    """Return the codes of the links that a fit estimates."""
    return {entry["link"] for entry in fit["estimates"] if entry.get("link")}
