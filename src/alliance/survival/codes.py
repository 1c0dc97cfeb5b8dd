"""Whether, and how, somebody left: checked before anything is counted."""

from __future__ import annotations

import numpy as np

from alliance.errors import FitError


def events_of(event: np.ndarray) -> np.ndarray:
    """Return whether each has the event, shape (n,).

    Raises
    ------
    FitError
        A value that is neither 0 nor 1 (False or True), a missing one among them: it would count as
        censored without a word.
    """
    codes = _numbers(event)
    if codes is None or not np.isin(codes, (0.0, 1.0)).all():
        raise FitError("The event must be 0 or 1 (or False or True) in every row, none missing.")
    return np.asarray(codes == 1.0)


def causes_of(cause: np.ndarray) -> np.ndarray:
    """Return the way of leaving by number, 0 for censoring, shape (n,).

    Raises
    ------
    FitError
        A value that is no whole number from 0 on.
    """
    codes = _numbers(cause)
    if codes is None or not ((codes >= 0) & (codes == np.floor(codes))).all():
        raise FitError("The way of leaving must be a number (0: censored) in every row.")
    return codes


def _numbers(values: np.ndarray) -> np.ndarray | None:
    """Return the values as numbers, or None where they are text or anything else."""
    values = np.asarray(values)
    if values.dtype.kind in "OUS" and any(isinstance(value, str | bytes) for value in values):
        return None
    try:
        return values.astype(float)
    except (TypeError, ValueError):
        return None
