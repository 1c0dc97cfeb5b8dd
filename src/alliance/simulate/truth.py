"""The truth of a simulated cohort, as written to truth.json."""

from __future__ import annotations

from typing import Any

from alliance.simulate.cohort import Cohort
from alliance.simulate.parameters import as_table


def truth_of(cohort: Cohort, planted_faults: list[dict[str, Any]]) -> dict[str, Any]:
    """Return seed, parameters, estimands, ruptures and planted faults as plain values."""
    return {
        "simulated": True,
        "seed": cohort.seed,
        "estimands": [],
        "parameters": as_table(cohort.parameters),
        "ruptures": cohort.ruptures.to_dict("records"),
        "planted_faults": planted_faults,
    }
