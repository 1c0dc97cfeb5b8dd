"""What a reader must know of a scoring key: rules in words, evidence, published reliability."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alliance.config.instruments import Instrument, Item, Score
from alliance.config.measure_keys import has_no_items
from alliance.config.score_columns import TOTAL
from alliance.measures.instrument_reference import instrument_reference

PARTS = {
    "items": "number and order of items",
    "reversed_items": "reversed items",
    "scores": "which items make which score",
    "scoring": "how a score is put together",
    "unanswered": "what happens to unanswered items",
}
CONFIDENCE = {
    "verified": "read in a source",
    "literature": "known from the literature, not read in a source",
    "uncertain": "uncertain",
}


def key_facts(measure: str, entry: Mapping[str, Any], key: Instrument) -> dict[str, Any]:
    """Return what the report says of a measure's key in one row."""
    parts = key.definition["evidence"].values()
    return {
        "measure": measure,
        "label": entry.get("label") or measure,
        "instrument": key.id,
        "name": key.name,
        "abbreviation": key.abbreviation,
        "rater": key.rater,
        "construct": key.construct,
        "items": key.n_items,
        "reversed_items": _listed(key.reverse) or "none",
        "status": key.status,
        "unverified": key.status != "ready",
        "parts_not_read_in_a_source": sum(part["confidence"] != "verified" for part in parts),
        "unanswered": _unanswered_in_words(key),
        "totals_only": has_no_items(entry),
        "not_applicable": _not_applicable_in_words(key),
        "disagreements": [str(text) for text in key.definition.get("disagreements", [])],
        "reference": instrument_reference(key),
    }


def evidence(measure: str, key: Instrument) -> list[dict[str, Any]]:
    """Return how sure each part of the key is, and where it was read."""
    return [
        {
            "measure": measure,
            "part": PARTS.get(part, part),
            "confidence": CONFIDENCE[entry["confidence"]],
            "verified": entry["confidence"] == "verified",
            "source": entry["source"],
        }
        for part, entry in key.definition["evidence"].items()
    ]


def score_rules(measure: str, entry: Mapping[str, Any], key: Instrument) -> list[dict[str, Any]]:
    """Return every score of the key with the items that it rests on."""
    rows = []
    for score in key.scores:
        stated = key.definition["scores"][score.name].get("range")
        rows.append(
            {
                "measure": measure,
                "score": score.name,
                "label": score_label(measure, entry, score.name),
                "rule": _rule_in_words(score),
                "items": _items_in_words(score),
                "lowest": stated[0] if stated else None,
                "highest": stated[1] if stated else None,
                "unanswered_most": None if score.parts else score.unanswered_most,
            }
        )
    return rows


def published_reliability(measure: str, key: Instrument) -> list[dict[str, Any]]:
    """Return the published alphas and retest correlations of the key."""
    return [
        {
            "measure": measure,
            "score": str(row.get("score", TOTAL)),
            "alpha": row.get("alpha"),
            "retest": row.get("retest"),
            "sample": str(row.get("sample", "")),
            "confidence": CONFIDENCE.get(str(row.get("confidence")), ""),
        }
        for row in key.definition.get("reliability", [])
        if isinstance(row.get("alpha", row.get("retest")), int | float)
    ]


def score_label(measure: str, entry: Mapping[str, Any], score: str) -> str:
    """Return how a score is called in print: the measure's label, or `Alliance: goal`."""
    label = str(entry.get("label") or measure)
    return label if score == TOTAL else f"{label}: {score.replace('_', ' ')}"


def main_scores(key: Instrument) -> list[Score]:
    """Return the total, or every score of a key that has none."""
    return [score for score in key.scores if score.name == TOTAL] or list(key.scores)


def items_of(score: Score, key: Instrument) -> tuple[Item, ...]:
    """Return the items that a score rests on, those of its parts where it is made of scores."""
    if not score.parts:
        return score.items
    by_name = {other.name: other for other in key.scores}
    found = [item for part in score.parts for item in items_of(by_name[part], key)]
    return tuple(dict.fromkeys(found))


def _rule_in_words(score: Score) -> str:
    times = "" if score.times == 1 else f", times {score.times:g}"
    return f"{score.rule}{times}"


def _items_in_words(score: Score) -> str:
    if score.parts:
        return "the scores " + ", ".join(part.replace("_", " ") for part in score.parts)
    words = [
        str(item) if isinstance(item, int) else f"the highest of {_listed(item)}"
        for item in score.items
    ]
    plain = [item for item in score.items if isinstance(item, int)]
    if len(plain) == len(score.items) > 2 and plain == list(range(plain[0], plain[-1] + 1)):
        return f"{plain[0]} to {plain[-1]}"
    return ", ".join(words)


def _unanswered_in_words(key: Instrument) -> str:
    rule = key.definition["unanswered"]
    if "share" in rule:
        most = f"up to {100 * rule['share']:g}% of a score's items"
    elif rule["most"] == 0:
        return "none may be missing"
    else:
        of = "the form" if rule.get("scope") == "questionnaire" else "a score"
        most = f"up to {rule['most']} of {of}"
    fill = {
        "person-mean": "the mean of the answered ones stands for them",
        "scale-mean-rounded": "the rounded mean of the answered ones stands for them",
        "none": "nothing stands for them",
    }[rule["fill"]]
    return f"{most} may be missing; {fill}"


def _not_applicable_in_words(key: Instrument) -> str:
    offer = key.not_applicable
    if offer is None:
        return ""
    items = "any item" if len(offer.items) == key.n_items else f"items {_listed(offer.items)}"
    value = "unanswered" if offer.counts_as is None else f"{offer.counts_as:g}"
    return f"“does not apply” ({offer.answer:g}; {items}) counts as {value}"


def _listed(items: tuple[int, ...]) -> str:
    return ", ".join(str(item) for item in items)
