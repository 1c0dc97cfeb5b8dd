"""What must stand beside the results of a fit that is not plainly converged and confirmed.

One place for pictures, tables and the page, so that none of them says less than the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DOES_NOT_APPLY = "does not apply"  # the state of an item of a checklist
SHORT = {
    "refused": "not fitted",
    "failed": "did not converge",
    "singular": "singular",
    "disputed": "engines differ",
}
LONG = {
    "refused": "not fitted",
    "failed": "did not converge: these numbers are no result",
    "singular": "singular: a variance component at its boundary",
    "disputed": "engines differ: a second one finds other estimates",
}


def kinds_of(fit: Mapping[str, Any]) -> list[str]:
    """Return which of `SHORT` hold for a fit (as plain values), the gravest first."""
    kinds = [fit["status"]] if fit["status"] in SHORT else []
    second = fit["second_engine"]
    if second is not None and second["converged"] and not second["agrees"]:
        kinds.append("disputed")
    return kinds


def mark_of(fit: Mapping[str, Any]) -> str:
    """Return the marks of a fit as printed; empty where it is converged and not disputed."""
    kinds = kinds_of(fit)
    return LONG[kinds[0]] if len(kinds) == 1 else short_mark_of(fit)


def short_mark_of(fit: Mapping[str, Any]) -> str:
    """Return the same in a few words."""
    return ", ".join(SHORT[kind] for kind in kinds_of(fit))
