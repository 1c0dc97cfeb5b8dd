"""Where an effect is lost as an assumption worsens."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import numpy as np

Lost = Literal["sign", "interval"]


def tipping_point(
    x: np.ndarray, estimate: np.ndarray, low: np.ndarray, high: np.ndarray, which: Lost
) -> float | None:
    """Return the place nearest to zero at which an effect loses its sign, or its interval.

    Parameters
    ----------
    x
        How far the assumption goes, rising; the place nearest to zero is where it begins.
    estimate, low, high
        The effect there, and its interval.
    which
        `sign`: the estimate reaches zero; `interval`: the interval does.

    Returns
    -------
    float or None
        By straight lines between the places; None where the effect keeps it over all of them, or
        does not have it at the beginning.
    """
    begin = int(np.argmin(np.abs(x)))
    sign = np.sign(estimate[begin])
    kept = sign * {"sign": estimate, "interval": low if sign > 0 else high}[which]
    if kept[begin] <= 0:
        return None
    crossings = [
        x[i] + (x[i + 1] - x[i]) * a / (a - b)
        for i, (a, b) in enumerate(pairwise(kept.tolist()))
        if a * b < 0
    ]
    return float(min(crossings, key=abs)) if crossings else None
