"""What the figures of the measures share: their description, sorted by score."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alliance.findings.results import Results

NOT_DESCRIBED = "How well the questionnaires measure was not described for this cohort."
MOST_PANELS = 8
"""A key without a total has many scores; the tables hold them all."""


def described(results: Results) -> Mapping[str, Any] | str:
    """Return the description of the measures, or why there is none."""
    content = results.further.get("measurement")
    if content is None:
        return NOT_DESCRIBED
    if not content["measures"]:
        return "No questionnaire is part of this cohort."
    found: Mapping[str, Any] = content
    return found


def main_labels(content: Mapping[str, Any]) -> list[str]:
    """Return the labels of the totals, and of all scores where a key has no total."""
    with_total = {row["measure"] for row in content["scores"] if row["score"] == "total"}
    labels = [
        row["label"]
        for row in content["scores"]
        if row["score"] == "total" or row["measure"] not in with_total
    ]
    return labels[:MOST_PANELS]


def of_main_scores(content: Mapping[str, Any], part: str) -> dict[str, list[Mapping[str, Any]]]:
    """Return the rows of a part of the description by the label of their score."""
    labels = main_labels(content)
    rows: dict[str, list[Mapping[str, Any]]] = {label: [] for label in labels}
    for row in content[part]:
        if row["label"] in rows:
            rows[row["label"]].append(row)
    return rows
