"""The joint model of the same course and leaving, where the configuration asks for one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def joint_model_of(
    joint: Sequence[Mapping[str, Any]], fit: Mapping[str, Any]
) -> Mapping[str, Any] | None:
    """Return the joint model of the outcome and time of a fit, None where there is none.

    Parameters
    ----------
    joint
        Fits of family course_and_leaving.
    fit
        Of family missing_not_at_random.
    """
    terms = {row["term"] for row in fit["estimates"] if row["role"] == "main"}
    columns = f"{fit['outcome']['column']}, dropout_event"
    for one in joint:
        if one["outcome"]["column"] == columns and terms & {
            row["term"] for row in one["estimates"]
        }:
            return one
    return None
