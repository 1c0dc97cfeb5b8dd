"""Rows of the description that tell how well clients, and sessions, are told apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from alliance.config.instruments import Score
from alliance.measures.forms import Forms
from alliance.measures.generalizability import (
    NESTED_SESSIONS,
    Crossed,
    Nested,
    NestedDraws,
    complete_forms,
    crossed_components,
    nested_components,
    nested_draws,
)
from alliance.measures.reliability import FEWEST_CLIENTS
from alliance.measures.resampling import blocks_of, draw_weights, percentile_interval

Rows = list[dict[str, Any]]
DRAWS = 500
TARGETS = (0.70, 0.80, 0.90)
NESTED_WORDS = {"person": "client", "session": "session of a client", "error": "item and error"}
CROSSED_WORDS = {
    "person": "client",
    "session": "session, the same for all clients",
    "item": "item",
    "person_session": "client x session",
    "person_item": "client x item",
    "session_item": "session x item",
    "residual": "error",
}


def generalizability_rows(
    scores: Mapping[str, tuple[dict[str, Any], Score]],
    main: set[str],
    forms: Forms,
    generator: Callable[[str], np.random.Generator],
) -> dict[str, Rows]:
    """Return the rows of all scores of a measure.

    Parameters
    ----------
    scores
        Score name to (what names its rows, the score).
    main
        Scores that get the crossed design and the decision table too.
    forms
        The measure's forms.
    generator
        Gives random numbers for a purpose.
    """
    parts: dict[str, Rows] = {
        name: []
        for name in (
            "generalizability",
            "components",
            "coefficients",
            "decision",
            "sessions_needed",
        )
    }
    seen: set[bytes] = set()
    for name, (head, score) in scores.items():
        columns = forms.columns_of(score)
        fingerprint = columns.tobytes()
        if fingerprint in seen:  # the same items under another name or scale
            continue
        seen.add(fingerprint)
        for part, rows in _of_score(head, columns, forms, name in main, generator(name)).items():
            parts[part] += rows
    return parts


def _of_score(
    head: dict[str, Any],
    columns: np.ndarray,
    forms: Forms,
    is_main: bool,
    rng: np.random.Generator,
) -> dict[str, Rows]:
    some = ~np.isnan(columns).all(axis=1)
    # ASSUME forms with an unanswered item do not differ from the others: the design needs every
    # answer of a form, and those forms are left out here (they are counted).
    complete = complete_forms(columns) & some
    items, client = columns[complete], forms.client_codes(complete)
    row = {
        **head,
        "clients": len(np.unique(client)),
        "forms": int(complete.sum()),
        "incomplete_forms": int((some & ~complete).sum()),
        "items": columns.shape[1],
        "mean_sessions": None,
        "message": _why_not(items, client),
    }
    if row["message"]:
        return {"generalizability": [row]}
    nested = nested_components(items, client)
    if nested is None:
        row["message"] = "The score never varies."
        return {"generalizability": [row]}
    row["mean_sessions"] = nested.mean_sessions
    block, n_blocks = blocks_of(client, rng)
    draws = nested_draws(items, client, block, draw_weights(n_blocks, DRAWS, rng))
    parts = {
        "generalizability": [row],
        "components": _components(head, "nested", nested, NESTED_WORDS),
        "coefficients": _nested_coefficients(head, nested, draws),
    }
    if not is_main:
        return parts
    # ASSUME nothing changes systematically over sessions: a common course of improvement counts as
    # difference between sessions, so that reliability of the client's mean is told too low then.
    parts["decision"] = [
        {
            **head,
            "sessions": k,
            "reliability": nested.person_reliability(k),
            **_interval(draws.person_reliability(k)),
        }
        for k in NESTED_SESSIONS
    ]
    parts["sessions_needed"] = [
        {**head, "target": target, "sessions": nested.sessions_for(target)} for target in TARGETS
    ]
    crossed = crossed_components(items, client, forms.session_codes(complete))
    if crossed is None:
        row["message"] = "Too few sessions in common for the crossed design."
        return parts
    parts["components"] = [
        *parts["components"],
        *_components(head, "crossed", crossed, CROSSED_WORDS),
    ]
    parts["coefficients"] = [*parts["coefficients"], *_crossed_coefficients(head, crossed)]
    if crossed.negative:
        names = ", ".join(CROSSED_WORDS[name] for name in crossed.negative)
        row["message"] = f"Set to zero because estimated below it: {names}."
    return parts


def _why_not(items: np.ndarray, client: np.ndarray) -> str:
    """Return why nothing can be computed; empty where it can."""
    if items.shape[1] < 2:
        return "One number a form: its error cannot be told from the session."
    if len(np.unique(client)) < FEWEST_CLIENTS:
        return "Fewer than eight clients with a complete form."
    if len(client) == len(np.unique(client)):
        return "Every client has one complete form: clients and sessions cannot be told apart."
    if items.min() == items.max():
        return "Every answer is the same."
    return ""


def _components(
    head: Mapping[str, Any], design: str, found: Nested | Crossed, words: Mapping[str, str]
) -> Rows:
    values = {name: getattr(found, name) for name in words}
    total = sum(values.values())
    return [
        {
            **head,
            "design": design,
            "component": words[name],
            "variance": value,
            "share": value / total if total > 0 else None,
        }
        for name, value in values.items()
    ]


def _nested_coefficients(head: Mapping[str, Any], found: Nested, draws: NestedDraws) -> Rows:
    k = found.mean_sessions
    return [
        _coefficient(head, "nested", "R_KRN", "a client's mean over sessions", k,
                     found.person_reliability(k), draws.person_reliability(k)),
        _coefficient(head, "nested", "R_1RN", "a single session, to tell clients apart", 1.0,
                     found.person_reliability(1), draws.person_reliability(1)),
        _coefficient(head, "nested", "R_CN", "change from session to session", None,
                     found.change_reliability, draws.change_reliability),
        _coefficient(head, "nested", "R_CN, items crossed",
                     "the same, how items differ taken out of the error", None,
                     found.change_reliability_items_crossed,
                     draws.change_reliability_items_crossed),
    ]  # fmt: skip


def _crossed_coefficients(head: Mapping[str, Any], found: Crossed) -> Rows:
    k = found.mean_sessions
    return [
        _coefficient(head, "crossed", "R_1F", "one session, the same one for all", 1.0,
                     found.fixed_mean(1)),
        _coefficient(head, "crossed", "R_KF", "mean over the same sessions", k,
                     found.fixed_mean(k)),
        _coefficient(head, "crossed", "R_1R", "one session, drawn by chance", 1.0,
                     found.random_mean(1)),
        _coefficient(head, "crossed", "R_KR", "mean over sessions drawn by chance", k,
                     found.random_mean(k)),
        _coefficient(head, "crossed", "R_C", "change from session to session", None, found.change),
    ]  # fmt: skip


def _coefficient(
    head: Mapping[str, Any],
    design: str,
    name: str,
    meaning: str,
    sessions: float | None,
    value: float,
    draws: np.ndarray | None = None,
) -> dict[str, Any]:
    return {
        **head,
        "design": design,
        "name": name,
        "meaning": meaning,
        "sessions": sessions,
        "value": value if np.isfinite(value) else None,
        **(_interval(draws) if draws is not None else {"low": None, "high": None}),
    }


def _interval(draws: np.ndarray) -> dict[str, float | None]:
    low, high = percentile_interval(draws)
    return {"low": low, "high": high}
