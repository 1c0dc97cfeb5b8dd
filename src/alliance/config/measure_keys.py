"""Which scoring key each measure of a cohort is scored by, also where only totals are known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from alliance.config.instruments import Instrument, Score, load_instrument
from alliance.config.score_columns import TOTAL

NO_ITEMS = "none"  # value of a measure's key `items`


def keys_of(
    measures: Mapping[str, Mapping[str, Any]], instruments: Iterable[str | Path]
) -> dict[str, Instrument]:
    """Return the key of each measure.

    Parameters
    ----------
    measures
        The config's entries.
    instruments
        Files of the keys that they name.
    """
    by_id = {key.id: key for key in map(load_instrument, instruments)}
    return {
        name: key_of_totals(by_id[entry["instrument"]])
        if has_no_items(entry)
        else by_id[entry["instrument"]]
        for name, entry in measures.items()
    }


def has_no_items(measure: Mapping[str, Any]) -> bool:
    """Whether of a measure nothing but totals is known."""
    return bool(measure.get("items") == NO_ITEMS)


def totals_agree(name: str, measure: Mapping[str, Any], given: Any) -> str:
    """Say what is wrong where config and mapping differ on whether a measure has items; else ""."""
    is_total = isinstance(given, Mapping) and "total" in given
    if is_total and not has_no_items(measure):
        return f"a total stands for a whole form: give {name} `items: none` in the config, too"
    if has_no_items(measure) and not is_total:
        return f"the config says `items: none` of {name}: give `total`, the column of its totals"
    return ""


def no_total_in(definition: Mapping[str, Any]) -> str:
    """Say why totals alone cannot be read by a key; "" where they can."""
    scores = definition.get("scores")
    total = scores.get(TOTAL) if isinstance(scores, Mapping) else None
    if not isinstance(total, Mapping):
        return "its scoring key has no total score: give the items, or leave the measure out"
    return "" if "range" in total else "its scoring key states no range of the total"


def key_of_totals(key: Instrument) -> Instrument:
    """Return the key of a form of which the total alone is known: one item, which is the total.

    Its range is that of the key's total. Any number within it is an answer: totals of archives may
    be prorated, or means.
    """
    low, high = key.definition["scores"][TOTAL]["range"]
    own = key.definition
    definition = own | {
        "items": 1,
        "reversed_items": [],
        "scores": {TOTAL: {"items": "all", "rule": "sum", "range": [low, high]}},
        "unanswered": {"most": 0, "fill": "none"},
    }
    return replace(
        key,
        n_items=1,
        minimum=low,
        maximum=high,
        step=0,
        item_maximum={},
        reverse=(),
        unscored=(),
        scores=(Score(TOTAL, (1,), (), "sum", 1, 0),),
        fill="none",
        questionnaire_unanswered_most=None,
        not_applicable=None,
        definition=definition,
    )
