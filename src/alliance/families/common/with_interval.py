"""An estimate with its test and interval, from its standard error."""

from __future__ import annotations

from typing import Any

import numpy as np

from alliance.families.fit import NUMBERS
from alliance.mixed.tables import coefficient_table


def with_interval(value: float, se: float, df: float = np.inf) -> dict[str, Any]:
    """Return the numbers of an estimate of a fit: by t, or the normal where df is infinite."""
    table = coefficient_table(["effect"], np.array([value]), np.array([se]), np.array([df]))
    row = table.iloc[0]
    found = {name: float(row[name]) for name in NUMBERS}
    return found | ({} if np.isfinite(df) else {"df": None})
